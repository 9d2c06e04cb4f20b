// Every number in the header is a claim. Each is checked before it is used.
#include "chapters/11_gpt/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "chapters/01_tensor/errors.h"
#include "chapters/11_gpt/atomic_file.h"

namespace tpp {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the reference implementation's limit
constexpr std::size_t kMaxRank = 64;               // dimensions; ours, far beyond any model
constexpr std::size_t kAlignment = 64;             // bytes; a cache line, and the widest vector
constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int64_t>::max();

struct DtypeRow {
  Dtype dtype;
  std::string_view name;
  std::size_t size;  // bytes
};
constexpr std::array kDtypes{
    DtypeRow{Dtype::BOOL, "BOOL", 1},       DtypeRow{Dtype::U8, "U8", 1},
    DtypeRow{Dtype::I8, "I8", 1},           DtypeRow{Dtype::F8_E5M2, "F8_E5M2", 1},
    DtypeRow{Dtype::F8_E4M3, "F8_E4M3", 1}, DtypeRow{Dtype::I16, "I16", 2},
    DtypeRow{Dtype::U16, "U16", 2},         DtypeRow{Dtype::F16, "F16", 2},
    DtypeRow{Dtype::BF16, "BF16", 2},       DtypeRow{Dtype::I32, "I32", 4},
    DtypeRow{Dtype::U32, "U32", 4},         DtypeRow{Dtype::F32, "F32", 4},
    DtypeRow{Dtype::I64, "I64", 8},         DtypeRow{Dtype::U64, "U64", 8},
    DtypeRow{Dtype::F64, "F64", 8},
};
static_assert([] {
  for (std::size_t i = 0; i < kDtypes.size(); ++i) {
    if (kDtypes[i].dtype != static_cast<Dtype>(i)) return false;
  }
  return kDtypes.back().dtype == Dtype::F64;
}());

std::optional<Dtype> dtype_from(std::string_view name) {
  for (const DtypeRow& row : kDtypes) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

/// Quote a text from a file: on one line, short, and still UTF-8.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  std::string out = "'";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool inside_character = (c & 0xC0) == 0x80;
    if (out.size() > kLongest && !inside_character) return out + "…'";
    if (c < 0x20 || c == 0x7F) {
      constexpr std::string_view hex = "0123456789abcdef";
      out += "\\x";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else {
      out += text[i];
    }
  }
  return out + "'";
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i == 8) return out + ", …]";
    if (i > 0) out += ", ";
    out += std::to_string(shape[i]);
  }
  return out + "]";
}

std::string count_bytes(std::uint64_t n) {
  return std::to_string(n) + (n == 1 ? " byte" : " bytes");
}

/// product(shape) · size, or nothing when it does not fit. A zero among the dimensions must not
/// hide the overflow of the others: who multiplies them in another order would meet it.
std::optional<std::uint64_t> byte_count(std::span<const std::int64_t> shape, std::size_t size) {
  std::uint64_t product = size;
  bool empty = false;
  for (const std::int64_t d : shape) {
    if (d < 0) return std::nullopt;
    if (d == 0) {
      empty = true;
    } else if (product > kMaxBytes / static_cast<std::uint64_t>(d)) {
      return std::nullopt;
    } else {
      product *= static_cast<std::uint64_t>(d);
    }
  }
  return empty ? 0 : product;
}

[[noreturn]] void unusable(const std::string& file, const std::string& why) {
  throw InputError("'" + file + "' is not a usable safetensors file: " + why +
                   "; save or copy it again, or give another file");
}

/// Name what a foreign file looks like by its first bytes, or nothing.
std::string looks_like(std::span<const std::byte, 8> first) {
  std::string_view text(reinterpret_cast<const char*>(first.data()), first.size());
  if (text.starts_with("\x89PNG")) return "a PNG picture";
  if (text.starts_with("PK\x03\x04")) return "a ZIP archive, such as PyTorch's .pt";
  if (text.starts_with("GGUF")) return "a GGUF model";
  if (text.starts_with("\x80\x02") || text.starts_with("\x80\x04")) return "a Python pickle";
  const auto printable = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\t'; };
  if (std::all_of(text.begin(), text.end(), printable)) return "a text";
  return "";
}

/// The header's length N, from the first 8 bytes of a file of `file_size` bytes.
std::uint64_t header_length(std::span<const std::byte, 8> first, std::uint64_t file_size,
                            const std::string& file) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < 8; ++i) n |= std::to_integer<std::uint64_t>(first[i]) << (8 * i);
  const std::uint64_t room = file_size - 8;
  if (n > kMaxHeader || n > room) {
    const std::string kind = looks_like(first);
    if (!kind.empty()) unusable(file, "it looks like " + kind);
  }
  if (n > kMaxHeader) {
    unusable(file, "its header would take " + std::to_string(n) +
                       " bytes, more than the limit of " + std::to_string(kMaxHeader));
  }
  if (n > room) {
    unusable(file, "its header should take " + count_bytes(n) + " but the file ends after " +
                       std::to_string(room));
  }
  return n;
}

