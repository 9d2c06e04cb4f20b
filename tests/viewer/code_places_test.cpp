// Names of the sources, and the lines that introduce them; and that every place which the viewer names
// is there.
#include "viewer/code_places.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/testing.h"

using namespace tpp::viewer;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

fs::path root() { return TPP_SOURCES; }

}  // namespace

TEST_CASE("code places: the line that introduces a name", "[viewer][hover]") {
  const std::string text =
      "// rotate is described here\n"
      "#include \"rotate.h\"\n"
      "void rotated(int x);\n"
      "void rotate(int x);\n"
      "constexpr int kMost = 3;\n"
      "struct Turn;\n"
      "struct Turn {\n"
      "  int by() const { return kMost; }\n"
      "};\n"
      "int use() { return rotate(kMost); }\n"
      "template void rotate<float>(int);\n"
      "void rotate(int x) {\n"
      "  rotate(x - 1);\n"
      "}\n";
  CHECK(line_of_name(text, "rotate") == 12);
  CHECK(line_of_name(text, "rotated") == 3);
  CHECK(line_of_name(text, "kMost") == 5);
  CHECK(line_of_name(text, "Turn") == 7);
  CHECK(line_of_name(text, "by") == 8);
  CHECK(line_of_name(text, "rotate(x - 1)") == 13);
  CHECK(line_of_name(text, "described") == 0);
  CHECK(line_of_name(text, "rot") == 0);
  CHECK(line_of_name("", "rot") == 0);
  CHECK(line_of_name(text, "") == 0);

  // Where the sources are not there, the file alone
  CodePlaces nowhere("/no/such/folder");
  CHECK(nowhere.find("chapters/x.cpp: rotate").text() == "chapters/x.cpp");
  CHECK(nowhere.find("chapters/x.cpp").line == 0);
  CHECK(nowhere.find("kernels/x.cu:42").file == "kernels/x.cu");  // a trace knows its lines
  CHECK(nowhere.find("kernels/x.cu:42").line == 42);
  CHECK(nowhere.find("kernels/x.cu:").text() == "kernels/x.cu:");
}

TEST_CASE("code places: every place that the viewer names is there", "[viewer][hover]") {
  REQUIRE(fs::exists(root() / "viewer" / "code_places.cpp"));
  CodePlaces places(root());
  const std::regex literal("\"((chapters|viewer|tools)/[^\" ]+\\.(h|cpp))(: ([^\"]+))?\"");
  std::set<std::string> seen;
  for (const auto& entry : fs::recursive_directory_iterator(root() / "viewer")) {
    const std::string suffix = entry.path().extension().string();
    if (suffix != ".cpp" && suffix != ".h") continue;
    std::istringstream in(read(entry.path()));
    std::string line;
    while (std::getline(in, line)) {
      if (line.starts_with("#include") || line.find("//") < line.find('"')) continue;
      for (std::sregex_iterator it(line.begin(), line.end(), literal), end; it != end; ++it) {
        const std::string place = (*it)[0].str().substr(1, (*it)[0].length() - 2);
        INFO(entry.path().string() << ": " << place);
        seen.insert(place);
        const CodePlace found = places.find(place);
        CHECK(fs::exists(root() / found.file));
        const std::string name = (*it)[5].str();
        if (name.empty()) continue;
        REQUIRE(found.line > 0);
        std::istringstream text(read(root() / found.file));
        std::string there;
        for (int i = 0; i < found.line; ++i) std::getline(text, there);
        CHECK(there.find(name) != std::string::npos);
      }
    }
  }
  CHECK(seen.size() > 10);
}
