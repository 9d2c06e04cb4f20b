// Markdown → tree, in three steps. First a pass over the lines takes out what Markdown does not know: comments (directives)
// and formulas, which leave a mark behind. Then md4c reads the rest. Then the marks become formulas again, and snippets get
// their captions. Lines keep their numbers throughout.
#include "tools/book/document.h"

#include <md4c.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "chapters/01_tensor/errors.h"

namespace tpp::book {

namespace {

constexpr std::size_t kLongest = 8u << 20;
constexpr std::size_t kDeepest = 32;

// A formula's mark: private characters around its number. They do not occur in the text: those that do are replaced.
constexpr std::string_view kMarkBegin = "\uE000", kMarkEnd = "\uE001";

struct TakenFormula {
  std::string tex;
  bool block = false;
  int line = 0;
};

struct Prepared {
  std::string text;
  std::vector<TakenFormula> formulas;
  std::vector<Directive> directives;
  std::vector<Problem> problems;
};

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The first pass.
class Preparation {
 public:
  explicit Preparation(std::string_view markdown) {
    in_.reserve(markdown.size());
    for (std::size_t i = 0; i < markdown.size(); ++i) {
      if (markdown[i] == '\r') {  // every line ends with \n
        if (i + 1 >= markdown.size() || markdown[i + 1] != '\n') in_ += '\n';
      } else if (markdown[i] == '\0' || markdown.substr(i, 3) == kMarkBegin ||
                 markdown.substr(i, 3) == kMarkEnd) {
        in_ += "\uFFFD";
        if (markdown[i] != '\0') i += 2;
      } else {
        in_ += markdown[i];
      }
    }
  }

