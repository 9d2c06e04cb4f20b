// Three steps: read every text that can be reached and see what it links to; read the sources, pictures and exercises that
// are asked for; write the pages.
#include "tools/weave/html.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "chapters/01_tensor/errors.h"
#include "tools/book/document.h"
#include "tools/book/highlight.h"
#include "tools/book/xml.h"
#include "tools/learn/toml.h"
#include "tools/weave/files.h"

namespace tpp::weave {

namespace {

namespace fs = std::filesystem;
using book::Block;
using book::BlockKind;
using book::Document;
using book::Span;
using book::SpanKind;
using book::Target;

constexpr const char* kManifest = ".tpp-book";  // the files of the last writing, one a line
constexpr std::size_t kLargestSource = 400'000;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_markdown(const std::string& path) { return ends_with(path, ".md"); }

bool is_picture(const std::string& path) {
  for (const char* ending : {".png", ".svg", ".jpg", ".jpeg", ".webp", ".gif"}) {
    if (ends_with(path, ending)) return true;
  }
  return false;
}

/// chapters/13_rope/README.md
bool is_chapter(const std::string& path) {
  const std::string folder = folder_of(path);
  return starts_with(folder, "chapters/") && folder.find('/', 9) == std::string::npos &&
         folder.size() > 11 && std::isdigit(static_cast<unsigned char>(folder[9])) &&
         name_of(path) == "README.md";
}

/// "13 · RoPE" → 13, RoPE
std::pair<std::string, std::string> numbered(const std::string& title) {
  const std::size_t dot = title.find(" · ");
  if (dot == std::string::npos || dot > 3) return {"", title};
  return {title.substr(0, dot), title.substr(dot + 4)};
}

std::string code_html(std::string_view language, std::string_view text) {
  static constexpr const char* names[] = {"", "k", "t", "s", "n", "c", "f", "p", "v"};
  std::string out;
  for (const book::InkSpan& span : book::highlight(language, text)) {
    const std::string piece = book::xml_escaped(text.substr(span.begin, span.end - span.begin));
    const char* name = names[static_cast<int>(span.ink)];
    out += *name ? std::string("<span class=\"") + name + "\">" + piece + "</span>" : piece;
  }
  return out;
}

/// The same, line by line: no element crosses a line's end.
std::vector<std::string> code_lines(std::string_view language, std::string_view text) {
  const std::string html = code_html(language, text);
  std::vector<std::string> lines(1);
  std::string open;
  for (std::size_t i = 0; i < html.size(); ++i) {
    if (html[i] == '\n') {
      if (!open.empty()) lines.back() += "</span>";
      lines.push_back(open);
    } else if (html[i] == '<') {
      const std::size_t end = html.find('>', i);
      const std::string tag = html.substr(i, end - i + 1);
      open = tag[1] == '/' ? "" : tag;
      lines.back() += tag;
      i = end;
    } else {
      lines.back() += html[i];
    }
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

/// Cells like 0.53, 1,240, 98.5 %, 2.1×, −3, –
bool is_number(const std::string& cell) {
  const std::string text = trimmed(cell);
  if (text.empty()) return false;
  bool digit = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (std::isdigit(static_cast<unsigned char>(c)))
      digit = true;
    else if (std::string_view(".,+-% eE").find(c) == std::string_view::npos &&
             static_cast<unsigned char>(c) < 0x80)
      return false;
  }
  return digit || text == "–" || text == "-";
}

/// How many signs a formula shows, about.
int size_of_formula(const book::Formula& node) {
  if (node.children.empty()) return node.kind == book::FormulaKind::word ? 2 : 1;
  int size = 0;
  for (const book::Formula& child : node.children) size += size_of_formula(child);
  return size;
}

/// A formula within a line. A long one may break after a relation, a very long piece after a + or −, as in print: pieces
/// are formulas of their own, and a browser breaks lines between them.
std::string inline_formula_html(const book::Formula& formula, const std::string& tex) {
  using book::FormulaClass;
  std::vector<book::Formula> pieces(1);
  const auto cut_after = [&](const book::Formula& row, FormulaClass cls) {
    for (const book::Formula& node : row.children) {
      pieces.back().children.push_back(node);
      if (book::class_of(node) == cls) pieces.emplace_back();
    }
  };
  if (size_of_formula(formula) <= 12) return book::to_mathml(formula, false, tex);
  cut_after(formula, FormulaClass::relation);
  const std::vector<book::Formula> between_relations =
      std::exchange(pieces, std::vector<book::Formula>(1));
  for (const book::Formula& piece : between_relations) {
    if (size_of_formula(piece) > 20) {
      cut_after(piece, FormulaClass::binary);
    } else {
      pieces.back().children.insert(pieces.back().children.end(), piece.children.begin(),
                                    piece.children.end());
    }
    pieces.emplace_back();
  }
  std::string out;
  for (const book::Formula& piece : pieces) {
    if (!piece.children.empty()) out += book::to_mathml(piece, false, out.empty() ? tex : "…");
  }
  return out;
}

// --- The book ---------------------------------------------------------------------------------------------------------------

struct Text {
  std::string path;  // in the repository
  Document document;
  std::set<std::string> anchors;
};

/// Lines of a source that a text shows or names.
struct Region {
  int first = 0, last = 0;
  bool shown = false;           // as a snippet; else only linked
  std::set<std::string> texts;  // by whom
};

struct Source {
  std::string text;
  std::string idea;  // its first comment
  int lines = 0;
  std::map<std::pair<int, int>, Region> regions;
};

struct ExerciseText {
  std::string id, title;
  int minutes = 0;
  std::vector<std::string> hints;
  bool cuda = false;
};

class Book {
 public:
  Book(const fs::path& root, fs::path folder) : root_(root), folder_(std::move(folder)) {}

  BookReport write() {
    prepare_folder();
    read_exercises();
    read_texts();
    for (const std::string& path : order_) write_text_page(texts_.at(path));
    for (auto& [path, source] : sources_) write_source_page(path, source);
    for (const auto& [path, files] : folders_) write_folder_page(path, files);
    for (const auto& [path, exercise] : exercises_) write_exercise_page(path, exercise);
    if (!exercises_.empty()) write_exercise_list();
    for (const std::string& path : pictures_) put(path, learn::read_file(root_ / path));
    const fs::path style = root_ / "tools/weave/html.css";  // a book of other texts takes ours
    put("book.css",
        learn::read_file(fs::exists(style) ? style
                                           : fs::path(TPP_SOURCE_DIR) / "tools/weave/html.css"));
    finish_folder();
    report_.texts = texts_.size();
    report_.sources = sources_.size();
    report_.exercises = exercises_.size();
    report_.pictures = pictures_.size();
    return std::move(report_);
  }

 private:
  // --- The folder: nothing of others is overwritten, nothing old is left ------------------------------------------------

  void prepare_folder() {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error)
      throw InputError("Cannot make the folder " + folder_.string() + ": " + error.message() + ".");
    if (fs::exists(folder_ / kManifest)) {
      std::ifstream list(folder_ / kManifest);
      for (std::string line; std::getline(list, line);) old_.insert(line);
    } else if (!fs::is_empty(folder_)) {
      throw InputError(folder_.string() +
                       " holds something that is no book: give a new or an empty folder.");
    }
  }

  void put(const std::string& path, const std::string& bytes) {
    const fs::path file = folder_ / path;
    fs::create_directories(file.parent_path());
    if (!fs::exists(file) || learn::read_file(file) != bytes) learn::write_file(file, bytes);
    written_.insert(path);
  }

  void finish_folder() {
    for (const std::string& path : old_) {
      if (written_.count(path) == 0 && path.find("..") == std::string::npos)
        fs::remove(folder_ / path);
    }
    std::string list;
    for (const std::string& path : written_) list += path + "\n";
    learn::write_file(folder_ / kManifest, list);
  }

  // --- Reading ----------------------------------------------------------------------------------------------------------

  void read_exercises() {
    for (const std::string& file : repository_files(root_)) {
      files_.insert(file);
      if (!starts_with(file, "chapters/") || !ends_with(file, "/exercise.toml")) continue;
      const learn::Toml toml = learn::Toml::parse(learn::read_file(root_ / file), file);
      exercises_[folder_of(file)] = {toml.text("id"), toml.text("title"), toml.number("minutes"),
                                     toml.list("hints"), toml.text("kind", "cpu") == "cuda"};
    }
  }

  void read_texts() {
    std::vector<std::string> queue;
    for (const std::string& file : files_) {
      if (is_woven(file) || file == "CONTRIBUTING.md") queue.push_back(file);
    }
    if (files_.count("README.md") == 0)
      throw InputError(root_.string() + " has no README.md: is it the repository's root?");
    for (std::size_t i = 0; i < queue.size(); ++i) {  // grows: what a text links to is read as well
      if (texts_.count(queue[i]) != 0) continue;
      Text& text = texts_[queue[i]];
      text.path = queue[i];
      text.document = book::parse_document(read_text(root_ / queue[i]).text);
      for (const book::Problem& problem : text.document.problems) {
        report_.problems.push_back(
            {queue[i], static_cast<std::size_t>(problem.line), problem.sentence, ""});
      }
      for (const Block& block : text.document.blocks) visit(block, text, queue);
    }
    for (const auto& [path, text] : texts_) order_.push_back(path);
    for (const std::string& path : order_) {
      if (is_chapter(path)) chapters_.push_back(path);
    }
    // Builds, from the README's table: what each chapter is about
    for (const Block& block : texts_.at("README.md").document.blocks) {
      if (block.kind == BlockKind::table) read_contents(block);
    }
  }

  /// A row that links to a chapter says in the next column what the chapter builds.
  void read_contents(const Block& table) {
    for (const Block& row : table.children) {
      for (std::size_t i = 0; i + 1 < row.children.size(); ++i) {
        for (const Span& span : row.children[i].spans) {
          if (span.kind != SpanKind::link) continue;
          const auto path = book::resolve_path("README.md", book::split_target(span.target).path);
          if (!path) continue;
          const std::string text = is_markdown(*path) ? *path : *path + "/README.md";
          if (is_chapter(text) && builds_.count(text) == 0)
            builds_[text] = row.children[i + 1].spans;
        }
      }
    }
  }

  void visit(const Block& block, Text& text, std::vector<std::string>& queue) {
    if (block.kind == BlockKind::heading) text.anchors.insert(block.slug);
    if (block.snippet && block.snippet->first > 0) {
      const std::string file = source_of_snippet(text, *block.snippet);
      if (want_source(file)) {
        Region& region = sources_[file].regions[{block.snippet->first, block.snippet->last}];
        region = {block.snippet->first, block.snippet->last, true, std::move(region.texts)};
        region.texts.insert(text.path);
      }
    }
    visit(block.spans, text, queue);
    for (const Block& child : block.children) visit(child, text, queue);
  }

  void visit(const std::vector<Span>& spans, Text& text, std::vector<std::string>& queue) {
    for (const Span& span : spans) {
      if (span.kind == SpanKind::code) {
        if (const auto path = file_named(text, span.text)) want(*path, {}, text, queue);
      } else if ((span.kind == SpanKind::link || span.kind == SpanKind::picture) &&
                 !span.target.empty()) {
        const Target target = book::split_target(span.target);
        const auto path =
            target.external ? std::nullopt : book::resolve_path(text.path, target.path);
        if (path) want(*path, target, text, queue);
      }
      visit(span.children, text, queue);
    }
  }

  /// The book shall hold this, if it can.
  void want(const std::string& path, const Target& target, const Text& text,
            std::vector<std::string>& queue) {
    if (files_.count(path) != 0) {
      if (is_markdown(path)) {
        queue.push_back(path);
      } else if (is_picture(path)) {
        pictures_.insert(path);
      } else if (want_source(path) && target.first_line > 0) {
        Region& region =
            sources_[path]
                .regions[{target.first_line, std::max(target.first_line, target.last_line)}];
        region.first = target.first_line;
        region.last = std::max(target.first_line, target.last_line);
        region.texts.insert(text.path);
      }
    } else if (files_.count(path + "/README.md") != 0) {
      queue.push_back(path + "/README.md");
    } else if (!path.empty() && exercises_.count(path) == 0) {
      want_folder(path, queue);
    }
  }

  /// A folder without a text of its own becomes a list of its files.
  void want_folder(const std::string& path, std::vector<std::string>& queue) {
    if (folders_.count(path) != 0) return;
    std::vector<std::string> inside;
    for (auto file = files_.lower_bound(path + "/");
         file != files_.end() && starts_with(*file, path + "/"); ++file) {
      if (file->find('/', path.size() + 1) != std::string::npos) continue;
      if (is_markdown(*file)) queue.push_back(*file);
      if (name_of(*file) != "CMakeLists.txt" && (is_markdown(*file) || want_source(*file)))
        inside.push_back(*file);
    }
    if (!inside.empty()) folders_[path] = inside;
  }

  bool want_source(const std::string& path) {
    if (sources_.count(path) != 0) return true;
    const std::string name = name_of(path);
    const bool code =
        !book::language_of(path).empty() || ends_with(path, ".txt") || name == "LICENSE";
    if (!code || files_.count(path) == 0 || fs::file_size(root_ / path) > kLargestSource)
      return false;
    Source& source = sources_[path];
    source.text = read_text(root_ / path).text;
    source.lines = static_cast<int>(std::count(source.text.begin(), source.text.end(), '\n')) +
                   (source.text.empty() || source.text.back() == '\n' ? 0 : 1);
    source.idea = first_comment(source.text);
    return true;
  }

  static std::string first_comment(const std::string& text) {
    std::string idea;
    for (const std::string& line : split_lines(text)) {
      if (starts_with(line, "#!")) continue;
      const bool slashes = starts_with(line, "//"), hash = starts_with(line, "# ");
      if (!slashes && !hash) break;
      const std::string words = trimmed(line.substr(
          hash                                               ? 1
          : line.find_first_not_of('/') == std::string::npos ? line.size()
                                                             : line.find_first_not_of('/')));
      if (words.empty()) break;
      if (starts_with(words, "guard:")) continue;  // for a machine
      idea += (idea.empty() ? "" : " ") + words;
    }
    return idea;
  }

  static std::string source_of_snippet(const Text& text, const book::Snippet& snippet) {
    const auto path = book::resolve_path(text.path, book::split_target(snippet.target).path);
    return path ? *path : snippet.file;
  }

  /// `rope.h` in a chapter's text, `kernels/rope/v2_table.cuh` anywhere: a file that the words name.
  [[nodiscard]] std::optional<std::string> file_named(const Text& text,
                                                      const std::string& words) const {
    if (words.size() > 120 ||
        words.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./") !=
            std::string::npos)
      return std::nullopt;
    if (book::language_of(words) == "cpp") {
      for (const auto& path :
           {book::resolve_path(text.path, words), book::resolve_path("README.md", words)}) {
        if (path && files_.count(*path) != 0) return path;
      }
    } else if (starts_with(words, "kernels/") || starts_with(words, "chapters/")) {
      const auto path = book::resolve_path("README.md", words);
      if (path && !path->empty()) {
        const auto inside = files_.lower_bound(*path + "/");
        if (inside != files_.end() && starts_with(*inside, *path + "/")) return path;
      }
    }
    return std::nullopt;
  }

  // --- Where things are -------------------------------------------------------------------------------------------------

  static std::string page_of_text(const std::string& path) {
    if (name_of(path) == "README.md") return path.substr(0, path.size() - 9) + "index.html";
    return path.substr(0, path.size() - 3) + ".html";
  }

  /// The page or file of the book for a path of the repository, or nothing.
  [[nodiscard]] std::optional<std::string> page_of(const std::string& path) const {
    if (texts_.count(path) != 0) return page_of_text(path);
    if (texts_.count(path.empty() ? "README.md" : path + "/README.md") != 0)
      return page_of_text(path.empty() ? "README.md" : path + "/README.md");
    if (sources_.count(path) != 0) return path + ".html";
    if (pictures_.count(path) != 0) return path;
    if (folders_.count(path) != 0 || exercises_.count(path) != 0) return path + "/index.html";
    return std::nullopt;
  }

  static std::string relative(const std::string& from_page, const std::string& to) {
    const std::string link = relative_link(from_page, to);
    return link;
  }

  /// A link's address as seen from a page; nothing where it would be dead.
  std::optional<std::string> address(const Text& text, const std::string& page,
                                     const std::string& written, int line) {
    const Target target = book::split_target(written);
    if (target.external) return written;
    const auto problem = [&](const std::string& what) {
      report_.problems.push_back(
          {text.path, static_cast<std::size_t>(std::max(line, 0)), what, ""});
    };
    const auto path = book::resolve_path(text.path, target.path);
    const auto to = path ? page_of(*path) : std::nullopt;
    if (!to) {
      const bool there = path && (fs::exists(root_ / *path));
      if (!there) problem("the link '" + written + "' leads to nothing");
      return std::nullopt;
    }
    std::string link = *to == page ? "" : relative(page, *to);
    if (!target.anchor.empty()) {
      if (const auto other = texts_.find(is_markdown(*path) ? *path
                                         : path->empty()    ? "README.md"
                                                            : *path + "/README.md");
          other != texts_.end()) {
        if (other->second.anchors.count(target.anchor) != 0)
          link += "#" + target.anchor;
        else
          problem("the link '" + written + "' names a heading that is not there");
      } else if (const auto source = sources_.find(*path);
                 source != sources_.end() && target.first_line > 0) {
        if (target.last_line <= source->second.lines && target.first_line <= source->second.lines)
          link += "#" + line_anchor(target.first_line, target.last_line);
        else
          problem("the link '" + written + "' names a line that is not there");
      } else {
        problem("the link '" + written + "' names a place that is not there");
      }
    }
    return link.empty() ? "#text" : link;
  }

  static std::string line_anchor(int first, int last) {
    return "L" + std::to_string(first) + (last > first ? "-L" + std::to_string(last) : "");
  }

  // --- Pages ------------------------------------------------------------------------------------------------------------

  [[nodiscard]] std::string title_of(const std::string& path) const {
    const std::string title = texts_.at(path).document.title();
    return title.empty() ? path : title;
  }

  /// The list of chapters and texts at the side; under this page its own headings.
  std::string contents(const std::string& page, const Text* text) {
    std::string out = "<nav class=\"contents\" id=\"contents\" aria-label=\"Contents\">\n";
    out += "<p class=\"book\"><a href=\"" + relative(page, "index.html") +
           "\">Transformer++</a></p>\n";
    out += "<ol class=\"chapters\">\n";
    for (const std::string& path : chapters_) {
      const auto [number, name] = numbered(title_of(path));
      const bool here = text && text->path == path;
      out += "<li><a href=\"" + relative(page, page_of_text(path)) + "\"" +
             (here ? " aria-current=\"page\"" : "") + "><span class=\"no\">" +
             book::xml_escaped(number) + "</span> " + book::xml_escaped(name) + "</a>";
      if (here) out += headings(*text);
      out += "</li>\n";
    }
    out += "</ol>\n<ul class=\"more\">\n";
    if (!exercises_.empty()) {
      out += "<li><a href=\"" + relative(page, "exercises.html") + "\"" +
             (page == "exercises.html" ? " aria-current=\"page\"" : "") + ">Exercises</a></li>\n";
    }
    for (const std::string& path : order_) {
      if (is_chapter(path) || path == "README.md") continue;
      const bool here = text && text->path == path;
      const bool main = folder_of(path) == "docs" || path == "kernels/README.md" ||
                        path == "bench/README.md" || path == "CONTRIBUTING.md" ||
                        path == "chapters/README.md";
      if (!main && !here) continue;
      out += "<li><a href=\"" + relative(page, page_of_text(path)) + "\"" +
             (here ? " aria-current=\"page\"" : "") + ">" + book::xml_escaped(title_of(path)) +
             "</a>";
      if (here) out += headings(*text);
      out += "</li>\n";
    }
    return out + "</ul>\n</nav>\n";
  }

  std::string headings(const Text& text) {
    std::string out;
    for (const Block& block : text.document.blocks) {
      if (block.kind != BlockKind::heading || block.level > 2 || block.slug == first_slug(text))
        continue;
      out += "<li><a href=\"#" + book::xml_escaped(block.slug) + "\">" +
             book::xml_escaped(book::plain_text(block.spans)) + "</a></li>";
    }
    return out.empty() ? "" : "<ul class=\"here\">" + out + "</ul>";
  }

  void write_page(const std::string& page, const std::string& title, const std::string& main,
                  const std::string& kind, const Text* text = nullptr) {
    const std::string book = page == "index.html" ? "" : " – Transformer++";
    put(page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
            book::xml_escaped(title) + book +
            "</title>\n"
            "<link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"" +
            relative(page, "book.css") + "\">\n</head>\n<body class=\"" + kind +
            "\">\n"
            "<a class=\"skip\" href=\"#text\">To the text</a>\n"
            "<header class=\"bar\"><a href=\"" +
            relative(page, "index.html") +
            "\">Transformer++</a><a href=\"#contents\">Contents</a></header>\n"
            "<main id=\"text\" tabindex=\"-1\">\n" +
            main + "</main>\n" + contents(page, text) + "</body>\n</html>\n");
  }

  void write_text_page(const Text& text) {
    const std::string page = page_of_text(text.path);
    std::string main;
    if (text.path == "README.md") {
      main = front(text, page);
    } else {
      bool first = true;
      for (const Block& block : text.document.blocks) {
        main += block_html(block, text, page);
        if (first && block.kind == BlockKind::heading) {
          if (const std::string list = headings(text); !list.empty())
            main +=
                "<details class=\"toc\"><summary>On this page</summary>" + list + "</details>\n";
          first = false;
        }
      }
      main += neighbours(text, page);
    }
    write_page(page, title_of(text.path), main,
               text.path == "README.md" ? "front"
               : is_chapter(text.path)  ? "chapter"
                                        : "plain",
               &text);
  }

  /// The first page: the README's promise, the chapters, then the rest of the README.
  std::string front(const Text& text, const std::string& page) {
    std::string before, after;
    bool opened = false;
    for (const Block& block : text.document.blocks) {
      if (block.kind == BlockKind::heading && block.level == 2) opened = true;
      if (opened && block.kind == BlockKind::table && lists_chapters(block))
        continue;  // it is the list above
      (opened ? after : before) += block_html(block, text, page);
    }
    std::string list = "<section class=\"toc-front\" aria-label=\"Chapters\">\n<ol>\n";
    for (const std::string& path : chapters_) {
      const auto [number, name] = numbered(title_of(path));
      list += "<li><a href=\"" + relative(page, page_of_text(path)) + "\"><span class=\"no\">" +
              book::xml_escaped(number) + "</span><span class=\"name\">" + book::xml_escaped(name) +
              "</span>";
      if (const auto builds = builds_.find(path); builds != builds_.end())
        list += "<span class=\"builds\">" + book::xml_escaped(book::plain_text(builds->second)) +
                "</span>";
      list += "</a></li>\n";
    }
    std::string start;
    if (!chapters_.empty())
      start = "<p class=\"start\"><a href=\"" + relative(page, page_of_text(chapters_[0])) +
              "\">Begin with " + book::xml_escaped(title_of(chapters_[0])) + " →</a></p>\n";
    return "<div class=\"promise\">\n" + before + start + "</div>\n" + list +
           "</ol>\n</section>\n" + after;
  }

  static bool lists_chapters(const Block& table) {
    int links = 0;
    for (const Block& row : table.children) {
      bool found = false;
      for (const Block& cell : row.children) {
        for (const Span& span : cell.spans)
          found = found || (span.kind == SpanKind::link && starts_with(span.target, "chapters/"));
      }
      links += found ? 1 : 0;
    }
    return links >= 5;
  }

  std::string neighbours(const Text& text, const std::string& page) {
    const auto at = std::find(chapters_.begin(), chapters_.end(), text.path);
    if (at == chapters_.end()) return "";
    std::string out = "<nav class=\"neighbours\" aria-label=\"Chapters before and after\">\n";
    if (at != chapters_.begin()) {
      out += "<a class=\"previous\" rel=\"prev\" href=\"" +
             relative(page, page_of_text(*(at - 1))) + "\"><span>← before</span>" +
             book::xml_escaped(title_of(*(at - 1))) + "</a>\n";
    }
    if (at + 1 != chapters_.end()) {
      out += "<a class=\"next\" rel=\"next\" href=\"" + relative(page, page_of_text(*(at + 1))) +
             "\"><span>next →</span>" + book::xml_escaped(title_of(*(at + 1))) + "</a>\n";
    }
    return out + "</nav>\n";
  }

  // --- Blocks -----------------------------------------------------------------------------------------------------------

  std::string block_html(const Block& block, const Text& text, const std::string& page) {
    if (block.directive == "nav") return "";
    switch (block.kind) {
      case BlockKind::heading: {
        const std::string level =
            std::to_string(std::clamp(block.level, 2, 6));  // one first heading a page
        const auto [number, name] = numbered(book::plain_text(block.spans));
        if (block.level == 1 && block.slug == first_slug(text)) {
          return "<h1 id=\"" + block.slug + "\">" +
                 (number.empty() ? spans_html(block.spans, text, page)
                                 : "<span class=\"no\">" + book::xml_escaped(number) + "</span> " +
                                       book::xml_escaped(name)) +
                 "</h1>\n";
        }
        return "<h" + level + " id=\"" + book::xml_escaped(block.slug) + "\">" +
               spans_html(block.spans, text, page) + " <a class=\"self\" href=\"#" +
               book::xml_escaped(block.slug) + "\" aria-label=\"Link to this section\">#</a></h" +
               level + ">\n";
      }
      case BlockKind::paragraph:
        if (block.spans.size() == 1 && block.spans[0].kind == SpanKind::picture)
          return "<figure class=\"picture\">" + spans_html(block.spans, text, page) + "</figure>\n";
        // What a table was measured on
        return (block_is(block, "table ") ? "<p class=\"measured\">" : "<p>") +
               spans_html(block.spans, text, page) + "</p>\n";
      case BlockKind::list: {
        const std::string tag = block.ordered ? "ol" : "ul";
        std::string out =
            "<" + tag +
            (block.ordered && block.start != 1 ? " start=\"" + std::to_string(block.start) + "\""
                                               : "") +
            ">\n";
        for (const Block& item : block.children) out += block_html(item, text, page);
        return out + "</" + tag + ">\n";
      }
      case BlockKind::item: {
        std::string out = "<li>" + spans_html(block.spans, text, page);
        for (const Block& child : block.children) out += block_html(child, text, page);
        return out + "</li>\n";
      }
      case BlockKind::table:
        return table_html(block, text, page);
      case BlockKind::row:
      case BlockKind::cell:
        return "";  // by their table
      case BlockKind::code:
        return code_block_html(block, text, page);
      case BlockKind::formula:
        if (block.formula.empty())
          return "<pre><code>" + book::xml_escaped(block.text) + "</code></pre>\n";
        return "<div class=\"formula\" tabindex=\"0\" role=\"region\" "
               "aria-label=\"Formula\"><div>" +
               book::to_mathml(block.formula, true, block.text) + "</div></div>\n";
      case BlockKind::quote: {
        std::string out = "<blockquote>\n";
        for (const Block& child : block.children) out += block_html(child, text, page);
        return out + "</blockquote>\n";
      }
      case BlockKind::rule:
        return "<hr>\n";
    }
    return "";
  }

  static std::string first_slug(const Text& text) {
    for (const Block& block : text.document.blocks) {
      if (block.kind == BlockKind::heading) return block.slug;
    }
    return "";
  }

  std::string table_html(const Block& table, const Text& text, const std::string& page) {
    // Columns of numbers stand to the right, as digits should
    std::vector<bool> numbers(table.align.size(), false);
    for (std::size_t c = 0; c < table.align.size(); ++c) {
      int filled = 0, pure = 0, begun = 0;  // "81 MB" is begun like a number, "1,240" is one
      for (std::size_t r = 1; r < table.children.size(); ++r) {
        if (c >= table.children[r].children.size()) continue;
        const std::string cell = trimmed(book::plain_text(table.children[r].children[c].spans));
        if (cell.empty()) continue;
        ++filled;
        pure += is_number(cell) ? 1 : 0;
        begun += is_number(cell) || std::isdigit(static_cast<unsigned char>(cell[0])) ? 1 : 0;
      }
      numbers[c] = pure > 0 && begun == filled && 10 * pure >= 7 * filled;
    }
    const bool exercises = block_is(table, "exercises");
    std::string out = std::string("<div class=\"table") + (table.align.size() >= 8 ? " many" : "") +
                      "\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>\n";
    for (std::size_t r = 0; r < table.children.size(); ++r) {
      if (r == 0) out += "<thead>\n";
      if (r == 1) out += "<tbody>\n";
      const std::vector<Block>& cells = table.children[r].children;
      if (r > 0 && is_group(cells)) {
        out += "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"" +
               std::to_string(cells.size()) + "\">" + spans_html(cells[0].spans, text, page) +
               "</th></tr>\n";
        continue;
      }
      out += "<tr>";
      for (std::size_t c = 0; c < cells.size(); ++c) {
        const book::Align align = c < table.align.size() ? table.align[c] : book::Align::none;
        const char* name = align == book::Align::right ||
                                   (align == book::Align::none && c < numbers.size() && numbers[c])
                               ? " class=\"number\""
                           : align == book::Align::centre ? " class=\"centre\""
                                                          : "";
        const std::string tag = r == 0 && !cells[c].spans.empty() ? "th" : "td";
        std::string inside = spans_html(cells[c].spans, text, page);
        if (exercises && r > 0 && c == 1) {  // an exercise's title leads to its page
          const std::string id = trimmed(book::plain_text(cells[0].spans));
          for (const auto& [folder, exercise] : exercises_) {
            if (exercise.id == id)
              inside =
                  "<a href=\"" + relative(page, folder + "/index.html") + "\">" + inside + "</a>";
          }
        }
        out += "<" + tag + name + (tag == "th" ? " scope=\"col\"" : "") + ">" + inside + "</" +
               tag + ">";
      }
      out += "</tr>\n";
      if (r == 0) out += "</thead>\n";
    }
    return out + (table.children.size() > 1 ? "</tbody>\n" : "") + "</table></div>\n";
  }

  /// A row with one bold cell and nothing beside it: the title of the rows below.
  static bool is_group(const std::vector<Block>& cells) {
    return cells.size() > 1 && !cells[0].spans.empty() &&
           cells[0].spans[0].kind == book::SpanKind::strong &&
           std::all_of(cells.begin() + 1, cells.end(),
                       [](const Block& cell) { return cell.spans.empty(); });
  }

  static bool block_is(const Block& block, std::string_view directive) {
    return starts_with(block.directive, directive);
  }

  std::string code_block_html(const Block& block, const Text& text, const std::string& page) {
    const std::string language =
        block.language.empty() ? "" : " class=\"" + book::xml_escaped(block.language) + "\"";
    if (block.snippet && block.snippet->first > 0) {
      std::string out = "<figure class=\"code snippet\"><pre tabindex=\"0\"><code" + language + ">";
      const auto source = sources_.find(source_of_snippet(text, *block.snippet));
      const std::vector<int> numbers = book::snippet_lines(
          *block.snippet, block.text, source == sources_.end() ? "" : source->second.text);
      const std::vector<std::string> lines = code_lines(block.language, block.text);
      for (std::size_t i = 0; i < lines.size(); ++i) {
        out += "<span class=\"l\" data-n=\"" +
               (i < numbers.size() ? std::to_string(numbers[i]) : "") + "\">" + lines[i] +
               "\n</span>";
      }
      out += "</code></pre><figcaption>";
      const auto link = address(text, page, block.snippet->target, block.line);
      const std::string caption = book::xml_escaped(block.snippet->caption);
      out += link ? "<a href=\"" + book::xml_escaped(*link) + "\">" + caption + "</a>" : caption;
      return out + "</figcaption></figure>\n";
    }
    const std::string code = "<pre tabindex=\"0\"><code" + language + ">" +
                             code_html(block.language, block.text) + "</code></pre>";
    if (block_is(block, "run ")) {
      return "<figure class=\"code output\"><figcaption><code>" +
             book::xml_escaped(trimmed(block.directive.substr(4))) + "</code></figcaption>" + code +
             "</figure>\n";
    }
    return "<figure class=\"code\">" + code + "</figure>\n";
  }

  // --- Spans ------------------------------------------------------------------------------------------------------------

  std::string spans_html(const std::vector<Span>& spans, const Text& text, const std::string& page,
                         bool in_link = false) {
    std::string out;
    std::size_t formula = std::string::npos;  // where the formula before this span begins
    for (const Span& span : spans) {
      const std::size_t before = std::exchange(formula, std::string::npos);
      const auto inside = [&](const char* tag) {
        return std::string("<") + tag + ">" + spans_html(span.children, text, page, in_link) +
               "</" + tag + ">";
      };
      switch (span.kind) {
        case SpanKind::text: {
          // No line begins with the stop behind a formula
          const std::size_t stops =
              std::min(span.text.find_first_not_of(".,;:!?)"), span.text.size());
          if (before != std::string::npos && stops > 0) {
            out = out.substr(0, before) + "<span class=\"joined\">" + out.substr(before) +
                  book::xml_escaped(span.text.substr(0, stops)) + "</span>" +
                  book::xml_escaped(span.text.substr(stops));
          } else {
            out += book::xml_escaped(span.text);
          }
          break;
        }
        case SpanKind::soft_break:
          out += "\n";
          break;
        case SpanKind::line_break:
          out += "<br>\n";
          break;
        case SpanKind::emphasis:
          out += inside("em");
          break;
        case SpanKind::strong:
          out += inside("strong");
          break;
        case SpanKind::strike:
          out += inside("del");
          break;
        case SpanKind::code: {
          const std::string code = "<code>" + book::xml_escaped(span.text) + "</code>";
          const auto named = in_link ? std::nullopt : file_named(text, span.text);
          const auto to = named ? page_of(*named) : std::nullopt;
          out += to && *to != page
                     ? "<a class=\"file\" href=\"" + relative(page, *to) + "\">" + code + "</a>"
                     : code;
          break;
        }
        case SpanKind::formula:
          formula = out.size();
          out += span.formula.empty() ? "<code>" + book::xml_escaped(span.text) + "</code>"
                                      : inline_formula_html(span.formula, span.text);
          break;
        case SpanKind::link: {
          const auto link = address(text, page, span.target, span.line);
          const std::string words = spans_html(span.children, text, page, true);
          out += link ? "<a href=\"" + book::xml_escaped(*link) + "\">" + words + "</a>" : words;
          break;
        }
        case SpanKind::picture: {
          const auto link = address(text, page, span.target, span.line);
          out += link ? "<img src=\"" + book::xml_escaped(*link) + "\" alt=\"" +
                            book::xml_escaped(span.text) + "\"" + size_of(text, span.target) +
                            " loading=\"lazy\">"
                      : "<em>" + book::xml_escaped(span.text) + "</em>";
          break;
        }
      }
    }
    return out;
  }

  /// Width and height, so that the page does not jump when the picture comes.
  std::string size_of(const Text& text, const std::string& target) {
    const auto path = book::resolve_path(text.path, book::split_target(target).path);
    if (!path || pictures_.count(*path) == 0) return "";
    const std::string bytes = learn::read_file(root_ / *path);
    const auto attributes = [](long width, long height) {
      return width > 0 && height > 0 ? " width=\"" + std::to_string(width) + "\" height=\"" +
                                           std::to_string(height) + "\""
                                     : "";
    };
    if (ends_with(*path, ".png") && bytes.size() > 24) {
      const auto number = [&](std::size_t at) {
        long n = 0;
        for (std::size_t i = 0; i < 4; ++i) n = n * 256 + static_cast<unsigned char>(bytes[at + i]);
        return n;
      };
      return attributes(number(16), number(20));
    }
    const std::string head = bytes.substr(0, std::min(bytes.find('>'), bytes.size()));
    const auto number = [&](const std::string& name) {
      const std::size_t at = head.find(" " + name + "=\"");
      return at == std::string::npos
                 ? 0L
                 : std::strtol(head.c_str() + at + name.size() + 3, nullptr, 10);
    };
    return starts_with(bytes, "<svg") ? attributes(number("width"), number("height")) : "";
  }

  // --- Sources, folders, exercises --------------------------------------------------------------------------------------

  std::string path_html(const std::string& page, const std::string& path) {
    std::string out;
    for (std::size_t at = 0; at <= path.size();) {
      const std::size_t slash = std::min(path.find('/', at), path.size());
      const auto to = slash < path.size() ? page_of(path.substr(0, slash)) : std::nullopt;
      const std::string name = book::xml_escaped(path.substr(at, slash - at));
      out += to && *to != page ? "<a href=\"" + relative(page, *to) + "\">" + name + "</a>" : name;
      if (slash < path.size()) out += "<wbr>/";
      at = slash + 1;
    }
    return out;
  }

  void write_source_page(const std::string& path, Source& source) {
    const std::string page = path + ".html";
    // Regions that hold nothing of each other get an element around their lines; the others only an anchor
    std::map<int, const Region*> opens;
    std::map<int, std::vector<std::string>> anchors;
    std::map<std::string, std::set<std::pair<int, int>>> shown;  // by text
    int free_from = 0;
    std::vector<const Region*> regions;
    for (const auto& [lines, region] : source.regions) {
      if (region.last > source.lines) continue;
      regions.push_back(&region);
      for (const std::string& text : region.texts) shown[text].insert(lines);
    }
    std::stable_sort(regions.begin(), regions.end(),
                     [](const Region* a, const Region* b) { return a->first < b->first; });
    for (const Region* region : regions) {
      if (region->first >= free_from) {
        opens[region->first] = region;
        free_from = region->last + 1;
      } else if (region->last > region->first) {
        anchors[region->first].push_back(line_anchor(region->first, region->last));
      }
    }

    std::string main = "<h1 class=\"path\">" + path_html(page, path) + "</h1>\n";
    if (!shown.empty()) {
      main += "<p class=\"shown\">Explained in ";
      bool first = true;
      for (const auto& [text, places] : shown) {
        main += std::string(first ? "" : "; ") + "<a href=\"" + relative(page, page_of_text(text)) +
                "\">" + book::xml_escaped(title_of(text)) + "</a>: ";
        bool comma = false;
        for (const auto& [from, to] : places) {
          main += std::string(comma ? ", " : "") + "<a href=\"#" + line_anchor(from, to) + "\">" +
                  (to > from ? "lines " + std::to_string(from) + "–" + std::to_string(to)
                             : "line " + std::to_string(from)) +
                  "</a>";
          comma = true;
        }
        first = false;
      }
      main += ".</p>\n";
    } else if (const std::string text = folder_of(path) + "/README.md"; texts_.count(text) != 0) {
      main += "<p class=\"shown\">Part of <a href=\"" + relative(page, page_of_text(text)) + "\">" +
              book::xml_escaped(title_of(text)) + "</a>.</p>\n";
    }
    main += "<figure class=\"code source\"><pre tabindex=\"0\"><code>";
    int number = 0;
    const Region* open = nullptr;
    for (const std::string& line : code_lines(book::language_of(path), source.text)) {
      ++number;
      if (const auto found = opens.find(number); found != opens.end()) {
        open = found->second;
        main += std::string("<span class=\"region") + (open->shown ? " shown" : "") + "\"" +
                (open->last > open->first ? " id=\"" + line_anchor(open->first, open->last) + "\""
                                          : "") +
                ">";
      }
      if (const auto found = anchors.find(number); found != anchors.end()) {
        for (const std::string& anchor : found->second)
          main += "<span id=\"" + anchor + "\"></span>";
      }
      main += "<span class=\"l\" id=\"L" + std::to_string(number) + "\" data-n=\"" +
              std::to_string(number) + "\">" + line + "\n</span>";
      if (open && number == open->last) {
        main += "</span>";
        open = nullptr;
      }
    }
    if (open) main += "</span>";
    main += "</code></pre></figure>\n";
    write_page(page, path, main, "source");
  }

  void write_folder_page(const std::string& path, const std::vector<std::string>& files) {
    const std::string page = path + "/index.html";
    std::string main =
        "<h1 class=\"path\">" + path_html(page, path) + "</h1>\n<dl class=\"files\">\n";
    for (const std::string& file : files) {
      const auto to = page_of(file);
      const std::string name = "<code>" + book::xml_escaped(name_of(file)) + "</code>";
      main += "<dt>" + (to ? "<a href=\"" + relative(page, *to) + "\">" + name + "</a>" : name) +
              "</dt>";
      const auto source = sources_.find(file);
      main += "<dd>" +
              book::xml_escaped(source != sources_.end()  ? source->second.idea
                                : texts_.count(file) != 0 ? title_of(file)
                                                          : "") +
              "</dd>\n";
    }
    write_page(page, path, main + "</dl>\n", "folder");
  }

  /// All exercises, by number.
  void write_exercise_list() {
    std::vector<std::pair<std::string, const ExerciseText*>> all;
    for (const auto& [folder, exercise] : exercises_) all.emplace_back(folder, &exercise);
    const auto number = [](const std::string& id, bool chapter) {
      const std::size_t dot = std::min(id.find('.'), id.size());
      return std::strtol(id.c_str() + (chapter ? 0 : std::min(dot + 1, id.size())), nullptr, 10);
    };
    std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return std::pair(number(a.second->id, true), number(a.second->id, false)) <
             std::pair(number(b.second->id, true), number(b.second->id, false));
    });
    std::string main =
        "<h1>Exercises</h1>\n<p>Each asks for one part of a chapter, in a file of your own. The "
        "check runs at every save, and names the mistake that it "
        "finds. Begin with <code>./run learn</code>, or with the one that you like.</p>\n<div "
        "class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Exercises\"><table>\n"
        "<thead><tr><th scope=\"col\">no.</th><th scope=\"col\">exercise</th><th "
        "scope=\"col\">chapter</th><th scope=\"col\" "
        "class=\"number\">minutes</th></tr></thead>\n<tbody>\n";
    for (const auto& [folder, exercise] : all) {
      const std::string chapter = folder.substr(0, folder.find("/exercises/")) + "/README.md";
      main += "<tr><td>" + book::xml_escaped(exercise->id) + "</td><td><a href=\"" + folder +
              "/index.html\">" + book::xml_escaped(exercise->title) + "</a></td><td>" +
              (texts_.count(chapter) ? "<a href=\"" + page_of_text(chapter) + "\">" +
                                           book::xml_escaped(title_of(chapter)) + "</a>"
                                     : "") +
              "</td><td class=\"number\">" + std::to_string(exercise->minutes) + "</td></tr>\n";
    }
    write_page("exercises.html", "Exercises", main + "</tbody></table></div>\n", "folder");
  }

