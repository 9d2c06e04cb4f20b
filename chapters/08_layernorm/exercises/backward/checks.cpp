// First the measures; then backward's parts, each where the others do nothing; then all at once.
#include "chapters/08_layernorm/exercises/backward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

struct Forward {
  Mat<double>& y;
  ColVec<double>& mean;
  ColVec<double>& rstd;
};

Forward forward(const Answer& answer, const Mat<double>& x, const RowVec<double>& w,
                const RowVec<double>& b, double eps) {
  const Forward f{output<Mat<double>>(x.rows(), x.cols()), output<ColVec<double>>(x.rows()),
                  output<ColVec<double>>(x.rows())};
  answer.forward(x, w, b, {.eps = eps}, f.y, f.mean, f.rstd);
  return f;
}

struct Backward {
  Mat<double>& dx;
  RowVec<double>& dw;
  RowVec<double>& db;
};

Backward backward(const Answer& answer, const Mat<double>& dy, const Mat<double>& x,
                  const RowVec<double>& w, const ColVec<double>& mean, const ColVec<double>& rstd,
                  Index biases) {
  const Backward g{output<Mat<double>>(x.rows(), x.cols()), output<RowVec<double>>(w.size()),
                   output<RowVec<double>>(biases)};
  answer.backward(dy, x, w, mean, rstd, g.dx, g.dw, g.db);
  return g;
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

RowVec<double> row(std::initializer_list<double> values) { return rows({values}).row(0); }
RowVec<double> ones(Index n) { return RowVec<double>::Ones(n); }
RowVec<double> random_row(Philox& rng, Index n) { return random_normal<double>(rng, 1, n).row(0); }

}  // namespace

STEP("the mean of a row") {
  const Mat<double>& x = input("x", rows({{1, 3, 1, 3}, {-5, -5, 5, -7}}));
  expect_near(forward(answer, x, input("w", ones(4)), {}, 0).mean, Eigen::Vector2d(2, -3),
              "mean of rows (1, 3, 1, 3) and (-5, -5, 5, -7)");
}

STEP("the variance of a row") {
  // 1 around a mean of 2, and 22 around a mean of −3: divided by D = 4
  const Mat<double>& x = input("x", rows({{1, 3, 1, 3}, {-5, -5, 5, -7}}));
  const Forward f = forward(answer, x, input("w", ones(4)), {}, 0);
  expect_near(f.rstd, Eigen::Vector2d(1, 1 / std::sqrt(22.0)),
              "rstd of rows (1, 3, 1, 3) and (-5, -5, 5, -7), eps 0");
}

STEP("eps") {
  // Large on purpose: with 1e-5 a misplaced eps would hardly show
  const Mat<double>& x = input("x", rows({{1, 5}, {7, 7}}));
  expect_near(forward(answer, x, input("w", ones(2)), {}, 0.25).rstd,
              Eigen::Vector2d(1 / std::sqrt(4.25), 2),
              "rstd of rows (1, 5) and (7, 7), whose variances are 4 and 0, eps 0.25");
}

STEP("the whole forward") {
  Philox rng(80);
  const Mat<double>& x = input("x", Mat<double>(random_normal<double>(rng, 5, 12).array() + 0.7));
  const RowVec<double>&w = input("w", random_row(rng, 12)), &b = input("b", random_row(rng, 12));
  expect_near(forward(answer, x, w, b, 0.1).y, forward(reference, x, w, b, 0.1).y,
              "y of 5 random rows of 12");
}

// Backward is given its measures, so a wrong forward does not reach it

STEP("gradient of the bias") {
  const Mat<double>& dy = input("dy", rows({{1, 2, 3}, {10, 20, 30}}));
  const Mat<double>& x = input("x", rows({{0, 3, 0}, {2, 2, 5}}));
  const ColVec<double>&mean = input("mean", ColVec<double>(Eigen::Vector2d(1, 3))),
        &rstd = input("rstd", ColVec<double>(Eigen::Vector2d(0.5, 2)));
  expect_near(backward(answer, dy, x, input("w", ones(3)), mean, rstd, 3).db, row({11, 22, 33}),
              "db for rows of dy (1, 2, 3) and (10, 20, 30)");
}

STEP("gradient of the gain") {
  // x̂ is (−½, 1, −½) and (−2, −2, 4)
  const Mat<double>& dy = input("dy", rows({{1, 2, 3}, {10, 20, 30}}));
  const Mat<double>& x = input("x", rows({{0, 3, 0}, {2, 2, 5}}));
  const RowVec<double>& w = input("w", row({2, -1, 3}));
  const ColVec<double>&mean = input("mean", ColVec<double>(Eigen::Vector2d(1, 3))),
        &rstd = input("rstd", ColVec<double>(Eigen::Vector2d(0.5, 2)));
  expect_near(backward(answer, dy, x, w, mean, rstd, 3).dw, row({-20.5, -38, 118.5}),
              "dw for two rows, means 1 and 3, rstd 0.5 and 2");
}

