// What the recorder says of each rung of the matmul ladder: the numbers that chapter 01 quotes. And the large tiles, whose
// launches in matmul_test.cpp are few.
#include <cmath>
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "kernels/matmul/v1_naive.cuh"
#include "kernels/matmul/v2_tiled.cuh"
#include "kernels/matmul/v3_register_blocked.cuh"
#include "kernels/matmul/v4_vectorised.cuh"
#include "kernels/matmul/v5_double_buffered.cuh"
#include "kernels/matmul/v6_tensor_cores.cuh"
#include "tests/testing.h"

using namespace tpp;
using namespace tpp::twin;

namespace {

// A product whose buffers have names. Small whole numbers: every sum is exact, in bfloat16 too.
template <class T>
struct Named {
  int M, N, K;
  DeviceArray<T> a, b;
  DeviceArray<float> c;

  static std::vector<T> numbers(int n, int seed) {
    std::vector<T> v;
    for (int i = 0; i < n; ++i) v.push_back(T(float((i * 7 + i / 13 + seed) % 5 - 2)));
    return v;
  }
  Named(int m, int n, int k)
      : M(m),
        N(n),
        K(k),
        a(numbers(m * k, 1)),
        b(numbers(k * n, 2)),
        c(std::size_t(m) * std::size_t(n)) {
    simt::name_buffer(a.data(), "a");
    simt::name_buffer(b.data(), "b");
    simt::name_buffer(c.data(), "c");
  }
  Product<T, float> product() { return {a.data(), b.data(), c.data(), M, N, K, false}; }

  template <Form form>
  void check() const {
    const std::vector<T> va = a.to_host(), vb = b.to_host();
    const std::vector<float> vc = c.to_host();
    int wrong = 0;
    for (int m = 0; m < M; ++m) {
      for (int n = 0; n < N; ++n) {
        float sum = 0;
        for (int k = 0; k < K; ++k) {
          sum += float(va[std::size_t(kARunsAlongK<form> ? m * K + k : k * M + m)]) *
                 float(vb[std::size_t(kBRunsAlongK<form> ? n * K + k : k * N + n)]);
        }
        if (!(vc[std::size_t(m * N + n)] == sum)) ++wrong;
      }
    }
    CHECK(wrong == 0);
  }
};

// All lines of one operation on one array, or on shared memory, added up.
simt::LineStats total(const simt::Recorder& r, char space, const std::string& op,
                      const std::string& array = "") {
  simt::LineStats sum;
  for (const simt::LineStats& s : r.lines()) {
    if (s.space != space || s.op != op || (!array.empty() && s.array != array)) continue;
    sum.bytes = s.bytes;
    sum.requests += s.requests;
    sum.lanes += s.lanes;
    sum.sectors += s.sectors;
    sum.ideal_sectors += s.ideal_sectors;
    sum.wavefronts += s.wavefronts;
    sum.ideal_wavefronts += s.ideal_wavefronts;
  }
  INFO(op << " " << array << "\n" << r.table());
  REQUIRE(sum.requests != 0);
  return sum;
}

// No two words of one bank in one pass, whatever the line
void check_no_conflicts(const simt::Recorder& r) {
  INFO(r.table());
  for (const char* op : {"load", "store"}) {
    const simt::LineStats s = total(r, 's', op);
    CHECK(s.wavefronts == s.ideal_wavefronts);
  }
}

// Every sector that is asked for is needed whole
void check_coalesced(const simt::Recorder& r) {
  INFO(r.table());
  for (const char* array : {"a", "b"}) {
    const simt::LineStats s = total(r, 'g', "load", array);
    CHECK(s.sectors == s.ideal_sectors);
  }
}

}  // namespace

TEST_CASE(
    "recorder: matmul v1 asks for 1 + 4 sectors, or with rows and columns exchanged for 32 + 1",
    "[matmul]") {
  const int size = 64, products = size * size * size / 32;  // requests of one operand
  {
    Named<float> x(size, size, size);
    simt::Recorder r;
    launch(matmul_v1_naive<Form::nn, true, float, float>, 2 * 8, dim3(32, 8))(x.product());
    CHECK(r.line("load", "a").requests == products);
    CHECK(r.line("load", "a").sectors_per_request() == 1);
    CHECK(r.line("load", "b").sectors_per_request() == 4);
    CHECK(r.line("store", "c").sectors_per_request() == 4);
    x.check<Form::nn>();
  }
  Named<float> x(size, size, size);
  simt::Recorder r;
  launch(matmul_v1_naive<Form::nn, false, float, float>, 2 * 8, dim3(32, 8))(x.product());
  CHECK(r.line("load", "a").requests == products);
  CHECK(r.line("load", "a").sectors_per_request() == 32);
  CHECK(r.line("load", "b").sectors_per_request() == 1);
  CHECK(r.line("store", "c").sectors_per_request() == 32);
  x.check<Form::nn>();
}

