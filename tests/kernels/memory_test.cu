// The recorder's numbers are the textbook's: sectors of a transpose, bank conflicts of a tile, broadcasts, atomics.
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "tests/kernels/memory_kernels.cuh"
#include "tests/testing.h"

using namespace tpp;

namespace {
std::vector<float> numbers(std::size_t n) {
  std::vector<float> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<float>(i);
  return v;
}
}  // namespace

TEST_CASE("simt: transposes", "[simt]") {
  {
    const int n = 64;
    const auto a = numbers(n * n);
    std::vector<float> want(n * n);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) want[j * n + i] = a[i * n + j];
    }
    DeviceArray<float> da(a), naive(n * n), tiled(n * n), padded(n * n);
    launch(memory::transpose_naive, dim3(2, 8), dim3(32, 8))(da.data(), naive.data(), n);
    launch(memory::transpose_tiled<0>, dim3(2, 2), dim3(32, 8))(da.data(), tiled.data(), n);
    launch(memory::transpose_tiled<1>, dim3(2, 2), dim3(32, 8))(da.data(), padded.data(), n);
    CHECK(naive.to_host() == want);
    CHECK(tiled.to_host() == want);
    CHECK(padded.to_host() == want);
  }
}

TEST_CASE("simt: vectors and histograms", "[simt]") {
  std::vector<float4> x, y(50);
  for (int i = 0; i < 50; ++i) {
    const float f = static_cast<float>(i);
    x.emplace_back(f, f + 0.25f, f + 0.5f, f + 0.75f);
  }
  DeviceArray<float4> dx(x), dy(50);
  launch(memory::scale4, 2, 32)(dx.data(), dy.data(), 2, 50);
  const auto result = dy.to_host();
  for (int i = 0; i < 50; ++i) {
    CHECK(result[i].x == 2.0f * static_cast<float>(i));
    CHECK(result[i].w == 2.0f * static_cast<float>(i) + 1.5f);
  }

  std::vector<int> values(3000), want(16);
  for (int i = 0; i < 3000; ++i) want[values[i] = i * i % 16]++;
  DeviceArray<int> dv(values), bins(std::vector<int>(16));
  launch(memory::histogram, 24, 128)(dv.data(), bins.data(), 3000);
  CHECK(bins.to_host() == want);
}

#if TPP_SIMT_CHECKED

TEST_CASE("recorder: transposes, 4 and 32 sectors, 32 and 1 wavefronts", "[simt]") {
  const int n = 64;
  DeviceArray<float> a(std::vector<float>(n * n)), b(n * n);
  simt::name_buffer(a.data(), "a");
  simt::name_buffer(b.data(), "b");
  {
    simt::Recorder r;
    launch(memory::transpose_naive, dim3(2, 8), dim3(32, 8))(a.data(), b.data(), n);
    const auto load = r.line("load", "a"), store = r.line("store", "b");
    CHECK(load.requests == 128);
    CHECK(load.lanes == 128 * 32);
    CHECK(load.sectors_per_request() == 4);
    CHECK(load.ideal_sectors == load.sectors);
    CHECK(store.sectors_per_request() == 32);
    CHECK(store.ideal_sectors == 128 * 4);
    CHECK(store.total_bytes() == n * n * sizeof(float));
    CHECK(load.kernel == "transpose_naive");
    CHECK(load.file == "memory_kernels.cuh");
    CHECK(store.line == load.line + 1);
    CHECK(r.table().find("<- not coalesced") != std::string::npos);
  }
  {
    simt::Recorder r;
    launch(memory::transpose_tiled<0>, dim3(2, 2), dim3(32, 8))(a.data(), b.data(), n);
    CHECK(r.line("load", "a").sectors_per_request() == 4);
    CHECK(r.line("store", "b").sectors_per_request() == 4);
    CHECK(r.line("store", "tile").wavefronts_per_request() == 1);
    CHECK(r.line("load", "tile").wavefronts_per_request() == 32);
    CHECK(r.table().find("<- bank conflicts") != std::string::npos);
  }
  {
    simt::Recorder r;
    launch(memory::transpose_tiled<1>, dim3(2, 2), dim3(32, 8))(a.data(), b.data(), n);
    CHECK(r.line("load", "tile").wavefronts_per_request() == 1);
    CHECK(r.line("load", "tile").ideal_wavefronts == r.line("load", "tile").wavefronts);
    CHECK(r.line("load", "tile").requests == 128);
    CHECK(r.table().find("<-") == std::string::npos);
  }
}

TEST_CASE("recorder: a vector is one request of 16 sectors", "[simt]") {
  DeviceArray<float4> x(std::vector<float4>(64, float4(1, 2, 3, 4))), y(64);
  simt::name_buffer(x.data(), "x");
  simt::name_buffer(y.data(), "y");
  simt::Recorder r;
  launch(memory::scale4, 2, 32)(x.data(), y.data(), 2, 64);
  CHECK(r.line("load", "x").bytes == 16);
  CHECK(r.line("load", "x").requests == 2);
  CHECK(r.line("load", "x").sectors_per_request() == 16);
  CHECK(r.line("store", "y").sectors_per_request() == 16);
}

TEST_CASE("recorder: a ragged end has fewer lanes; equal atomics queue", "[simt]") {
  DeviceArray<float> x(std::vector<float>(40)), y(std::vector<float>(40));
  simt::name_buffer(x.data(), "x");
  {
    simt::Recorder r;
    launch(memory::add, 1, 64)(x.data(), y.data(), 40);
    CHECK(r.line("load", "x").requests == 2);
    CHECK(r.line("load", "x").lanes == 40);
    CHECK(r.line("load", "x").sectors == 5);
  }
  DeviceArray<int> values(std::vector<int>(64, 3)), bins(std::vector<int>(16));
  simt::Recorder r;
  launch(memory::histogram, 1, 64)(values.data(), bins.data(), 64);
  CHECK(r.line("atom", "local").wavefronts_per_request() == 32);
  CHECK(r.line("atom", "local").requests == 2);
  CHECK(bins.to_host()[3] == 64);
}

TEST_CASE("recorder: JSON has every lane of block 0", "[simt]") {
  DeviceArray<float> a(std::vector<float>(32 * 32)), b(32 * 32);
  simt::name_buffer(b.data(), "b");
  simt::Recorder r;
  launch(memory::transpose_naive, dim3(1, 4), dim3(32, 8))(a.data(), b.data(), 32);
  const std::string json = r.json();
  CHECK(json.find("{\"name\": \"transpose_naive\", \"grid\": [1, 4, 1], \"block\": [32, 8, 1]}") !=
        std::string::npos);
  CHECK(json.find("\"kernel\": \"transpose_naive\", \"file\": \"memory_kernels.cuh\"") !=
        std::string::npos);
  CHECK(json.find("kernels/memory_kernels.cuh\", \"text\": \"// ") != std::string::npos);
  // Warp 1 stores to b: 32 sectors, a column of 128-byte rows
  CHECK(json.find(", 0, 1, 4294967295, 32, 0, 0, [4,132,260,") != std::string::npos);
}

TEST_CASE("recorder: one at a time", "[simt]") {
  simt::Recorder r;
  CHECK_THROWS_AS(simt::Recorder(), simt::Error);
  CHECK_THROWS_AS(r.line("load", "nothing"), simt::Error);
}

#else

TEST_CASE("recorder: a fast build has none, and says so", "[simt]") {
  CHECK_FALSE(simt::checked());
  CHECK_THROWS_AS(simt::Recorder(), simt::Error);
}

#endif
