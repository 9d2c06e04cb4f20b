// Checkpoints: what was saved comes back bit for bit, a bad file is one clear error, and no failure
// while saving costs the file that was there.
#include "chapters/11_gpt/safetensors.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <thread>

#include "chapters/01_tensor/errors.h"
#include "chapters/01_tensor/random.h"
#include "chapters/11_gpt/atomic_file.h"
#include "tests/testing.h"

using namespace tpp;
namespace fs = std::filesystem;

namespace {

/// A folder of our own that goes away with us.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tpp-safetensors-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path operator/(const char* name) const { return path / name; }
};

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void put(const fs::path& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  REQUIRE(out.good());
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string length_bytes(std::uint64_t n) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>((n >> (8 * i)) & 0xFF);
  return out;
}

/// A file with this header and so many bytes of values.
std::string framed(const std::string& header, std::size_t data_bytes = 0) {
  return length_bytes(header.size()) + header + std::string(data_bytes, '\x5A');
}

std::span<const std::byte> raw(std::string_view text) { return std::as_bytes(std::span(text)); }

SafeTensors parse(std::string_view file) { return SafeTensors::parse(raw(file), "f.safetensors"); }

/// The one InputError that the call must end in.
template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  FAIL("no error");
  return "";
}

std::string parse_error(const std::string& file) {
  return error_of([&] { (void)parse(file); });
}

std::string why(const std::string& reason) {
  return "'f.safetensors' is not a usable safetensors file: " + reason +
         "; save or copy it again, or give another file";
}

/// Two tensors whose every byte is `fill`, large enough that a save takes several writes.
void save_filled(const fs::path& path, char fill, std::size_t size = 1 << 16) {
  const std::string a(size, fill), b(3 * size, fill);
  const std::vector<TensorView> tensors{
      {"a", Dtype::U8, {static_cast<std::int64_t>(a.size())}, raw(a)},
      {"b", Dtype::U8, {3, static_cast<std::int64_t>(size)}, raw(b)}};
  save_safetensors(path, {{"fill", std::string(1, fill)}}, tensors);
}

/// The letter of a file that save_filled wrote, or '?' when it is not whole.
char fill_of(const fs::path& path) {
  const SafeTensors file = SafeTensors::open(path);
  const char fill = file.metadata().at("fill").at(0);
  for (const std::string& name : file.names()) {
    for (const std::byte b : file.bytes(name)) {
      if (b != static_cast<std::byte>(fill)) return '?';
    }
  }
  return file.names().size() == 2 ? fill : '?';
}

/// Run in a child process, which must leave by itself, and return its exit status (0 to 255), or
/// -signal.
template <class Body>
int in_child(Body body) {
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int status = 99;
    try {
      status = body();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// In a child: write the error's text to a file and say that there was one.
template <class Call>
int report_error(const fs::path& log, Call call) {
  try {
    call();
  } catch (const InputError& error) {
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const ::ssize_t n = ::write(fd, error.what(), std::strlen(error.what()));
    return n > 0 ? 7 : 98;
  }
  return 0;
}

}  // namespace

// ---- what was saved comes back ----

TEST_CASE("safetensors: every type comes back bit for bit", "[safetensors]") {
  const Folder folder;
  Philox rng(11);
  std::vector<std::string> storage;
  std::vector<TensorView> tensors;
  storage.reserve(100);
  for (int i = 0; i <= static_cast<int>(Dtype::F64); ++i) {
    const auto dtype = static_cast<Dtype>(i);
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{}, {5}, {3, 4}, {2, 0, 3}, {1, 2, 3, 1}}) {
      std::size_t size = dtype_size(dtype);
      for (const std::int64_t d : shape) size *= static_cast<std::size_t>(d);
      std::string& bytes = storage.emplace_back();
      for (std::size_t k = 0; k < size; ++k) bytes += static_cast<char>(rng.next());
      tensors.push_back({std::string(dtype_name(dtype)) + "/" + std::to_string(shape.size()) +
                             "d #" + std::to_string(tensors.size()),
                         dtype, shape, raw(bytes)});
    }
  }
  save_safetensors(folder / "t.safetensors", {}, tensors);

  const SafeTensors file = SafeTensors::open(folder / "t.safetensors");
  REQUIRE(file.names().size() == tensors.size());
  for (const TensorView& t : tensors) {
    INFO(t.name);
    REQUIRE(file.contains(t.name));
    CHECK(file.info(t.name).dtype == t.dtype);
    CHECK(file.info(t.name).shape == t.shape);
    const auto bytes = file.bytes(t.name, t.dtype, t.shape);
    CHECK(std::equal(bytes.begin(), bytes.end(), t.bytes.begin(), t.bytes.end()));
  }
  CHECK(file.metadata().empty());
  CHECK(files_in(folder.path) == std::vector<std::string>{"t.safetensors"});
}

