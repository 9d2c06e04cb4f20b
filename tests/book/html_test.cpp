// The HTML book of a small repository: what links to what, and the same bytes every time.
#include "tools/weave/html.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "chapters/01_tensor/errors.h"
#include "tests/testing.h"

using namespace tpp::weave;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tpp-book-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in.good());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const fs::path kSmall = fs::path(TPP_SOURCE_DIR) / "tests/book/small";

}  // namespace

TEST_CASE("a small book: pages, sources, links both ways") {
  const Folder out;
  const BookReport report = write_book(kSmall, out.path);
  for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.text());
  CHECK(report.problems.empty());
  CHECK(report.texts == 3);
  CHECK(report.sources == 1);
  CHECK(report.exercises == 1);
  CHECK(report.pictures == 1);

  const std::string chapter = read(out.path / "chapters/01_first/index.html");
  CHECK(holds(chapter, "<html lang=\"en\">"));
  CHECK(holds(chapter, "<span class=\"no\">01</span> First</h1>"));
  CHECK(holds(chapter, "<h2 id=\"the-formula\">"));
  CHECK(holds(chapter, "<math display=\"block\""));
  CHECK(holds(chapter, "<a href=\"first.h.html#L4-L8\">first.h, lines 4 to 8</a>"));
  CHECK(holds(chapter, "data-n=\"4\""));
  CHECK(holds(chapter, "<a class=\"file\" href=\"first.h.html\"><code>first.h</code></a>"));
  CHECK(holds(chapter, "<figcaption><code>./run example 01 waves</code>"));
  CHECK(holds(chapter, "<a href=\"exercises/one/index.html\">Scale a row</a>"));
  CHECK(holds(chapter, "<td class=\"number\">1,240</td>"));
  CHECK(holds(chapter, "<td class=\"number\">81 MB</td>"));
  CHECK(holds(chapter, "<td>the gain</td>"));
  CHECK(holds(chapter, "rel=\"next\" href=\"../02_second/index.html\""));
  CHECK(
      !holds(chapter, "contents</a> ·"));  // the text's own line of links: the page has better ones
  CHECK(!holds(chapter, "<!--"));
  CHECK(!holds(chapter, "<script"));

  const std::string source = read(out.path / "chapters/01_first/first.h.html");
  CHECK(holds(source, "id=\"L4-L8\""));
  CHECK(holds(source, "id=\"L5-L8\""));
  CHECK(holds(source, "id=\"L6\""));
  CHECK(holds(source, "<a href=\"index.html\">01 · First</a>: "));
  CHECK(holds(source, "<a href=\"../02_second/index.html\">02 · Second</a>: "));

  const std::string front = read(out.path / "index.html");
  CHECK(holds(front, "everything that a page can hold"));
  CHECK(holds(front, "href=\"chapters/01_first/index.html\""));
  CHECK(holds(read(out.path / "exercises.html"), "chapters/01_first/exercises/one/index.html"));
  CHECK(fs::exists(out.path / "docs/waves.svg"));
}

TEST_CASE("writing again changes no byte, and removes what is no more") {
  const Folder root, one, two;
  fs::copy(kSmall, root.path, fs::copy_options::recursive);
  write_book(root.path, one.path);
  write_book(root.path, two.path);
  std::map<std::string, std::string> first, second;
  const auto all = [](const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file())
        files[entry.path().lexically_relative(folder).string()] = read(entry.path());
    }
    return files;
  };
  CHECK(all(one.path) == all(two.path));

  fs::remove_all(root.path / "chapters/02_second");
  const BookReport report = write_book(root.path, two.path);
  CHECK(!fs::exists(two.path / "chapters/02_second/index.html"));
  CHECK(report.problems.size() == 1);  // README's link; the line of links is not shown
}

TEST_CASE("links that lead nowhere are words, and problems with their place") {
  const Folder root, out;
  write(root.path / "README.md",
        "# Book\n\n[a](none.md) [b](docs/x.md#none) [c](run.cpp#L9)\n\n![d](none.png) "
        "[e](../out.md) $`\\foo`$ [f](data.bin)\n");
  write(root.path / "docs/x.md", "# X\n");
  write(root.path / "run.cpp", "int x;\n");
  write(root.path / "data.bin", "\x01");
  const BookReport report = write_book(root.path, out.path);
  std::string all;
  for (const Problem& problem : report.problems) all += problem.text() + "\n";
  CAPTURE(all);
  CHECK(report.problems.size() == 6);
  CHECK(holds(all, "README.md:3: the link 'none.md' leads to nothing"));
  CHECK(holds(all, "README.md:3: the link 'docs/x.md#none' names a heading that is not there"));
  CHECK(holds(all, "README.md:3: the link 'run.cpp#L9' names a line that is not there"));
  CHECK(holds(all, "README.md:5: the link 'none.png' leads to nothing"));
  CHECK(holds(all, "README.md:5: the link '../out.md' leads to nothing"));
  CHECK(holds(all, "\\foo"));
  const std::string page = read(out.path / "index.html");
  CHECK(holds(page, "href=\"docs/x.html\">b</a>"));
  CHECK(!holds(page, "none.md"));
  CHECK(!holds(page, "data.bin"));
}

TEST_CASE("a folder that holds something else is left alone") {
  const Folder out;
  write(out.path / "letter.txt", "dear");
  CHECK_THROWS_AS(write_book(kSmall, out.path), tpp::InputError);
  CHECK(read(out.path / "letter.txt") == "dear");
  const Folder empty;
  CHECK_THROWS_AS(write_book(empty.path, empty.path / "book"), tpp::InputError);
}
