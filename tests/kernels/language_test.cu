// The CUDA language on a CPU: right kernels give right numbers in three orders of threads, and the checker keeps silent.
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "tests/kernels/good_kernels.cuh"
#include "tests/testing.h"

using namespace tpp;

namespace {

std::vector<float> random_floats(std::size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> v(n);
  for (float& x : v) x = static_cast<float>(generator() % 2001) / 1000.0f - 1.0f;
  return v;
}

// Largest difference; NaN counts as infinite.
template <class A, class B>
double difference(const A& a, const B& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d <= most)) most = std::isnan(d) ? INFINITY : d;
  }
  return most;
}

template <class F>
void in_every_order(F f) {
  const auto before = simt::options().order;
  for (const auto order : {simt::Order::kForward, simt::Order::kReverse, simt::Order::kRandom}) {
    simt::options().order = order;
    f();
  }
  simt::options().order = before;
}

}  // namespace

TEST_CASE("simt: a thread an element, ragged", "[simt]") {
  in_every_order([] {
    const auto x = random_floats(1000, 1), y = random_floats(1000, 2);
    DeviceArray<float> dx(x), dy(y);
    launch(good::axpy, 8, 128)(2, dx.data(), dy.data(), 1000);
    auto want = y;
    for (std::size_t i = 0; i < 1000; ++i) want[i] += 2 * x[i];
    CHECK(difference(dy.to_host(), want) <= 1e-6);
  });
}

TEST_CASE("simt: a reduction by shuffles and shared memory", "[simt]") {
  in_every_order([] {
    const int rows = 5, n = 333;
    const auto x = random_floats(rows * n, 3);
    DeviceArray<float> dx(x), dy(rows);
    launch(good::row_sum<128>, rows, 128)(dx.data(), dy.data(), n);
    std::vector<double> want(rows);
    for (int r = 0; r < rows; ++r) want[r] = std::accumulate(&x[r * n], &x[r * n] + n, 0.0);
    CHECK(difference(dy.to_host(), want) <= 1e-4);
  });
}

TEST_CASE("simt: a tiled product in dynamic shared memory, ragged", "[simt]") {
  in_every_order([] {
    const int m = 37, n = 21, k = 50;
    const auto a = random_floats(m * k, 4), b = random_floats(k * n, 5);
    DeviceArray<float> da(a), db(b), dc(m * n);
    launch(good::tiled_product<16>, dim3(2, 3), dim3(16, 16), 2 * 16 * 16 * sizeof(float))(
        da.data(), db.data(), dc.data(), m, n, k);
    std::vector<double> want(m * n);
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        for (int l = 0; l < k; ++l) want[i * n + j] += double(a[i * k + l]) * b[l * n + j];
      }
    }
    CHECK(difference(dc.to_host(), want) <= 1e-5);
  });
}

TEST_CASE("simt: bfloat16 and half", "[simt]") {
  // 1/3 rounds to 0x3eab; ties go to the even neighbour.
  CHECK(__nv_bfloat16(1.0f / 3.0f).bits == 0x3eab);
  CHECK(__nv_bfloat16(1.00390625f).bits == 0x3f80);
  CHECK(__nv_bfloat16(1.01171875f).bits == 0x3f82);
  CHECK(std::isnan(float(__nv_bfloat16(NAN))));
  CHECK(__half(1.0f).bits == 0x3c00);
  CHECK(__half(-2.5f).bits == 0xc100);
  CHECK(__half(65504.0f).bits == 0x7bff);
  CHECK(__half(65520.0f).bits == 0x7c00);
  CHECK(__half(5.9604645e-8f).bits == 1);
  CHECK(__half(1.00048828125f).bits == 0x3c00);
  CHECK(std::isnan(float(__half(NAN))));
  for (unsigned bits = 0; bits < 0x7c00; ++bits) {  // every finite half survives
    __half h;
    h.bits = static_cast<std::uint16_t>(bits);
    REQUIRE(__half(float(h)).bits == bits);
  }

  const auto f = random_floats(100, 7);
  std::vector<__nv_bfloat16> b(f.begin(), f.end());
  DeviceArray<__nv_bfloat16> db(b), dc(100);
  launch(good::scale_short<__nv_bfloat16>, 4, 32)(db.data(), dc.data(), 2, 100);
  const auto c = dc.to_host();
  for (int i = 0; i < 100; ++i) REQUIRE(float(c[i]) == 2 * float(b[i]));
}

TEST_CASE("simt: shuffles with width and partial masks", "[simt]") {
  in_every_order([] {
    DeviceArray<int> out(5 * 32);
    launch(good::shuffles, 1, 32)(out.data());
    const auto v = out.to_host();
    for (int l = 0; l < 32; ++l) {
      const int first = l / 8 * 8, at = l % 8;
      CHECK(v[0 * 32 + l] == first + 3);
      CHECK(v[1 * 32 + l] == (at >= 2 ? l - 2 : l));
      CHECK(v[2 * 32 + l] == (at + 2 < 8 ? l + 2 : l));
      CHECK(v[3 * 32 + l] == (l ^ 5));
      CHECK(v[4 * 32 + l] == (l < 16 ? (l ^ 1) : (l ^ 2)));
    }
  });
}