TEST_CASE(
    "recorder: matmul v2 reads memory 32 times less than v1, and two numbers of shared memory a "
    "product",
    "[matmul]") {
  const int size = 64, products = size * size * size / 32;
  Named<float> x(size, size, size);
  simt::Recorder r;
  launch(matmul_v2_tiled<Form::nn, float, float>, 4, dim3(32, 32))(x.product());
  CHECK(r.line("load", "a").requests == products / 32);
  CHECK(r.line("load", "b").requests == products / 32);
  CHECK(r.line("load", "a").sectors_per_request() == 4);
  CHECK(r.line("load", "b").sectors_per_request() == 4);
  CHECK(total(r, 's', "load").requests == 2 * products);
  check_no_conflicts(r);
  x.check<Form::nn>();
  launch(matmul_v2_tiled<Form::nt, float, float>, 4, dim3(32, 32))(x.product());
  check_no_conflicts(r);
  x.check<Form::nt>();
}

TEST_CASE(
    "recorder: matmul v3 reads sixteen numbers of shared memory for sixty-four products, v4 four "
    "packs",
    "[matmul]") {
  const int size = 128, products = size * size * size / 32;
  {
    Named<float> x(size, size, size);
    simt::Recorder r;
    launch(matmul_v3_register_blocked<Form::nn, float, float>, 1, kV3Threads)(x.product());
    CHECK(total(r, 's', "load").requests == products / 4);
    CHECK(r.line("load", "a").sectors_per_request() == 4);
    check_no_conflicts(r);
    check_coalesced(r);
    x.check<Form::nn>();
  }
  Named<float> x(size, size, size);
  simt::Recorder r;
  launch(matmul_v4_vectorised<Form::nn>, 1, kV4Threads)(x.product(), true, true);
  CHECK(total(r, 's', "load").requests == products / 16);
  CHECK(total(r, 's', "load").bytes == 16);
  CHECK(r.line("load", "a").bytes == 16);
  CHECK(r.line("load", "a").sectors_per_request() == 16);
  CHECK(r.line("store", "c").sectors_per_request() == 16);
  check_no_conflicts(r);
  check_coalesced(r);
  x.check<Form::nn>();
}

TEST_CASE(
    "recorder: matmul v5 copies and multiplies without a bank conflict, in each form and tile",
    "[matmul]") {
  const auto record = [](auto kernel, auto tiles, auto check) {
    using Tiles = decltype(tiles);
    Named<float> x(Tiles::kM, Tiles::kN, 64);
    CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               Tiles::kBytes) == cudaSuccess);
    simt::Recorder r;
    launch(kernel, 1, Tiles::kThreads, Tiles::kBytes)(x.product(), true);
    CHECK(total(r, 's', "load").bytes == 16);
    check_no_conflicts(r);
    check_coalesced(r);
    check(x);
  };
  const auto each_form = [&](auto tiles) {
    using Tiles = decltype(tiles);
    record(&matmul_v5_double_buffered<Form::nn, Tiles, true>, tiles,
           [](auto& x) { x.template check<Form::nn>(); });
    record(&matmul_v5_double_buffered<Form::nt, Tiles, true>, tiles,
           [](auto& x) { x.template check<Form::nt>(); });
    record(&matmul_v5_double_buffered<Form::tn, Tiles, true>, tiles,
           [](auto& x) { x.template check<Form::tn>(); });
  };
  each_form(V5Tiles<128, 256, 16, 2, 4, 3, 1>());
  each_form(V5Tiles<128, 128, 16, 4, 2, 3, 2>());
}

TEST_CASE(
    "recorder: matmul v6 copies and multiplies without a bank conflict, in each form and tile",
    "[matmul]") {
  const auto record = [](auto kernel, auto tiles, auto check) {
    using Tiles = decltype(tiles);
    Named<__nv_bfloat16> x(Tiles::kM, Tiles::kN, 128);
    CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               Tiles::kBytes) == cudaSuccess);
    simt::Recorder r;
    launch(kernel, 1, Tiles::kThreads, Tiles::kBytes)(x.product(), true);
    CHECK(total(r, 's', "load").bytes == 16);
    CHECK(total(r, 'g', "load", "a").bytes == 16);
    check_no_conflicts(r);
    check_coalesced(r);
    check(x);
  };
  const auto each_form = [&](auto tiles) {
    using Tiles = decltype(tiles);
    record(&matmul_v6_tensor_cores<Form::nn, Tiles, float>, tiles,
           [](auto& x) { x.template check<Form::nn>(); });
    record(&matmul_v6_tensor_cores<Form::nt, Tiles, float>, tiles,
           [](auto& x) { x.template check<Form::nt>(); });
    record(&matmul_v6_tensor_cores<Form::tn, Tiles, float>, tiles,
           [](auto& x) { x.template check<Form::tn>(); });
  };
  each_form(V6Tiles<256, 128, 64, 4, 2, 4, 1>());
  each_form(V6Tiles<128, 128, 32, 4, 2, 4, 1>());
}
