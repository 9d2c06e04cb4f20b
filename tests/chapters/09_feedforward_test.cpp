// Chapter 09: the activations.
#include "chapters/09_feedforward/activation.h"

#include <limits>

#include "chapters/01_tensor/gradient_check.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

constexpr Activation kAll[] = {Activation::relu, Activation::gelu, Activation::gelu_tanh,
                               Activation::swish, Activation::solu};

template <Real T>
Mat<T> activation_of(Activation kind, const Mat<T>& x) {
  Mat<T> y(x.rows(), x.cols());
  activation_forward<T>(kind, x, y);
  return y;
}

}  // namespace

TEST_CASE("activations of three numbers worked out by hand", "[ch09]") {
  Mat<double> x(1, 3);
  x << -1, 0, 2;
  const auto check = [&](Activation kind, double a, double b, double c) {
    const Mat<double> y = activation_of(kind, x);
    CHECK(std::abs(y(0, 0) - a) <= 1e-12);
    CHECK(std::abs(y(0, 1) - b) <= 1e-12);
    CHECK(std::abs(y(0, 2) - c) <= 1e-12);
  };
  check(Activation::relu, 0, 0, 2);
  // Φ(−1) = 0.158655253931457, Φ(2) = 0.977249868051821, from a table
  check(Activation::gelu, -0.158655253931457, 0, 2 * 0.977249868051821);
  // √(2/π)·(1 + 0.044715) = 0.833562161… and √(2/π)·(2 + 8·0.044715) = 1.881192…
  const double slope = std::sqrt(2 / 3.14159265358979323846);
  check(Activation::gelu_tanh, -0.5 * (1 - std::tanh(slope * 1.044715)), 0,
        1 + std::tanh(slope * 2.35772));
  check(Activation::swish, -1 / (1 + std::exp(1.0)), 0, 2 / (1 + std::exp(-2.0)));
  const double sum = std::exp(-1.0) + 1 + std::exp(2.0);
  check(Activation::solu, -std::exp(-1.0) / sum, 0, 2 * std::exp(2.0) / sum);
}

TEST_CASE("every activation's backward is the transpose of its derivative", "[ch09][grad]") {
  const Activation kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  const int F = GENERATE(1, 7, 64);
  CAPTURE(int(kind), F);
  Philox rng(9, std::uint64_t(F));
  const Mat<double> x = random_normal<double>(rng, 3, F, 2.0), u = random_normal<double>(rng, 3, F);

  Tape<double> tape;
  const Var<double> vx = tape.variable(x, "x");
  tape.backward_from(activation(kind, vx), u);
  CHECK(check_gradient(
            rng, x, vx.grad(),
            [&](const Mat<double>& at) { return project(u, activation_of(kind, at)); }, 1e-5)
            .agrees());
}

TEST_CASE("gelu and swish have the symmetry f(x) − f(−x) = x", "[ch09]") {
  const Activation kind =
      GENERATE(Activation::relu, Activation::gelu, Activation::gelu_tanh, Activation::swish);
  CAPTURE(int(kind));
  Philox rng(10);
  const Mat<double> x = random_normal<double>(rng, 4, 9, 3.0);
  CHECK((activation_of<double>(kind, x) - activation_of<double>(kind, -x) - x).norm() <= 1e-13);
}

TEST_CASE("the tanh form stays within 5e-4 of gelu, and is not gelu", "[ch09]") {
  Mat<double> x(1, 1001);
  for (Index i = 0; i < 1001; ++i) x(0, i) = -5 + 0.01 * double(i);
  const Mat<double> difference =
      activation_of(Activation::gelu_tanh, x) - activation_of(Activation::gelu, x);
  const double largest = difference.cwiseAbs().maxCoeff();
  CHECK(largest <= 5e-4);
  CHECK(largest >= 1e-4);
}

TEST_CASE("solu passes the largest feature of a row that is sure", "[ch09]") {
  Mat<double> x(1, 4);
  x << 1, 60, 2, 3;
  const Mat<double> y = activation_of(Activation::solu, x);
  CHECK(std::abs(y(0, 1) - 60) <= 1e-12);
  CHECK(std::abs(y(0, 3)) <= 1e-12);
}

TEST_CASE("float activations follow the oracle, forwards and backwards", "[ch09]") {
  const Activation kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  CAPTURE(int(kind));
  Philox rng(11);
  const Mat<float> x = random_normal<float>(rng, 5, 37, 4.0f),
                   dy = random_normal<float>(rng, 5, 37);
  const Mat<double> xd = x.cast<double>(), dyd = dy.cast<double>();
  const Mat<float> y = activation_of(kind, x);
  const Mat<double> yd = activation_of(kind, xd);
  Mat<float> dx(5, 37);
  Mat<double> dxd(5, 37);
  activation_backward<float>(kind, dy, x, y, dx);
  activation_backward<double>(kind, dyd, xd, yd, dxd);
  CHECK((y.cast<double>() - yd).cwiseAbs().maxCoeff() <= 5e-6);
  CHECK((dx.cast<double>() - dxd).cwiseAbs().maxCoeff() <= 2e-5);
}

TEMPLATE_TEST_CASE("a NaN does not get lost in an activation", "[ch09]", float, double) {
  using T = TestType;
  const Activation kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  const Index at = GENERATE(0, 5, 16);
  CAPTURE(int(kind), at);
  Mat<T> x = Mat<T>::Ones(1, 17);
  x(0, at) = std::numeric_limits<T>::quiet_NaN();
  CHECK(std::isnan(activation_of(kind, x)(0, at)));
}

TEST_CASE("an activation refuses an output of another shape", "[ch09]") {
  const Activation kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  const Mat<double> x = Mat<double>::Zero(2, 3);
  Mat<double> y(2, 4), dx(2, 3);
  CHECK_THROWS_AS(activation_forward<double>(kind, x, y), ShapeError);
  CHECK_THROWS_AS(activation_backward<double>(kind, y, x, x, dx), ShapeError);
  CHECK_THROWS_AS(activation_backward<double>(kind, x, x, y, dx), ShapeError);
  CHECK_THROWS_AS(activation_backward<double>(kind, x, x, x, y), ShapeError);
}

TEST_CASE("a plain hidden layer is four times as wide as the model", "[ch09]") {
  CHECK(feedforward_width(128) == 512);
}
