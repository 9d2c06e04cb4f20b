// The book beside the panels: formulas as boxes, pages for a width, links that move the viewer.
#include "viewer/reader/reader.h"
#include "viewer/export.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include "chapters/31_transformer_pp/catalogue.h"
#include "tests/testing.h"
#include "tests/viewer/offscreen.h"
#include "viewer/panels/kernels_panel.h"
#include "viewer/panels/registry.h"

using namespace tpp;
using namespace tpp::viewer;
using namespace tpp::viewer::testing;
namespace fs = std::filesystem;

namespace {

FormulaBox box_of(Offscreen& screen, const char* tex, bool block = false) {
  const book::ParsedFormula parsed = book::parse_formula(tex);
  INFO(tex << (parsed.error ? ": " + *parsed.error : ""));
  REQUIRE_FALSE(parsed.error);
  return lay_out(parsed.formula, screen.theme, 18, block);
}

float baseline_of(const FormulaBox& box, std::string_view text) {
  const auto sign = std::find_if(box.signs.begin(), box.signs.end(),
                                 [&](const FormulaBox::Sign& s) { return s.text == text; });
  REQUIRE(sign != box.signs.end());
  return sign->baseline.y;
}

float left_of(const FormulaBox& box, std::string_view text) {
  const auto sign = std::find_if(box.signs.begin(), box.signs.end(),
                                 [&](const FormulaBox::Sign& s) { return s.text == text; });
  REQUIRE(sign != box.signs.end());
  return sign->baseline.x;
}

/// A small book in a folder of its own.
struct Book {
  Book() {
    fs::create_directories(root / "chapters/01_one");
    fs::create_directories(root / "chapters/02_two");
    fs::create_directories(root / "docs");
    fs::create_directories(root / "bench/results");
    write("README.md", "# The front\n\nRead [one](chapters/01_one).\n");
    std::string one =
        "# 01 · One\n\n[turn the dials](../../docs/viewer.md?layer=1&head=0#rope)\n\n"
        "[a gated layer](../../docs/viewer.md?set=ffn:swiglu#architecture)\n\n"
        "[two](../02_two/README.md#the-end) [code](one.cpp#L3-L4) [away](https://example.org/x)\n\n"
        "[dead](nothing.md)\n\n";
    for (int i = 0; i < 80; ++i)
      one += "A paragraph with a formula $`x_{" + std::to_string(i) + "}`$.\n\n";
    write("chapters/01_one/README.md", one);
    std::string two = "# 02 · Two\n\n";
    for (int i = 0; i < 80; ++i) two += "More words about it.\n\n";
    write("chapters/02_two/README.md", two + "## The end\n\nDone.\n");
    write("chapters/01_one/one.cpp", "// one\nint a;\nint b;\nint c;\n");
    write("docs/viewer.md", "# The viewer\n");
  }
  ~Book() { fs::remove_all(root); }
  void write(const char* name, const std::string& text) const {
    std::ofstream(root / name) << text;
  }

  fs::path root =
      fs::temp_directory_path() / ("tpp-reader-" + std::to_string(std::random_device{}()));
};

}  // namespace