[[noreturn]] void too_short(const std::string& file, std::uint64_t size) {
  unusable(file, size == 0
                     ? std::string("it is empty")
                     : "it has " + count_bytes(size) + ", less than the 8 of the header's length");
}

}  // namespace

std::string_view dtype_name(Dtype dtype) {
  return kDtypes.at(static_cast<std::size_t>(dtype)).name;
}
std::size_t dtype_size(Dtype dtype) { return kDtypes.at(static_cast<std::size_t>(dtype)).size; }

/// Reads the header as a stream of JSON events. The format is three levels deep, so the reader
/// keeps one state instead of a tree, and anything deeper or of another type ends the parse at
/// once.
class SafeTensors::HeaderReader : public nlohmann::json_sax<json> {
 public:
  explicit HeaderReader(SafeTensors& out) : out_(out) {}

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    unexpected("a fraction or a number beyond 64 bits");
  }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ == State::shape) {
      if (value > kMaxBytes) fail(tensor() + " has a dimension of " + std::to_string(value));
      if (shape_.size() == kMaxRank) {
        fail(tensor() + " has more than " + std::to_string(kMaxRank) + " dimensions");
      }
      shape_.push_back(static_cast<std::int64_t>(value));
    } else if (state_ == State::offsets) {
      if (offsets_.size() == 2) fail(tensor() + " has more than two data_offsets");
      offsets_.push_back(value);
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool string(string_t& text) override {
    if (state_ == State::metadata) {
      if (!out_.metadata_.try_emplace(key_, text).second) {
        fail("metadata " + in_quotes(key_) + " stands twice in the header");
      }
    } else if (state_ == State::tensor && key_ == "dtype") {
      dtype_ = dtype_from(text);
      if (!dtype_) fail(tensor() + " has the unknown dtype " + in_quotes(text));
    } else {
      unexpected("a text");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (state_ == State::start) {
      state_ = State::top;
    } else if (state_ == State::top && key_ == "__metadata__") {
      state_ = State::metadata;
    } else if (state_ == State::top) {
      state_ = State::tensor;
      fields_.clear();
      shape_.clear();
      offsets_.clear();
      dtype_.reset();
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& text) override {
    key_ = text;
    if (state_ == State::top && text == "__metadata__") {
      if (std::exchange(seen_metadata_, true)) fail("__metadata__ stands twice in the header");
    } else if (state_ == State::top) {
      name_ = text;
      if (out_.index_.contains(name_)) fail(tensor() + " stands twice in the header");
    } else if (state_ == State::tensor) {
      if (text != "dtype" && text != "shape" && text != "data_offsets") {
        fail(tensor() + " has the unknown field " + in_quotes(text));
      }
      if (!fields_.insert(text).second) fail(tensor() + " has its " + text + " twice");
    }
    return true;
  }

  bool end_object() override {
    if (state_ == State::tensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!fields_.contains(field)) fail(tensor() + " has no " + field);
      }
      if (offsets_.size() != 2) fail(tensor() + " has fewer than two data_offsets");
      out_.index_[name_] = {{*dtype_, shape_}, offsets_[0], offsets_[1]};
    }
    state_ = State::top;
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ == State::tensor && key_ == "shape") {
      state_ = State::shape;
    } else if (state_ == State::tensor && key_ == "data_offsets") {
      state_ = State::offsets;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    state_ = State::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    fail("its header is not valid JSON at byte " + std::to_string(position));
  }

 private:
  enum class State { start, top, metadata, tensor, shape, offsets };

  [[noreturn]] void fail(const std::string& why) const { unusable(out_.file_, why); }
  std::string tensor() const { return "tensor " + in_quotes(name_); }

  [[noreturn]] void unexpected(const std::string& what) const {
    switch (state_) {
      case State::start:
        fail("its header is " + what + " instead of an object");
      case State::top:
        if (key_ == "__metadata__") fail("__metadata__ is " + what + " instead of an object");
        fail(tensor() + " is " + what + " instead of an object");
      case State::metadata:
        fail("metadata " + in_quotes(key_) + " is " + what + " instead of a text");
      case State::tensor:
        fail(tensor() + " has " + what + " as its " + key_);
      case State::shape:
        fail(tensor() + " has " + what + " in its shape");
      case State::offsets:
        break;
    }
    fail(tensor() + " has " + what + " in its data_offsets");
  }

  SafeTensors& out_;
  State state_ = State::start;
  std::string key_;   // the latest key
  std::string name_;  // the tensor at hand, with what is known of it:
  std::set<std::string> fields_;
  std::optional<Dtype> dtype_;
  std::vector<std::int64_t> shape_;
  std::vector<std::uint64_t> offsets_;
  bool seen_metadata_ = false;
};

