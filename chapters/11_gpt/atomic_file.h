// A file that appears whole or not at all.
//
// Bytes go to a temporary file beside the target. commit() forces them to the disk and renames the
// temporary over the target. POSIX makes that rename one step (IEEE Std 1003.1, rename()), so a
// reader sees the old file or the new one, and a full disk or a kill leaves the old one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace tpp {

/// Writes a file so that its previous contents survive every failure.
///
///   AtomicFile file("model.safetensors");
///   file.write(bytes);   // as often as needed
///   file.commit();       // without it, the destructor throws the new bytes away
///
/// Errors  InputError, one sentence: the path, the reason and what to do.
///         std::logic_error on use after commit() or after a failed write().
/// Cost    one write(2) a call, two fsync(2) a commit; no copy of the data.
/// Notes   A symbolic link is followed, and the previous file's permission bits are kept.
///         The temporary is "<target>.<pid>-<count>.tmp". One that a killed process left behind is
///         removed by the next save to the same target.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();

  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void commit();

 private:
  [[noreturn]] void fail(int error);
  void discard() noexcept;

  std::filesystem::path asked_;      // as the caller wrote it, for messages
  std::filesystem::path target_;     // links resolved
  std::filesystem::path temporary_;  // beside target_
  int fd_ = -1;                      // open on temporary_, and locked; -1 when there is none
};

}  // namespace tpp
