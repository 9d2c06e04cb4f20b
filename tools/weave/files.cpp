#include "tools/weave/files.h"

#include <algorithm>
#include <regex>

#include "chapters/01_tensor/errors.h"
#include "tools/learn/toml.h"

namespace tpp::weave {
namespace fs = std::filesystem;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}
bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}
std::string trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return "";
  return std::string(text.substr(from, text.find_last_not_of(" \t\r\n") + 1 - from));
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t to = std::min(text.find('\n', from), text.size());
    lines.emplace_back(text.substr(from, to - from));
    from = to + 1;
  }
  return lines;
}
std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TextFile read_text(const fs::path& path) {
  if (!fs::is_regular_file(path)) throw InputError(path.string() + " is not a file");
  const std::string bytes = learn::read_file(path);
  TextFile file;
  file.crlf = bytes.find("\r\n") != std::string::npos;
  if (!file.crlf) {
    file.text = bytes;
    return file;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\r' || i + 1 == bytes.size() || bytes[i + 1] != '\n') file.text += bytes[i];
  }
  return file;
}

bool write_text(const fs::path& path, const TextFile& file) {
  std::string bytes;
  if (file.crlf) {
    for (const char c : file.text) {
      if (c == '\n') bytes += '\r';
      bytes += c;
    }
  } else {
    bytes = file.text;
  }
  if (fs::is_regular_file(path) && learn::read_file(path) == bytes) return false;
  learn::write_file(path, bytes);
  return true;
}

std::vector<std::string> repository_files(const fs::path& root) {
  std::vector<std::string> files;
  for (auto i = fs::recursive_directory_iterator(root); i != fs::recursive_directory_iterator();
       ++i) {
    const std::string name = i->path().filename().string();
    if (i->is_directory()) {
      const bool top = i.depth() == 0;
      const std::string path = fs::path(i->path()).lexically_relative(root).string();
      if (name.starts_with(".") || name == "__pycache__" || name == "CMakeFiles" ||
          (top && (name.starts_with("build") || name == "out" || name == "work")) ||
          path == "tests/weave" || path == "tests/book" || path == "tools/fuzz/seeds" ||
          path == "assets/generated") {
        i.disable_recursion_pending();
      }
    } else if (i->is_regular_file()) {
      files.push_back(i->path().lexically_relative(root).string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool is_woven(const std::string& path) {
  static const std::regex woven(
      "(chapters/[0-9][0-9]_[a-z0-9_]+/README\\.md)|((chapters/|bench/|bench/experiments/|kernels/"
      ")?README\\.md)|(docs/"
      "[^/]+\\.md)");
  return std::regex_match(path, woven);
}

std::string relative_link(const std::string& from_file, const std::string& to) {
  const fs::path folder = fs::path(from_file).parent_path();
  return fs::path(to).lexically_relative(folder.empty() ? fs::path(".") : folder).string();
}

}  // namespace tpp::weave
