// Markdown → tree: what GitHub shows is what the tree says, and no text breaks it.
#include "tools/book/document.h"

#include <chrono>
#include <functional>
#include <string>

#include "chapters/01_tensor/errors.h"
#include "tests/testing.h"

using namespace tpp::book;

namespace {

std::string rendered(const std::vector<Span>& spans) {
  std::string out;
  for (const Span& span : spans) {
    switch (span.kind) {
      case SpanKind::text:
        out += span.text;
        break;
      case SpanKind::code:
        out += "`" + span.text + "`";
        break;
      case SpanKind::formula:
        out += "$" + span.text + "$";
        break;
      case SpanKind::soft_break:
        out += "~";
        break;
      case SpanKind::line_break:
        out += "|";
        break;
      case SpanKind::emphasis:
        out += "<em " + rendered(span.children) + ">";
        break;
      case SpanKind::strong:
        out += "<b " + rendered(span.children) + ">";
        break;
      case SpanKind::strike:
        out += "<s " + rendered(span.children) + ">";
        break;
      case SpanKind::link:
        out += "<" + span.target + " " + rendered(span.children) + ">";
        break;
      case SpanKind::picture:
        out += "<!" + span.target + " " + span.text + ">";
        break;
    }
  }
  return out;
}

std::string first(const std::string& markdown) {
  const Document document = parse_document(markdown);
  REQUIRE(!document.blocks.empty());
  return rendered(document.blocks[0].spans);
}

}  // namespace

TEST_CASE("inline marks") {
  CHECK(first("a *b* **c** ~~d~~ `e` [f](g.md#h) ![i](j.png)") ==
        "a <em b> <b c> <s d> `e` <g.md#h f> <!j.png i>");
  CHECK(first("one\ntwo  \nthree") == "one~two|three");
  CHECK(first("&lt;x&gt; &#955; \\*no\\*") == "<x> λ *no*");
  CHECK(first("see https://arxiv.org/abs/1910.07467 there") ==
        "see <https://arxiv.org/abs/1910.07467 https://arxiv.org/abs/1910.07467> there");
}

TEST_CASE("formulas in a line") {
  CHECK(first("so $`x_{n,d}`$ and $a_b$.") == "so $x_{n,d}$ and $a_b$.");
  CHECK(first("**bold $`x*y*z`$** _it $`a_b`$_") == "<b bold $x*y*z$> <em it $a_b$>");
  CHECK(first("costs $5 and $6") == "costs $5 and $6");
  CHECK(first("$$$$ and $$ $$") == "$$$$ and $$ $$");
  CHECK(first("`$x$` and `` $`y`$ ``") == "`$x$` and `$`y`$`");
  CHECK(first("\\$x$ y") == "$x$ y");
  CHECK(first("[$`x`$](a.md)") == "<a.md $x$>");
  CHECK(first("two $`a\n+ b`$ lines") == "two $a\n+ b$~lines");
  CHECK(first("    echo $a $b$ c").empty());  // indented code keeps its dollars
}

TEST_CASE("formulas on lines of their own") {
  for (const char* text : {"```math\nx = y\n```\n", "$$\nx = y\n$$\n", "$$x = y$$\n"}) {
    const Document document = parse_document(std::string("a\n\n") + text + "\nb\n");
    CAPTURE(text);
    REQUIRE(document.blocks.size() == 3);
    CHECK(document.blocks[1].kind == BlockKind::formula);
    CHECK(document.blocks[1].text == "x = y");
    CHECK(document.blocks[1].formula.children.size() == 3);
    CHECK(document.problems.empty());
    CHECK(document.blocks[2].line == (text[2] == 'x' ? 5 : 7));
  }
}

