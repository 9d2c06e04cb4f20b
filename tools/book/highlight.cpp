// One pass over the text, a little state: no tokens are kept but their colours.
#include "tools/book/highlight.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace tpp::book {

namespace {

// Sorted, for binary_search.
constexpr auto kCppKeywords = std::to_array<std::string_view>({
    "__constant__",
    "__device__",
    "__forceinline__",
    "__global__",
    "__host__",
    "__launch_bounds__",
    "__restrict__",
    "__shared__",
    "alignas",
    "alignof",
    "and",
    "asm",
    "break",
    "case",
    "catch",
    "class",
    "co_await",
    "co_return",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "final",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "nullptr",
    "operator",
    "or",
    "override",
    "private",
    "protected",
    "public",
    "reinterpret_cast",
    "requires",
    "return",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "union",
    "using",
    "virtual",
    "volatile",
    "while",
});
constexpr auto kCppTypes = std::to_array<std::string_view>({
    "__nv_bfloat16", "auto",     "bf16",     "bfloat16", "bool",     "char",      "cudaStream_t",
    "dim3",          "double",   "float",    "float2",   "float4",   "half",      "int",
    "int16_t",       "int32_t",  "int64_t",  "int8_t",   "long",     "ptrdiff_t", "short",
    "signed",        "size_t",   "uint16_t", "uint2",    "uint32_t", "uint4",     "uint64_t",
    "uint8_t",       "unsigned", "void",     "wchar_t",
});
constexpr auto kShellKeywords = std::to_array<std::string_view>({
    "case", "do", "done",  "elif",   "else", "esac",  "export", "fi",    "for",   "function",
    "if",   "in", "local", "return", "set",  "shift", "then",   "until", "while",
});
constexpr auto kPythonKeywords = std::to_array<std::string_view>({
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield",
});
constexpr auto kDataKeywords = std::to_array<std::string_view>({"false", "null", "true"});

template <class Table>
bool has(const Table& table, std::string_view word) {
  return std::binary_search(table.begin(), table.end(), word);
}

bool is_word_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_word(char c) { return is_word_start(c) || std::isdigit(static_cast<unsigned char>(c)); }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

class Painter {
 public:
  explicit Painter(std::string_view text) : text_(text) {}

  std::vector<InkSpan> cpp();
  std::vector<InkSpan> shell();
  std::vector<InkSpan> script(bool python, bool cmake);

 private:
  [[nodiscard]] char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  [[nodiscard]] bool starts(std::size_t i, std::string_view what) const {
    return text_.substr(i, what.size()) == what;
  }

  void paint(std::size_t end, Ink ink) {
    end = std::min(end, text_.size());
    if (end <= at_) return;
    if (!spans_.empty() && spans_.back().ink == ink) {
      spans_.back().end = end;
    } else {
      spans_.push_back({at_, end, ink});
    }
    at_ = end;
  }

