// The left operand, the right one: by hand, then what `write` asks. Then other shapes, two forks, and the slope.
#include "chapters/02_tape/exercises/product_backward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

Mat<double> matrix(double a, double b, double c, double d) {
  Mat<double> m(2, 2);
  m << a, b, c, d;
  return m;
}

Mat<double> sevens() { return Mat<double>::Constant(2, 2, 7); }

// The gradient after a call in which it started as `before`
Mat<double>& left(const Answer& answer, const Mat<double>& dy_values, const Mat<double>& b_values,
                  const Mat<double>& before, Write write) {
  const Mat<double>& dy = input("dy", dy_values);
  const Mat<double>& b = input("b", b_values);
  Mat<double>& da = output<Mat<double>>(before.rows(), before.cols());
  da = before;
  answer.backward_a(dy, b, da, write);
  return da;
}

Mat<double>& right(const Answer& answer, const Mat<double>& a_values, const Mat<double>& dy_values,
                   const Mat<double>& before, Write write) {
  const Mat<double>& a = input("a", a_values);
  const Mat<double>& dy = input("dy", dy_values);
  Mat<double>& db = output<Mat<double>>(before.rows(), before.cols());
  db = before;
  answer.backward_b(a, dy, db, write);
  return db;
}

// Sizes that do not fit are one answer, whoever notices them
void expect_fits(const std::function<void()>& call, const char* what) {
  bool fits = true;
  try {
    call();
  } catch (const std::logic_error&) {
    fits = false;
  }
  expect_equal(fits ? "sizes that fit" : "sizes that do not fit", "sizes that fit", what);
}

}  // namespace

STEP("left operand") {
  expect_near(left(answer, matrix(1, 10, 100, 1000), matrix(1, 2, 3, 4), Mat<double>::Zero(2, 2),
                   Write::set),
              matrix(21, 43, 2100, 4300),
              "da of dy rows (1, 10), (100, 1000), b rows (1, 2), (3, 4)");
}

STEP("left: set") {
  expect_near(left(answer, matrix(1, 0, 0, 1), matrix(1, 2, 3, 4), sevens(), Write::set),
              matrix(1, 3, 2, 4),
              "Write::set into a da full of 7, dy rows (1, 0), (0, 1), b rows (1, 2), (3, 4)");
}

STEP("left: add") {
  expect_near(left(answer, matrix(1, 0, 0, 1), matrix(1, 2, 3, 4), sevens(), Write::add),
              matrix(8, 10, 9, 11),
              "Write::add to a da full of 7, dy rows (1, 0), (0, 1), b rows (1, 2), (3, 4)");
}

STEP("right operand") {
  expect_near(right(answer, matrix(1, 2, 3, 4), matrix(1, 10, 100, 1000), Mat<double>::Zero(2, 2),
                    Write::set),
              matrix(301, 3010, 402, 4020),
              "db of a rows (1, 2), (3, 4), dy rows (1, 10), (100, 1000)");
}

STEP("right: set") {
  expect_near(right(answer, matrix(1, 2, 3, 4), matrix(1, 0, 0, 1), sevens(), Write::set),
              matrix(1, 3, 2, 4),
              "Write::set into a db full of 7, a rows (1, 2), (3, 4), dy rows (1, 0), (0, 1)");
}

STEP("right: add") {
  expect_near(right(answer, matrix(1, 2, 3, 4), matrix(1, 0, 0, 1), sevens(), Write::add),
              matrix(8, 10, 9, 11),
              "Write::add to a db full of 7, a rows (1, 2), (3, 4), dy rows (1, 0), (0, 1)");
}

STEP("other shapes") {
  Philox rng(21);
  const Mat<double> a_values = random_normal<double>(rng, 4, 3);
  const Mat<double> b_values = random_normal<double>(rng, 3, 5);
  const Mat<double> dy_values = random_normal<double>(rng, 4, 5);
  const Mat<double>&a = input("a", a_values), &b = input("b", b_values),
        &dy = input("dy", dy_values);
  Mat<double>&da = output<Mat<double>>(4, 3), &db = output<Mat<double>>(3, 5);
  da.setZero();
  db.setZero();
  expect_fits([&] { answer.backward_a(dy, b, da, Write::set); },
              "da (4, 3) of dy (4, 5), b (3, 5)");
  expect_fits([&] { answer.backward_b(a, dy, db, Write::set); },
              "db (3, 5) of a (4, 3), dy (4, 5)");
  Mat<double> want_a = Mat<double>::Zero(4, 3), want_b = Mat<double>::Zero(3, 5);
  for (Index m = 0; m < 4; ++m) {
    for (Index k = 0; k < 3; ++k) {
      for (Index n = 0; n < 5; ++n) {
        want_a(m, k) += dy(m, n) * b(k, n);
        want_b(k, n) += a(m, k) * dy(m, n);
      }
    }
  }
  expect_near(da, want_a, "da (4, 3) of random dy (4, 5), b (3, 5)");
  expect_near(db, want_b, "db (3, 5) of random a (4, 3), dy (4, 5)");
}

STEP("a fork: both operands are the same") {
  // y = a·a: the tape calls for the left use with set, then for the right one with add
  const Mat<double>& a = input("a", matrix(1, 2, 3, 4));
  const Mat<double>& dy = input("dy", matrix(1, 10, 100, 1000));
  Mat<double>& da = output<Mat<double>>(2, 2);
  da = sevens();
  answer.backward_a(dy, a, da, Write::set);
  answer.backward_b(a, dy, da, Write::add);
  expect_near(da, matrix(21 + 301, 43 + 3010, 2100 + 402, 4300 + 4020),
              "the gradient of a in y = a·a, a rows (1, 2), (3, 4), dy rows (1, 10), (100, 1000)");
}

STEP("a fork: two products") {
  // L = ⟨u, a·b⟩ + ⟨v, a·c⟩: the slope of L along a random change of a
  Philox rng(22);
  const Mat<double> a_values = random_normal<double>(rng, 3, 3);
  const Mat<double>& a = input("a", a_values);
  const Mat<double>& b = input("b", random_normal<double>(rng, 3, 3));
  const Mat<double>& c = input("c", random_normal<double>(rng, 3, 3));
  const Mat<double>& u = input("u", random_normal<double>(rng, 3, 3));
  const Mat<double>& v = input("v", random_normal<double>(rng, 3, 3));
  Mat<double>& da = output<Mat<double>>(3, 3);
  da = Mat<double>::Constant(3, 3, 7);
  answer.backward_a(u, b, da, Write::set);
  answer.backward_a(v, c, da, Write::add);
  const GradientCheck left = check_gradient(
      rng, a, da, [&](const Mat<double>& x) { return project(u, x * b) + project(v, x * c); });
  expect_near(left.analytic, left.numeric, "a's slope where y = a·b and z = a·c", 1e-6);

  Mat<double>& db = output<Mat<double>>(3, 3);
  db = Mat<double>::Constant(3, 3, 7);
  answer.backward_b(a, u, db, Write::set);
  answer.backward_b(c, v, db, Write::add);
  const GradientCheck right = check_gradient(
      rng, b, db, [&](const Mat<double>& x) { return project(u, a * x) + project(v, c * x); });
  expect_near(right.analytic, right.numeric, "b's slope where y = a·b and z = c·b", 1e-6);
}