TEST_CASE("formula boxes: parts stand where mathematics puts them", "[viewer][reader]") {
  Offscreen screen;
  screen.frame([&] {
    const FormulaBox fraction = box_of(screen, "\\frac{a}{b}", true);
    CHECK(baseline_of(fraction, "a") < baseline_of(fraction, "b"));
    CHECK(fraction.strokes.size() == 1);  // the bar, between the two
    CHECK(fraction.strokes[0].points[0].y > baseline_of(fraction, "a"));
    CHECK(fraction.strokes[0].points[0].y < baseline_of(fraction, "b"));

    const FormulaBox scripts = box_of(screen, "x_{i}^{2}");
    CHECK(baseline_of(scripts, "i") > 0);
    CHECK(baseline_of(scripts, "2") < 0);
    CHECK(left_of(scripts, "i") == left_of(scripts, "2"));
    CHECK(left_of(scripts, "i") >= text_width(screen.theme, Font::formula, 18, "x"));

    const FormulaBox beside = box_of(screen, "\\sum_{d} y"),
                     above = box_of(screen, "\\sum_{d} y", true);
    CHECK(above.height + above.depth > beside.height + beside.depth);
    CHECK(left_of(above, "d") < left_of(above, "y"));
    CHECK(std::abs(left_of(beside, "d")) > 1);

    // A prime is a letter's size and not raised; what else stands above is
    const FormulaBox primed = box_of(screen, "x'_{i}"), both = box_of(screen, "x'^{2}");
    CHECK(baseline_of(primed, "′") == 0);
    CHECK(primed.signs[1].size == primed.signs[0].size);
    CHECK(baseline_of(primed, "i") > 0);
    CHECK(baseline_of(both, "2") < 0);
    CHECK(left_of(both, "2") > left_of(both, "′"));

    // Relations have room around them, a sign before a number has none
    CHECK(box_of(screen, "a=b").width >
          box_of(screen, "ab").width + text_width(screen.theme, Font::formula, 18, "="));
    CHECK(box_of(screen, "-x").width <
          box_of(screen, "y-x").width - text_width(screen.theme, Font::formula, 18, "y"));

    const FormulaBox lines =
        box_of(screen, "\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}", true);
    CHECK(left_of(lines, "b") == left_of(lines, "d"));
    CHECK(left_of(lines, "=") >
          left_of(lines, "a") + text_width(screen.theme, Font::formula, 18, "a") + 2);
    CHECK(baseline_of(lines, "b") < baseline_of(lines, "d"));
  });
}

TEST_CASE("formula boxes: every construct has a finite box that holds its signs",
          "[viewer][reader]") {
  Offscreen screen;
  screen.frame([&] {
    for (const char* tex : {"\\sqrt{x^2+1}", "\\hat{x}", "\\bar{x}", "\\tilde{x}", "\\vec{x}",
                            "\\left(\\frac{a}{b}\\right)", "\\left[x\\right]",
                            "\\left\\{x\\right\\}", "\\lVert x \\rVert", "\\lfloor x \\rfloor",
                            "\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}",
                            "\\begin{cases} 1 & x > 0 \\\\ 0 & \\text{otherwise} \\end{cases}",
                            "\\underbrace{a+b}_{\\text{sum}}", "\\operatorname{softmax}(x)_i",
                            "\\mathbb{R}^{N \\times D}", "\\mathbf{x}^\\top \\mathbf{y}",
                            "\\max_{j} x_j", "e^{-x^{2^{2}}}", "\\partial L / \\partial x"}) {
      for (const bool block : {false, true}) {
        INFO(tex);
        const FormulaBox box = box_of(screen, tex, block);
        CHECK(std::isfinite(box.width));
        CHECK(box.width > 4);
        CHECK(box.height > 4);
        for (const FormulaBox::Sign& sign : box.signs) {
          CHECK(sign.baseline.x >= -1);
          CHECK(sign.baseline.x <= box.width);
          CHECK(sign.baseline.y <= box.depth + 1);
          CHECK(-sign.baseline.y <= box.height + 1);
        }
      }
    }
  });
}