  Prepared run() {
    while (at_ < in_.size()) {
      const std::size_t end = line_end(at_);
      const bool line_begins = at_ == 0 || in_[at_ - 1] == '\n';
      if (line_begins && (fence() || formula_block())) continue;
      paragraph_piece(end);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::size_t line_end(std::size_t at) const {
    return std::min(in_.find('\n', at), in_.size());
  }
  [[nodiscard]] std::string_view line() const {
    return std::string_view(in_).substr(at_, line_end(at_) - at_);
  }

  /// Take bytes over as they are, up to `end`.
  void copy(std::size_t end) {
    end = std::min(end, in_.size());
    for (; at_ < end; ++at_) {
      if (in_[at_] == '\n') ++line_;
      out_.text += in_[at_];
    }
  }

  /// Leave bytes out, but for their line ends.
  void drop(std::size_t end) {
    for (; at_ < end; ++at_) {
      if (in_[at_] != '\n') continue;
      ++line_;
      out_.text += '\n';
    }
  }

  void mark(std::string tex, bool block) {
    out_.text +=
        std::string(kMarkBegin) + std::to_string(out_.formulas.size()) + std::string(kMarkEnd);
    out_.formulas.push_back({std::move(tex), block, line_});
  }

  /// A line's text behind list marks and quote marks: "> - ```cpp" → "```cpp"
  static std::string_view behind_marks(std::string_view line) {
    for (;;) {
      line = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
      if (line.empty()) return line;
      if (line[0] == '>') {
        line.remove_prefix(1);
      } else if (line.size() > 1 && (line[0] == '-' || line[0] == '*' || line[0] == '+') &&
                 line[1] == ' ') {
        line.remove_prefix(2);
      } else {
        return line;
      }
    }
  }

  /// Code between fences is taken over untouched.
  bool fence() {
    const std::string_view open = behind_marks(line());
    if (open.size() < 3 || (open[0] != '`' && open[0] != '~')) return false;
    const char c = open[0];
    const std::size_t length = std::min(open.find_first_not_of(c), open.size());
    if (length < 3 || (c == '`' && open.find('`', length) != std::string_view::npos)) return false;
    copy(line_end(at_) + 1);
    while (at_ < in_.size()) {
      const std::string_view close = trimmed(behind_marks(line()));
      const bool closes =
          close.size() >= length && close.find_first_not_of(c) == std::string_view::npos;
      copy(line_end(at_) + 1);
      if (closes) break;
    }
    return true;
  }

  /// $$ … $$ that begins a line becomes one mark.
  bool formula_block() {
    if (trimmed(line()).substr(0, 2) != "$$") return false;
    const std::size_t open = in_.find("$$", at_);
    const std::size_t close = in_.find("$$", open + 2);
    const std::size_t blank = in_.find("\n\n", open);
    if (close == std::string::npos || blank < close) {
      out_.problems.push_back(
          {line_, "A $$ is never closed: write a second $$ after the formula."});
      copy(line_end(at_) + 1);
      return true;
    }
    if (trimmed(std::string_view(in_).substr(open + 2, close - open - 2))
            .empty()) {  // $$$$ is four signs
      copy(close + 2);
      return true;
    }
    copy(open);
    mark(std::string(trimmed(std::string_view(in_).substr(open + 2, close - open - 2))), true);
    drop(close + 2);
    return true;
  }

  /// Up to this line's end (further where something that began on it ends later).
  void paragraph_piece(std::size_t end) {
    const bool indented = line().substr(0, 4) == "    ";
    while (at_ < end && at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '\\') {
        copy(at_ + 2);
      } else if (c == '`') {
        code_span();
      } else if (c == '<' && in_.compare(at_, 4, "<!--") == 0) {
        comment();
      } else if (c == '$') {
        inline_formula(indented);
      } else {
        copy(at_ + 1);
      }
    }
    if (at_ < in_.size() && in_[at_] == '\n') copy(at_ + 1);
  }

  void code_span() {
    const std::size_t open_end = std::min(in_.find_first_not_of('`', at_), in_.size());
    const std::size_t length = open_end - at_;
    const std::size_t limit = std::min(paragraph_end(), in_.size());
    if (const auto known = unclosed_.find(length);
        known != unclosed_.end() && known->second == limit)
      return copy(open_end);
    for (std::size_t i = open_end; i < limit;) {
      if (in_[i] != '`') {
        ++i;
        continue;
      }
      const std::size_t run_end = std::min(in_.find_first_not_of('`', i), in_.size());
      if (run_end - i == length) return copy(run_end);
      i = run_end;
    }
    unclosed_[length] = limit;  // the next such run need not look again
    copy(open_end);
  }

  /// The blank line behind this place, found once for a paragraph.
  std::size_t paragraph_end() {
    if (at_ >= paragraph_end_ || paragraph_end_ == 0)
      paragraph_end_ = std::min(in_.find("\n\n", at_), in_.size());
    return std::max(paragraph_end_, at_ + 1);
  }

  void comment() {
    const std::size_t close = comments_end_ ? std::string::npos : in_.find("-->", at_ + 4);
    if (close == std::string::npos) {
      if (!comments_end_)
        out_.problems.push_back({line_, "A comment <!-- is never closed by -->."});
      comments_end_ = true;
      copy(at_ + 4);
      return;
    }
    const std::string words(trimmed(std::string_view(in_).substr(at_ + 4, close - at_ - 4)));
    const int line = line_;
    drop(close + 3);
    if (words.empty()) return;
    const std::string_view word = std::string_view(words).substr(0, words.find_first_of(" \n\t"));
    if (words[0] != '/') {
      out_.directives.push_back({words, line, line});
      open_[std::string(word)].push_back(out_.directives.size() - 1);
      return;
    }
    // A closing one: what was opened by that word last
    std::vector<std::size_t>& opened =
        open_[std::string(trimmed(std::string_view(words).substr(1)))];
    if (opened.empty()) return;
    out_.directives[opened.back()].last = line_;
    opened.pop_back();
  }

  void inline_formula(bool indented) {
    const std::size_t limit = std::min(paragraph_end(), in_.size());
    if (in_.compare(at_, 2, "$`") == 0) {
      const bool searched = unclosed_formula_ == limit;
      const std::size_t close = searched ? std::string::npos : in_.find("`$", at_ + 2);
      if (close == std::string::npos || close >= limit) {
        unclosed_formula_ = limit;
        if (!searched)
          out_.problems.push_back({line_, "A $` is never closed by `$ in its paragraph."});
        copy(at_ + 2);
        return;
      }
      mark(std::string(trimmed(std::string_view(in_).substr(at_ + 2, close - at_ - 2))), false);
      drop(close + 2);
      return;
    }
    // $x$: no blank inside of the dollars, no digit after them, so that $5 and $6 stay money
    const bool block = in_.compare(at_, 2, "$$") == 0;
    const std::size_t width = block ? 2 : 1;
    const std::size_t from = at_ + width;
    const auto blank = [&](std::size_t i) {
      return i >= in_.size() || in_[i] == ' ' || in_[i] == '\n' || in_[i] == '\t';
    };
    if (indented || blank(from) || in_[from] == '$' ||
        (at_ > 0 && std::isalnum(static_cast<unsigned char>(in_[at_ - 1])))) {
      copy(from);
      return;
    }
    for (std::size_t i = from; i < std::min(limit, from + 2000); ++i) {
      if (in_[i] == '\\') {
        ++i;
      } else if (in_[i] == '$') {
        if (blank(i - 1) || (i + width < in_.size() && is_digit(in_[i + width]))) break;
        if (block && (i + 1 >= in_.size() || in_[i + 1] != '$')) break;
        mark(std::string(std::string_view(in_).substr(from, i - from)), block);
        drop(i + width);
        return;
      } else if (in_[i] == '`') {
        break;
      }
    }
    copy(from);
  }

  std::string in_;
  Prepared out_;
  std::size_t at_ = 0;
  std::size_t paragraph_end_ = 0;
  int line_ = 1;
  std::map<std::string, std::vector<std::size_t>>
      open_;  // directives without their closing comment yet, by word
  std::map<std::size_t, std::size_t>
      unclosed_;  // runs of so many backticks have no partner up to there
  std::size_t unclosed_formula_ = 0;
  bool comments_end_ = false;
};

void append_utf8(std::string& out, unsigned long code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

std::string entity(std::string_view text) {
  static const std::map<std::string_view, std::string_view> known{
      {"&amp;", "&"},         {"&lt;", "<"},        {"&gt;", ">"},     {"&quot;", "\""},
      {"&apos;", "'"},        {"&nbsp;", "\u00A0"}, {"&ndash;", "–"},  {"&mdash;", "—"},
      {"&hellip;", "…"},      {"&times;", "×"},     {"&middot;", "·"}, {"&rarr;", "→"},
      {"&larr;", "←"},        {"&le;", "≤"},        {"&ge;", "≥"},     {"&copy;", "©"},
      {"&thinsp;", "\u2009"}, {"&shy;", "\u00AD"}};
  if (const auto found = known.find(text); found != known.end()) return std::string(found->second);
  if (text.size() > 3 && text[1] == '#') {
    const bool hex = text[2] == 'x' || text[2] == 'X';
    unsigned long code = 0;
    const char* begin = text.data() + (hex ? 3 : 2);
    const char* end = text.data() + text.size() - 1;
    if (std::from_chars(begin, end, code, hex ? 16 : 10).ec == std::errc{}) {
      std::string out;
      append_utf8(out, code);
      return out;
    }
  }
  return std::string(text);
}

std::string attribute(const MD_ATTRIBUTE& value) {
  std::string out;
  if (value.text == nullptr) return out;
  for (int i = 0; value.substr_offsets[i] < value.size; ++i) {
    const std::string_view piece(value.text + value.substr_offsets[i],
                                 value.substr_offsets[i + 1] - value.substr_offsets[i]);
    if (value.substr_types[i] == MD_TEXT_ENTITY)
      out += entity(piece);
    else if (value.substr_types[i] == MD_TEXT_NULLCHAR)
      out += "\uFFFD";
    else
      out += piece;
  }
  return out;
}

/// The second pass: md4c calls, a stack of open blocks and spans is filled.
class Builder {
 public:
  explicit Builder(const Prepared& prepared) : prepared_(prepared) {
    for (std::size_t i = 0; i < prepared.text.size(); ++i) {
      if (prepared.text[i] == '\n') line_starts_.push_back(i + 1);
    }
    root_.kind = BlockKind::quote;
    blocks_.push_back(&root_);
  }

  void run() {
    MD_PARSER parser{};
    parser.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_PERMISSIVEURLAUTOLINKS;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) {
      return static_cast<Builder*>(self)->enter(type, detail), 0;
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void*, void* self) {
      return static_cast<Builder*>(self)->leave(type), 0;
    };
    parser.enter_span = [](MD_SPANTYPE type, void* detail, void* self) {
      return static_cast<Builder*>(self)->enter_span(type, detail), 0;
    };
    parser.leave_span = [](MD_SPANTYPE, void*, void* self) {
      return static_cast<Builder*>(self)->leave_span(), 0;
    };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* self) {
      return static_cast<Builder*>(self)->text(type, {text, size}), 0;
    };
    if (md_parse(prepared_.text.data(), static_cast<MD_SIZE>(prepared_.text.size()), &parser,
                 this) != 0) {
      throw InputError("The Markdown could not be read: out of memory.");
    }
  }