void SafeTensors::read_header(std::span<const std::byte> header, std::uint64_t data_size) {
  const char* const text = reinterpret_cast<const char*>(header.data());
  if (header.empty() || text[0] != '{') unusable(file_, "its header does not begin with '{'");

  // The JSON library takes a zero byte for the end and would not see what follows it.
  if (std::memchr(text, 0, header.size()) != nullptr) {
    unusable(file_, "its header has a zero byte");
  }
  HeaderReader reader(*this);
  try {
    json::sax_parse(text, text + header.size(), &reader);
  } catch (const json::exception&) {
    unusable(file_, "its header is not valid JSON");
  }

  // Order the tensors by their place. An empty one stands before the one that begins where it does.
  std::vector<std::pair<const std::string*, const Entry*>> order;
  order.reserve(index_.size());
  for (const auto& [name, entry] : index_) order.emplace_back(&name, &entry);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->begin, a.second->end) < std::pair(b.second->begin, b.second->end);
  });

  // Each tensor must begin where the one before it ended, and be as long as its shape says.
  std::uint64_t at = 0;
  names_.reserve(order.size());
  for (const auto& [name, entry] : order) {
    const std::string tensor = "tensor " + in_quotes(*name);
    const std::string place =
        "[" + std::to_string(entry->begin) + ", " + std::to_string(entry->end) + "]";
    if (entry->end < entry->begin) unusable(file_, tensor + " ends before it begins, at " + place);
    if (entry->end > data_size) {
      unusable(file_, tensor + " lies at bytes " + place + " but the data has only " +
                          std::to_string(data_size));
    }
    if (entry->begin < at) {
      unusable(file_, tensor + " at bytes " + place + " overlaps the tensor before it");
    }
    if (entry->begin > at) {
      unusable(file_, "there is a hole of " + count_bytes(entry->begin - at) + " before " + tensor);
    }
    const TensorInfo& info = entry->info;
    const std::optional<std::uint64_t> size = byte_count(info.shape, dtype_size(info.dtype));
    const std::string type = std::string(dtype_name(info.dtype)) + " " + shape_text(info.shape);
    if (!size) unusable(file_, tensor + " is " + type + ", more than 64 bits can count");
    if (*size != entry->end - entry->begin) {
      unusable(file_, tensor + " is " + type + ", which takes " + count_bytes(*size) +
                          ", but it lies at bytes " + place);
    }
    at = entry->end;
    names_.push_back(*name);
  }
  if (at != data_size) {
    unusable(file_, "it goes on for " + count_bytes(data_size - at) + " after the last tensor");
  }
}

SafeTensors SafeTensors::parse(std::span<const std::byte> file, std::string_view name) {
  SafeTensors out;
  out.file_ = name;
  if (file.size() < 8) too_short(out.file_, file.size());
  const std::uint64_t n = header_length(file.first<8>(), file.size(), out.file_);
  out.data_ = file.subspan(8 + static_cast<std::size_t>(n));
  out.read_header(file.subspan(8, static_cast<std::size_t>(n)), out.data_.size());
  return out;
}

SafeTensors SafeTensors::open(const fs::path& path) {
  const auto cannot_read = [&](const std::string& why) {
    throw InputError("cannot read '" + path.string() + "': " + why);
  };
  const auto reason = [](int error) -> std::string {
    if (error == ENOENT || error == ENOTDIR) return "there is no such file; check the path";
    if (error == EACCES || error == EPERM) {
      return "permission denied; change the file's permissions or give another file";
    }
    return std::generic_category().message(error) + "; give another file";
  };

  // Open without waiting: a named pipe would block for ever.
  struct File {
    int fd;
    ~File() {
      if (fd >= 0) ::close(fd);
    }
  };
  const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) cannot_read(reason(errno));
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) cannot_read(reason(errno));
  if (S_ISDIR(status.st_mode)) cannot_read("it is a folder; give a file in it");
  if (!S_ISREG(status.st_mode)) cannot_read("it is not a regular file; give another file");

  const auto read_all = [&](std::span<std::byte> into) {
    while (!into.empty()) {
      const ::ssize_t n = ::read(file.fd, into.data(), into.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) cannot_read(reason(errno));
      if (n == 0) cannot_read("it became shorter while it was read; try again");
      into = into.subspan(static_cast<std::size_t>(n));
    }
  };

  // Check the header against the file's size before there is any memory for the values.
  SafeTensors out;
  out.file_ = path.string();
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < 8) too_short(out.file_, size);
  std::array<std::byte, 8> first;
  read_all(first);
  const std::uint64_t n = header_length(first, size, out.file_);
  const std::uint64_t data_size = size - 8 - n;
  try {
    std::vector<std::byte> header(static_cast<std::size_t>(n));
    read_all(header);
    out.read_header(header, data_size);
    out.owned_ = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(data_size));
  } catch (const std::bad_alloc&) {
    cannot_read("its " + std::to_string(size) +
                " bytes do not fit into memory; give a smaller file");
  }
  const std::span<std::byte> data(out.owned_.get(), static_cast<std::size_t>(data_size));
  read_all(data);
  out.data_ = data;
  return out;
}

