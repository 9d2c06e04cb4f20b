// One mechanism a step: one row by hand, rows on their own, large scores of both signs, a masked score; then random rows.
#include <cmath>
#include <limits>

#include "chapters/01_tensor/random.h"
#include "chapters/05_softmax/exercises/forward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

Mat<double>& run(const Answer& answer, const Mat<double>& x) {
  Mat<double>& y = output<Mat<double>>(x.rows(), x.cols());
  answer.forward(x, y);
  return y;
}

Mat<double> rows(std::initializer_list<std::initializer_list<double>> values) {
  Mat<double> m(Index(values.size()), Index(values.begin()->size()));
  Index i = 0;
  for (const auto& row : values) {
    Index j = 0;
    for (const double v : row) m(i, j++) = v;
    ++i;
  }
  return m;
}

}  // namespace

STEP("equal scores") {
  expect_near(run(answer, input("x", rows({{2, 2, 2, 2}}))), rows({{0.25, 0.25, 0.25, 0.25}}),
              "row (2, 2, 2, 2)");
}

STEP("one row by hand") {
  const double a = std::log(3.0);
  expect_near(run(answer, input("x", rows({{0, a, 2 * a}}))),
              rows({{1.0 / 13, 3.0 / 13, 9.0 / 13}}),
              "row (0, log 3, log 9), whose exponentials are 1, 3, 9");
}

STEP("each row for itself") {
  const double a = std::log(3.0);
  expect_near(run(answer, input("x", rows({{a, 0}, {0, 0}, {-a, a}}))),
              rows({{0.75, 0.25}, {0.5, 0.5}, {0.1, 0.9}}),
              "rows (log 3, 0), (0, 0), (-log 3, log 3)");
}

STEP("large scores") {
  const double p = 1 / (1 + std::exp(-1.0));
  expect_near(run(answer, input("x", rows({{1000, 999}}))), rows({{p, 1 - p}}), "row (1000, 999)");
}

STEP("large negative scores") {
  const double p = 1 / (1 + std::exp(-1.0));
  expect_near(run(answer, input("x", rows({{-1000, -999}}))), rows({{1 - p, p}}),
              "row (-1000, -999)");
}

STEP("scores far apart") {
  expect_near(run(answer, input("x", rows({{1000, -1000}}))), rows({{1, 0}}), "row (1000, -1000)");
  expect_near(run(answer, input("x", rows({{1000, 1000}, {-1000, -1000}}))),
              rows({{0.5, 0.5}, {0.5, 0.5}}), "rows (1000, 1000) and (-1000, -1000)");
  expect_near(run(answer, input("x", rows({{-1000, -1000}, {1000, 1000}}))),
              rows({{0.5, 0.5}, {0.5, 0.5}}), "rows (-1000, -1000) and (1000, 1000)");
}

STEP("a masked score") {
  const double hidden = -std::numeric_limits<double>::infinity();
  expect_near(run(answer, input("x", rows({{0, hidden, std::log(3.0)}}))), rows({{0.25, 0, 0.75}}),
              "row (0, -inf, log 3)");
}

STEP("whole result") {
  Philox rng(51);
  const Mat<double>& x = input("x", Mat<double>(3 * random_normal<double>(rng, 6, 21)));
  expect_near(run(answer, x), run(reference, x), "6 random rows of 21");
}

STEP("only differences matter") {
  Philox rng(52);
  const Mat<double>& x = input("x", random_normal<double>(rng, 3, 8));
  const Mat<double>& shifted = input("x + 5", Mat<double>(x.array() + 5));
  expect_near(run(answer, shifted), run(answer, x), "x + 5 beside x");
}

STEP("a result that does not fit") {
  const Mat<double>& x = input("x", rows({{1, 2, 3}}));
  Mat<double>& y = output<Mat<double>>(1, 2);
  expect_throws<ShapeError>([&] { answer.forward(x, y); },
                            "3 scores and room for 2 must throw ShapeError");
}
