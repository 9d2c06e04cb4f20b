// For each form: where the slope is 0, ½ or 1, then at ±1, then how dy counts; at the end the slopes of
// the chapter's own forward.
#include "chapters/09_feedforward/activation.h"
#include "chapters/09_feedforward/exercises/gelu_backward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Row = Eigen::Array<double, 1, Eigen::Dynamic, Eigen::RowMajor>;
using Function = void (*)(RowIn<double> dy, RowIn<double> x, RowOut<double> dx);

Row row(std::initializer_list<double> values) {
  Row r(Index(values.size()));
  Index i = 0;
  for (const double v : values) r[i++] = v;
  return r;
}

const Row& gradient(Function backward, const Row& dys, const Row& xs) {
  const Row &dy = input("dy", dys), &x = input("x", xs);
  Row& dx = output<Row>(x.size());
  backward(dy, x, dx);
  return dx;
}

// The slope of ½x·(1 + tanh(u)) by hand
double tanh_slope(double x) {
  const double slope = std::sqrt(2 / std::numbers::pi),
               t = std::tanh(slope * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope * (1 + 3 * 0.044715 * x * x);
}

// Along a random direction: the answer's gradient beside the slope of the book's forward
void expect_slope(Function backward, Activation kind, std::string_view what) {
  Philox rng(91);
  const Mat<double> x = 1.5 * random_normal<double>(rng, 1, 40),
                    u = random_normal<double>(rng, 1, 40);
  const Mat<double> dx = gradient(backward, u.row(0).array(), x.row(0).array()).matrix();
  const GradientCheck checked = check_gradient(rng, x, dx, [&](const Mat<double>& moved) {
    Mat<double> y(1, 40);
    activation_forward<double>(kind, moved, y);
    return project(u, y);
  });
  expect_near(checked.analytic, checked.numeric, what, 1e-6);
}

}  // namespace

STEP("gelu: far from 0") {
  expect_near(gradient(answer.gelu, row({1, 1}), row({30, -30})), row({1, 0}),
              "slope of gelu at 30 and −30");
}

STEP("gelu: at 0") {
  expect_near(gradient(answer.gelu, row({1}), row({0})), row({0.5}), "slope of gelu at 0");
}

STEP("gelu: at 1 and −1") {
  // Φ(1) = 0.8413…, φ(1) = 0.2419…
  const double cdf = 0.84134474606854293, density = 0.24197072451914337;
  expect_near(gradient(answer.gelu, row({1, 1}), row({1, -1})),
              row({cdf + density, 1 - cdf - density}),
              "slope of gelu at 1 and −1, where Φ(1) = 0.8413 and φ(1) = 0.2420");
}

STEP("gelu: at 2") {
  const double cdf = 0.97724986805182079, density = 0.053990966513188063;
  expect_near(gradient(answer.gelu, row({1}), row({2})), row({cdf + 2 * density}),
              "slope of gelu at 2, where Φ(2) = 0.9772 and φ(2) = 0.0540");
}

STEP("gelu: dy") {
  expect_near(gradient(answer.gelu, row({3, -2, 0}), row({30, 0, 1})), row({3, -1, 0}),
              "dx for dy (3, −2, 0) at x = 30, 0, 1");
}

STEP("tanh: far from 0") {
  expect_near(gradient(answer.gelu_tanh, row({1, 1}), row({30, -30})), row({1, 0}),
              "slope of gelu_tanh at 30 and −30");
}

STEP("tanh: at 0") {
  expect_near(gradient(answer.gelu_tanh, row({1}), row({0})), row({0.5}),
              "slope of gelu_tanh at 0");
}

STEP("tanh: near 0") {
  // There t ≈ u ≈ √(2/π)·x, so the slope is ½ + √(2/π)·x
  const double x = 1e-4, slope = std::sqrt(2 / std::numbers::pi);
  expect_near(gradient(answer.gelu_tanh, row({1, 1}), row({x, -x})),
              row({0.5 + slope * x, 0.5 - slope * x}), "slope of gelu_tanh at 0.0001 and −0.0001");
}

STEP("tanh: at 1 and −2") {
  expect_near(gradient(answer.gelu_tanh, row({1, 1}), row({1, -2})),
              row({tanh_slope(1), tanh_slope(-2)}), "slope of gelu_tanh at 1 and −2");
}

STEP("tanh: dy") {
  expect_near(gradient(answer.gelu_tanh, row({3, -2, 0}), row({30, 0, 1})), row({3, -1, 0}),
              "dx for dy (3, −2, 0) at x = 30, 0, 1");
}

STEP("whole result") {
  Philox rng(92);
  const Row x = 2 * random_normal<double>(rng, 1, 50).row(0).array();
  const Row dy = random_normal<double>(rng, 1, 50).row(0).array();
  expect_near(gradient(answer.gelu, dy, x), gradient(reference.gelu, dy, x),
              "gelu: dx of 50 random numbers");
  expect_near(gradient(answer.gelu_tanh, dy, x), gradient(reference.gelu_tanh, dy, x),
              "gelu_tanh: dx of 50 random numbers");
}

STEP("gradient") {
  expect_slope(answer.gelu, Activation::gelu,
               "gelu: dx along a random direction, beside the slope of y");
  expect_slope(answer.gelu_tanh, Activation::gelu_tanh,
               "gelu_tanh: dx along a random direction, beside the slope of y");
}
