#include "chapters/03_tokens/text_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "chapters/01_tensor/errors.h"

namespace tpp {
namespace {

[[noreturn]] void cannot_read(const std::filesystem::path& path, const std::string& why) {
  throw InputError("Cannot read the text '" + path.string() + "': " + why + ".");
}

std::string reason(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "there is no such file; check the path";
    case EACCES:
    case EPERM:
      return "permission denied; make it readable (chmod +r) or choose another file";
    default:
      return std::generic_category().message(error) + "; choose another file";
  }
}

/// Closes the descriptor on every way out: a mapping does not need it.
struct Descriptor {
  int fd;
  ~Descriptor() { ::close(fd); }
};

}  // namespace

TextFile::TextFile(const std::filesystem::path& path) : path_(path) {
  // Look before opening: opening a pipe that nobody writes to would wait for ever
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) cannot_read(path, reason(errno));
  if (S_ISDIR(status.st_mode)) cannot_read(path, "it is a folder; name a file in it");
  if (!S_ISREG(status.st_mode)) {
    cannot_read(path, "it is not a regular file but a pipe or a device; save it to a file first");
  }

  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) cannot_read(path, reason(errno));
  if (::fstat(file.fd, &status) != 0) cannot_read(path, reason(errno));
  if (status.st_size == 0) cannot_read(path, "it is empty; choose a file with some text");

  size_ = static_cast<std::size_t>(status.st_size);
  void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (memory == MAP_FAILED) cannot_read(path, reason(errno));
  data_ = static_cast<const char*>(memory);
}

TextFile::~TextFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

TextFile::TextFile(TextFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

TextFile& TextFile::operator=(TextFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace tpp