TEST_CASE("a page: words stay within its width, wide blocks within their box", "[viewer][reader]") {
  Offscreen screen;
  const book::Document document = book::parse_document(
      "# Title\n\nMany words that must be broken into lines, with **strong** ones, *others*, "
      "`code`, "
      "and a formula $`\\frac{a}{b}`$ among them, until the page is full.\n\n- one\n- two\n\n"
      "| a | b |\n| --- | ---: |\n| 1 | 2 |\n\n```cpp\n" +
      std::string(120, 'x') + " = 1;  // long\n```\n\n```math\n\\sum_{i=1}^{N} x_i\n```\n");
  screen.frame([&] {
    float last = 1e9f;
    for (const float width : {200.0f, 400.0f, 900.0f}) {
      const Page page = lay_out(document, screen.theme, width, {});
      for (const Canvas::Text& text : page.body.texts) {
        CHECK(text.at.x >= 0);
        CHECK(text.at.x + text_width(screen.theme, text.font, text.size, text.text) <= width + 1);
        CHECK(text.at.y >= 0);
        CHECK(text.at.y + text.size <= page.height);
      }
      CHECK(page.wide.size() == 3);  // table, code, formula
      for (const Page::Wide& wide : page.wide) CHECK(wide.rect.right() <= width + 1);
      CHECK(page.wide[1].inside.width > 400);
      CHECK(page.height <= last);  // wider is not higher
      last = page.height;
      CHECK(page.headings.size() == 1);
      CHECK(page.headings[0].slug == "title");
    }
  });
}

TEST_CASE("a page: a title among rows widens no column; lines left out are not counted",
          "[viewer][reader]") {
  Offscreen screen;
  const auto table = [](const std::string& title) {
    return book::parse_document("| a | b |\n| --- | ---: |\n| " + title + " | |\n| 1 | 2 |\n");
  };
  const std::string words = "a title of many words for the rows below";
  const book::Document code = book::parse_document(
      "<!-- snip one.cpp#part -->\n```cpp\nint a;\nint c;\n```\n"
      "[one.cpp, lines 2 to 4](one.cpp#L2-L4)\n<!-- /snip -->\n");
  screen.frame([&] {
    const Page grouped = lay_out(table("**" + words + "**"), screen.theme, 900, {});
    const Page plain = lay_out(table(words), screen.theme, 900, {});
    REQUIRE(grouped.wide.size() == 1);
    CHECK(grouped.wide[0].inside.width < 0.5f * plain.wide[0].inside.width);

    const Page page = lay_out(code, screen.theme, 900, {}, [](const std::string& file) {
      CHECK(file == "one.cpp");
      return std::string("// one\nint a;\nint b;\nint c;\n");
    });
    REQUIRE(page.wide.size() == 1);
    std::vector<std::string> numbers;
    for (const Canvas::Text& text : page.wide[0].inside.texts) {
      if (text.font == Font::mono_small) numbers.push_back(text.text);
    }
    CHECK(numbers == std::vector<std::string>{"2", "4"});
  });
}

TEST_CASE("a page: no list loses its words", "[viewer][reader]") {
  Offscreen screen;
  for (const char* text :
       {"- alpha\n- $`x`$ beta\n  - gamma\n", "1. alpha\n\n2. beta\n\n   gamma\n"}) {
    INFO(text);
    screen.frame([&] {
      const Page page = lay_out(book::parse_document(text), screen.theme, 400, {});
      float below = -1;
      for (const char* word : {"alpha", "beta", "gamma"}) {
        const auto found = std::find_if(
            page.body.texts.begin(), page.body.texts.end(),
            [&](const Canvas::Text& t) { return t.text.find(word) != std::string::npos; });
        REQUIRE(found != page.body.texts.end());
        CHECK(found->at.y > below);
        below = found->at.y + 0.5f * found->size;
      }
    });
  }
}

TEST_CASE("the colour of a label is one in all plots of a file", "[viewer][reader]") {
  const Book book;
  book.write("bench/results/x.json",
             R"({"plots": {"main": {"series": [{"label": "a", "x": [1], "y": [1]},
                                               {"label": "b", "x": [1], "y": [1]}]},
                           "more": {"series": [{"label": "b", "x": [1], "y": [1]},
                                               {"label": "a", "x": [1], "y": [1]}]},
                           "other": {"series": [{"label": "c", "x": [1], "y": [1]}]}}})");
  const auto looks = [&](const char* name) {
    std::vector<int> found;
    for (const Plot::Line& line : read_plot(book.root / "bench/results", name).lines)
      found.push_back(line.look);
    return found;
  };
  CHECK(looks("x#main") == std::vector<int>{0, 1});
  CHECK(looks("x#more") == std::vector<int>{1, 0});
  CHECK(looks("x#other") == std::vector<int>{0});
}

