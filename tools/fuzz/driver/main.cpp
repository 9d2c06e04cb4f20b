// A plain driver for fuzz targets, where there is no libFuzzer: it runs the given files, then
// changed copies of them, until the time is over. A crash is the report.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

// Change a few bytes, cut the end, or repeat a piece.
Bytes mutate(Bytes bytes, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t i = 0, n = 1 + below(8); i < n; ++i) {
    if (bytes.empty()) bytes.push_back(0);
    switch (below(4)) {
      case 0:
        bytes[below(bytes.size())] = static_cast<std::uint8_t>(random());
        break;
      case 1:
        bytes[below(bytes.size())] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 2:
        bytes.resize(below(bytes.size() + 1));
        break;
      default: {
        const std::size_t begin = below(bytes.size());
        const std::size_t length = 1 + below(std::min<std::size_t>(bytes.size() - begin, 16));
        const Bytes piece(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                          bytes.begin() + static_cast<std::ptrdiff_t>(begin + length));
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() + 1)),
                     piece.begin(), piece.end());
      }
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 60;
  std::vector<Bytes> seeds;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string time = "-max_total_time=";
    if (argument.rfind(time, 0) == 0) {
      seconds = std::atof(argument.c_str() + time.size());
    } else if (std::filesystem::is_directory(argument)) {
      for (const auto& entry : std::filesystem::directory_iterator(argument)) {
        if (entry.is_regular_file()) seeds.push_back(read(entry.path()));
      }
    } else if (argument[0] != '-') {
      seeds.push_back(read(argument));
    }
  }
  if (seeds.empty()) seeds.emplace_back();

  std::mt19937_64 random(1);
  for (const Bytes& seed : seeds) LLVMFuzzerTestOneInput(seed.data(), seed.size());
  std::size_t runs = 0;
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() <
         seconds) {
    const Bytes input = mutate(seeds[random() % seeds.size()], random);
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++runs;
  }
  std::printf("%zu inputs, none crashed\n", runs);
  return 0;
}