  std::vector<Block> blocks() { return std::move(root_.children); }
  std::vector<Problem> problems;

 private:
  [[nodiscard]] bool holds(const char* place) const {
    const char* begin = prepared_.text.data();
    return place >= begin && place < begin + prepared_.text.size();
  }

  [[nodiscard]] int line_of(const char* place) const {
    const char* begin = prepared_.text.data();
    if (!holds(place)) return line_;  // md4c's own constant
    const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(),
                                        static_cast<std::size_t>(place - begin));
    return static_cast<int>(after - line_starts_.begin()) + 1;
  }

  void push(Block block) {
    if (blocks_.size() > kDeepest) {  // what is deeper joins what is here
      ++flattened_;
      return;
    }
    blocks_.back()->children.push_back(std::move(block));
    blocks_.push_back(&blocks_.back()->children.back());
  }

  void pop() {
    if (flattened_ > 0) {
      --flattened_;
      return;
    }
    blocks_.pop_back();
  }

  static Align align_of(MD_ALIGN align) {
    switch (align) {
      case MD_ALIGN_LEFT:
        return Align::left;
      case MD_ALIGN_CENTER:
        return Align::centre;
      case MD_ALIGN_RIGHT:
        return Align::right;
      default:
        return Align::none;
    }
  }

  void enter(MD_BLOCKTYPE type, void* detail) {
    flush();  // an item's words before the list inside of it
    spans_.clear();
    switch (type) {
      case MD_BLOCK_DOC:
      case MD_BLOCK_THEAD:
      case MD_BLOCK_TBODY:
        return;
      case MD_BLOCK_QUOTE:
        push({.kind = BlockKind::quote});
        return;
      case MD_BLOCK_UL:
        push({.kind = BlockKind::list,
              .tight = static_cast<MD_BLOCK_UL_DETAIL*>(detail)->is_tight != 0});
        return;
      case MD_BLOCK_OL: {
        const auto* list = static_cast<MD_BLOCK_OL_DETAIL*>(detail);
        push({.kind = BlockKind::list,
              .ordered = true,
              .tight = list->is_tight != 0,
              .start = static_cast<int>(list->start)});
        return;
      }
      case MD_BLOCK_LI:
        push({.kind = BlockKind::item});
        return;
      case MD_BLOCK_HR:
        push({.kind = BlockKind::rule});
        return;
      case MD_BLOCK_H:
        push({.kind = BlockKind::heading,
              .level = static_cast<int>(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level)});
        return;
      case MD_BLOCK_CODE:
        push({.kind = BlockKind::code,
              .language = attribute(static_cast<MD_BLOCK_CODE_DETAIL*>(detail)->lang)});
        return;
      case MD_BLOCK_HTML:
        push({.kind = BlockKind::paragraph});
        in_html_ = true;
        return;
      case MD_BLOCK_P:
        push({.kind = BlockKind::paragraph});
        return;
      case MD_BLOCK_TABLE:
        push({.kind = BlockKind::table});
        return;
      case MD_BLOCK_TR:
        push({.kind = BlockKind::row});
        return;
      case MD_BLOCK_TH:
      case MD_BLOCK_TD: {
        Block& table = *blocks_[blocks_.size() >= 2 ? blocks_.size() - 2 : 0];
        if (type == MD_BLOCK_TH)
          table.align.push_back(align_of(static_cast<MD_BLOCK_TD_DETAIL*>(detail)->align));
        in_cell_ = true;
        push({.kind = BlockKind::cell});
        return;
      }
      default:  // newer versions know more kinds
        push({.kind = BlockKind::quote});
        return;
    }
  }

