// The same launches on a GPU and on the checked emulator: right results on both, and ncu's counters beside the recorder's.
//
//   nvcc -arch=sm_90 -std=c++20 -I. tests/kernels/cuda/compare.cu -o compare_gpu
//   ncu --metrics (kernels/README.md has them) ./compare_gpu
//   tpp_kernel_compare          the recorder's sums, one line a kernel
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "tests/kernels/good_kernels.cuh"
#include "tests/kernels/memory_kernels.cuh"
#include "tests/kernels/tensor_kernels.cuh"

using namespace tpp;

namespace {

std::vector<float> numbers(std::size_t n) {
  std::vector<float> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<float>(i * 7919 % 1013) / 1013.0f - 0.5f;
  return v;
}

void require(bool right, const char* what) {
  std::printf("%-20s %s\n", what, right ? "right" : "WRONG");
  if (!right) std::exit(1);
}

bool close(const std::vector<float>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= 1e-4)) return false;
  }
  return a.size() == b.size();
}

#ifndef __CUDACC__
// What ncu counts for a kernel, all lines together.
void print_sums(const simt::Recorder& recorder) {
  struct Sums {
    unsigned long long requests[2] = {}, sectors[2] = {}, wavefronts[2] = {}, ideal[2] = {};
  };
  std::map<std::string, Sums> kernels;
  for (const simt::LineStats& s : recorder.lines()) {
    if (s.op == "atom") continue;
    const int store = s.op == "store";
    Sums& sums = kernels[s.kernel];
    if (s.space == 'g') {
      sums.requests[store] += s.requests;
      sums.sectors[store] += s.sectors;
    } else {
      sums.wavefronts[store] += s.wavefronts;
      sums.ideal[store] += s.ideal_wavefronts;
    }
  }
  std::printf(
      "kernel | load requests, sectors | store requests, sectors | shared wavefronts load, store | "
      "conflicts load, store\n");
  for (const auto& [name, s] : kernels) {
    std::printf("%s | %llu, %llu | %llu, %llu | %llu, %llu | %llu, %llu\n", name.c_str(),
                s.requests[0], s.sectors[0], s.requests[1], s.sectors[1], s.wavefronts[0],
                s.wavefronts[1], s.wavefronts[0] - s.ideal[0], s.wavefronts[1] - s.ideal[1]);
  }
}
#endif

void run_all() {
  // Transposes.
  const int n = 128;
  const auto a = numbers(n * n);
  std::vector<double> transposed(n * n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) transposed[j * n + i] = a[i * n + j];
  }
  DeviceArray<float> da(a), db(a);
  launch(memory::transpose_naive, dim3(n / 32, n / 8), dim3(32, 8))(da.data(), db.data(), n);
  require(close(db.to_host(), transposed), "transpose_naive");
  launch(memory::transpose_tiled<0>, dim3(n / 32, n / 32), dim3(32, 8))(da.data(), db.data(), n);
  require(close(db.to_host(), transposed), "transpose_tiled<0>");
  launch(memory::transpose_tiled<1>, dim3(n / 32, n / 32), dim3(32, 8))(da.data(), db.data(), n);
  require(close(db.to_host(), transposed), "transpose_tiled<1>");

  // Sums of ragged rows.
  const int rows = 50, width = 327;
  DeviceArray<float> sums(rows);
  launch(good::row_sum<128>, rows, 128)(da.data(), sums.data(), width);
  std::vector<double> want(rows);
  for (int r = 0; r < rows; ++r) {
    for (int i = 0; i < width; ++i) want[r] += a[r * width + i];
  }
  require(close(sums.to_host(), want), "row_sum");

  // A ragged product.
  const int m = 37, k = 50, columns = 21;
  DeviceArray<float> dc(m * columns);
  launch(good::tiled_product<16>, dim3(2, 3), dim3(16, 16), 2 * 16 * 16 * sizeof(float))(
      da.data(), da.data() + 5000, dc.data(), m, columns, k);
  std::vector<double> product(m * columns);
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < columns; ++j) {
      for (int l = 0; l < k; ++l)
        product[i * columns + j] += double(a[i * k + l]) * a[5000 + l * columns + j];
    }
  }
  require(close(dc.to_host(), product), "tiled_product");

  // Vectors, and a ragged end.
  DeviceArray<float4> x(std::vector<float4>(1000, make_float4(1, 2, 3, 4))), y(1000);
  launch(memory::scale4, 8, 128)(x.data(), y.data(), 2.0f, 1000);
  const auto scaled = y.to_host();
  require(scaled[999].w == 8 && scaled[0].x == 2, "scale4");
  DeviceArray<float> dx(numbers(1000)), dy(numbers(1000));
  launch(memory::add, 8, 128)(dx.data(), dy.data(), 1000);
  std::vector<double> twice;
  for (const float v : numbers(1000)) twice.push_back(2.0 * v);
  require(close(dy.to_host(), twice), "add");

  // cp.async and tensor cores.
  DeviceArray<float> piped(32);
  launch(good::pipelined_sum, 1, 32)(da.data(), piped.data(), 6);
  std::vector<double> pipe(32);
  for (int l = 0; l < 32; ++l) {
    for (int p = 0; p < 6; ++p) pipe[l] += a[p * 32 + 31 - l];
  }
  require(close(piped.to_host(), pipe), "pipelined_sum");
  std::vector<__nv_bfloat16> ta, tb;
  for (int i = 0; i < 16 * 64; ++i)
    ta.push_back(__float2bfloat16(static_cast<float>(i * 5 % 17) - 8));
  for (int i = 0; i < 64 * 8; ++i)
    tb.push_back(__float2bfloat16(static_cast<float>(i * 3 % 13) - 6));
  DeviceArray<__nv_bfloat16> dta(ta), dtb(tb);
  DeviceArray<float> tc(16 * 8);
  launch(tensor::warp_product, 1, 32)(dta.data(), dtb.data(), tc.data(), 64);
  std::vector<double> tensor(16 * 8);
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 8; ++j) {
      for (int l = 0; l < 64; ++l)
        tensor[i * 8 + j] += double((i * 64 + l) * 5 % 17 - 8) * ((l * 8 + j) * 3 % 13 - 6);
    }
  }
  require(close(tc.to_host(), tensor), "warp_product");

  // Shuffles and votes: language_test.cu checks each value on the emulator; this is their hash.
  DeviceArray<int> out(5 * 32);
  launch(good::shuffles, 1, 32)(out.data());
  unsigned hash = 0;
  for (const int v : out.to_host()) hash = hash * 31 + static_cast<unsigned>(v);
  DeviceArray<unsigned> votes(7 * 32);
  launch(good::votes, 1, 32)(votes.data());
  for (const unsigned v : votes.to_host()) hash = hash * 31 + v;
  require(hash == 0xd22542b8u, "shuffles, votes");
}

}  // namespace

int main() {
#ifdef __CUDACC__
  run_all();
#else
  const simt::Recorder recorder;
  run_all();
  print_sums(recorder);
#endif
}
