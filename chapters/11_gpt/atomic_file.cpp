// The order of operations is the whole idea: write, fsync the file, rename, fsync the folder.
#include "chapters/11_gpt/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "chapters/01_tensor/errors.h"

namespace tpp {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void cannot_save(const fs::path& path, const std::string& why) {
  throw InputError("cannot save '" + path.string() + "': " + why);
}

/// Say what went wrong and what helps, in words rather than in errno's.
std::string reason(int error) {
  switch (error) {
    case ENOSPC:
      return "no space left on the disk; free some space or save to another disk";
    case EDQUOT:
      return "your disk quota is used up; free some space or save to another disk";
    case EFBIG:
      return "the file is larger than the file size limit; raise the limit (ulimit -f) or save to "
             "another disk";
    case EACCES:
    case EPERM:
      return "permission denied; choose a folder that you may write to";
    case EROFS:
      return "the disk is read-only; choose another folder";
    case ENAMETOOLONG:
      return "the file name is too long; choose a shorter one";
    case EMFILE:
    case ENFILE:
      return "too many files are open; close some and try again";
    case EIO:
      return "the disk reported an error; save to another disk";
    default:
      return std::generic_category().message(error) + "; choose another path and try again";
  }
}

/// Is this the name of a temporary of `target`, "<target>.<digits>-<digits>.tmp"?
bool is_temporary_of(const std::string& target, const std::string& name) {
  const std::string prefix = target + ".", suffix = ".tmp";
  if (name.size() < prefix.size() + suffix.size() + 3) return false;
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return false;
  const std::string middle =
      name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  const std::size_t dash = middle.find('-');
  if (dash == std::string::npos || dash == 0 || dash + 1 == middle.size()) return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto at = middle.begin() + static_cast<std::ptrdiff_t>(dash);
  return std::all_of(middle.begin(), at, digit) && std::all_of(at + 1, middle.end(), digit);
}

/// Remove what killed processes left. A writer holds a lock on its temporary for as long as it
/// lives, so a temporary that can be locked has no writer.
void remove_orphans(const fs::path& target) {
  std::error_code ignored;
  const std::string name = target.filename().string();
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  fs::directory_iterator it(folder, ignored);
  for (; !ignored && it != fs::directory_iterator(); it.increment(ignored)) {
    if (!is_temporary_of(name, it->path().filename().string())) continue;
    const int fd = ::open(it->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) continue;
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) ::unlink(it->path().c_str());
    ::close(fd);
  }
}

}  // namespace

AtomicFile::AtomicFile(fs::path target) : asked_(std::move(target)), target_(asked_) {
  if (asked_.empty()) cannot_save(asked_, "no file name is given; give one");

  // Refuse what a rename would replace without being asked to: folders, devices, protected files.
  std::error_code error;
  if (fs::is_symlink(target_, error)) {
    const fs::path real = fs::weakly_canonical(target_, error);
    if (!error) target_ = real;
  }
  const fs::file_status status = fs::status(target_, error);
  if (fs::is_directory(status) || !target_.has_filename()) {
    cannot_save(asked_, "it is a folder; add a file name");
  }
  if (fs::exists(status)) {
    if (!fs::is_regular_file(status)) {
      cannot_save(asked_, "it is not a regular file; choose another path");
    }
    if (::access(target_.c_str(), W_OK) != 0) {
      cannot_save(asked_,
                  "the file there is write-protected; allow writing or choose another path");
    }
  }
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  const fs::file_status parent = fs::status(folder, error);
  if (parent.type() == fs::file_type::not_found) {
    cannot_save(asked_, "the folder '" + folder.string() + "' does not exist; create it first");
  }
  if (fs::exists(parent) && !fs::is_directory(parent)) {
    cannot_save(asked_, "'" + folder.string() + "' is not a folder; choose another path");
  }

  // Create and lock a temporary of our own. Another process' sweep may win the lock in between and
  // unlink the file: then it has no name left, and we make another.
  static std::atomic<std::uint64_t> count{0};
  remove_orphans(target_);
  for (;;) {
    temporary_ = target_;
    temporary_ += "." + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".tmp";
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0) {
      if (errno == EEXIST || errno == EINTR) continue;
      cannot_save(asked_, reason(errno));
    }
    int locked;
    do {
      locked = ::flock(fd_, LOCK_EX);
    } while (locked != 0 && errno == EINTR);
    struct stat mine {};
    if (::fstat(fd_, &mine) == 0 && mine.st_nlink > 0) break;
    ::close(std::exchange(fd_, -1));
  }

  // Keep the previous file's permission bits.
  struct stat previous {};
  if (::stat(target_.c_str(), &previous) == 0 && ::fchmod(fd_, previous.st_mode & 0777) != 0) {
    fail(errno);
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() noexcept {
  if (fd_ < 0) return;
  ::unlink(temporary_.c_str());
  ::close(std::exchange(fd_, -1));
}

void AtomicFile::fail(int error) {
  discard();
  cannot_save(asked_, reason(error) + " (a previous file there is unchanged)");
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (fd_ < 0) throw std::logic_error("AtomicFile::write after commit or failure");
  while (!bytes.empty()) {
    const ::ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(n < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (fd_ < 0) throw std::logic_error("AtomicFile::commit after commit or failure");

  // Make the bytes durable before the name points at them.
  int synced;
  do {
    synced = ::fsync(fd_);
  } while (synced != 0 && errno == EINTR);
  if (synced != 0) fail(errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);

  // From here on the temporary's name is gone; closing also releases the lock.
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0 && errno != EINTR) cannot_save(asked_, reason(errno));

  // Make the new name durable. Some file systems cannot, and a folder may be writable but not
  // readable: the file is whole either way, only a power cut could still bring back the old one.
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return;
  const int error = ::fsync(directory) == 0 ? 0 : errno;
  ::close(directory);
  if (error == EIO || error == ENOSPC || error == EDQUOT) cannot_save(asked_, reason(error));
}

}  // namespace tpp
