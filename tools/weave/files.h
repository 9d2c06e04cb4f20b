// The repository's files as weave sees them: read once, found by walking, written whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tpp::weave {

/// A text with its lines' ends made plain, and what they were.
struct TextFile {
  std::string text;  // lines end with \n
  bool crlf = false;
};

/// Errors  InputError that names the file
[[nodiscard]] TextFile read_text(const std::filesystem::path& path);

/// Write it with its own line ends, by another name first. Does nothing, and returns false, when
/// the file holds just that.
bool write_text(const std::filesystem::path& path, const TextFile& file);

/// Every file under root, by its path from there, sorted; without hidden folders, builds, out/,
/// work/ and the test books, which are full of mistakes on purpose.
[[nodiscard]] std::vector<std::string> repository_files(const std::filesystem::path& root);

/// The texts that hold directives: README.md, docs, chapters, bench and kernels.
[[nodiscard]] bool is_woven(const std::string& path);

[[nodiscard]] bool ends_with(std::string_view text, std::string_view end);
[[nodiscard]] bool starts_with(std::string_view text, std::string_view start);
[[nodiscard]] std::string trimmed(std::string_view text);
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);  // without their \n
[[nodiscard]] std::string join_lines(const std::vector<std::string>& lines);

/// The link from a text to a file, both by their paths from the root.
[[nodiscard]] std::string relative_link(const std::string& from_file, const std::string& to);

}  // namespace tpp::weave