  [[nodiscard]] std::size_t line_end(std::size_t i) const {
    return std::min(text_.find('\n', i), text_.size());
  }
  [[nodiscard]] std::size_t word_end(std::size_t i) const {
    while (i < text_.size() && is_word(text_[i])) ++i;
    return i;
  }
  /// Behind the closing quote, or at the line's end where there is none.
  [[nodiscard]] std::size_t quote_end(std::size_t i, bool lines = false) const {
    const char quote = text_[i];
    for (++i; i < text_.size(); ++i) {
      if (text_[i] == '\\')
        ++i;
      else if (text_[i] == quote)
        return i + 1;
      else if (text_[i] == '\n' && !lines)
        return i;
    }
    return text_.size();
  }
  [[nodiscard]] std::size_t number_end(std::size_t i) const {
    const bool hex = at(i) == '0' && (at(i + 1) == 'x' || at(i + 1) == 'X');
    for (; i < text_.size(); ++i) {
      const char c = text_[i];
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '.' ||
          (c == '\'' && std::isalnum(static_cast<unsigned char>(at(i + 1)))))
        continue;
      if ((c == '+' || c == '-') && !hex && (text_[i - 1] == 'e' || text_[i - 1] == 'E')) continue;
      break;
    }
    return i;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<InkSpan> spans_;
};

/// Names like Mat, RowVec, RmsNormConfig: a capital and at least one small letter, no SHOUTING, no lone N or T.
bool looks_like_type(std::string_view word) {
  return std::isupper(static_cast<unsigned char>(word[0])) &&
         std::any_of(word.begin(), word.end(),
                     [](char c) { return std::islower(static_cast<unsigned char>(c)); }) &&
         word.find('_') == std::string_view::npos;
}

std::vector<InkSpan> Painter::cpp() {
  bool line_start = true;  // nothing but blanks since the last line end
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (starts(at_, "//")) {
      paint(line_end(at_), Ink::comment);
    } else if (starts(at_, "/*")) {
      const std::size_t end = text_.find("*/", at_ + 2);
      paint(end == std::string_view::npos ? text_.size() : end + 2, Ink::comment);
    } else if (c == '#' && line_start) {
      const std::size_t word = text_.find_first_not_of(" \t", at_ + 1);
      const std::size_t end =
          word == std::string_view::npos ? text_.size() : std::max(at_ + 1, word_end(word));
      const std::string_view name =
          word == std::string_view::npos ? "" : text_.substr(word, end - word);
      paint(end, Ink::preprocessor);
      if (name == "include") {
        std::size_t from = at_;
        while (at(from) == ' ') ++from;
        if (at(from) == '<' || at(from) == '"') {
          paint(from, Ink::plain);
          const std::size_t close = text_.find(at(from) == '<' ? '>' : '"', from + 1);
          paint(
              std::min(close == std::string_view::npos ? text_.size() : close + 1, line_end(from)),
              Ink::string);
        }
      }
    } else if (c == 'R' && at(at_ + 1) == '"') {
      const std::size_t open = text_.find('(', at_);
      std::size_t end = text_.size();
      if (open != std::string_view::npos && open - at_ < 20) {
        const std::string close = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
        const std::size_t found = text_.find(close, open);
        if (found != std::string_view::npos) end = found + close.size();
      }
      paint(end, Ink::string);
    } else if (c == '"' || c == '\'') {
      paint(quote_end(at_), Ink::string);
    } else if (is_digit(c) || (c == '.' && is_digit(at(at_ + 1)))) {
      paint(number_end(at_), Ink::number);
    } else if (is_word_start(c)) {
      const std::size_t end = word_end(at_);
      const std::string_view word = text_.substr(at_, end - at_);
      if (has(kCppKeywords, word)) {
        paint(end, Ink::keyword);
      } else if (has(kCppTypes, word)) {
        paint(end, Ink::type);
      } else {
        // A name before a bracket, or before <…>( on the same line, is called or declared
        std::size_t next = end;
        if (at(next) == '<') {
          int open = 0;
          for (; next < text_.size() && next - end < 80; ++next) {
            const char d = text_[next];
            if (d == '<')
              ++open;
            else if (d == '>' && --open == 0) {
              ++next;
              break;
            } else if (d == ';' || d == '{' || d == '\n' || d == '&' || d == '|') {
              next = text_.size();
              break;
            }
          }
          if (open != 0) next = text_.size();
        }
        if (looks_like_type(word))
          paint(end, Ink::type);
        else
          paint(end, at(next) == '(' ? Ink::function : Ink::plain);
      }
    } else {
      paint(at_ + 1, Ink::plain);
    }
    const char last = text_[at_ - 1];
    line_start = last == '\n' || (line_start && (last == ' ' || last == '\t'));
  }
  return std::move(spans_);
}

