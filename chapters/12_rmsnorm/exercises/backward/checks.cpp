// One mechanism a step: the gain, over one row and two; across the row, along it; the gain in dx; the eps; then everything.
#include "chapters/12_rmsnorm/exercises/backward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

struct Result {
  Mat<double>& dx;
  RowVec<double>& dw;
};

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

RowVec<double> gain(std::initializer_list<double> values) { return rows({values}).row(0); }

// What the forward leaves for backward: r of each row
ColVec<double> measure(const Mat<double>& x, double eps) {
  return (x.array().square().rowwise().mean() + eps).rsqrt().matrix();
}

Result run(const Answer& answer, const Mat<double>& dy, const Mat<double>& x,
           const RowVec<double>& w, double eps) {
  const Result r{output<Mat<double>>(x.rows(), x.cols()), output<RowVec<double>>(x.cols())};
  answer.backward(input("dy", dy), input("x", x), input("w", w), input("rstd", measure(x, eps)),
                  r.dx, r.dw);
  return r;
}

Mat<double> forward(const Mat<double>& x, const RowVec<double>& w, double eps) {
  Mat<double> y(x.rows(), x.cols());
  ColVec<double> rstd(x.rows());
  rmsnorm_forward<double>(x, w, {.eps = eps}, y, rstd);
  return y;
}

}  // namespace

STEP("dw of one row") {
  // x̂ = (1, -1)
  expect_near(run(answer, rows({{1, 3}}), rows({{2, -2}}), gain({5, 7}), 0).dw, gain({1, -3}),
              "dw for x (2, -2), dy (1, 3), w (5, 7), eps 0");
}

STEP("dw of two rows") {
  const Result r = run(answer, rows({{1, 3}, {2, 1}}), rows({{2, -2}, {4, 4}}), gain({5, 7}), 0);
  expect_near(r.dw, gain({3, -2}), "dw for rows x (2, -2), (4, 4), dy (1, 3), (2, 1), eps 0");
}

STEP("across the row") {
  // ⟨dy, x⟩ = 0: nothing to take off
  expect_near(run(answer, rows({{3, 3}}), rows({{2, -2}}), gain({1, 1}), 0).dx, rows({{1.5, 1.5}}),
              "dx for x (2, -2), dy (3, 3) across it, gain 1, eps 0");
}

STEP("along the row") {
  // A longer row gives the same y
  expect_near(run(answer, rows({{3, -3}}), rows({{2, -2}}), gain({1, 1}), 0).dx, rows({{0, 0}}),
              "dx for x (2, -2), dy (3, -3) along it, gain 1, eps 0");
  expect_near(run(answer, rows({{4, 0, 0, 0}}), rows({{2, 2, -2, 2}}), gain({1, 1, 1, 1}), 0).dx,
              rows({{1.5, -0.5, 0.5, -0.5}}),
              "dx for x (2, 2, -2, 2), dy (4, 0, 0, 0), gain 1, eps 0");
}

STEP("the gain in dx") {
  expect_near(run(answer, rows({{3, 1}}), rows({{2, -2}}), gain({1, 3}), 0).dx, rows({{1.5, 1.5}}),
              "dx for x (2, -2), dy (3, 1), gain (1, 3), eps 0");
}

STEP("eps") {
  // r² = 2/3: with an eps, a longer row does give a longer y, a little
  const double r = 1 / std::sqrt(1.5);
  expect_near(run(answer, rows({{3, -3}}), rows({{1, -1}}), gain({1, 1}), 0.5).dx, rows({{r, -r}}),
              "dx for x (1, -1), dy (3, -3) along it, gain 1, eps 0.5");
}

STEP("whole result") {
  Philox rng(12);
  const Mat<double> x = random_normal<double>(rng, 7, 24), dy = random_normal<double>(rng, 7, 24);
  const RowVec<double> w = random_normal<double>(rng, 1, 24).row(0);
  const Result r = run(answer, dy, x, w, 0.1), book = run(reference, dy, x, w, 0.1);
  expect_near(r.dx, book.dx, "dx of 7 random rows of 24");
  expect_near(r.dw, book.dw, "dw of 7 random rows of 24");
}

STEP("the slope of the forward") {
  // Along a random direction v: ⟨dx, v⟩ beside the change of ⟨u, y⟩ as x moves along v; the same for w
  Philox rng(13);
  const Mat<double> x = random_normal<double>(rng, 5, 8), u = random_normal<double>(rng, 5, 8);
  const Mat<double> w = random_normal<double>(rng, 1, 8);
  const Result r = run(answer, u, x, w.row(0), 0.3);
  const GradientCheck to_x = check_gradient(
      rng, x, r.dx, [&](const Mat<double>& at) { return project(u, forward(at, w.row(0), 0.3)); });
  expect_near(to_x.analytic, to_x.numeric, "slope along a direction of x: ⟨dx, v⟩", 1e-6);
  const GradientCheck to_w = check_gradient(
      rng, w, r.dw, [&](const Mat<double>& at) { return project(u, forward(x, at.row(0), 0.3)); });
  expect_near(to_w.analytic, to_w.numeric, "slope along a direction of w: ⟨dw, v⟩", 1e-6);
}
