// Hostile checkpoints: whatever the bytes, SafeTensors::parse gives a sound file or one clear
// error.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "chapters/01_tensor/errors.h"
#include "chapters/11_gpt/safetensors.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size)
    __attribute__((weak));

namespace {

/// Stop the fuzzer: the input is kept as a finding.
void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// Put the header's length in front.
std::string framed(const std::string& header, std::size_t data_bytes) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  return file + header + std::string(data_bytes, '\x5A');
}

/// Files one step from interesting, so that the fuzzer need not discover JSON.
const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all{
      framed("{}", 0),
      framed(R"({"__metadata__":{"format":"pt","é\u00e9\n":"\ud83d\ude00"}}   )", 0),
      framed(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", 24),
      framed(R"({"w":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]},)"
             R"("s":{"dtype":"F64","shape":[],"data_offsets":[6,14]},)"
             R"("e":{"dtype":"I64","shape":[0,7],"data_offsets":[14,14]},)"
             R"("__metadata__":{"step":"30"}})",
             14),
      framed(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
             R"("b":{"dtype":"BOOL","shape":[4],"data_offsets":[2,6]}})",
             6),
      framed(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0),
      framed(R"({"a":{"dtype":"I8","shape":[-1],"data_offsets":[18446744073709551615,0]}})", 4),
      framed(std::string(300, '[') + R"({"a":)" + std::string(300, '{'), 0),
      std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{}", 10),
  };
  return all;
}

/// A file that parses must keep every promise that its readers rely on.
void check(std::span<const std::byte> file) {
  try {
    const tpp::SafeTensors tensors = tpp::SafeTensors::parse(file, "fuzz");

    // The tensors tile the end of the file in order, and each is as long as its shape says.
    std::size_t total = 0;
    for (const std::string& name : tensors.names()) total += tensors.bytes(name).size();
    require(total + 8 <= file.size(), "the values lie in the file");
    const std::byte* at = file.data() + (file.size() - total);
    unsigned sum = 0;
    for (const std::string& name : tensors.names()) {
      const tpp::TensorInfo& info = tensors.info(name);
      const std::span<const std::byte> bytes = tensors.bytes(name, info.dtype, info.shape);
      require(bytes.data() == at, "no holes and no overlaps");
      at += bytes.size();
      std::size_t size = tpp::dtype_size(info.dtype);
      for (const std::int64_t d : info.shape) {
        require(d >= 0, "dimensions are not negative");
        size *= static_cast<std::size_t>(d);
      }
      require(size == bytes.size(), "bytes are shape times type");
      for (const std::byte b : bytes) sum += std::to_integer<unsigned>(b);
    }
    require(at == file.data() + file.size(), "the values end with the file");
    volatile unsigned used = sum;
    (void)used;
  } catch (const tpp::InputError& error) {
    const std::string text = error.what();
    require(text.find("'fuzz'") != std::string::npos, "an error names the file");
    require(text.size() < 600, "an error is short");
    require(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }),
            "an error is one line");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // As it comes.
  check(std::as_bytes(std::span(data, size)));

  // And as a header (up to the first zero byte) with the right length in front, because a random
  // change seldom keeps the two together.
  const std::uint8_t* const begin = size < 8 ? data : data + 8;
  const std::uint8_t* const end = std::find(begin, data + size, 0);
  const std::size_t rest = static_cast<std::size_t>(data + size - end);
  const std::string file = framed(std::string(begin, end), rest);
  const std::vector<char> exact(file.begin(), file.end());  // a read past its end is seen
  check(std::as_bytes(std::span(exact)));
  return 0;
}

/// Start from the seeds: an empty input becomes one of them.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  if (size > 1 && seed % 64 != 0) {
    return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, max_size) : size;
  }
  const std::string& chosen = seeds()[(seed / 64) % seeds().size()];
  const std::size_t n = std::min(chosen.size(), max_size);
  std::copy_n(chosen.begin(), n, data);
  return n;
}