  void leave(MD_BLOCKTYPE type) {
    if (type == MD_BLOCK_DOC || type == MD_BLOCK_THEAD || type == MD_BLOCK_TBODY) return;
    flush();
    spans_.clear();
    in_cell_ = in_html_ = false;
    pop();
  }

  // --- Spans: they belong to the innermost block -------------------------------------------------------------------------

  std::vector<Span>& here() {
    return spans_.empty() ? blocks_.back()->spans : spans_.back()->children;
  }

  void enter_span(MD_SPANTYPE type, void* detail) {
    flush();
    Span span;  // its line is that of its first words
    switch (type) {
      case MD_SPAN_EM:
        span.kind = SpanKind::emphasis;
        break;
      case MD_SPAN_STRONG:
        span.kind = SpanKind::strong;
        break;
      case MD_SPAN_DEL:
        span.kind = SpanKind::strike;
        break;
      case MD_SPAN_CODE:
        span.kind = SpanKind::code;
        break;
      case MD_SPAN_A:
        span.kind = SpanKind::link;
        span.target = attribute(static_cast<MD_SPAN_A_DETAIL*>(detail)->href);
        break;
      case MD_SPAN_IMG:
        span.kind = SpanKind::picture;
        span.target = attribute(static_cast<MD_SPAN_IMG_DETAIL*>(detail)->src);
        break;
      default:
        break;
    }
    if (spans_.size() > kDeepest) {
      ++flattened_spans_;
      return;
    }
    here().push_back(std::move(span));
    spans_.push_back(&here().back());
  }

