// A chapter's Markdown as a tree: blocks, and the spans of text inside them. The HTML book and the viewer's reader draw the
// same tree, and the checks read it, so what is checked is what is shown.
//
// Of HTML only comments are known, and they are not shown: they hold the weaver's directives. A block knows which directive
// it stands in, and a woven snippet knows its file and its lines.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/book/formula.h"

namespace tpp::book {

enum class SpanKind {
  text,        // text
  emphasis,    // children
  strong,      // children
  strike,      // children
  code,        // text
  formula,     // text is its TeX, formula its tree
  link,        // target, children
  picture,     // target, text is what it shows in words
  soft_break,  // a line's end in the source: a space
  line_break,  // a line's end that the author wants
};

struct Span {
  SpanKind kind = SpanKind::text;
  std::string text = {};
  std::string target = {};  // as written: "rope.cpp#L48-L73", "../../docs/viewer.md?layer=1#rope"
  std::vector<Span> children = {};
  Formula formula = {};  // a row without children where the TeX has a mistake: show the text
  int line = 0;          // in the source, from 1
};

enum class BlockKind {
  heading,    // level, slug, spans
  paragraph,  // spans
  list,       // ordered, start, tight; children are items
  item,       // children; in a tight list its paragraphs have no space around them
  table,      // align; children are rows, the first one the head
  row,        // children are cells
  cell,       // spans
  code,       // language, text, snippet
  formula,    // text is its TeX, formula its tree
  quote,      // children
  rule,       //
};

enum class Align { none, left, centre, right };

/// Where a woven snippet comes from: from `<!-- snip FILE#NAME -->` and the line below the code that weave writes.
struct Snippet {
  std::string file = {};     // from the repository's root: "chapters/13_rope/rope.cpp"
  std::string name = {};     // of the region: "rope_rotate"
  std::string target = {};   // the caption's link, as written: "rope.cpp#L48-L73"
  std::string caption = {};  // "rope.cpp, lines 48 to 73"
  int first = 0, last = 0;   // lines of the file; 0 where the caption is missing
};

struct Block {
  BlockKind kind = BlockKind::paragraph;
  std::vector<Span> spans = {};
  std::vector<Block> children = {};
  std::string text = {};      // of code (lines end with \n) and formulas
  std::string language = {};  // of code: "cpp", "text", "" …
  std::string slug = {};  // of a heading: its anchor, as GitHub makes it; unique in the document
  int level = 0;          // of a heading, 1 to 6
  bool ordered = false;   // of a list
  bool tight = true;      // of a list
  int start = 1;          // of an ordered list
  std::vector<Align> align = {};                  // of a table: one for each column
  std::optional<Snippet> snippet = std::nullopt;  // of code; its caption is not a block of its own
  Formula formula = {};                           // of a formula
  std::string directive =
      {};        // the words of the comment around it: "run ./run example 13", "nav", or empty
  int line = 0;  // in the source, from 1; 0 where nothing tells
};

/// A comment `<!-- words -->`, and where it stands. `<!-- /word -->` closes the last open one of that word.
struct Directive {
  std::string words = {};  // "snip chapters/13_rope/rope.cpp#rope_rotate"
  int line = 0;            // of its comment
  int last = 0;            // of its closing comment; equal to `line` where there is none
};

/// Something that a reader would see broken, with the line of the source.
struct Problem {
  int line = 0;
  std::string sentence = {};
};

struct Document {
  std::vector<Block> blocks = {};
  std::vector<Directive> directives = {};
  std::vector<Problem> problems =
      {};  // formulas outside the subset, a | of a formula in a table, HTML

  [[nodiscard]] std::string title() const;  // the first heading's words, or ""
};

/// Markdown as GitHub reads it: tables, bare links, strike-through, formulas ($`x`$, $x$, ```math, $$).
/// Never throws for what the text holds. Nesting deeper than 32 is flattened. Errors: InputError over 8 MB.
[[nodiscard]] Document parse_document(std::string_view markdown);

/// Words alone, without marks: for titles, alternative texts, search.
[[nodiscard]] std::string plain_text(const std::vector<Span>& spans);

/// The anchor of a heading as GitHub makes it, before numbers tell equal ones apart: "13 · RoPE" → "13--rope".
[[nodiscard]] std::string github_slug(std::string_view heading);

/// A target's parts: "../docs/viewer.md?layer=1&head=0#rope" → path, query, anchor.
struct Target {
  std::string path = {}, query = {}, anchor = {};
  bool external = false;              // has a scheme: https:, mailto:
  int first_line = 0, last_line = 0;  // of an anchor like L48 or L48-L73
};
[[nodiscard]] Target split_target(std::string_view target);

/// The file's line for each line of a snippet's code. Weave leaves out the margin and the lines that hold its own marks, so
/// they are found again in the file's text; without the text they are counted from the snippet's first line.
[[nodiscard]] std::vector<int> snippet_lines(const Snippet& snippet, std::string_view code,
                                             std::string_view file_text);

/// A relative path, seen from a file: ("chapters/13_rope/README.md", "../../docs/viewer.md") → "docs/viewer.md".
/// Nothing where it leaves the repository.
[[nodiscard]] std::optional<std::string> resolve_path(std::string_view from_file,
                                                      std::string_view path);

}  // namespace tpp::book