TEST_CASE("links to the viewer's page are wishes", "[viewer][reader]") {
  const ReaderWish wish =
      viewer_link("layer=1&head=0&set=norm:layernorm&parameter=block1/attn/wq", "rope");
  CHECK(wish.panel == "rope");
  CHECK(wish.place.layer == 1);
  CHECK(wish.place.head == 0);
  CHECK(wish.place.parameter == "block1/attn/wq");
  REQUIRE(wish.options.size() == 1);
  CHECK(wish.options[0] == std::pair<std::string, std::string>("norm", "layernorm"));
  CHECK(wish.problem.empty());
  for (const char* query : {"layer=x", "layer=", "layer=-1", "colour=red", "set=norm", "head"}) {
    INFO(query);
    CHECK_FALSE(viewer_link(query, "rope").problem.empty());
  }
  CHECK(viewer_link("", "").empty());
}

TEST_CASE("the reader: pages, links, the way back, and the place that is kept",
          "[viewer][reader]") {
  const Book book;
  Offscreen screen(700, 500);
  Reader reader(book.root);
  ReaderWish wish;
  const std::function<void()> draw = [&] {
    if (ReaderWish own = reader.draw(screen.ui); !own.empty()) wish = own;
  };
  Script hand = screen.script(draw);
  CHECK(reader.chapters() == std::vector<std::string>{"01_one", "02_two"});
  CHECK(reader.chapter_title("01_one") == "01 · One");
  CHECK_FALSE(reader.open("no/such/file.md"));
  CHECK_FALSE(reader.open("../../etc/passwd"));
  reader.open_chapter("01_one");
  hand.wait(4);

  hand.click("reader/link/../../docs/viewer.md?layer=1&head=0#rope");
  CHECK(wish.panel == "rope");
  CHECK(wish.place.layer == 1);
  hand.click("reader/link/../../docs/viewer.md?set=ffn:swiglu#architecture");
  CHECK(wish.options.size() == 1);
  hand.click("reader/link/https://example.org/x");
  CHECK(wish.address == "https://example.org/x");
  hand.click("reader/link/nothing.md");
  CHECK(wish.problem.find("nothing.md") != std::string::npos);
  CHECK(reader.file() == "chapters/01_one/README.md");

  // To an anchor far below, back to the same place, to code
  hand.click("reader/link/../02_two/README.md#the-end");
  hand.wait(6);
  CHECK(reader.file() == "chapters/02_two/README.md");
  CHECK(reader.progress() > 0.5f);
  CHECK(reader.back());
  hand.wait(6);
  CHECK(reader.file() == "chapters/01_one/README.md");
  CHECK(reader.progress() < 0.05f);
  hand.click("reader/link/one.cpp#L3-L4");
  hand.wait(4);
  CHECK(reader.file() == "chapters/01_one/one.cpp");
  CHECK(reader.back());
  CHECK_FALSE(reader.back());
  hand.wait(4);

  // Chapters in their order; a page that was left is found where it was
  hand.wheel("reader/page", -10);
  hand.wait(4);
  const float before = reader.progress();
  CHECK(before > 0.02f);
  hand.click("reader/next");
  hand.wait(4);
  CHECK(reader.file() == "chapters/02_two/README.md");
  CHECK_FALSE(reader.step_chapter(1));
  hand.click("reader/previous");
  hand.wait(4);
  CHECK(std::abs(reader.progress() - before) < 0.01f);

  // The session: page and place, and nothing from outside the book
  const std::string settings = reader.settings();
  Reader other(book.root);
  other.restore(settings);
  CHECK(other.file() == reader.file());
  CHECK(std::abs(other.progress() - before) < 0.01f);
  for (const char* bad : {"", "x", "100 ../../etc/passwd", "99999 README.md", "5 nothing.md"}) {
    Reader untouched(book.root);
    untouched.restore(bad);
    CHECK(untouched.file().empty());
  }
}

