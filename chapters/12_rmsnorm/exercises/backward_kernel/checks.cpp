// One mechanism a step: across the row, along it, the gain, one round, several rounds; then many rows, and a slope.
#include <cmath>

#include "chapters/12_rmsnorm/exercises/backward_kernel/answer.h"
#include "tools/learn/check_cuda.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

// What the forward leaves for backward, in double
double measure(const float* x, int D, double eps) {
  double squares = 0;
  for (int d = 0; d < D; ++d) squares += double(x[d]) * x[d];
  return 1 / std::sqrt(squares / D + eps);
}

struct Case {
  std::vector<float> dy, x, w;
  double eps = 0;
};

std::vector<float> backward(const Answer& answer, const Case& c) {
  const int D = int(c.w.size()), N = int(c.x.size()) / D;
  std::vector<float> rstd;
  for (int n = 0; n < N; ++n) rstd.push_back(float(measure(&c.x[std::size_t(n * D)], D, c.eps)));
  const float *dy = device_input("dy", c.dy), *x = device_input("x", c.x),
              *w = device_input("w", c.w), *r = device_input("rstd", rstd);
  DeviceOutput<>& dx = device_output("dx", c.x.size());
  answer.backward(dy, x, w, r, dx.data(), N, D);
  return dx.values();
}

// The formula, in double
void expect_backward(const Answer& answer, const Case& c, std::string_view what) {
  const int D = int(c.w.size()), N = int(c.x.size()) / D;
  std::vector<float> want(c.x.size());
  for (int n = 0; n < N; ++n) {
    const std::size_t row = std::size_t(n * D);
    const double r = measure(&c.x[row], D, c.eps);
    double along = 0;
    for (std::size_t d = 0; d < std::size_t(D); ++d) {
      along += double(c.dy[row + d]) * c.w[d] * c.x[row + d] * r / D;
    }
    for (std::size_t d = 0; d < std::size_t(D); ++d) {
      want[row + d] = float(r * (double(c.dy[row + d]) * c.w[d] - c.x[row + d] * r * along));
    }
  }
  expect_near(Values::matrix(backward(answer, c), N, D), Values::matrix(want, N, D), what);
}

Case random_case(unsigned seed, int N, int D, double eps) {
  const std::size_t n = std::size_t(N * D);
  Case c{random_floats(seed, n), random_floats(seed + 1, n),
         random_floats(seed + 2, std::size_t(D)), eps};
  // A gain of 1 and a share along the row, so that the mean is not small
  for (float& w : c.w) w = 1 + w / 4;
  for (std::size_t i = 0; i < n; ++i) c.dy[i] += 2 * c.x[i];
  return c;
}

}  // namespace

STEP("across the row") {
  // ⟨dy, x⟩ = 0: nothing to take off, r = ½
  expect_near(backward(answer, {{3, 3}, {2, -2}, {1, 1}}), std::vector<float>{1.5, 1.5},
              "x (2, -2), dy (3, 3) across it, gain 1, eps 0");
}

STEP("along the row") {
  expect_near(backward(answer, {{4, 0, 0, 0}, {2, 2, -2, 2}, {1, 1, 1, 1}}),
              std::vector<float>{1.5, -0.5, 0.5, -0.5},
              "x (2, 2, -2, 2), dy (4, 0, 0, 0), gain 1, eps 0");
}

STEP("the gain") {
  expect_near(backward(answer, {{3, 1}, {2, -2}, {1, 3}}), std::vector<float>{1.5, 1.5},
              "x (2, -2), dy (3, 1), gain (1, 3), eps 0");
}

STEP("a feature for every thread") {
  expect_backward(answer, random_case(1, 1, 128, 0.1), "a random row of 128, eps 0.1");
}

STEP("more features than threads") {
  expect_backward(answer, random_case(4, 1, 300, 0.1), "a random row of 300, eps 0.1");
}

STEP("many rows") {
  expect_backward(answer, random_case(7, 5, 200, 0.1), "5 random rows of 200, eps 0.1");
}

STEP("a longer row gives the same y") {
  // So, without an eps, no gradient points along it
  const Case c = random_case(10, 1, 150, 0);
  const std::vector<float> dx = backward(answer, c);
  double along = 0;
  for (std::size_t d = 0; d < dx.size(); ++d) along += double(dx[d]) * c.x[d];
  expect_near(along / 150, 0, "mean of dx · x, a random row of 150, eps 0", 2e-5);
}