STEP("no bias") {
  const Mat<double>& dy = input("dy", rows({{1, 2, 3}}));
  const Mat<double>& x = input("x", rows({{0, 3, 0}}));
  const ColVec<double>&mean = input("mean", ColVec<double>::Constant(1, 1).eval()),
        &rstd = input("rstd", ColVec<double>::Constant(1, 0.5).eval());
  expect_near(backward(answer, dy, x, input("w", ones(3)), mean, rstd, 0).dw, row({-0.5, 2, -1.5}),
              "dw of a layer without a bias (db has size 0)");
}

STEP("dx where only the gain and r count") {
  // g = dy·w = (1, 0, 0, 1, −1, −1): its mean is 0, and so is its mean product with x̂
  const Mat<double>& x = input("x", rows({{4, 4, 4, 6, 6, 4}}));
  const Mat<double>& dy = input("dy", rows({{0.5, 0, 0, 0.25, -0.2, 0.1}}));
  const RowVec<double>& w = input("w", row({2, 3, -1, 4, 5, -10}));
  const ColVec<double>&mean = input("mean", ColVec<double>::Constant(1, 14.0 / 3).eval()),
        &rstd = input("rstd", ColVec<double>::Constant(1, 0.5).eval());
  expect_near(backward(answer, dy, x, w, mean, rstd, 6).dx, rows({{0.5, 0, 0, 0.5, -0.5, -0.5}}),
              "dx for g = dy·w = (1, 0, 0, 1, -1, -1), rstd 0.5");
}

STEP("a shift of the row changes nothing") {
  // So dx must add up to 0. Here g has a mean, and no component along x̂
  const Mat<double>& x = input("x", rows({{1, 3, 1, 3}}));
  const Mat<double>& dy = input("dy", rows({{2, 5, 4, 1}}));
  const ColVec<double>&mean = input("mean", ColVec<double>::Constant(1, 2).eval()),
        &rstd = input("rstd", ColVec<double>::Constant(1, 1).eval());
  expect_near(backward(answer, dy, x, input("w", ones(4)), mean, rstd, 4).dx,
              rows({{-1, 2, 1, -2}}), "dx for dy (2, 5, 4, 1), x (1, 3, 1, 3), gain 1");
}

STEP("a scale of the row changes nothing") {
  // So dx must have no component along x̂, here (−1, 1, −1, 1). g has no mean
  const Mat<double>& x = input("x", rows({{3, 7, 3, 7}}));
  const Mat<double>& dy = input("dy", rows({{-4, 3, -2, 3}}));
  const ColVec<double>&mean = input("mean", ColVec<double>::Constant(1, 5).eval()),
        &rstd = input("rstd", ColVec<double>::Constant(1, 0.5).eval());
  expect_near(backward(answer, dy, x, input("w", ones(4)), mean, rstd, 4).dx,
              rows({{-0.5, 0, 0.5, 0}}), "dx for dy (-4, 3, -2, 3), x (3, 7, 3, 7), gain 1");
}

STEP("whole result") {
  Philox rng(81);
  const Mat<double>& x = input("x", Mat<double>(random_normal<double>(rng, 7, 24).array() + 0.7));
  const Mat<double>& dy = input("dy", random_normal<double>(rng, 7, 24));
  const RowVec<double>& w = input("w", random_row(rng, 24));
  const Forward measured = forward(reference, x, w, {}, 0.1);
  const ColVec<double>&mean = input("mean", measured.mean), &rstd = input("rstd", measured.rstd);
  const Backward got = backward(answer, dy, x, w, mean, rstd, 24);
  const Backward book = backward(reference, dy, x, w, mean, rstd, 24);
  expect_near(got.dx, book.dx, "dx of 7 random rows of 24");
  expect_near(got.dw, book.dw, "dw of 7 random rows of 24");
  expect_near(got.db, book.db, "db of 7 random rows of 24");
}

STEP("gradient") {
  // Your backward after your forward, beside the slope of your forward
  Philox rng(82);
  const Mat<double>& x = input("x", Mat<double>(random_normal<double>(rng, 4, 9).array() - 0.5));
  const Mat<double>& u = input("dy", random_normal<double>(rng, 4, 9));
  const RowVec<double>& w = input("w", random_row(rng, 9));
  const Forward f = forward(answer, x, w, {}, 0.3);
  const Backward g = backward(answer, u, x, w, input("mean", f.mean), input("rstd", f.rstd), 9);
  const GradientCheck checked = check_gradient(rng, x, g.dx, [&](const Mat<double>& moved) {
    Mat<double> y(4, 9);
    ColVec<double> mean(4), rstd(4);
    answer.forward(moved, w, RowVec<double>(0), {.eps = 0.3}, y, mean, rstd);
    return project(u, y);
  });
  expect_near(checked.analytic, checked.numeric,
              "dx along a random direction, beside the slope of y", 1e-6);
}

STEP("a gain that does not fit") {
  const Mat<double>& x = input("x", rows({{1, 2, 3}}));
  expect_throws<ShapeError>([&] { forward(answer, x, input("w", ones(2)), {}, 0); },
                            "a gain of 2 for rows of 3 must throw ShapeError");
}
