// A file as if it were memory: mapped, read-only, and read from the disk only where it is touched.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace tpp {

/// A mapped file. Movable, not copyable.
///
/// Errors  InputError, one sentence: missing, a folder, not a regular file, unreadable, empty
/// Cost    opening is independent of the size; pages are read on first use and shared with the
/// system Notes   Another program that shortens the file while it is mapped ends this one with
/// SIGBUS: a
///         mapping is not a copy.
class TextFile {
 public:
  explicit TextFile(const std::filesystem::path& path);
  ~TextFile();

  TextFile(TextFile&& other) noexcept;
  TextFile& operator=(TextFile&& other) noexcept;
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  [[nodiscard]] std::string_view view() const { return {data_, size_}; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const char* data_ = nullptr;
  std::size_t size_ = 0;  // bytes
};

}  // namespace tpp