TEST_CASE("blocks: headings, lists, tables, code, quotes") {
  const Document document = parse_document(R"(# 13 · RoPE

- one
- two
  - deeper

3. three

| a | b |
| --- | ---: |
| `x` | $`\alpha`$ |

```cpp
int x;
```

> quoted

---

## RoPE
## RoPE
)");
  REQUIRE(document.blocks.size() == 9);
  CHECK(document.title() == "13 · RoPE");
  CHECK(document.blocks[0].slug == "13--rope");
  CHECK(document.blocks[0].level == 1);
  CHECK(document.blocks[1].children.size() == 2);
  CHECK(document.blocks[1].tight);
  CHECK(document.blocks[1].children[1].children.back().kind == BlockKind::list);
  CHECK(rendered(document.blocks[1].children[0].spans) == "one");
  CHECK(rendered(document.blocks[1].children[1].spans) == "two");
  CHECK(rendered(document.blocks[1].children[1].children.back().children.at(0).spans) == "deeper");
  CHECK(document.blocks[2].ordered);
  CHECK(document.blocks[2].start == 3);
  const Block& table = document.blocks[3];
  REQUIRE(table.kind == BlockKind::table);
  REQUIRE(table.align.size() == 2);
  CHECK(table.align[1] == Align::right);
  REQUIRE(table.children.size() == 2);
  CHECK(rendered(table.children[1].children[1].spans) == "$\\alpha$");
  CHECK(document.blocks[4].language == "cpp");
  CHECK(document.blocks[4].text == "int x;\n");
  CHECK(document.blocks[5].kind == BlockKind::quote);
  CHECK(document.blocks[6].kind == BlockKind::rule);
  CHECK(document.blocks[7].slug == "rope");
  CHECK(document.blocks[8].slug == "rope-1");
}

