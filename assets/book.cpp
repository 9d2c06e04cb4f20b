#include "assets/book.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string_view>

#include "assets/generated_file.h"
#include "chapters/01_tensor/errors.h"

namespace tpp {
namespace fs = std::filesystem;
namespace {

constexpr std::array kFolders{"chapters", "kernels", "viewer", "assets", "bench", "tools", "docs"};
constexpr std::array kEndings{".md", ".h", ".cpp", ".cu", ".cuh"};

bool belongs(const fs::path& path) {
  return std::find(kEndings.begin(), kEndings.end(), path.extension()) != kEndings.end();
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) {
    throw InputError("Cannot read '" + path.string() + "' for the book: check its permissions.");
  }
  return text;
}

}  // namespace

std::vector<fs::path> book_files(const fs::path& root) {
  if (!fs::is_directory(root / "chapters")) {
    throw InputError(
        "The book is made from the project's own files, but '" + root.string() +
        "' has no chapters/: start in the repository's folder, or choose another text.");
  }
  std::vector<fs::path> files;
  if (fs::is_regular_file(root / "README.md")) files.push_back("README.md");
  for (const char* const folder : kFolders) {
    if (!fs::is_directory(root / folder)) continue;
    for (auto it = fs::recursive_directory_iterator(root / folder); it != fs::end(it); ++it) {
      const std::string name = it->path().filename().string();
      if (it->is_directory() && (name == "generated" || name.starts_with('.'))) {
        it.disable_recursion_pending();
      } else if (it->is_regular_file() && belongs(it->path())) {
        files.push_back(it->path().lexically_relative(root));
      }
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string book(const fs::path& root) {
  std::string text;
  for (const fs::path& file : book_files(root)) {
    const std::string body = read(root / file);
    text += "===== " + file.generic_string() + " =====\n" + body;
    if (!body.ends_with('\n')) text += '\n';
    text += '\n';
  }
  return text;
}

fs::path ensure_book(const fs::path& root, const fs::path& folder) {
  const std::string text = book(root);
  const fs::path path = folder / "book.txt";
  if (file_matches(path, text.size(), text)) return path;
  ensure_folder(folder);
  write_whole(path, text);
  return path;
}

}  // namespace tpp
