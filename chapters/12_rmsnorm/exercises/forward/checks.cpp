// One mechanism a step: the measure, the mean, the eps, the gain, what backward needs; then everything at once.
#include "chapters/12_rmsnorm/exercises/forward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

struct Result {
  Mat<double>& y;
  ColVec<double>& rstd;
};

Result run(const Answer& answer, const Mat<double>& x, const RowVec<double>& w, double eps) {
  const Result r{output<Mat<double>>(x.rows(), x.cols()), output<ColVec<double>>(x.rows())};
  answer.forward(x, w, {.eps = eps}, r.y, r.rstd);
  return r;
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

RowVec<double> ones(Index n) { return RowVec<double>::Ones(n); }

}  // namespace

STEP("rms 1") {
  // (1, -1, 1, -1) has root-mean-square 1: it stays; (2, -2, 2, -2) is halved
  const Mat<double>& x = input("x", rows({{1, -1, 1, -1}, {2, -2, 2, -2}}));
  expect_near(run(answer, x, input("w", ones(4)), 0).y, rows({{1, -1, 1, -1}, {1, -1, 1, -1}}),
              "rows (1, -1, 1, -1) and (2, -2, 2, -2), gain 1, eps 0");
}

STEP("the mean stays") {
  const Mat<double>& x = input("x", rows({{3, 3, 3, 3}, {1, 2, 3, 4}}));
  const double r = 1 / std::sqrt(7.5);
  expect_near(run(answer, x, input("w", ones(4)), 0).y,
              rows({{1, 1, 1, 1}, {r, 2 * r, 3 * r, 4 * r}}),
              "rows (3, 3, 3, 3) and (1, 2, 3, 4), gain 1, eps 0");
}

STEP("eps") {
  // Large on purpose: with 1e-5 a misplaced eps would hardly show
  const Mat<double>& x = input("x", rows({{1, -1}, {0, 0}}));
  const double r = 1 / std::sqrt(1.5);
  expect_near(run(answer, x, input("w", ones(2)), 0.5).y, rows({{r, -r}, {0, 0}}),
              "rows (1, -1) and (0, 0), gain 1, eps 0.5");
}

STEP("gain") {
  const Mat<double>& x = input("x", rows({{1, -1, 1, -1}}));
  const RowVec<double>& w = input("w", RowVec<double>(rows({{1, 2, 3, -4}}).row(0)));
  expect_near(run(answer, x, w, 0).y, rows({{1, -2, 3, 4}}),
              "row (1, -1, 1, -1), gain (1, 2, 3, -4)");
}

STEP("what backward needs") {
  const Mat<double>& x = input("x", rows({{2, -2}, {0, 0}}));
  const Result r = run(answer, x, input("w", ones(2)), 0.25);
  expect_near(r.rstd, Eigen::Vector2d(1 / std::sqrt(4.25), 2),
              "rstd of rows (2, -2) and (0, 0), eps 0.25");
}

STEP("whole result") {
  Philox rng(12);
  const Mat<double>& x = input("x", random_normal<double>(rng, 7, 24));
  const RowVec<double>& w = input("w", RowVec<double>(random_normal<double>(rng, 1, 24).row(0)));
  const Result r = run(answer, x, w, 0.1), book = run(reference, x, w, 0.1);
  expect_near(r.y, book.y, "y of 7 random rows of 24");
  expect_near(r.rstd, book.rstd, "rstd of 7 random rows of 24");
}

STEP("a row's scale does not matter") {
  Philox rng(13);
  const Mat<double>& x = input("x", random_normal<double>(rng, 3, 16));
  const Mat<double>& tenfold = input("10·x", Mat<double>(10 * x));
  const RowVec<double>& w = input("w", ones(16));
  expect_near(run(answer, tenfold, w, 0).y, run(answer, x, w, 0).y, "10·x beside x, eps 0");
}

STEP("a gain that does not fit") {
  const Mat<double>& x = input("x", rows({{1, 2, 3}}));
  expect_throws<ShapeError>([&] { run(answer, x, input("w", ones(2)), 0); },
                            "a gain of 2 for rows of 3 must throw ShapeError");
}
