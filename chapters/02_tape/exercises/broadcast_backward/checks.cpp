// One mechanism a step: the sum, each feature for itself, what `write` asks, a fork; then random rows, and the slope.
#include "chapters/02_tape/exercises/broadcast_backward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

// More rows than features everywhere: a sum over the wrong axis gives numbers to look at, and other ones
Mat<double> matrix(std::initializer_list<std::initializer_list<double>> values) {
  Mat<double> m(Index(values.size()), Index(values.begin()->size()));
  Index i = 0;
  for (const auto& row : values) {
    Index j = 0;
    for (const double v : row) m(i, j++) = v;
    ++i;
  }
  return m;
}

// db after a call in which it started as `before`
Mat<double>& backward(const Answer& answer, const Mat<double>& dy_values, const Mat<double>& before,
                      Write write) {
  const Mat<double>& dy = input("dy", dy_values);
  Mat<double>& db = output<Mat<double>>(before.rows(), before.cols());
  db = before;
  answer.backward(dy, db, write);
  return db;
}

}  // namespace

STEP("one row") {
  expect_near(backward(answer, matrix({{5}}), matrix({{0}}), Write::set), matrix({{5}}),
              "db of a dy with the one number 5");
}

STEP("every row sends a gradient") {
  expect_near(
      backward(answer, matrix({{1, 2}, {10, 20}, {100, 200}}), matrix({{0, 0}}), Write::set),
      matrix({{111, 222}}), "db of dy rows (1, 2), (10, 20), (100, 200)");
}

STEP("set: nothing is left of before") {
  expect_near(backward(answer, matrix({{1, 2}, {10, 20}}), matrix({{7, 7}}), Write::set),
              matrix({{11, 22}}), "Write::set into db = (7, 7), dy rows (1, 2), (10, 20)");
}

STEP("add: another gradient is there") {
  expect_near(backward(answer, matrix({{1, 2}, {10, 20}}), matrix({{300, 400}}), Write::add),
              matrix({{311, 422}}), "Write::add to db = (300, 400), dy rows (1, 2), (10, 20)");
}

STEP("a fork: one row, used twice") {
  // y = x + b and z = w + b: the tape calls with set, then with add
  const Mat<double>& dy = input("dy", matrix({{1, 2}, {10, 20}}));
  const Mat<double>& dz = input("dz", matrix({{100, 200}, {1000, 2000}}));
  Mat<double>& db = output<Mat<double>>(1, 2);
  db.setConstant(7);
  answer.backward(dy, db, Write::set);
  answer.backward(dz, db, Write::add);
  expect_near(db, matrix({{1111, 2222}}),
              "b used in two sums, dy rows (1, 2), (10, 20), dz rows (100, 200), (1000, 2000)");
}

STEP("whole result") {
  Philox rng(23);
  const Mat<double> dy = random_normal<double>(rng, 9, 5),
                    before = random_normal<double>(rng, 1, 5);
  Mat<double> sum = Mat<double>::Zero(1, 5);
  for (Index n = 0; n < dy.rows(); ++n) {
    for (Index d = 0; d < dy.cols(); ++d) sum(0, d) += dy(n, d);
  }
  expect_near(backward(answer, dy, before, Write::set), sum, "Write::set, 9 random rows of 5");
  expect_near(backward(answer, dy, before, Write::add), before + sum,
              "Write::add, 9 random rows of 5");
}

STEP("gradient") {
  // L = ⟨u, x + b⟩: its slope along a random change of b
  Philox rng(24);
  const Mat<double> x = random_normal<double>(rng, 6, 4), b = random_normal<double>(rng, 1, 4);
  const Mat<double> u = random_normal<double>(rng, 6, 4);
  const Mat<double>& db = backward(answer, u, Mat<double>::Constant(1, 4, 7), Write::set);
  const GradientCheck check = check_gradient(
      rng, b, db, [&](const Mat<double>& row) { return project(u, x.rowwise() + row.row(0)); });
  expect_near(check.analytic, check.numeric, "the slope along a random change of b", 1e-6);
}