  void leave_span() {
    flush();
    if (flattened_spans_ > 0) {
      --flattened_spans_;
      return;
    }
    if (spans_.empty()) return;
    Span& span = *spans_.back();
    spans_.pop_back();
    if (span.kind == SpanKind::picture || span.kind == SpanKind::code) {  // words alone
      if (span.kind == SpanKind::picture)
        span.text = plain_text(span.children);
      else
        for (const Span& piece : span.children) span.text += piece.text;
      span.children.clear();
    }
  }

  void text(MD_TEXTTYPE type, std::string_view piece) {
    if (const int line = line_of(piece.data()); line != line_) {
      flush();
      line_ = line;
    }
    // The blanks before a first line of code are md4c's own: they say nothing about its place
    const bool placed = holds(piece.data()) || blocks_.back()->kind != BlockKind::code;
    for (Block* block : blocks_) {
      if (block->line == 0 && placed) block->line = line_;
    }
    for (Span* span : spans_) {
      if (span->line == 0) span->line = line_;
    }
    if (blocks_.back()->kind == BlockKind::code) {
      blocks_.back()->text += piece;
      return;
    }
    switch (type) {
      case MD_TEXT_NULLCHAR:
        words_ += "\uFFFD";
        break;
      case MD_TEXT_BR:
        flush();
        here().push_back({.kind = SpanKind::line_break, .line = line_});
        break;
      case MD_TEXT_SOFTBR:
        flush();
        here().push_back({.kind = SpanKind::soft_break, .line = line_});
        break;
      case MD_TEXT_ENTITY:
        words_ += entity(piece);
        break;
      case MD_TEXT_HTML:
        if (!html_said_ || html_line_ != line_) {
          problems.push_back({line_,
                              "HTML is shown as it is written: GitHub, the book and the viewer "
                              "agree on Markdown alone."});
          html_said_ = true;
          html_line_ = line_;
        }
        words_ += piece;
        break;
      default:
        words_ += piece;
        break;
    }
  }