namespace {

/// Every link of a document, wherever it stands.
void collect_links(const std::vector<book::Span>& spans, std::vector<std::string>& links) {
  for (const book::Span& span : spans) {
    if (span.kind == book::SpanKind::link) links.push_back(span.target);
    collect_links(span.children, links);
  }
}
void collect_links(const std::vector<book::Block>& blocks, std::vector<std::string>& links) {
  for (const book::Block& block : blocks) {
    collect_links(block.spans, links);
    collect_links(block.children, links);
  }
}

}  // namespace

TEST_CASE("the reader: the pictures of a page go when another is opened", "[viewer][reader]") {
  const Book book;
  write_png(book.root / "docs/picture.png", Image(40, 30));
  book.write("docs/viewer.md", "# The viewer\n\n![a picture](picture.png)\n");
  Offscreen screen(700, 500);
  Reader reader(book.root);
  const auto show = [&](const char* file) {
    REQUIRE(reader.open(file));
    for (int i = 0; i < 3; ++i) screen.frame([&] { (void)reader.draw(screen.ui); }, false);
    return dynamic_cast<SoftwareTextureStore&>(screen.backend->textures()).alive();
  };
  const int without = show("README.md");
  CHECK(show("docs/viewer.md") == without + 1);
  CHECK(show("README.md") == without);
}

TEST_CASE("links of the chapters move the viewer to panels and options that there are",
          "[viewer][reader]") {
  const fs::path book = fs::path(__FILE__).parent_path() / ".." / "..";
  Reader reader(book);
  int found = 0;
  for (const std::string& folder : reader.chapters()) {
    REQUIRE(reader.open("chapters/" + folder + "/README.md"));
    std::vector<std::string> links;
    collect_links(reader.document().blocks, links);
    for (const std::string& link : links) {
      const book::Target parts = book::split_target(link);
      if (book::resolve_path(reader.file(), parts.path) != "docs/viewer.md") continue;
      if (parts.anchor.empty() && parts.query.empty()) continue;
      INFO(folder << ": " << link);
      ++found;
      const ReaderWish wish = viewer_link(parts.query, parts.anchor);
      CHECK(wish.problem.empty());
      if (!wish.tour.empty()) {
        CHECK(wish.tour == folder.substr(0, 2));
        CHECK(reader.has_tour(folder));
        continue;
      }
      const auto& panels = panel_table();
      CHECK(std::any_of(panels.begin(), panels.end(),
                        [&](const PanelEntry& entry) { return entry.id == wish.panel; }));
      if (!wish.kernel.empty()) {  // a ladder that there is
        KernelsPanel kernels;
        kernels.restore(wish.kernel);
        CHECK(wish.panel == "kernels");
        CHECK(kernels.settings() == wish.kernel);
      }
      RunOptions options;
      for (const auto& [name, value] : wish.options) {
        CHECK_NOTHROW(set_option(options, name, value));
      }
      CHECK_NOTHROW(model_config(options, 256));
    }
  }
  CHECK(found >= 30);
}

TEST_CASE("the reader: every text of the repository is drawn, at any width", "[viewer][reader]") {
  const fs::path book = fs::path(__FILE__).parent_path() / ".." / "..";
  REQUIRE(fs::exists(book / "chapters"));
  Offscreen screen(900, 600);
  Reader reader(book);
  REQUIRE(reader.chapters().size() >= 16);
  for (const std::string& folder : reader.chapters()) {
    INFO(folder);
    reader.open_chapter(folder);
    for (int i = 0; i < 4; ++i) screen.frame([&] { (void)reader.draw(screen.ui); });
    CHECK(reader.document().problems.empty());
    CHECK(reader.file() == "chapters/" + folder + "/README.md");
  }
}