TEST_CASE("simt: votes, matches and reductions", "[simt]") {
  in_every_order([] {
    DeviceArray<unsigned> out(7 * 32);
    launch(good::votes, 1, 32)(out.data());
    const auto v = out.to_host();
    for (unsigned l = 0; l < 32; ++l) {
      CHECK(v[0 * 32 + l] == 0x49249249u);
      CHECK(v[1 * 32 + l] == 1);
      CHECK(v[2 * 32 + l] == 0);
      CHECK(v[3 * 32 + l] == 0x11111111u << l % 4);
      CHECK(v[4 * 32 + l] == 496);
      CHECK(static_cast<int>(v[5 * 32 + l]) == -9);
      CHECK(v[6 * 32 + l] == 0xffffffffu);
    }
  });
}

TEST_CASE("simt: a warp that is not full votes with the lanes it has", "[simt]") {
  DeviceArray<unsigned> out(7 * 32);
  launch(good::votes, 1, 20)(out.data());
  const auto v = out.to_host();
  CHECK(v[0] == (0x49249249u & 0xfffffu));
  CHECK(v[2 * 32] == 1);
  CHECK(v[4 * 32] == 190);
}

TEST_CASE("simt: barriers that count", "[simt]") {
  in_every_order([] {
    DeviceArray<int> out(3);
    launch(good::counting, 1, 75)(out.data());
    CHECK(out.to_host() == std::vector<int>{37, 0, 1});
  });
}

TEST_CASE("simt: the last block sums up", "[simt]") {
  in_every_order([] {
    const auto x = random_floats(1000, 8);
    DeviceArray<float> dx(x), partial(16), total(1);
    DeviceArray<unsigned> done(std::vector<unsigned>(1));
    launch(good::last_block_sums, 16, 64)(dx.data(), partial.data(), done.data(), total.data(),
                                          1000);
    CHECK(std::abs(total.to_host()[0] - std::accumulate(x.begin(), x.end(), 0.0)) <= 1e-4);
  });
}

TEST_CASE("simt: __syncwarp, cp.async, three dimensions", "[simt]") {
  in_every_order([] {
    DeviceArray<int> reversed(32);
    launch(good::warp_reverse, 1, 32)(reversed.data());
    const auto r = reversed.to_host();
    for (int i = 0; i < 32; ++i) CHECK(r[i] == 31 - i);

    const auto x = random_floats(32 * 6, 9);
    DeviceArray<float> dx(x), dy(32);
    launch(good::pipelined_sum, 1, 32)(dx.data(), dy.data(), 6);
    const auto y = dy.to_host();
    for (int l = 0; l < 32; ++l) {
      float sum = 0;
      for (int p = 0; p < 6; ++p) sum += x[p * 32 + 31 - l];
      CHECK(y[l] == sum);
    }

    DeviceArray<int> out(2 * 3 * 4 * 5 * 3 * 2);
    launch(good::coordinates, dim3(2, 3, 4), dim3(5, 3, 2))(out.data());
    const auto v = out.to_host();
    for (int i = 0; i < static_cast<int>(v.size()); ++i) REQUIRE(v[i] == i);
  });
}

TEST_CASE("simt: blocks over cores give what one core gives", "[simt]") {
  const int rows = 3000, n = 100;
  const auto x = random_floats(rows * n, 10);
  DeviceArray<float> dx(x), one(rows), many(rows);
  simt::options().threads = 1;
  launch(good::row_sum<64>, rows, 64)(dx.data(), one.data(), n);
  simt::options().threads = 3;
  launch(good::row_sum<64>, rows, 64)(dx.data(), many.data(), n);
  simt::options().threads = 0;
  CHECK(difference(one.to_host(), many.to_host()) == 0);
}

TEST_CASE("simt: memory is copied, filled, freed", "[simt]") {
  float* p = nullptr;
  REQUIRE(cudaMalloc(&p, 100 * sizeof(float)) == cudaSuccess);
  REQUIRE(cudaMemset(p, 0, 100 * sizeof(float)) == cudaSuccess);
  std::vector<float> v(100, 1.0f);
  REQUIRE(cudaMemcpy(v.data(), p, 100 * sizeof(float), cudaMemcpyDeviceToHost) == cudaSuccess);
  CHECK(v == std::vector<float>(100));
  REQUIRE(cudaFree(p) == cudaSuccess);
}

TEST_CASE("simt: what a shuffle and a barrier cost", "[.][bench]") {
  DeviceArray<float> out(1024);
  const auto nanoseconds = [&](auto kernel, int threads, int times) {
    double best = 1e30;
    for (int repeat = 0; repeat < 5; ++repeat) {
      cudaEvent_t start, stop;
      cudaEventCreate(&start), cudaEventCreate(&stop);
      cudaEventRecord(start);
      launch(kernel, 1, threads)(out.data(), times);
      cudaEventRecord(stop);
      float ms = 0;
      cudaEventElapsedTime(&ms, start, stop);
      cudaEventDestroy(start), cudaEventDestroy(stop);
      best = std::min(best, 1e6 * ms / threads / times);
    }
    return best;
  };
  WARN("shuffle " << nanoseconds(good::many_shuffles, 128, 10000) << " ns a lane");
  WARN("barrier " << nanoseconds(good::many_barriers, 256, 5000) << " ns a thread (256)");
  WARN("barrier " << nanoseconds(good::many_barriers, 1024, 2000) << " ns a thread (1024)");
}