  void write_exercise_page(const std::string& path, const ExerciseText& exercise) {
    const std::string page = path + "/index.html";
    const std::string chapter = path.substr(0, path.find("/exercises/")) + "/README.md";
    std::string main = "<h1><span class=\"no\">" + book::xml_escaped(exercise.id) + "</span> " +
                       book::xml_escaped(exercise.title) + "</h1>\n<p>";
    main += exercise.cuda ? "A kernel, in CUDA; it runs without a GPU, too. " : "";
    main += "About " + std::to_string(exercise.minutes) + " minutes.";
    if (texts_.count(chapter) != 0)
      main += " It belongs to <a href=\"" + relative(page, page_of_text(chapter)) + "\">" +
              book::xml_escaped(title_of(chapter)) + "</a>.";
    main +=
        "</p>\n<p>Begin with this command. It writes the file that you fill in, and says at every "
        "save what is right:</p>\n";
    main += "<figure class=\"code\"><pre tabindex=\"0\"><code class=\"sh\">" +
            code_html("sh", "./run learn check " + exercise.id + "\n") + "</code></pre></figure>\n";
    if (!exercise.hints.empty())
      main +=
          "<h2 id=\"hints\">Hints</h2>\n<p>Each says more than the one before. Open the next one "
          "when you are stuck.</p>\n";
    for (std::size_t i = 0; i < exercise.hints.size(); ++i) {
      main += "<details class=\"hint\"><summary>Hint " + std::to_string(i + 1) +
              "</summary><pre tabindex=\"0\">" + book::xml_escaped(trimmed(exercise.hints[i])) +
              "</pre></details>\n";
    }
    write_page(page, exercise.id + " · " + exercise.title, main, "exercise");
  }

  fs::path root_, folder_;
  std::set<std::string> files_, old_, written_;
  std::map<std::string, Text> texts_;
  std::map<std::string, Source> sources_;
  std::map<std::string, std::vector<std::string>> folders_;
  std::map<std::string, ExerciseText> exercises_;
  std::map<std::string, std::vector<Span>> builds_;
  std::set<std::string> pictures_;
  std::vector<std::string> order_, chapters_;
  BookReport report_;
};

}  // namespace

BookReport write_book(const fs::path& root, const fs::path& folder) {
  return Book(root, folder).write();
}

}  // namespace tpp::weave