TEST_CASE("a woven snippet knows its file and its lines") {
  const Document document = parse_document(R"(Before.

<!-- snip chapters/13_rope/rope.cpp#rope_rotate -->
```cpp
int x = 1;  // <!-- not a comment here -->
```
[rope.cpp, lines 48 to 73](rope.cpp#L48-L73)
<!-- /snip -->

<!-- run ./run example 13 wavelengths -->
```text
6.2832
```
<!-- /run -->

It is <!-- value 13#a .2f -->1.25<!-- /value --> here. <!-- a note -->
)");
  REQUIRE(document.blocks.size() == 4);
  const Block& code = document.blocks[1];
  REQUIRE(code.snippet);
  CHECK(code.snippet->file == "chapters/13_rope/rope.cpp");
  CHECK(code.snippet->name == "rope_rotate");
  CHECK(code.snippet->first == 48);
  CHECK(code.snippet->last == 73);
  CHECK(code.snippet->target == "rope.cpp#L48-L73");
  CHECK(code.snippet->caption == "rope.cpp, lines 48 to 73");
  CHECK(code.text == "int x = 1;  // <!-- not a comment here -->\n");
  CHECK(document.blocks[2].directive == "run ./run example 13 wavelengths");
  CHECK(!document.blocks[2].snippet);
  CHECK(rendered(document.blocks[3].spans) == "It is 1.25 here.");
  REQUIRE(document.directives.size() == 4);
  CHECK(document.directives[0].line == 3);
  CHECK(document.directives[0].last == 8);
  CHECK(document.problems.empty());
}

TEST_CASE("an output whose first line begins with blanks belongs to its command") {
  const Document document = parse_document(
      "Before.\n\n<!-- run ./run counts 13 -->\n```text\n     a  b\n1    2  3\n```\n<!-- /run "
      "-->\n");
  REQUIRE(document.blocks.size() == 2);
  CHECK(document.blocks[1].directive == "run ./run counts 13");
  CHECK(document.blocks[1].text == "     a  b\n1    2  3\n");
}

TEST_CASE("a snippet that is not filled yet, or lost its caption, is code all the same") {
  const Document document =
      parse_document("<!-- snip a.cpp#b -->\n```cpp\nx\n```\n<!-- /snip -->\n\nNext.\n");
  REQUIRE(document.blocks.size() == 2);
  REQUIRE(document.blocks[0].snippet);
  CHECK(document.blocks[0].snippet->first == 0);
  CHECK(parse_document("<!-- snip a.cpp#b --><!-- /snip -->\n").blocks.empty());
}

TEST_CASE("problems have their lines") {
  const auto problem = [](const std::string& text, int line, const std::string& part) {
    const Document document = parse_document(text);
    CAPTURE(text);
    REQUIRE(document.problems.size() == 1);
    CAPTURE(document.problems[0].sentence);
    CHECK(document.problems[0].line == line);
    CHECK(document.problems[0].sentence.find(part) != std::string::npos);
  };
  problem("a\n\nb $`\\foo`$\n", 3, "\\foo");
  problem("a\n\n```math\nx}\n```\n", 4, "without a {");
  problem("| a |\n| --- |\n| $`|x|`$ |\n", 3, "\\lvert");
  problem("a <b>bold</b>\n", 1, "HTML");
  problem("a\nMat<T> x\n", 2, "HTML");
  problem("a $`x\n\nb", 1, "never closed");
  problem("$$\nx\n\nb", 1, "never closed");
  problem("a <!-- b", 1, "never closed");
}

TEST_CASE("GitHub's anchors") {
  CHECK(github_slug("13 · RoPE") == "13--rope");
  CHECK(github_slug("What breaks without it") == "what-breaks-without-it");
  CHECK(github_slug("The `rope_rotate` function, in C++") == "the-rope_rotate-function-in-c");
  CHECK(github_slug("Größe Λ → x²") == "größe-λ--x");
}

TEST_CASE("targets and paths") {
  const Target target = split_target("../../docs/viewer.md?layer=1&head=0#rope");
  CHECK(target.path == "../../docs/viewer.md");
  CHECK(target.query == "layer=1&head=0");
  CHECK(target.anchor == "rope");
  CHECK(!target.external);
  CHECK(split_target("rope.cpp#L48-L73").first_line == 48);
  CHECK(split_target("rope.cpp#L48-L73").last_line == 73);
  CHECK(split_target("rope.cpp#L48").last_line == 48);
  CHECK(split_target("rope.cpp#L48x").first_line == 0);
  CHECK(split_target("https://arxiv.org/abs/1").external);
  CHECK(split_target("mailto:a@b").external);
  CHECK(resolve_path("chapters/13_rope/README.md", "../../docs/viewer.md") == "docs/viewer.md");
  CHECK(resolve_path("chapters/13_rope/README.md", "rope.cpp") == "chapters/13_rope/rope.cpp");
  CHECK(resolve_path("README.md", "./docs/") == "docs");
  CHECK(resolve_path("docs/a.md", "../../out") == std::nullopt);
}

TEST_CASE("a snippet's lines keep their numbers where marks are left out") {
  const std::string file =
      "// [snip a]\n  if (x) {\n    // [snip b]\n    y();\n\n    // [/snip]\n  }\n// [/snip]\n";
  Snippet snippet;
  snippet.first = 2;
  snippet.last = 7;
  CHECK(snippet_lines(snippet, "if (x) {\n  y();\n\n}\n", file) == std::vector<int>{2, 4, 5, 7});
  CHECK(snippet_lines(snippet, "if (x) {\n  y();\n", "") == std::vector<int>{2, 3});
  CHECK(snippet_lines(snippet, "stale\n  y();\n", file) == std::vector<int>{2, 4});
}

TEST_CASE("hostile texts are read in time, and flat") {
  const auto repeated = [](const std::string& piece, std::size_t size = 1 << 20) {
    std::string text;
    text.reserve(size + piece.size());
    while (text.size() < size) text += piece;
    return text;
  };
  std::function<int(const Block&)> depth = [&](const Block& block) {
    int deepest = 0;
    for (const Block& child : block.children) deepest = std::max(deepest, depth(child));
    return deepest + 1;
  };
  for (const char* piece : {"> ",
                            "- ",
                            "* a\n",
                            "`",
                            "` ",
                            "``` ",
                            "$",
                            "$`",
                            "$`x",
                            "$x ",
                            "$$",
                            "<!--",
                            "<!-- a -->",
                            "<!-- a -->\nb\n<!-- /a -->\n",
                            "<!-- a -->\n",
                            "[",
                            "](",
                            "![",
                            "*",
                            "**a ",
                            "_a",
                            "<",
                            "<b>",
                            "&",
                            "\\",
                            "|",
                            "| a ",
                            "|a\n|-\n",
                            "#",
                            "# a\n",
                            "\xEE\x80\x80",
                            "\xFF",
                            "\r",
                            "\t",
                            "~~~\n",
                            "```math\nx\n```\n",
                            "$`x`$ ",
                            "a\n\n",
                            "1. "}) {
    CAPTURE(piece);
    const auto start = std::chrono::steady_clock::now();
    const Document document = parse_document(repeated(piece));
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    CAPTURE(seconds);
    CHECK(seconds < 20);
    for (const Block& block : document.blocks) REQUIRE(depth(block) < 40);
  }
  CHECK_THROWS_AS(parse_document(std::string(9 << 20, 'a')), tpp::InputError);
  CHECK(parse_document("").blocks.empty());
  CHECK(parse_document(std::string("a\0b", 3)).blocks[0].spans.at(0).text == "a\uFFFDb");
}
