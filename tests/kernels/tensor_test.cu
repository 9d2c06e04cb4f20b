// Tensor cores: fragments as documented, against double.
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "tests/kernels/tensor_kernels.cuh"
#include "tests/testing.h"

using namespace tpp;

TEST_CASE("simt: mma and ldmatrix multiply", "[simt]") {
  const int k = 96;
  std::mt19937 generator(1);
  std::vector<__nv_bfloat16> a(16 * k), b(k * 8);
  const auto number = [&] {
    return __nv_bfloat16(static_cast<float>(generator() % 2001) / 1000.0f - 1.0f);
  };
  for (auto& x : a) x = number();
  for (auto& x : b) x = number();
  DeviceArray<__nv_bfloat16> da(a), db(b);
  DeviceArray<float> dc(16 * 8);
  for (const auto order : {simt::Order::kForward, simt::Order::kReverse, simt::Order::kRandom}) {
    simt::options().order = order;
    launch(tensor::warp_product, 1, 32)(da.data(), db.data(), dc.data(), k);
    const auto c = dc.to_host();
    for (int m = 0; m < 16; ++m) {
      for (int n = 0; n < 8; ++n) {
        double want = 0;
        for (int i = 0; i < k; ++i) want += double(float(a[m * k + i])) * float(b[i * 8 + n]);
        CHECK(std::abs(c[m * 8 + n] - want) <= 1e-5);
      }
    }
  }
  simt::options().order = simt::Order::kForward;
}

TEST_CASE("simt: tensor cores refuse half a warp", "[simt]") {
  DeviceArray<float> c(32);
  std::string message = "(no report)";
  try {
    launch(tensor::half_warp, 1, 32)(c.data());
  } catch (const simt::Error& e) {
    message = e.what();
  }
  CHECK(message.find("in kernel half_warp, block (0,0,0)") != std::string::npos);
  CHECK(message.find("need all 32 lanes of their warp") != std::string::npos);
}
