// Chapter 14: the GLU family and the 8/3 rule.
#include "chapters/14_swiglu/glu.h"

#include <limits>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/02_tape/ops.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

constexpr Gate kAll[] = {Gate::glu, Gate::bilinear, Gate::reglu, Gate::geglu, Gate::swiglu};

template <Real T>
Mat<T> gated_of(Gate kind, const Mat<T>& gate, const Mat<T>& value) {
  Mat<T> y(gate.rows(), gate.cols());
  glu_forward<T>(kind, gate, value, y);
  return y;
}

}  // namespace

TEST_CASE("gates of two numbers worked out by hand", "[ch14]") {
  Mat<double> gate(1, 2), value(1, 2);
  gate << -1, 2;
  value << 3, 10;
  const auto check = [&](Gate kind, double a, double b) {
    const Mat<double> y = gated_of(kind, gate, value);
    CHECK(std::abs(y(0, 0) - a) <= 1e-12);
    CHECK(std::abs(y(0, 1) - b) <= 1e-12);
  };
  const double low = 1 / (1 + std::exp(1.0)), high = 1 / (1 + std::exp(-2.0));  // σ(−1), σ(2)
  check(Gate::glu, 3 * low, 10 * high);
  check(Gate::bilinear, -3, 20);
  check(Gate::reglu, 0, 20);
  check(Gate::geglu, -3 * 0.158655253931457, 20 * 0.977249868051821);  // Φ(−1), Φ(2)
  check(Gate::swiglu, -3 * low, 20 * high);
}

TEST_CASE("every gate's backward is the transpose of its derivative", "[ch14][grad]") {
  const Gate kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  const int F = GENERATE(1, 7, 64);
  CAPTURE(int(kind), F);
  Philox rng(14, std::uint64_t(F));
  const Mat<double> gate = random_normal<double>(rng, 3, F, 2.0);
  const Mat<double> value = random_normal<double>(rng, 3, F), u = random_normal<double>(rng, 3, F);

  Tape<double> tape;
  const Var<double> vg = tape.variable(gate, "gate"), vv = tape.variable(value, "value");
  tape.backward_from(gated(kind, vg, vv), u);
  CHECK(check_gradient(
            rng, gate, vg.grad(),
            [&](const Mat<double>& at) { return project(u, gated_of(kind, at, value)); }, 1e-5)
            .agrees());
  CHECK(check_gradient(rng, value, vv.grad(), [&](const Mat<double>& at) {
          return project(u, gated_of(kind, gate, at));
        }).agrees());
}

TEST_CASE("gate and value may be columns of one matrix", "[ch14][grad]") {
  const Gate kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  CAPTURE(int(kind));
  Philox rng(15);
  const Mat<double> both = random_normal<double>(rng, 4, 10), u = random_normal<double>(rng, 4, 5);
  const auto forward = [&](const Mat<double>& at) {
    return gated_of<double>(kind, at.leftCols(5), at.rightCols(5));
  };

  Tape<double> tape;
  const Var<double> x = tape.variable(both, "both");
  const auto [gate, value] = split<double, 2>(x, {5, 5}, {"gate", "value"});
  const Var<double> y = gated(kind, gate, value);
  CHECK((y.value() - forward(both)).norm() <= 1e-14);
  tape.backward_from(y, u);
  CHECK(
      check_gradient(
          rng, both, x.grad(), [&](const Mat<double>& at) { return project(u, forward(at)); }, 1e-5)
          .agrees());
}

TEST_CASE("a value may gate itself", "[ch14][grad]") {
  Philox rng(16);
  const Mat<double> x = random_normal<double>(rng, 2, 5), u = random_normal<double>(rng, 2, 5);
  Tape<double> tape;
  const Var<double> vx = tape.variable(x, "x");
  tape.backward_from(gated(Gate::bilinear, vx, vx), u);
  CHECK((vx.grad() - 2 * u.cwiseProduct(x)).norm() <= 1e-14);  // y = x²
}

TEST_CASE("a gated layer is linear in its value", "[ch14]") {
  const Gate kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  Philox rng(17);
  const Mat<double> gate = random_normal<double>(rng, 3, 9), a = random_normal<double>(rng, 3, 9),
                    b = random_normal<double>(rng, 3, 9);
  const Mat<double> sum = gated_of<double>(kind, gate, a) + gated_of<double>(kind, gate, b);
  CHECK((gated_of<double>(kind, gate, a + b) - sum).norm() <= 1e-13);
}

TEST_CASE("float gates follow the oracle, forwards and backwards", "[ch14]") {
  const Gate kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  CAPTURE(int(kind));
  Philox rng(18);
  const Mat<float> gate = random_normal<float>(rng, 4, 43, 4.0f);
  const Mat<float> value = random_normal<float>(rng, 4, 43), dy = random_normal<float>(rng, 4, 43);
  Mat<float> dgate(4, 43), dvalue(4, 43);
  Mat<double> dgate_d(4, 43), dvalue_d(4, 43);
  const Mat<double> gate_d = gate.cast<double>(), value_d = value.cast<double>();
  glu_backward<float>(kind, dy, gate, value, dgate, dvalue);
  glu_backward<double>(kind, dy.cast<double>(), gate_d, value_d, dgate_d, dvalue_d);
  const Mat<double> y = gated_of(kind, gate, value).cast<double>();
  CHECK((y - gated_of(kind, gate_d, value_d)).cwiseAbs().maxCoeff() <= 1e-5);
  CHECK((dgate.cast<double>() - dgate_d).cwiseAbs().maxCoeff() <= 2e-5);
  CHECK((dvalue.cast<double>() - dvalue_d).cwiseAbs().maxCoeff() <= 2e-5);
}

TEMPLATE_TEST_CASE("a NaN does not get lost in a gate", "[ch14]", float, double) {
  using T = TestType;
  const Gate kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  const Index at = GENERATE(0, 5, 16);
  CAPTURE(int(kind), at);
  Mat<T> bad = Mat<T>::Ones(1, 17);
  const Mat<T> good = Mat<T>::Ones(1, 17);
  bad(0, at) = std::numeric_limits<T>::quiet_NaN();
  CHECK(std::isnan(gated_of(kind, bad, good)(0, at)));
  CHECK(std::isnan(gated_of(kind, good, bad)(0, at)));
}

TEST_CASE("a gate refuses a value of another shape", "[ch14]") {
  const Mat<double> a = Mat<double>::Zero(2, 3), b = Mat<double>::Zero(2, 4);
  CHECK_THROWS_AS(gated_of(Gate::swiglu, a, b), ShapeError);
  Tape<double> tape;
  const Var<double> va = tape.variable(a, "a"), vb = tape.variable(b, "b");
  CHECK_THROWS_AS(gated(Gate::swiglu, va, vb), ShapeError);
}

TEST_CASE("the 8/3 rule keeps the number of weights", "[ch14]") {
  CHECK(gated_width(128) == 344);          // 341⅓, rounded up to a multiple of 8
  CHECK(gated_width(4096, 256) == 11008);  // Llama's 7B model
  CHECK(gated_width(768, 1) == 2048);      // exact
  CHECK(gated_width(1, 1) == 3);
  const Index D = 1536;
  CHECK(3 * D * gated_width(D, 1) == 2 * D * 4 * D);
  CHECK_THROWS_AS(gated_width(0), ShapeError);
  CHECK_THROWS_AS(gated_width(8, 0), ShapeError);
}