TEST_CASE("safetensors: NaN keeps its payload and zero its sign", "[safetensors]") {
  const Folder folder;
  const std::vector<std::uint32_t> bits{0x7FC0'0001, 0xFF80'1234, 0x8000'0000,
                                        0x7F80'0000, 0x0000'0001, 0x3F80'0000};
  const std::vector<TensorView> tensors{{"w", Dtype::F32, {2, 3}, std::as_bytes(std::span(bits))}};
  save_safetensors(folder / "t", {}, tensors);
  const SafeTensors file = SafeTensors::open(folder / "t");
  std::vector<std::uint32_t> back(bits.size());
  std::memcpy(back.data(), file.bytes("w").data(), file.bytes("w").size());
  CHECK(back == bits);
}

TEST_CASE("safetensors: the file is the format's, byte for byte", "[safetensors]") {
  const Folder folder;
  const std::vector<float> w{1.0F, -2.0F};
  const std::string u = "\x01\x02\x03";
  const std::vector<TensorView> tensors{{"w", Dtype::F32, {2, 1}, std::as_bytes(std::span(w))},
                                        {"u", Dtype::U8, {3}, raw(u)}};
  save_safetensors(folder / "t", {{"k", "v"}}, tensors);
  std::string header =
      R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("u":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  header.resize((header.size() + 8 + 63) / 64 * 64 - 8, ' ');
  const std::string values("\x00\x00\x80\x3F\x00\x00\x00\xC0\x01\x02\x03", 11);
  CHECK(contents(folder / "t") == length_bytes(header.size()) + header + values);
}

TEST_CASE("safetensors: values begin at a multiple of 64 bytes", "[safetensors]") {
  const Folder folder;
  const std::string byte = "x";
  for (std::size_t n = 1; n <= 70; ++n) {
    const std::vector<TensorView> tensors{{std::string(n, 'n'), Dtype::U8, {1}, raw(byte)}};
    save_safetensors(folder / "t", {}, tensors);
    const std::string file = contents(folder / "t");
    INFO("a name of " << n << " bytes");
    CHECK((file.size() - 1) % 64 == 0);
    CHECK(SafeTensors::open(folder / "t").names().at(0).size() == n);
  }
}

TEST_CASE("safetensors: metadata keeps any text", "[safetensors]") {
  const Folder folder;
  const Metadata metadata{{"", "empty key"},
                          {"lines", "one\ntwo\r\n\tthree\\ \"quoted\""},
                          {"unicode \u00e9\u4f60", "\U0001F600 \u2028 \u00df"},
                          {"zero", std::string("a\0b", 3)},
                          {"json", R"({"nested": [1, 2]})"},
                          {"long", std::string(100'000, 'x')}};
  save_safetensors(folder / "t", metadata, {});
  CHECK(SafeTensors::open(folder / "t").metadata() == metadata);
  CHECK(SafeTensors::open(folder / "t").names().empty());
}

TEST_CASE("safetensors: tensors keep their order, and odd names their letters", "[safetensors]") {
  const Folder folder;
  const std::string two = "12";
  const std::vector<std::string> names{"z", "a\n\"b\"", "block2/attn/\u03b1", "", "m"};
  std::vector<TensorView> tensors;
  for (const std::string& name : names) tensors.push_back({name, Dtype::BF16, {1}, raw(two)});
  save_safetensors(folder / "t", {}, tensors);
  CHECK(SafeTensors::open(folder / "t").names() == names);
}

TEST_CASE("safetensors: a header in another order and escapes are read", "[safetensors]") {
  const std::string header =
      R"({ "b" : {"shape":[2], "data_offsets":[4, 6], "dtype":"U8"}, )"
      R"("\u0061":{"data_offsets":[0,4],"dtype":"F32","shape":[]},"__metadata__":{}} )";
  const std::string bytes = framed(header, 6);
  const SafeTensors file = parse(bytes);
  CHECK(file.names() == std::vector<std::string>{"a", "b"});
  CHECK(file.bytes("b").data() == raw(bytes).data() + bytes.size() - 2);
}

// ---- a bad file is one clear error ----

TEST_CASE("safetensors: a file cut anywhere is refused", "[safetensors]") {
  const Folder folder;
  const std::vector<double> w{1, 2, 3};
  const std::vector<TensorView> tensors{{"w", Dtype::F64, {3}, std::as_bytes(std::span(w))},
                                        {"e", Dtype::F32, {0}, {}}};
  save_safetensors(folder / "whole", {{"step", "30"}}, tensors);
  const std::string whole = contents(folder / "whole");
  const std::size_t header = whole.size() - 8 - 3 * sizeof(double);
  CHECK_NOTHROW(parse(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    INFO("the first " << n << " of " << whole.size() << " bytes");
    // A copy of exactly this length, so that a sanitizer sees any read past it.
    const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    const std::string reason = n == 0           ? "it is empty"
                               : n < 8          ? "less than the 8 of the header's length"
                               : n < 8 + header ? "its header should take"
                                                : "but the data has only";
    CHECK(error_of([&] {
            (void)SafeTensors::parse(std::as_bytes(std::span(cut)), "cut");
          }).find(reason) != std::string::npos);
    put(folder / "cut", std::string_view(whole).substr(0, n));
    CHECK(error_of([&] { (void)SafeTensors::open(folder / "cut"); }).find(reason) !=
          std::string::npos);
  }
  put(folder / "long", whole + "x");
  CHECK_THROWS_AS(SafeTensors::open(folder / "long"), InputError);
}

TEST_CASE("safetensors: a changed byte is refused or read, never worse", "[safetensors]") {
  const std::string whole = framed(
      R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", 24);
  Philox rng(5);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = whole;
    for (int k = 0; k <= i % 3; ++k) {
      changed[rng.below(changed.size() - 24)] = static_cast<char>(rng.next());
    }
    try {
      const SafeTensors file = parse(changed);
      for (const std::string& name : file.names()) REQUIRE(file.bytes(name).size() <= 24);
    } catch (const InputError&) {
      ++refused;
    }
  }
  CHECK(refused > 10'000);
}

TEST_CASE("safetensors: each hostile header has its message", "[safetensors]") {
  const auto one = [](const std::string& fields) { return "{\"w\":{" + fields + "}}"; };
  const auto typed = [&](const std::string& shape, const std::string& offsets) {
    return one("\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":" + offsets);
  };
  struct Case {
    std::string file, reason;
  };
  const std::string ones64 = [] {
    std::string s = "[1";
    for (int i = 0; i < 64; ++i) s += ",1";
    return s + "]";
  }();
  const std::vector<Case> cases{
      // the length
      {"", "it is empty"},
      {"abc", "it has 3 bytes, less than the 8 of the header's length"},
      {length_bytes(1000) + "{}", "its header should take 1000 bytes but the file ends after 2"},
      {length_bytes(100'000'001) + "{}",
       "its header would take 100000001 bytes, more than the limit of 100000000"},
      {length_bytes(~std::uint64_t{0}) + "{}",
       "its header would take 18446744073709551615 bytes, more than the limit of 100000000"},
      // foreign files
      {"Once upon a time there was", "it looks like a text"},
      {std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16), "it looks like a PNG picture"},
      {std::string("PK\x03\x04\x14\0\0\0\x08\0", 10),
       "it looks like a ZIP archive, such as PyTorch's .pt"},
      {std::string("GGUF\x03\0\0\0\x10\0\0\0", 12), "it looks like a GGUF model"},
      {std::string("\x80\x02}q\0(X\x01\0\0\0", 11), "it looks like a Python pickle"},
      // JSON
      {framed(""), "its header does not begin with '{'"},
      {framed("[]"), "its header does not begin with '{'"},
      {framed(" {}"), "its header does not begin with '{'"},
      {framed("\xEF\xBB\xBF{}"), "its header does not begin with '{'"},
      {framed(std::string("{}\0junk", 7)), "its header has a zero byte"},
      {framed("{} {}"), "its header is not valid JSON at byte 4"},
      {framed("{\"w\":"), "its header is not valid JSON at byte 6"},
      {framed("{\"\xFF\":1}"), "its header is not valid JSON at byte 3"},
      {framed("{} // comment"), "its header is not valid JSON at byte 4"},
      {framed("{\"w\":" + std::string(5000, '[')), "tensor 'w' is an array instead of an object"},
      {framed("{\"w\":{\"dtype\":" + std::string(5000, '{')),
       "tensor 'w' has an object as its dtype"},
      {framed(typed(std::string(5000, '['), "[0,4]")), "tensor 'w' has an array in its shape"},
      // types of the header's parts
      {framed("{\"w\":null}"), "tensor 'w' is null instead of an object"},
      {framed("{\"w\":\"x\"}"), "tensor 'w' is a text instead of an object"},
      {framed("{\"__metadata__\":[]}"), "__metadata__ is an array instead of an object"},
      {framed("{\"__metadata__\":{\"k\":1}}"), "metadata 'k' is a number instead of a text"},
      {framed("{\"__metadata__\":{\"k\":{}}}"), "metadata 'k' is an object instead of a text"},
      {framed(one("\"dtype\":32")), "tensor 'w' has a number as its dtype"},
      {framed(one("\"shape\":4")), "tensor 'w' has a number as its shape"},
      {framed(one("\"dtype\":[]")), "tensor 'w' has an array as its dtype"},
      {framed(typed("[true]", "[0,4]")), "tensor 'w' has a boolean in its shape"},
      {framed(typed("[-1]", "[0,4]")), "tensor 'w' has a negative number in its shape"},
      {framed(typed("[1.0]", "[0,4]")),
       "tensor 'w' has a fraction or a number beyond 64 bits in its shape"},
      {framed(typed("[18446744073709551616]", "[0,4]")),
       "tensor 'w' has a fraction or a number beyond 64 bits in its shape"},
      {framed(typed("[\"1\"]", "[0,4]")), "tensor 'w' has a text in its shape"},
      {framed(typed("[1]", "[0,-4]")), "tensor 'w' has a negative number in its data_offsets"},
      // missing, double, unknown
      {framed(one("")), "tensor 'w' has no dtype"},
      {framed(one("\"dtype\":\"F32\"")), "tensor 'w' has no shape"},
      {framed(one("\"dtype\":\"F32\",\"shape\":[]")), "tensor 'w' has no data_offsets"},
      {framed(typed("[1]", "[0]")), "tensor 'w' has fewer than two data_offsets"},
      {framed(typed("[1]", "[0,4,8]")), "tensor 'w' has more than two data_offsets"},
      {framed(one("\"dtype\":\"F33\"")), "tensor 'w' has the unknown dtype 'F33'"},
      {framed(one("\"offsets\":[0,4]")), "tensor 'w' has the unknown field 'offsets'"},
      {framed(one("\"dtype\":\"F32\",\"dtype\":\"F32\"")), "tensor 'w' has its dtype twice"},
      {framed(R"({"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0077":{}})"),
       "tensor 'w' stands twice in the header"},
      {framed(R"({"__metadata__":{},"__metadata__":{}})"),
       "__metadata__ stands twice in the header"},
      {framed(R"({"__metadata__":{"k":"1","k":"1"}})"), "metadata 'k' stands twice in the header"},
      // sizes and places
      {framed(typed("[2]", "[0,4]"), 4),
       "tensor 'w' is F32 [2], which takes 8 bytes, but it lies at bytes [0, 4]"},
      {framed(typed("[1]", "[0,8]"), 8),
       "tensor 'w' is F32 [1], which takes 4 bytes, but it lies at bytes [0, 8]"},
      {framed(typed("[1]", "[4,0]"), 4), "tensor 'w' ends before it begins, at [4, 0]"},
      {framed(typed("[1]", "[0,4]"), 3), "tensor 'w' lies at bytes [0, 4] but the data has only 3"},
      {framed(typed("[1]", "[18446744073709551612,18446744073709551615]"), 4),
       "tensor 'w' lies at bytes [18446744073709551612, 18446744073709551615] but the data has "
       "only 4"},
      {framed(typed("[1]", "[0,4]"), 9), "it goes on for 5 bytes after the last tensor"},
      {framed("{}", 1), "it goes on for 1 byte after the last tensor"},
      {framed(typed("[1]", "[2,6]"), 6), "there is a hole of 2 bytes before tensor 'w'"},
      {framed(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
              R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
              6),
       "tensor 'b' at bytes [2, 6] overlaps the tensor before it"},
      {framed(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
              R"("b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
              4),
       "tensor 'b' at bytes [0, 4] overlaps the tensor before it"},
      {framed(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
              R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
              3),
       "there is a hole of 1 byte before tensor 'b'"},
      // products that wrap around
      {framed(typed("[4294967296,4294967296]", "[0,0]")),
       "tensor 'w' is F32 [4294967296, 4294967296], more than 64 bits can count"},
      {framed(typed("[4611686018427387904,4]", "[0,0]")),
       "tensor 'w' is F32 [4611686018427387904, 4], more than 64 bits can count"},
      {framed(typed("[0,9223372036854775807,9223372036854775807]", "[0,0]")),
       "tensor 'w' is F32 [0, 9223372036854775807, 9223372036854775807], more than 64 bits can "
       "count"},
      {framed(typed("[9223372036854775808]", "[0,0]")),
       "tensor 'w' has a dimension of 9223372036854775808"},
      {framed(typed(ones64, "[0,4]"), 4), "tensor 'w' has more than 64 dimensions"},
      // names that would spoil the message
      {framed(R"({"a\nb\u001b[2J":1})"),
       "tensor 'a\\x0ab\\x1b[2J' is a number instead of an object"},
      {framed("{\"" + std::string(500, 'n') + "\":1}"),
       "tensor '" + std::string(80, 'n') + "…' is a number instead of an object"},
  };
  for (const Case& c : cases) {
    CHECK(parse_error(c.file) == why(c.reason));
  }
}

TEST_CASE("safetensors: 64 dimensions and an empty tensor of any shape are fine", "[safetensors]") {
  std::string shape = "[1";
  for (int i = 0; i < 63; ++i) shape += ",1";
  CHECK(
      parse(framed("{\"w\":{\"dtype\":\"U8\",\"shape\":" + shape + "],\"data_offsets\":[0,1]}}", 1))
          .info("w")
          .shape.size() == 64);
  const std::string empty = framed(R"({"e":{"dtype":"F32","shape":[0,4],"data_offsets":[4,4]},)"
                                   R"("w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                                   R"("v":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
                                   8);
  CHECK(parse(empty).names() == std::vector<std::string>{"v", "e", "w"});
  CHECK(parse(empty).bytes("e").empty());
}

TEST_CASE("safetensors: what is not a file is named", "[safetensors]") {
  const Folder folder;
  const std::string at = "cannot read '" + folder.path.string();
  const auto open_error = [](const fs::path& path) {
    return error_of([&] { (void)SafeTensors::open(path); });
  };
  CHECK(open_error(folder / "missing") == at + "/missing': there is no such file; check the path");
  CHECK(open_error(folder.path) == at + "': it is a folder; give a file in it");
  CHECK(open_error("") == "cannot read '': there is no such file; check the path");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(open_error(folder / "pipe") == at + "/pipe': it is not a regular file; give another file");
  CHECK(open_error("/dev/zero") ==
        "cannot read '/dev/zero': it is not a regular file; give another file");
  put(folder / "empty", "");
  CHECK(open_error(folder / "empty") == "'" + (folder / "empty").string() +
                                            "' is not a usable safetensors file: it is empty; save "
                                            "or copy it again, or give another file");
  put(folder / "secret", framed("{}"));
  fs::permissions(folder / "secret", fs::perms::none);
  if (::geteuid() != 0) {
    CHECK(open_error(folder / "secret") ==
          at + "/secret': permission denied; change the file's permissions or give another file");
  }
}

TEST_CASE("safetensors: a huge sparse file costs no memory before its header is checked",
          "[safetensors]") {
  const Folder folder;
  put(folder / "sparse", framed("{}"));
  std::error_code error;
  fs::resize_file(folder / "sparse", std::uintmax_t{1} << 40, error);
  if (error) SKIP("this file system has no sparse files of 1 TB");
  const std::string text = error_of([&] { (void)SafeTensors::open(folder / "sparse"); });
  CHECK(text.find("it goes on for 1099511627766 bytes after the last tensor") != std::string::npos);
}

TEST_CASE("safetensors: a reader that knows what it needs is told what differs", "[safetensors]") {
  const std::string bytes =
      framed(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", 24);
  const SafeTensors file = parse(bytes);
  const std::vector<std::int64_t> right{2, 3}, turned{3, 2}, flat{6};
  CHECK(file.bytes("w", Dtype::F32, right).size() == 24);
  const std::string end = "; give a file that was saved with this configuration";
  CHECK(error_of([&] { (void)file.bytes("w", Dtype::F32, turned); }) ==
        "tensor 'w' in 'f.safetensors' is F32 [2, 3] where F32 [3, 2] is needed" + end);
  CHECK(error_of([&] { (void)file.bytes("w", Dtype::F32, flat); }) ==
        "tensor 'w' in 'f.safetensors' is F32 [2, 3] where F32 [6] is needed" + end);
  CHECK(error_of([&] { (void)file.bytes("w", Dtype::I32, right); }) ==
        "tensor 'w' in 'f.safetensors' is F32 [2, 3] where I32 [2, 3] is needed" + end);
  CHECK(error_of([&] { (void)file.bytes("v"); }) == "'f.safetensors' has no tensor 'v'" + end);
  CHECK(error_of([&] { (void)file.info("v"); }) == "'f.safetensors' has no tensor 'v'" + end);
  CHECK(!file.contains("v"));
}

TEST_CASE("safetensors: what cannot be saved is refused before the disk is touched",
          "[safetensors]") {
  const Folder folder;
  const fs::path path = folder / "t";
  const std::string four = "1234";
  const auto save_error = [&](const Metadata& metadata, const std::vector<TensorView>& tensors) {
    return error_of([&] { save_safetensors(path, metadata, tensors); });
  };
  const std::string at = "cannot save '" + path.string() + "': ";
  CHECK(save_error({}, {{"w", Dtype::F32, {2}, raw(four)}}) ==
        at + "tensor 'w' has 4 bytes, which is not F32 [2]; give it the shape of its values");
  CHECK(save_error({}, {{"w", Dtype::U8, {-4}, raw(four)}}) ==
        at + "tensor 'w' has 4 bytes, which is not U8 [-4]; give it the shape of its values");
  CHECK(save_error({}, {{"w", Dtype::F32, {}, raw(four)}, {"w", Dtype::F32, {}, raw(four)}}) ==
        at + "tensor 'w' is given twice; rename one");
  CHECK(save_error({}, {{"__metadata__", Dtype::F32, {}, raw(four)}}) ==
        at + "tensor '__metadata__' has the name of the metadata; rename it");
  CHECK(save_error({{"k", "\xFF"}}, {}) == at + "metadata 'k' is not UTF-8 text; encode it first");
  CHECK(save_error({{"k", std::string(100'000'000, 'x')}}, {}) ==
        at + "names and metadata take more than 100000000 bytes; shorten them");
  CHECK(files_in(folder.path).empty());
}

// ---- no failure costs the file that was there ----

TEST_CASE("AtomicFile: without a commit nothing happened", "[safetensors]") {
  const Folder folder;
  put(folder / "f", "old");
  {
    AtomicFile file(folder / "f");
    file.write("new");
    CHECK(files_in(folder.path).size() == 2);
    CHECK(contents(folder / "f") == "old");
  }
  CHECK(contents(folder / "f") == "old");
  CHECK(files_in(folder.path) == std::vector<std::string>{"f"});

  AtomicFile file(folder / "f");
  file.write("new");
  file.write(std::string_view(" and whole"));
  file.commit();
  CHECK(contents(folder / "f") == "new and whole");
  CHECK(files_in(folder.path) == std::vector<std::string>{"f"});
  CHECK_THROWS_AS(file.write("more"), std::logic_error);
  CHECK_THROWS_AS(file.commit(), std::logic_error);
}

TEST_CASE("AtomicFile: what cannot be replaced is named", "[safetensors]") {
  const Folder folder;
  const std::string at = "cannot save '" + folder.path.string();
  const auto error = [](const fs::path& path) {
    return error_of([&] { const AtomicFile file(path); });
  };
  CHECK(error("") == "cannot save '': no file name is given; give one");
  CHECK(error(folder.path) == at + "': it is a folder; add a file name");
  CHECK(error(folder / "new/") == at + "/new/': it is a folder; add a file name");
  CHECK(error(folder / "no/f") == at + "/no/f': the folder '" + (folder / "no").string() +
                                      "' does not exist; create it first");
  put(folder / "file", "x");
  CHECK(error(folder / "file/f").find("' is not a folder; choose another path") !=
        std::string::npos);
  CHECK(error("/dev/null") ==
        "cannot save '/dev/null': it is not a regular file; choose another path");
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(error(folder.path / std::string(250, 'n')).find("the file name is too long") !=
        std::string::npos);
  if (::geteuid() != 0) {
    fs::permissions(folder / "file", fs::perms::owner_read);
    CHECK(error(folder / "file").find("write-protected") != std::string::npos);
    fs::create_directory(folder / "closed");
    fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::owner_exec);
    CHECK(error(folder / "closed/f").find("permission denied") != std::string::npos);
  }
}

TEST_CASE("AtomicFile: links are followed and permissions kept", "[safetensors]") {
  const Folder folder;
  put(folder / "real", "old");
  REQUIRE(::chmod((folder / "real").c_str(), 0640) == 0);
  fs::create_directory(folder / "links");
  fs::create_symlink("../real", folder / "links/link");
  AtomicFile file(folder / "links/link");
  file.write("new");
  file.commit();
  CHECK(fs::is_symlink(folder / "links/link"));
  CHECK(contents(folder / "real") == "new");
  CHECK((fs::status(folder / "real").permissions() & fs::perms::all) ==
        (fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read));
}

TEST_CASE("AtomicFile: a relative name without a folder works", "[safetensors]") {
  const Folder folder;
  const int status = in_child([&] {
    if (::chdir(folder.path.c_str()) != 0) return 1;
    save_filled("plain", 'p', 10);
    return 0;
  });
  CHECK(status == 0);
  CHECK(fill_of(folder / "plain") == 'p');
}

TEST_CASE("safetensors: two saves over each other leave one of them", "[safetensors]") {
  const Folder folder;
  save_filled(folder / "t", 'o');
  save_filled(folder / "t", 'p', 1 << 10);
  CHECK(fill_of(folder / "t") == 'p');
  {
    // At the same time: the last commit wins, whole.
    AtomicFile first(folder / "t"), second(folder / "t");
    first.write("first");
    second.write("second");
    first.commit();
    CHECK(contents(folder / "t") == "first");
    second.commit();
    CHECK(contents(folder / "t") == "second");
  }
  std::thread a([&] {
    for (int i = 0; i < 20; ++i) save_filled(folder / "t", 'a', 1 << 12);
  });
  std::thread b([&] {
    for (int i = 0; i < 20; ++i) save_filled(folder / "t", 'b', 1 << 12);
  });
  a.join();
  b.join();
  const char last = fill_of(folder / "t");
  CHECK((last == 'a' || last == 'b'));
  CHECK(files_in(folder.path) == std::vector<std::string>{"t"});
}

TEST_CASE("safetensors: a reader beside a writer sees the old file or the new", "[safetensors]") {
  const Folder folder;
  save_filled(folder / "t", 'a');
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 30; ++i) save_filled(folder / "t", static_cast<char>('a' + i % 26));
    done = true;
  });
  int reads = 0, broken = 0;
  do {
    try {
      if (fill_of(folder / "t") == '?') ++broken;
    } catch (const std::exception&) {
      ++broken;
    }
    ++reads;
  } while (!done);
  writer.join();
  CHECK(broken == 0);
  CHECK(reads > 0);
}

TEST_CASE("AtomicFile: a file that may not grow leaves the previous one", "[safetensors]") {
  const Folder folder;
  save_filled(folder / "t", 'o', 1 << 10);
  const int status = in_child([&] {
    // The limit stands for a disk that fills up in the middle of the write.
    ::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit limit{100'000, 100'000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    return report_error(folder / "log", [&] { save_filled(folder / "t", 'n'); });
  });
  CHECK(status == 7);
  CHECK(contents(folder / "log") ==
        "cannot save '" + (folder / "t").string() +
            "': the file is larger than the file size limit; raise the limit (ulimit -f) or save "
            "to another disk (a previous file there is unchanged)");
  CHECK(fill_of(folder / "t") == 'o');
  CHECK(files_in(folder.path) == std::vector<std::string>{"log", "t"});
}

TEST_CASE("AtomicFile: a full disk leaves the previous file", "[safetensors]") {
  const Folder folder;
  fs::create_directory(folder / "disk");
  const int status = in_child([&] {
    // A disk of 256 KB that only this child sees. Who is not root becomes root of a namespace.
    const auto tell = [](const char* file, const std::string& text) {
      std::ofstream out(file);
      out << text << std::flush;
      return out.good();
    };
    const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
    const std::string group = "0 " + std::to_string(::getegid()) + " 1";
    if (::unshare(CLONE_NEWNS) != 0) {
      if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return 50;
      if (!tell("/proc/self/setgroups", "deny") || !tell("/proc/self/uid_map", user) ||
          !tell("/proc/self/gid_map", group)) {
        return 50;
      }
    }
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 50;
    if (::mount("tmpfs", (folder / "disk").c_str(), "tmpfs", 0, "size=256k") != 0) return 50;
    const fs::path path = folder / "disk/t";
    save_filled(path, 'o', 1 << 12);
    const int result = report_error(folder / "log", [&] { save_filled(path, 'n'); });
    if (fill_of(path) != 'o') return 2;
    if (files_in(path.parent_path()).size() != 1) return 3;
    return result;
  });
  if (status == 50) SKIP("mounting needs a right that this user lacks");
  CHECK(status == 7);
  CHECK(contents(folder / "log")
            .find("disk/t': no space left on the disk; free some space or save "
                  "to another disk (a previous file there is unchanged)") != std::string::npos);
}

TEST_CASE("AtomicFile: a kill at any moment leaves the old file or the new", "[safetensors]") {
  const Folder folder;
  save_filled(folder / "t", 'a');
  Philox rng(3);
  bool leftovers = false;
  for (int round = 0; round < 40; ++round) {
    const ::pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        for (int i = 0;; ++i) save_filled(folder / "t", static_cast<char>('a' + i % 26));
      } catch (...) {
      }
      ::_exit(1);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(rng.below(20'000)));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    INFO("round " << round);
    REQUIRE(fill_of(folder / "t") != '?');
    leftovers = leftovers || files_in(folder.path).size() > 1;
  }
  CHECK(leftovers);  // otherwise no kill fell into a save

  // What the killed ones left goes with the next save; what belongs to others stays.
  put(folder / "t.notes.tmp", "mine");
  put(folder / "u.1-2.tmp", "another target's");
  save_filled(folder / "t", 'z');
  CHECK(files_in(folder.path) == std::vector<std::string>{"t", "t.notes.tmp", "u.1-2.tmp"});
  CHECK(fill_of(folder / "t") == 'z');
}
