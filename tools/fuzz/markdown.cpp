// Hostile texts: whatever the bytes, Markdown, formulas and code become a sound tree, and MathML whose elements close.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "tools/book/document.h"
#include "tools/book/formula.h"
#include "tools/book/highlight.h"

namespace {

using namespace tpp::book;

/// Stop the fuzzer: the input is kept as a finding.
void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

void check_mathml(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at)) {
    const std::size_t end = xml.find('>', at);
    require(end != std::string::npos, "a tag ends");
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end;
    if (tag.back() == '/') continue;
    const std::string name = tag.substr(0, tag.find(' '));
    if (name[0] != '/') {
      open.push_back(name);
      continue;
    }
    require(!open.empty() && open.back() == name.substr(1), "elements close in order");
    open.pop_back();
  }
  require(open.empty(), "every element is closed");
}

void check_code(std::string_view language, std::string_view text) {
  std::size_t at = 0;
  for (const InkSpan& span : highlight(language, text)) {
    require(span.begin == at && span.end > at, "colours have no holes");
    at = span.end;
  }
  require(at == text.size(), "colours cover the text");
}

void check(const std::vector<Span>& spans, int depth) {
  require(depth < 100, "spans are flat enough to walk");
  for (const Span& span : spans) {
    if (span.kind == SpanKind::formula && !span.formula.empty())
      check_mathml(to_mathml(span.formula, false, span.text));
    if (span.kind == SpanKind::link)
      (void)resolve_path("chapters/13_rope/README.md", split_target(span.target).path);
    check(span.children, depth + 1);
  }
}

void check(const Block& block, int lines, int depth) {
  require(depth < 100, "blocks are flat enough to walk");
  require(block.line >= 0 && block.line <= lines, "a block's line is one of the text");
  if (block.kind == BlockKind::formula && !block.formula.empty())
    check_mathml(to_mathml(block.formula, true, block.text));
  if (block.kind == BlockKind::code) check_code(block.language, block.text);
  if (block.kind == BlockKind::heading)
    require(block.level >= 1 && block.level <= 6, "six kinds of headings");
  if (block.snippet) (void)snippet_lines(*block.snippet, block.text, block.text);
  check(block.spans, depth);
  for (const Block& child : block.children) check(child, lines, depth + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  int lines = 1;
  for (const char c : text) lines += c == '\n' || c == '\r' ? 1 : 0;

  const Document document = parse_document(text);
  for (const Block& block : document.blocks) check(block, lines, 0);
  for (const Directive& directive : document.directives)
    require(directive.line <= directive.last, "directives end after they begin");

  const ParsedFormula parsed = parse_formula(text);
  require(parsed.error.has_value() == parsed.formula.empty(), "a formula or a sentence");
  if (!parsed.error) check_mathml(to_mathml(parsed.formula, true, text));
  for (const char* language : {"cpp", "sh", "python", "cmake", "json"}) check_code(language, text);
  (void)github_slug(text);
  return 0;
}