std::vector<InkSpan> Painter::shell() {
  bool command = true;  // the next word is a program
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const bool fresh = at_ == 0 || std::isspace(static_cast<unsigned char>(text_[at_ - 1]));
    if (c == '#' && fresh) {
      paint(line_end(at_), Ink::comment);
    } else if (c == '\\') {
      const bool folded = at(at_ + 1) == '\n';
      paint(at_ + 2, Ink::plain);
      if (folded) command = false;
    } else if (c == '"' || c == '\'') {
      paint(quote_end(at_, true), Ink::string);
      command = false;
    } else if (c == '$' &&
               (is_word_start(at(at_ + 1)) || at(at_ + 1) == '{' || at(at_ + 1) == '(')) {
      if (command && fresh && at(at_ + 1) == ' ') {
        paint(at_ + 1, Ink::plain);
      } else if (at(at_ + 1) == '{') {
        const std::size_t close = text_.find('}', at_);
        paint(close == std::string_view::npos ? at_ + 2 : close + 1, Ink::variable);
      } else if (at(at_ + 1) == '(') {
        paint(at_ + 2, Ink::plain);
        command = true;
      } else {
        paint(word_end(at_ + 1), Ink::variable);
      }
    } else if (c == '\n' || c == ';' || c == '|' || c == '&' || c == '(') {
      paint(at_ + 1, Ink::plain);
      command = true;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      paint(at_ + 1, Ink::plain);
    } else if (is_word_start(c) || is_digit(c) || c == '-' || c == '.' || c == '/' || c == '~') {
      std::size_t end = at_;
      while (end < text_.size() &&
             (is_word(text_[end]) ||
              std::string_view("-./:+~@%,").find(text_[end]) != std::string_view::npos))
        ++end;
      const std::string_view word = text_.substr(at_, end - at_);
      if (has(kShellKeywords, word)) {
        paint(end, Ink::keyword);
      } else if (at(end) == '=' && is_word_start(c)) {
        paint(end, Ink::variable);
      } else if (command) {
        paint(end, Ink::function);
        command = false;
      } else {
        paint(end, c == '-' && fresh ? Ink::keyword
                   : std::all_of(word.begin(), word.end(),
                                 [](char d) { return is_digit(d) || d == '.'; })
                       ? Ink::number
                       : Ink::plain);
      }
    } else {
      paint(at_ + 1, Ink::plain);
    }
  }
  return std::move(spans_);
}

std::vector<InkSpan> Painter::script(bool python, bool cmake) {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#') {
      paint(line_end(at_), Ink::comment);
    } else if ((c == '"' || c == '\'') && starts(at_, std::string(3, c))) {
      const std::size_t close = text_.find(std::string(3, c), at_ + 3);
      paint(close == std::string_view::npos ? text_.size() : close + 3, Ink::string);
    } else if (c == '"' || (c == '\'' && !cmake)) {
      paint(quote_end(at_, cmake), Ink::string);
    } else if (is_digit(c)) {
      paint(number_end(at_), Ink::number);
    } else if (c == '$' && at(at_ + 1) == '{') {
      const std::size_t close = text_.find('}', at_);
      paint(close == std::string_view::npos ? at_ + 2 : close + 1, Ink::variable);
    } else if (is_word_start(c)) {
      const std::size_t end = word_end(at_);
      const std::string_view word = text_.substr(at_, end - at_);
      const std::size_t next = text_.find_first_not_of(' ', end);
      const char follows = next == std::string_view::npos ? '\0' : text_[next];
      if (python ? has(kPythonKeywords, word) : has(kDataKeywords, word))
        paint(end, Ink::keyword);
      else if ((python || cmake) && follows == '(' && (cmake || next == end))
        paint(end, Ink::function);
      else
        paint(end, Ink::plain);
    } else {
      paint(at_ + 1, Ink::plain);
    }
  }
  return std::move(spans_);
}

}  // namespace

std::vector<InkSpan> highlight(std::string_view language, std::string_view text) {
  if (text.empty()) return {};
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), language) != names.end();
  };
  if (is({"cpp", "c++", "c", "h", "hpp", "cc", "cu", "cuh", "cuda"})) return Painter(text).cpp();
  if (is({"sh", "bash", "shell", "console"})) return Painter(text).shell();
  if (is({"python", "py"})) return Painter(text).script(true, false);
  if (is({"cmake"})) return Painter(text).script(false, true);
  if (is({"toml", "json", "yaml"})) return Painter(text).script(false, false);
  return {{0, text.size(), Ink::plain}};
}

std::string_view language_of(std::string_view path) {
  const std::string_view name =
      path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  if (name == "CMakeLists.txt") return "cmake";
  if (name == "run") return "sh";
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return "";
  const std::string_view ending = name.substr(dot + 1);
  for (const std::string_view known : {"cpp", "h", "cu", "cuh", "hpp", "c", "cc"}) {
    if (ending == known) return "cpp";
  }
  if (ending == "sh") return "sh";
  if (ending == "py") return "python";
  if (ending == "cmake") return "cmake";
  if (ending == "toml") return "toml";
  if (ending == "json") return "json";
  return "";
}

}  // namespace tpp::book
