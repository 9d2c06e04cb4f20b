// Files appear whole or not at all, and errors say what to do.
#include "viewer/export.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/testing.h"

namespace tpp::viewer {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("tpp-export-" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

std::string read(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

TEST_CASE("export: a PNG has its signature and size, and no part file stays", "[viewer]") {
  const Folder folder;
  write_png(folder.path / "new" / "a.png", Image(7, 5, rgba(1, 2, 3)));
  const std::string bytes = read(folder.path / "new" / "a.png");
  REQUIRE(bytes.size() > 24);
  CHECK(bytes.substr(1, 3) == "PNG");
  CHECK(bytes[19] == 7);
  CHECK(bytes[23] == 5);
  CHECK_FALSE(fs::exists(folder.path / "new" / "a.png.part"));
}

TEST_CASE("export: a failed write leaves the old file and no other", "[viewer]") {
  const Folder folder;
  const fs::path file = folder.path / "a.csv";
  write_file(file, [](std::ostream& out) { out << "old\n"; });
  CHECK_THROWS_AS(write_file(file,
                             [](std::ostream& out) {
                               out << "half";
                               throw std::invalid_argument("no");
                             }),
                  std::invalid_argument);
  CHECK_THROWS_AS(write_file(file, [](std::ostream& out) { out.setstate(std::ios::badbit); }),
                  ExportError);
  CHECK(read(file) == "old\n");
  CHECK_FALSE(fs::exists(folder.path / "a.csv.part"));
}

TEST_CASE("export: errors are sentences with advice", "[viewer]") {
  const Folder folder;
  const auto nothing = [](std::ostream&) {};
  CHECK_THROWS_AS(write_file(folder.path, nothing), ExportError);
  CHECK_THROWS_AS(write_png(folder.path / "a.png", Image()), ExportError);
  write_file(folder.path / "file", nothing);
  try {
    write_file(folder.path / "file" / "below.csv", nothing);
    FAIL("no error");
  } catch (const ExportError& e) {
    CHECK(std::string(e.what()).find("below.csv") != std::string::npos);
    CHECK(std::string(e.what()).find("Choose another folder") != std::string::npos);
  }
  if (fs::exists("/dev/full")) {
    // A full disk, as the device makes it
    fs::create_symlink("/dev/full", folder.path / "b.csv.part");
    CHECK_THROWS_AS(write_file(folder.path / "b.csv", [](std::ostream& out) { out << "x"; }),
                    ExportError);
    CHECK_FALSE(fs::exists(folder.path / "b.csv"));
  }
}

TEST_CASE("export: crop takes a panel, at any density, and only what is there", "[viewer]") {
  Image image(20, 10);
  for (int y = 0; y < 10; ++y) {
    for (int x = 0; x < 20; ++x) image.at(x, y) = rgba(x, y, 0);
  }
  const Image part = crop(image, {2, 1, 3, 2}, 2);
  CHECK(part.width == 6);
  CHECK(part.height == 4);
  CHECK(part.at(0, 0) == rgba(4, 2, 0));
  CHECK(crop(image, {-5, -5, 100, 100}).pixels == image.pixels);
  CHECK(crop(image, {30, 0, 5, 5}).width == 0);
}

TEST_CASE("export: CSV fields are quoted when they must be; names are never taken twice",
          "[viewer]") {
  CHECK(csv_field("plain") == "plain");
  CHECK(csv_field("a,b") == "\"a,b\"");
  CHECK(csv_field("say \"hi\"\n") == "\"say \"\"hi\"\"\n\"");
  const Folder folder;
  const fs::path wanted = folder.path / "a.png";
  CHECK(free_name(wanted) == wanted);
  write_file(wanted, [](std::ostream&) {});
  CHECK(free_name(wanted) == folder.path / "a-2.png");
  write_file(folder.path / "a-2.png", [](std::ostream&) {});
  CHECK(free_name(wanted) == folder.path / "a-3.png");
}

}  // namespace
}  // namespace tpp::viewer