  /// Words read so far become spans: text, and formulas where their marks are.
  void flush() {
    if (words_.empty()) return;
    const std::string words = std::exchange(words_, {});
    std::size_t at = 0;
    while (at < words.size()) {
      const std::size_t begin = words.find(kMarkBegin, at);
      if (begin != at) {
        here().push_back({.kind = SpanKind::text,
                          .text = words.substr(at, std::min(begin, words.size()) - at),
                          .line = line_});
      }
      if (begin == std::string::npos) break;
      const std::size_t end = words.find(kMarkEnd, begin);
      std::size_t index = 0;
      if (end != std::string::npos)
        std::from_chars(words.data() + begin + kMarkBegin.size(), words.data() + end, index);
      at = end == std::string::npos ? words.size() : end + kMarkEnd.size();
      if (index >= prepared_.formulas.size()) continue;
      const TakenFormula& taken = prepared_.formulas[index];
      Span span{.kind = SpanKind::formula, .text = taken.tex, .line = taken.line};
      ParsedFormula parsed = parse_formula(taken.tex);
      if (parsed.error) problems.push_back({taken.line, "$`" + taken.tex + "`$: " + *parsed.error});
      if (in_cell_ && taken.tex.find('|') != std::string::npos) {
        problems.push_back(
            {taken.line,
             "$`" + taken.tex +
                 "`$: a | ends a table's cell on GitHub: write \\mid, \\lvert or \\lVert."});
      }
      span.formula = std::move(parsed.formula);
      if (taken.block) span.target = "block";  // a paragraph of it alone becomes a block of its own
      here().push_back(std::move(span));
    }
  }

  const Prepared& prepared_;
  std::vector<std::size_t> line_starts_;
  Block root_;
  std::vector<Block*> blocks_;
  std::vector<Span*> spans_;
  std::string words_;
  int line_ = 1;
  std::size_t flattened_ = 0, flattened_spans_ = 0;
  bool in_cell_ = false, in_html_ = false, html_said_ = false;
  int html_line_ = 0;
};

/// The third pass: what only the neighbours tell.
class Finishing {
 public:
  explicit Finishing(Document& document) : document_(document) {}

  void run() {
    sweep();
    blocks(document_.blocks);
  }

 private:
  /// The innermost directive around each line that begins a block: one walk down the text.
  void sweep() {
    std::vector<std::pair<int, std::pair<int, std::size_t>>> events;  // line, +1 or -1, which
    for (std::size_t i = 0; i < document_.directives.size(); ++i) {
      const Directive& d = document_.directives[i];
      if (d.last <= d.line + 1) continue;
      events.push_back({d.line + 1, {1, i}});
      events.push_back({d.last, {-1, i}});
    }
    std::sort(events.begin(), events.end());
    std::set<std::size_t> open;  // in the order of the text: the last one is the innermost
    for (const auto& [line, event] : events) {
      if (event.first > 0)
        open.insert(event.second);
      else
        open.erase(event.second);
      changes_.push_back({line, open.empty() ? nullptr : &document_.directives[*open.rbegin()]});
    }
  }

  [[nodiscard]] const Directive* around(int line) const {
    const auto after = std::upper_bound(changes_.begin(), changes_.end(), line,
                                        [](int l, const auto& change) { return l < change.first; });
    return after == changes_.begin() ? nullptr : std::prev(after)->second;
  }