bool SafeTensors::contains(std::string_view name) const { return index_.contains(name); }

const SafeTensors::Entry& SafeTensors::find(std::string_view name) const {
  const auto it = index_.find(name);
  if (it == index_.end()) {
    throw InputError("'" + file_ + "' has no tensor " + in_quotes(name) +
                     "; give a file that was saved with this configuration");
  }
  return it->second;
}

const TensorInfo& SafeTensors::info(std::string_view name) const { return find(name).info; }

std::span<const std::byte> SafeTensors::bytes(std::string_view name) const {
  const Entry& entry = find(name);
  return data_.subspan(static_cast<std::size_t>(entry.begin),
                       static_cast<std::size_t>(entry.end - entry.begin));
}

std::span<const std::byte> SafeTensors::bytes(std::string_view name, Dtype dtype,
                                              std::span<const std::int64_t> shape) const {
  const TensorInfo& have = info(name);
  if (have.dtype != dtype ||
      !std::equal(have.shape.begin(), have.shape.end(), shape.begin(), shape.end())) {
    throw InputError("tensor " + in_quotes(name) + " in '" + file_ + "' is " +
                     std::string(dtype_name(have.dtype)) + " " + shape_text(have.shape) +
                     " where " + std::string(dtype_name(dtype)) + " " + shape_text(shape) +
                     " is needed; give a file that was saved with this configuration");
  }
  return bytes(name);
}

void save_safetensors(const fs::path& path, const Metadata& metadata,
                      std::span<const TensorView> tensors) {
  const auto cannot_save = [&](const std::string& why) {
    throw InputError("cannot save '" + path.string() + "': " + why);
  };
  const auto as_json = [&](const std::string& text, const std::string& what) {
    try {
      return json(text).dump();
    } catch (const json::exception&) {
      cannot_save(what + " is not UTF-8 text; encode it first");
      throw;
    }
  };

  // Describe everything, and check it, before the disk is touched.
  std::string header = "{";
  const auto comma = [&] {
    if (header.size() > 1) header += ',';
  };
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      if (header.back() != '{') header += ',';
      header += as_json(key, "a metadata key") + ":" + as_json(value, "metadata " + in_quotes(key));
    }
    header += '}';
  }
  std::set<std::string_view> names;
  std::uint64_t at = 0;
  for (const TensorView& t : tensors) {
    const std::string tensor = "tensor " + in_quotes(t.name);
    if (t.name == "__metadata__") cannot_save(tensor + " has the name of the metadata; rename it");
    if (!names.insert(t.name).second) cannot_save(tensor + " is given twice; rename one");
    const std::optional<std::uint64_t> size = byte_count(t.shape, dtype_size(t.dtype));
    if (t.shape.size() > kMaxRank || !size || *size != t.bytes.size()) {
      cannot_save(tensor + " has " + count_bytes(t.bytes.size()) + ", which is not " +
                  std::string(dtype_name(t.dtype)) + " " + shape_text(t.shape) +
                  "; give it the shape of its values");
    }
    comma();
    header += as_json(t.name, "the name of " + tensor) + ":{\"dtype\":\"" +
              std::string(dtype_name(t.dtype)) + "\",\"shape\":" + json(t.shape).dump() +
              ",\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(at + *size) + "]}";
    at += *size;
  }
  header += '}';

  // Pad with spaces so that the values begin aligned.
  header.append((kAlignment - (8 + header.size()) % kAlignment) % kAlignment, ' ');
  if (header.size() > kMaxHeader) {
    cannot_save("names and metadata take more than " + std::to_string(kMaxHeader) +
                " bytes; shorten them");
  }
  std::array<std::byte, 8> length;
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::byte>(header.size() >> (8 * i));

  AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const TensorView& t : tensors) file.write(t.bytes);
  file.commit();
}

}  // namespace tpp
