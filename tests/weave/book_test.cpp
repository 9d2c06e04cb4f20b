// A small book: what weave makes of it, and every way in which it can be wrong, each found alone and by its sentence.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "chapters/01_tensor/errors.h"
#include "tests/testing.h"
#include "tools/weave/files.h"
#include "tools/weave/weave.h"

namespace fs = std::filesystem;
using tpp::weave::Problem;
using tpp::weave::Report;
using tpp::weave::weave;

namespace {

const fs::path kHere = fs::path(TPP_SOURCE_DIR) / "tests" / "weave";

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// A copy of the book that may be spoilt.
struct Copy {
  fs::path root = fs::temp_directory_path() / ("tpp-weave-" + std::to_string(getpid()));
  Copy() {
    fs::remove_all(root);
    fs::copy(kHere / "book", root, fs::copy_options::recursive);
  }
  ~Copy() { fs::remove_all(root); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  [[nodiscard]] Report run(bool check, double seconds = 20) const {
    return weave(
        {.root = root, .bin = kHere / "bin", .chapters = {}, .check = check, .seconds = seconds});
  }
  void replace(const std::string& file, const std::string& what, const std::string& by) const {
    std::string text = read(root / file);
    const std::size_t at = text.find(what);
    INFO(file << " has no " << what);
    REQUIRE(at != std::string::npos);
    write(root / file, text.replace(at, what.size(), by));
  }
};

std::string all(const Report& report) {
  std::string text;
  for (const Problem& problem : report.problems) text += problem.text() + "\n";
  return text;
}

// A text with nothing between the comments of its directives, all in one line
std::string emptied(const std::string& text) {
  static const std::regex block(
      "(<!-- (snip|run|table|plot|picture|exercises|nav)\\b[^>]*-->)[^]*?(<!-- /\\2 -->)"),
      value("(<!-- value [^`]*? -->)[^<]*(<!-- /value -->)"),
      anothers("<!-- table of_a_benchmark --><!-- /table -->"),
      in_code("<!-- snip this is code -->[^]*");
  std::string out = std::regex_replace(std::regex_replace(text, block, "$1$3"), value, "$1$2");
  return std::regex_replace(out, anothers,
                            "<!-- table of_a_benchmark -->\nAnother program's.\n<!-- /table -->");
}

}  // namespace

TEST_CASE("what stands in the small book is what weave writes") {
  const Copy book;
  CHECK(all(book.run(true)) == "");
}

TEST_CASE("an emptied book is filled, once, and in its own line ends") {
  const Copy book;
  const std::vector<std::string> texts{"chapters/01_first/README.md", "docs/guide.md"};
  for (const std::string& text : texts) write(book.root / text, emptied(read(book.root / text)));
  fs::remove(book.root / "assets/plots/31_last-main.svg");
  for (const char* directive :
       {"snip chapters/31_last/last.h#inner", "run ./run example 31 fence", "table 31_last#main",
        "exercises", "plot 31_last#main \"two lines\"", "picture dot \"a dot\"",
        "snip chapters/31_last/last.h#one_line"}) {
    // From <!-- x --> … to <!-- /x -->
    std::string text = read(book.root / "chapters/31_last/README.md");
    const std::string open = std::string("<!-- ") + directive + " -->";
    const std::size_t from = text.find(open), to = text.find("<!-- /", from);
    REQUIRE(from != std::string::npos);
    write(book.root / "chapters/31_last/README.md",
          text.replace(from + open.size(), to - from - open.size(), ""));
  }
  REQUIRE(read(book.root / "docs/guide.md").find("0.5") == std::string::npos);
  CHECK(book.run(true).problems.size() >= 9);
  CHECK(!fs::exists(book.root / "assets/plots/31_last-main.svg"));  // a check writes nothing

  const Report first = book.run(false);
  CHECK(all(first) == "");
  CHECK(first.written.size() == 4);
  for (const auto& entry : fs::recursive_directory_iterator(kHere / "book")) {
    if (!entry.is_regular_file()) continue;
    const fs::path path = fs::relative(entry.path(), kHere / "book");
    INFO(path.string());
    CHECK((read(book.root / path) == read(entry.path())));
  }
  const Report second = book.run(false);
  CHECK(second.written.empty());
}

TEST_CASE("the index says where things are") {
  const Copy book;
  const Report report = book.run(true);
  REQUIRE(report.index["regions"].size() == 3);
  const auto& inner = report.index["regions"][0];
  CHECK(inner["region"] == "chapters/31_last/last.h#inner");
  CHECK(inner["first"] == 8);
  CHECK(inner["last"] == 10);
  CHECK(inner["texts"][0] == "chapters/31_last/README.md");
  CHECK(report.index["figures"].size() == 2);
  CHECK(report.index["exercises"].size() == 2);
  CHECK(report.index["exercises"][1]["file"] == "chapters/31_last/exercises/two/exercise.toml");
}

TEST_CASE("only the chapters that were named are written") {
  const Copy book;
  book.replace("chapters/31_last/README.md", "1 + 2 = 3", "1 + 2 = 4");
  book.replace("docs/guide.md", "0.5", "0.6");
  const Report report = weave({.root = book.root, .bin = kHere / "bin", .chapters = {"31"}});
  CHECK(report.texts == 1);
  CHECK(report.written == std::vector<std::string>{"chapters/31_last/README.md"});
  CHECK_THROWS_AS(weave({.root = book.root, .bin = kHere / "bin", .chapters = {"77"}}),
                  tpp::InputError);
}

namespace {

struct Defect {
  const char* file;
  const char* what;  // "" writes the file new; nullptr removes it
  const char* by;
  const char* says;  // the one problem's beginning and what it holds: "file:line: …|…"
};

constexpr const char* kText = "chapters/31_last/README.md";
constexpr const char* kFirst = "chapters/01_first/README.md";
constexpr const char* kCode = "chapters/31_last/last.h";
constexpr const char* kResults = "bench/results/31_last.json";

const Defect kDefects[] = {
    // Stale
    {kText, "return a + a;", "return a * 2;",
     "chapters/31_last/README.md:9: stale|line 5 of it is '  return a * 2;' and should be '  "
     "return a + a;'"},
    {kText, "#L17)", "#L16)", "chapters/31_last/README.md:29: stale"},
    {kText, "1 + 2 = 3", "1 + 2 = 4", "chapters/31_last/README.md:38: stale|./run weave 31"},
    {kText, "-->0.50<", "-->0.51<",
     "chapters/31_last/README.md:52: stale|is '0.51' and should be '0.50'"},
    {kText, "| 0.12 |", "| 0.13 |", "chapters/31_last/README.md:59: stale"},
    {kText, "[contents]", "[content]", "chapters/31_last/README.md:3: stale"},
    {kText, "| 20 |", "| 21 |", "chapters/31_last/README.md:98: stale"},
    {kText, "![two lines]", "![three lines]", "chapters/31_last/README.md:74: stale"},
    {kText, "![a dot]", "![a spot]", "chapters/31_last/README.md:78: stale"},
    {"docs/guide.md", "0.5<", "<", "docs/guide.md:5: stale|is empty|./run weave"},
    {"assets/plots/31_last-main.svg", "<title>", "<title>x",
     "assets/plots/31_last-main.svg: stale"},
    {"assets/plots/31_last-main.svg", nullptr, "",
     "assets/plots/31_last-main.svg: the plot is missing"},
    // Code
    {kText, "snip chapters/31_last/last.h#outer", "snip chapters/31_last/lost.h#outer",
     "chapters/31_last/README.md:9: snip: there is no file chapters/31_last/lost.h"},
    {kText, "last.h#outer -->", "last.h#utter -->",
     "chapters/31_last/README.md:9: snip: chapters/31_last/last.h has no region 'utter'; it has: "
     "inner, one_line, outer"},
    {kText, "last.h#outer -->", "last.h -->",
     "chapters/31_last/README.md:9: snip: it is written <!-- snip FILE#REGION -->"},
    {"chapters/31_last/more.h", "",
     "// [snip a]\nint a;\n// [/snip]\n// [snip a]\nint b;\n// [/snip]\n",
     "chapters/31_last/more.h:4: the region 'a' is marked twice in this file, first in line 1"},
    {"chapters/31_last/more.h", "", "// [snip a]\nint a;\n",
     "chapters/31_last/more.h:1: the region 'a' is never closed"},
    {"chapters/31_last/more.h", "", "int a;\n// [/snip]\n",
     "chapters/31_last/more.h:2: [/snip] closes a region, but none is open"},
    {"chapters/31_last/more.h", "", "// [snip a]\n\n// [/snip]\n",
     "chapters/31_last/more.h:3: the region 'a' is empty"},
    {"chapters/31_last/more.h", "", "// [snip a]\nint a;\n// [/snip]\n",
     "chapters/31_last/more.h:1: the region 'a' is shown in no text"},
    {kCode, "[/snip outer]", "[/snip inner]",
     "chapters/31_last/last.h:14: [/snip inner] closes the region 'outer'"},
    // Commands
    {kText, "example 31 sum", "example 31 fails",
     "chapters/31_last/README.md:38: run: `./run example 31 fails`: it failed with exit code 3: "
     "The section threw: no"},
    {kText, "example 31 sum", "example 31 dies", "chapters/31_last/README.md:38: run|signal 9"},
    {kText, "example 31 sum", "example 31 hangs",
     "chapters/31_last/README.md:38: run|it ran longer than 1 seconds"},
    {kText, "example 31 sum", "example 31 says_nothing",
     "chapters/31_last/README.md:38: run|it prints nothing"},
    {kText, "example 31 sum", "example 31 hides", "chapters/31_last/README.md:38: run|<!--"},
    {kText, "./run example 31 sum", "rm -rf build",
     "chapters/31_last/README.md:38: run|a text runs commands of ./run only"},
    {kText, "./run example 31 sum", "./run bench cpu",
     "chapters/31_last/README.md:38: run|a text cannot run './run bench'"},
    {kText, "./run example 31 sum", "./run counts 01",
     "chapters/31_last/README.md:38: run|tpp-counts is not built"},
    {kText, "./run example 31 sum", "./run example 01 sum",
     "chapters/31_last/README.md:38: run|chapter '01' has no example.cpp"},
    // Figures
    {kText, "values.half .2f", "values.third .2f",
     "chapters/31_last/README.md:52: value|has no 'third'; it has: broken, half, many"},
    {kText, "values.half .2f", "values.broken .2f",
     "chapters/31_last/README.md:52: value|was not measured: it is null"},
    {kText, "values.half .2f", "values.text .2f",
     "chapters/31_last/README.md:52: value|is not a number"},
    {kText, "31_last#values.half .2f", "77_lost#values.half .2f",
     "chapters/31_last/README.md:52: value: there is no bench/results/77_lost.json"},
    {kText, "values.half .2f", "results[name=b].us .2f",
     "chapters/31_last/README.md:52: value|2 entries of 31_last#results fit [name=b]: name more of "
     "their fields, which are name, shape, us"},
    {kText, "values.half .2f", "results[name=c].us .2f",
     "chapters/31_last/README.md:52: value|no entry of 31_last#results fits [name=c]"},
    {kText, "values.half .2f", "values.half 2f",
     "chapters/31_last/README.md:52: value|'2f' is not a format"},
    {kText, "values.half .2f", "values.half / 0 .2f",
     "chapters/31_last/README.md:52: value|a division by zero"},
    {kText, "A half is <!--", "<!--",
     "chapters/31_last/README.md:52: a value begins its line: GitHub takes such a line for HTML"},
    {kText, "0.50<!-- /value -->", "0.50",
     "chapters/31_last/README.md:52: the value '31_last#values.half .2f' is not closed in its "
     "line"},
    {kText, "table 31_last#main", "table 31_last#minor",
     "chapters/31_last/README.md:59: table: bench/results/31_last.json has no table 'minor'; it "
     "has: main, ragged"},
    {kText, "table 31_last#main", "table 31_last#ragged",
     "chapters/31_last/README.md:59: table|a row of the table 'ragged' has not 2 cells"},
    {kResults, "\"half\": 0.5", "\"half\": 0.5, \"half",
     "chapters/31_last/README.md:52: value: bench/results/31_last.json is not an object of JSON"},
    {kText, "picture dot", "picture spot",
     "chapters/31_last/README.md:78: picture: there is no picture assets/pictures/spot.png"},
    {kText, "picture dot \"a dot\"", "picture dot",
     "chapters/31_last/README.md:78: picture: it needs a name and, in quotes, words"},
    {"assets/plots/old.svg", "", "<svg/>", "assets/plots/old.svg: no text shows this plot"},
    {"assets/pictures/pictures.txt", "dot", "# dot",
     "assets/pictures/dot.png: no command makes this picture"},
    {"assets/pictures/pictures.txt", "hand\n", "hand\nspot  by hand\n",
     "assets/pictures/pictures.txt:2: there is no picture assets/pictures/spot.png"},
    // Directives
    {kText, "It prints:", "<!-- snap a#b -->",
     "chapters/31_last/README.md:36: there is no directive 'snap'; there is: snip, run"},
    {kText, "It prints:", "It prints: <!-- nav --><!-- /value -->",
     "chapters/31_last/README.md:36: the directive 'nav' has a line of its own"},
    {kText, "It prints:", "<!-- /snip -->",
     "chapters/31_last/README.md:36: <!-- /snip --> closes nothing"},
    {kText, "It prints:", "It <!-- prints",
     "chapters/31_last/README.md:42: <!-- /run --> closes nothing"},
    {kText, "It prints:", "<!-- exercises 31 --><!-- /exercises -->",
     "chapters/31_last/README.md:36: exercises: it has no arguments"},
    {kText, "It prints:", "<!-- nav -->",
     "chapters/31_last/README.md:36: <!-- nav --> is never closed"},
    {kText, "It prints:", "<!-- nav --> words",
     "chapters/31_last/README.md:36: <!-- nav -->: nothing stands behind a directive but its "
     "close"},
    {kText, "<!-- exercises -->", "```\n<!-- exercises -->",
     "chapters/31_last/README.md:106: a block of code is never closed"},
    {kFirst, "## Shapes", "<!-- exercises --><!-- /exercises -->\n\n## Shapes",
     "chapters/01_first/README.md:33: exercises: this chapter has no exercises"},
    {"docs/guide.md", "These", "\r\n<!-- nav --><!-- /nav -->\r\n\r\nThese",
     "docs/guide.md:6: nav: only a chapter has neighbours"},
    // A chapter's form
    {kFirst, "# 01 · First", "# First",
     "chapters/01_first/README.md:1: a chapter begins with  # 01 · Its name"},
    {kFirst, "## Shapes\n", "### Shapes\n",
     "chapters/01_first/README.md:1: the section '## Shapes' is missing"},
    {kFirst, "## Shapes\n", "## Forms\n\n## Shapes\n",
     "chapters/01_first/README.md:33: '## Forms' is no section of a chapter"},
    {kFirst, "## History\n", "# History\n", "chapters/01_first/README.md|a second title"},
    {kFirst, "one two three four five six seven eight nine ten\n", "",
     "chapters/01_first/README.md:1: 894 words of prose: a chapter has 900 to 2000"},
    // Formulas
    {kText, "$`x_i^2`$", "$`\\oiiint`$", "chapters/31_last/README.md:90: formula: |oiiint"},
    {kText, "\\frac{a}{b}", "\\frac{a}{b", "chapters/31_last/README.md:92: formula: "},
    {kText, "$`x_i^2`$", "$`x_i^2`",
     "chapters/31_last/README.md:90: a formula $`…`$ does not end in its line"},
    // Links
    {kText, "../../docs/guide.md?layer=1#how-to--see", "../../docs/guides.md",
     "chapters/31_last/README.md:96: the link to ../../docs/guides.md leads nowhere: there is no "
     "docs/guides.md"},
    {kText, "#how-to--see", "#how-to-see",
     "chapters/31_last/README.md:96: the link to|names no heading of docs/guide.md|how-to--see"},
    {kText, "last.h#L5-L8", "last.h#L5-L80",
     "chapters/31_last/README.md:96: the link to last.h#L5-L80 names lines that are not there"},
    {kText, "(../01_first)", "(/chapters/01_first)",
     "chapters/31_last/README.md:96: the link to /chapters/01_first begins with /"},
    {kText, "(../01_first)", "(../../../x)",
     "chapters/31_last/README.md:96: the link to ../../../x leads out of the project"},
    {"assets/more.md", "", "[x](nothing.md)\n",
     "assets/more.md:1: the link to nothing.md leads nowhere"},
};

}  // namespace

TEST_CASE("every defect is found, by file, line and sentence") {
  for (const Defect& defect : kDefects) {
    const std::string says = defect.says;
#ifndef TPP_WEAVE_FORMULAS
    if (says.find("formula") != std::string::npos) continue;
#endif
    const Copy book;
    if (defect.what == nullptr) {
      fs::remove(book.root / defect.file);
    } else if (*defect.what == '\0') {
      write(book.root / defect.file, defect.by);
    } else {
      book.replace(defect.file, defect.what, defect.by);
    }
    const Report report = book.run(true, 1);
    INFO(defect.file << ": " << (defect.what == nullptr ? "removed" : defect.what) << " → "
                     << defect.by << "\n"
                     << all(report));
    CHECK(!report.problems.empty());

    // One problem has all that is asked for; it begins with the place
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= says.size();) {
      const std::size_t to = std::min(says.find('|', from), says.size());
      parts.push_back(says.substr(from, to - from));
      from = to + 1;
    }
    const bool found =
        std::any_of(report.problems.begin(), report.problems.end(), [&](const Problem& problem) {
          const std::string text = problem.text();
          return text.compare(0, parts[0].size(), parts[0]) == 0 &&
                 std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
                   return text.find(part) != std::string::npos;
                 });
        });
    CHECK(found);
    CHECK(report.problems.size() <= (defect.file == kResults ? 99 : 2));  // and little else
  }
}
