// Tensors in a file that any framework can read, and that a stranger's file cannot abuse.
//
// The format, as huggingface/safetensors (README.md, "Format") describes it:
//   8 bytes   N, the length of the header, unsigned, little-endian
//   N bytes   the header: JSON in UTF-8 that begins with '{' and may end in spaces
//             {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …,
//              "__metadata__": {"text": "text", …}}
//   the rest  the values, row-major and little-endian; begin and end count from here.
//             Every byte belongs to exactly one tensor: no holes, no overlaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tpp {

enum class Dtype {
  BOOL,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  I64,
  U64,
  F64
};

/// The name in the file, such as "BF16".
[[nodiscard]] std::string_view dtype_name(Dtype dtype);
/// Bytes in one value.
[[nodiscard]] std::size_t dtype_size(Dtype dtype);

using Metadata = std::map<std::string, std::string, std::less<>>;

/// A tensor to save. It borrows the values.
struct TensorView {
  std::string name;
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;   // row-major; {} is one value
  std::span<const std::byte> bytes;  // product(shape) · dtype_size(dtype)
};

/// Save tensors and texts to a file that is replaced whole or not at all (see AtomicFile).
///
/// Tensors keep their order. The values begin at a multiple of 64 bytes; put wide types first and
/// each tensor is aligned to its own type.
///
/// Errors  InputError, one sentence: the path, the reason and what to do
/// Cost    the header in memory; the values go from the caller's memory to the file
void save_safetensors(const std::filesystem::path& path, const Metadata& metadata,
                      std::span<const TensorView> tensors);

struct TensorInfo {
  Dtype dtype = Dtype::F32;
  std::vector<std::int64_t> shape;
};

/// A file of tensors, read and checked whole before anything in it is used.
///
/// The values are not looked at: NaN and infinity are values like others.
class SafeTensors {
 public:
  /// Read a file into memory.
  ///
  /// The values are copied, not mapped: a mapped file that another program shortens would kill the
  /// reader with SIGBUS.
  ///
  /// Errors  InputError, one sentence: the file, the tensor, what is wrong and what to do
  /// Cost    one read of the file; as much memory as the file is large
  [[nodiscard]] static SafeTensors open(const std::filesystem::path& path);

  /// View a file that is already in memory. `file` must outlive the result; `name` is for messages.
  [[nodiscard]] static SafeTensors parse(std::span<const std::byte> file, std::string_view name);

  /// The tensors' names, in the order of their values in the file.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool contains(std::string_view name) const;
  [[nodiscard]] const TensorInfo& info(std::string_view name) const;

  /// A tensor's values. They need not be aligned to their type: copy them out with memcpy.
  [[nodiscard]] std::span<const std::byte> bytes(std::string_view name) const;

  /// The same, for a reader that knows what must be there. InputError when it is not.
  [[nodiscard]] std::span<const std::byte> bytes(std::string_view name, Dtype dtype,
                                                 std::span<const std::int64_t> shape) const;

  [[nodiscard]] const Metadata& metadata() const { return metadata_; }

 private:
  struct Entry {
    TensorInfo info;
    std::uint64_t begin = 0, end = 0;  // in data_
  };
  class HeaderReader;

  SafeTensors() = default;
  void read_header(std::span<const std::byte> header, std::uint64_t data_size);
  [[nodiscard]] const Entry& find(std::string_view name) const;

  std::string file_;  // for messages
  Metadata metadata_;
  std::vector<std::string> names_;                   // by begin
  std::map<std::string, Entry, std::less<>> index_;  // by name
  std::unique_ptr<std::byte[]> owned_;               // what open() read
  std::span<const std::byte> data_;                  // the values
};

}  // namespace tpp