  void blocks(std::vector<Block>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      Block& block = list[i];
      const Directive* directive = block.line > 0 ? around(block.line) : nullptr;
      if (directive) block.directive = directive->words;

      if (block.kind == BlockKind::heading) {
        block.slug = github_slug(plain_text(block.spans));
        const int seen = slugs_[block.slug]++;
        if (seen > 0) block.slug += "-" + std::to_string(seen);
      } else if (block.kind == BlockKind::code && block.language == "math") {
        block.kind = BlockKind::formula;
        block.text = std::string(trimmed(block.text));
        formula(block);
      } else if (block.kind == BlockKind::paragraph && block.spans.size() == 1 &&
                 block.spans[0].kind == SpanKind::formula && block.spans[0].target == "block") {
        block.kind = BlockKind::formula;
        block.text = block.spans[0].text;
        block.formula = std::move(block.spans[0].formula);
        block.line = block.spans[0].line;
        block.spans.clear();
      } else if (block.kind == BlockKind::code && directive &&
                 directive->words.rfind("snip ", 0) == 0) {
        block.snippet = snippet(*directive, i + 1 < list.size() ? &list[i + 1] : nullptr);
        if (block.snippet->first > 0) list.erase(list.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
      blocks(list[i].children);
    }
  }

  void formula(Block& block) {
    ParsedFormula parsed = parse_formula(block.text);
    if (parsed.error)
      document_.problems.push_back({block.line, "A formula's block: " + *parsed.error});
    block.formula = std::move(parsed.formula);
  }

  /// "snip chapters/13_rope/rope.cpp#rope_rotate", and the paragraph [rope.cpp, lines 48 to 73](rope.cpp#L48-L73) below
  static Snippet snippet(const Directive& directive, const Block* below) {
    Snippet result;
    const std::string_view words = trimmed(std::string_view(directive.words).substr(5));
    const std::size_t hash = words.find('#');
    result.file = std::string(words.substr(0, hash));
    if (hash != std::string_view::npos) result.name = std::string(words.substr(hash + 1));
    if (below == nullptr || below->kind != BlockKind::paragraph || below->line > directive.last)
      return result;
    if (below->spans.size() != 1 || below->spans[0].kind != SpanKind::link) return result;
    const Target target = split_target(below->spans[0].target);
    result.first = target.first_line;
    result.last = target.last_line;
    result.target = below->spans[0].target;
    result.caption = plain_text(below->spans[0].children);
    return result;
  }

  Document& document_;
  std::map<std::string, int> slugs_;
  std::vector<std::pair<int, const Directive*>>
      changes_;  // from this line on, this one is the innermost
};

}  // namespace

Document parse_document(std::string_view markdown) {
  if (markdown.size() > kLongest)
    throw InputError("A text of more than 8 MB is not read: cut it in pieces.");
  Prepared prepared = Preparation(markdown).run();
  Builder builder(prepared);
  builder.run();

  Document document;
  document.blocks = builder.blocks();
  document.directives = std::move(prepared.directives);
  document.problems = std::move(prepared.problems);
  document.problems.insert(document.problems.end(), builder.problems.begin(),
                           builder.problems.end());
  Finishing(document).run();
  std::stable_sort(document.problems.begin(), document.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  return document;
}

std::string Document::title() const {
  for (const Block& block : blocks) {
    if (block.kind == BlockKind::heading) return plain_text(block.spans);
  }
  return "";
}

std::string plain_text(const std::vector<Span>& spans) {
  std::string out;
  for (const Span& span : spans) {
    switch (span.kind) {
      case SpanKind::soft_break:
      case SpanKind::line_break:
        out += ' ';
        break;
      case SpanKind::text:
      case SpanKind::code:
      case SpanKind::formula:
      case SpanKind::picture:
        out += span.text;
        break;
      default:
        out += plain_text(span.children);
    }
  }
  return out;
}

std::string github_slug(std::string_view heading) {
  std::string out;
  for (std::size_t i = 0; i < heading.size();) {
    const auto c = static_cast<unsigned char>(heading[i]);
    if (c < 0x80) {
      if (std::isalnum(c) || c == '-' || c == '_')
        out += static_cast<char>(std::tolower(c));
      else if (c == ' ')
        out += '-';
      ++i;
      continue;
    }
    // Letters of other alphabets stay, in lower case where we know how; signs go
    std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    length = std::min(length, heading.size() - i);
    unsigned long code = c & (length == 4 ? 0x07 : length == 3 ? 0x0F : 0x1F);
    for (std::size_t k = 1; k < length; ++k)
      code = code << 6 | (static_cast<unsigned char>(heading[i + k]) & 0x3F);
    i += length;
    const bool latin = (code >= 0xC0 && code <= 0x24F && code != 0xD7 && code != 0xF7) ||
                       code == 0xAA || code == 0xB5 || code == 0xBA;
    const bool other = (code >= 0x300 && code <= 0x373) ||
                       (code >= 0x376 && code <= 0x52F && code != 0x37E && code != 0x387) ||
                       (code >= 0x1E00 && code <= 0x1FFF) || (code >= 0x3040 && code <= 0x9FFF) ||
                       (code >= 0xAC00 && code <= 0xD7A3);
    if (!latin && !other) continue;
    if ((code >= 0xC0 && code <= 0xDE) || (code >= 0x391 && code <= 0x3A9) ||
        (code >= 0x410 && code <= 0x42F))
      code += 32;
    append_utf8(out, code);
  }
  return out;
}

Target split_target(std::string_view target) {
  Target result;
  const std::size_t hash = target.find('#');
  if (hash != std::string_view::npos) {
    result.anchor = std::string(target.substr(hash + 1));
    target = target.substr(0, hash);
  }
  const std::size_t question = target.find('?');
  if (question != std::string_view::npos) {
    result.query = std::string(target.substr(question + 1));
    target = target.substr(0, question);
  }
  result.path = std::string(target);
  std::size_t scheme = 0;
  while (scheme < target.size() && (std::isalnum(static_cast<unsigned char>(target[scheme])) ||
                                    target[scheme] == '+' || target[scheme] == '-'))
    ++scheme;
  result.external = (scheme > 1 && scheme < target.size() && target[scheme] == ':') ||
                    target.substr(0, 2) == "//";

  // L48 or L48-L73
  const std::string& anchor = result.anchor;
  if (anchor.size() > 1 && anchor[0] == 'L' && is_digit(anchor[1])) {
    const char* end = anchor.data() + anchor.size();
    const auto [next, error] = std::from_chars(anchor.data() + 1, end, result.first_line);
    result.last_line = result.first_line;
    bool good = error == std::errc{} && next == end;
    if (error == std::errc{} && end - next > 2 && next[0] == '-' && next[1] == 'L') {
      const auto [stop, second] = std::from_chars(next + 2, end, result.last_line);
      good = second == std::errc{} && stop == end;
    }
    if (!good) result.first_line = result.last_line = 0;
  }
  return result;
}

std::vector<int> snippet_lines(const Snippet& snippet, std::string_view code,
                               std::string_view file_text) {
  const auto split = [](std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      lines.push_back(trimmed(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
  };
  const std::vector<std::string_view> file = split(file_text);
  std::vector<int> numbers;
  int next = std::max(snippet.first, 1);
  for (const std::string_view line : split(code)) {
    int found = next;
    while (found <= std::min(snippet.last, static_cast<int>(file.size())) &&
           file[static_cast<std::size_t>(found) - 1] != line)
      ++found;
    if (found > std::min(snippet.last, static_cast<int>(file.size()))) found = next;
    numbers.push_back(found);
    next = found + 1;
  }
  return numbers;
}

std::optional<std::string> resolve_path(std::string_view from_file, std::string_view path) {
  std::vector<std::string_view> parts;
  const auto walk = [&](std::string_view text) {
    while (!text.empty()) {
      const std::size_t slash = std::min(text.find('/'), text.size());
      const std::string_view part = text.substr(0, slash);
      text.remove_prefix(std::min(slash + 1, text.size()));
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        if (parts.empty()) return false;
        parts.pop_back();
      } else {
        parts.push_back(part);
      }
    }
    return true;
  };
  if (path.empty()) return std::string(from_file);
  if (path[0] != '/') {
    const std::size_t slash = from_file.rfind('/');
    if (slash != std::string_view::npos && !walk(from_file.substr(0, slash))) return std::nullopt;
  }
  if (!walk(path)) return std::nullopt;
  std::string out;
  for (const std::string_view part : parts) out += (out.empty() ? "" : "/") + std::string(part);
  return out;
}

}  // namespace tpp::book
