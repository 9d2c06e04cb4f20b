#include "assets/repository.h"

#include <cstdlib>
#include <system_error>

#include "chapters/01_tensor/errors.h"

namespace tpp {
namespace {

namespace fs = std::filesystem;

bool is_root(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder / "chapters" / "01_tensor", error) &&
         fs::is_directory(folder / "assets", error);
}

/// The nearest folder from `start` upwards that is a root; empty if none is.
fs::path above(fs::path start) {
  for (;; start = start.parent_path()) {
    if (is_root(start)) return start;
    if (!start.has_relative_path()) return {};
  }
}

}  // namespace

fs::path repository_root() {
  if (const char* given = std::getenv("TPP_ROOT"); given != nullptr && *given != '\0') {
    if (is_root(given)) return given;
    throw InputError(std::string("TPP_ROOT is ") + given +
                     ", which does not hold this project's chapters: "
                     "set it to the project's folder, or unset it");
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    if (const fs::path root = above(program.parent_path()); !root.empty()) return root;
  }
  if (const fs::path root = above(fs::current_path(error)); !root.empty()) return root;
  throw InputError(
      "cannot find the project's folder: start the program through ./run, or set TPP_ROOT to "
      "the folder that holds chapters/");
}

}  // namespace tpp
