// A number for every lane, then fewer, then more; gain and bias, eps; then rows that fill a block and a half.
#include <cmath>

#include "chapters/08_layernorm/exercises/warp/answer.h"
#include "tools/learn/check_cuda.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

std::vector<float> alternating(int D, float a, float b) {
  std::vector<float> x;
  for (int d = 0; d < D; ++d) x.push_back(d % 2 == 0 ? a : b);
  return x;
}

std::vector<float> constant(int D, float value) {
  return std::vector<float>(std::size_t(D), value);
}

// Random numbers around a mean that is not 0
std::vector<float> around(unsigned seed, int count, float mean) {
  std::vector<float> x = random_floats(seed, std::size_t(count));
  for (float& v : x) v += mean;
  return x;
}

Values layernorm(const std::vector<float>& x, const std::vector<float>& w,
                 const std::vector<float>& b, int N, double eps) {
  const int D = int(w.size());
  std::vector<float> y(x.size());
  for (int n = 0; n < N; ++n) {
    const auto at = [&](int d) { return std::size_t(n * D + d); };
    double mean = 0, variance = 0;
    for (int d = 0; d < D; ++d) mean += x[at(d)] / double(D);
    for (int d = 0; d < D; ++d) variance += (x[at(d)] - mean) * (x[at(d)] - mean) / D;
    for (int d = 0; d < D; ++d) {
      const double unit = (x[at(d)] - mean) / std::sqrt(variance + eps);
      y[at(d)] = float(unit * w[std::size_t(d)] + b[std::size_t(d)]);
    }
  }
  return Values::matrix(y, N, D);
}

void expect_layernorm(const Answer& answer, const std::vector<float>& x,
                      const std::vector<float>& w, const std::vector<float>& b, float eps,
                      std::string_view what) {
  const int D = int(w.size()), N = int(x.size()) / D;
  const float *from = device_input("x", x), *gain = device_input("w", w),
              *bias = device_input("b", b);
  DeviceOutput<>& y = device_output("y", x.size());
  answer.layernorm(from, gain, bias, y.data(), N, D, eps);
  expect_near(Values::matrix(y.values(), N, D), layernorm(x, w, b, N, eps), what);
}

}  // namespace

STEP("a number for every lane") {
  expect_layernorm(answer, alternating(32, 1, 3), constant(32, 1), constant(32, 0), 0,
                   "row (1, 3, 1, 3, …) of 32, gain 1, bias 0, eps 0");
}

STEP("32 random numbers") {
  expect_layernorm(answer, around(1, 32, 3), constant(32, 1), constant(32, 0), 0,
                   "32 random numbers around 3, gain 1, bias 0, eps 0");
}

STEP("gain and bias") {
  expect_layernorm(answer, alternating(32, 1, 3), around(2, 32, 1), around(3, 32, -1), 0,
                   "row (1, 3, 1, 3, …) of 32, random gain and bias");
}

STEP("eps") {
  expect_layernorm(answer, alternating(32, 1, 5), constant(32, 1), constant(32, 0), 2.25f,
                   "row (1, 5, 1, 5, …) of 32, whose variance is 4, eps 2.25");
}

STEP("fewer numbers than lanes") {
  expect_layernorm(answer, {2, -1, 5, 3, 11}, constant(5, 1), constant(5, 0), 0.5f,
                   "row (2, -1, 5, 3, 11)");
}

STEP("more numbers than lanes") {
  expect_layernorm(answer, around(4, 100, 3), around(5, 100, 1), around(6, 100, -1), 0.5f,
                   "a random row of 100");
}

STEP("four rows, a block") {
  expect_layernorm(answer, around(7, 4 * 32, 3), around(8, 32, 1), around(9, 32, -1), 0.5f,
                   "4 random rows of 32");
}

STEP("six rows of 37") {
  // The second block has two rows, and two warps without one
  expect_layernorm(answer, around(10, 6 * 37, 3), around(11, 37, 1), around(12, 37, -1), 0.5f,
                   "6 random rows of 37");
}
