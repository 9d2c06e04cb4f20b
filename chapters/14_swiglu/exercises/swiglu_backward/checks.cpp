// One mechanism a step: the value's gradient; the gate's where the slope is ½, where it is 1, between; then everything.
#include "chapters/14_swiglu/exercises/swiglu_backward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Row = Eigen::Array<double, 1, Eigen::Dynamic, Eigen::RowMajor>;

struct Result {
  Row& dgate;
  Row& dvalue;
};

Row row(std::initializer_list<double> values) {
  Row r(Index(values.size()));
  std::copy(values.begin(), values.end(), r.data());
  return r;
}

Row random_row(Philox& rng, Index n, double scale = 1) {
  return random_normal<double>(rng, 1, n, scale).row(0).array();
}

Result run(const Answer& answer, const Row& dy, const Row& gate, const Row& value) {
  const Result r{output<Row>(gate.size()), output<Row>(gate.size())};
  answer.backward(input("dy", dy), input("gate", gate), input("value", value), r.dgate, r.dvalue);
  return r;
}

double forward(const Row& gate, const Row& value, const Row& u) {
  return (u * value * gate / (1 + (-gate).exp())).sum();
}

const double kLn3 = std::log(3.0);  // σ(ln 3) = ¾, σ(−ln 3) = ¼

}  // namespace

STEP("dvalue") {
  expect_near(run(answer, row({1, 4}), row({kLn3, -kLn3}), row({5, 7})).dvalue,
              row({0.75 * kLn3, -kLn3}),
              "dvalue for gate (ln 3, -ln 3), where σ is (3/4, 1/4), value (5, 7), dy (1, 4)");
}

STEP("dgate of a gate at 0") {
  expect_near(run(answer, row({1, 2}), row({0, 0}), row({10, 30})).dgate, row({5, 30}),
              "dgate for gate (0, 0), where SiLU's slope is 1/2, value (10, 30), dy (1, 2)");
}

STEP("dgate of an open gate") {
  expect_near(run(answer, row({1, 2}), row({40, 50}), row({10, 30})).dgate, row({10, 60}),
              "dgate for gate (40, 50), where SiLU's slope is 1, value (10, 30), dy (1, 2)");
}

STEP("dgate between") {
  expect_near(run(answer, row({1, 1}), row({kLn3, -kLn3}), row({16, 16})).dgate,
              row({12 + 3 * kLn3, 4 - 3 * kLn3}),
              "dgate for gate (ln 3, -ln 3), where σ is (3/4, 1/4), value (16, 16), dy (1, 1)");
}

STEP("whole result") {
  Philox rng(14);
  for (const Index F : {1, 33}) {
    const Row dy = random_row(rng, F), gate = random_row(rng, F, 2), value = random_row(rng, F);
    const Result r = run(answer, dy, gate, value), book = run(reference, dy, gate, value);
    const std::string what = " of a random row of " + std::to_string(F);
    expect_near(r.dvalue, book.dvalue, "dvalue" + what);
    expect_near(r.dgate, book.dgate, "dgate" + what);
  }
}

STEP("the slope of the forward") {
  // Along a random direction v: ⟨dgate, v⟩ beside the change of ⟨u, y⟩ as the gate moves along v
  Philox rng(15);
  const Row u = random_row(rng, 9), gate = random_row(rng, 9), value = random_row(rng, 9);
  const Result r = run(answer, u, gate, value);
  const GradientCheck to_gate =
      check_gradient(rng, gate.matrix(), r.dgate.matrix(),
                     [&](const Mat<double>& at) { return forward(at.array(), value, u); });
  expect_near(to_gate.analytic, to_gate.numeric, "slope along a direction of gate: ⟨dgate, v⟩",
              1e-6);
  const GradientCheck to_value =
      check_gradient(rng, value.matrix(), r.dvalue.matrix(),
                     [&](const Mat<double>& at) { return forward(gate, at.array(), u); });
  expect_near(to_value.analytic, to_value.numeric, "slope along a direction of value: ⟨dvalue, v⟩",
              1e-6);
}

STEP("far out") {
  const Result r = run(answer, row({1, 1}), row({1000, -1000}), row({2, 3}));
  expect_near(r.dvalue, row({1000, 0}), "dvalue for gate (1000, -1000), value (2, 3), dy (1, 1)");
  expect_near(r.dgate, row({2, 0}), "dgate for gate (1000, -1000), value (2, 3), dy (1, 1)");
}
