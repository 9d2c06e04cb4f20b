// Chapter 12: RMSNorm and ScaleNorm.
#include "chapters/12_rmsnorm/rmsnorm.h"

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/12_rmsnorm/scalenorm.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

/// The reference's output for x and w, in double.
Mat<double> rmsnorm_of(const Mat<double>& x, const Mat<double>& w, RmsNormConfig cfg = {}) {
  Mat<double> y(x.rows(), x.cols());
  ColVec<double> rstd(x.rows());
  rmsnorm_forward<double>(x, w.row(0), cfg, y, rstd);
  return y;
}

Mat<double> scalenorm_of(const Mat<double>& x, const Mat<double>& g, ScaleNormConfig cfg = {}) {
  Mat<double> y(x.rows(), x.cols());
  ColVec<double> rnorm(x.rows());
  scalenorm_forward<double>(x, g.row(0), cfg, y, rnorm);
  return y;
}

}  // namespace

TEST_CASE("rmsnorm of a row worked out by hand", "[ch12]") {
  // x = (3, 4): mean square 12.5, so y = (3, 4)/√12.5 times the gain (1, 2)
  Mat<double> x(1, 2), w(1, 2);
  x << 3, 4;
  w << 1, 2;
  const Mat<double> y = rmsnorm_of(x, w, {.eps = 0});
  CHECK(std::abs(y(0, 0) - 0.8485281374238570) <= 1e-14);
  CHECK(std::abs(y(0, 1) - 2.2627416997969520) <= 1e-14);
}

TEST_CASE("rmsnorm backward is the transpose of the forward's derivative", "[ch12][grad]") {
  const int D = GENERATE(1, 7, 64);  // one, odd, power of two
  CAPTURE(D);
  Philox rng(12, std::uint64_t(D));
  const Mat<double> x = random_normal<double>(rng, 3, D), w = random_normal<double>(rng, 1, D);
  const Mat<double> u = random_normal<double>(rng, 3, D);  // random: ones hide a transposed index

  Tape<double> tape;
  const Var<double> vx = tape.variable(x, "x"), vw = tape.variable(w, "w");
  const Var<double> y = rmsnorm(vx, vw);
  tape.backward_from(y, u);

  CHECK(check_gradient(rng, x, vx.grad(), [&](const Mat<double>& at) {
          return project(u, rmsnorm_of(at, w));
        }).agrees());
  CHECK(check_gradient(rng, w, vw.grad(), [&](const Mat<double>& at) {
          return project(u, rmsnorm_of(x, at));
        }).agrees());
}

TEST_CASE("without eps, rmsnorm does not see the scale of its input", "[ch12]") {
  Philox rng(3);
  const Mat<double> x = random_normal<double>(rng, 4, 9), w = random_normal<double>(rng, 1, 9);
  const Mat<double> y = rmsnorm_of(x, w, {.eps = 0});
  CHECK((rmsnorm_of(1e3 * x, w, {.eps = 0}) - y).norm() <= 1e-12 * y.norm());
}

TEST_CASE("rmsnorm refuses a gain of another width", "[ch12]") {
  const Mat<double> x = Mat<double>::Zero(2, 4), w = Mat<double>::Zero(1, 3);
  CHECK_THROWS_AS(rmsnorm_of(x, w), ShapeError);
}

TEST_CASE("scalenorm of a row worked out by hand", "[ch12]") {
  // x = (3, 4) has length 5, so with g = 10 the row becomes (6, 8)
  Mat<double> x(1, 2), g(1, 1);
  x << 3, 4;
  g << 10;
  const Mat<double> y = scalenorm_of(x, g);
  CHECK(std::abs(y(0, 0) - 6) <= 1e-14);
  CHECK(std::abs(y(0, 1) - 8) <= 1e-14);
}

TEST_CASE("scalenorm backward is the transpose of the forward's derivative", "[ch12][grad]") {
  const int D = GENERATE(1, 7, 64);
  const double size = GENERATE(1.0, 1e-7);  // the second is below the floor of a row's length
  CAPTURE(D, size);
  Philox rng(14, std::uint64_t(D));  // a seed whose rows stay clear of 0, where a row's sign jumps
  const Mat<double> x = random_normal<double>(rng, 3, D, size),
                    g = random_normal<double>(rng, 1, 1);
  const Mat<double> u = random_normal<double>(rng, 3, D);

  Tape<double> tape;
  const Var<double> vx = tape.variable(x, "x"), vg = tape.variable(g, "g");
  tape.backward_from(scalenorm(vx, vg), u);

  const double h = 1e-4 * size;
  CHECK(check_gradient(
            rng, x, vx.grad(),
            [&](const Mat<double>& at) { return project(u, scalenorm_of(at, g)); }, h)
            .agrees());
  CHECK(check_gradient(rng, g, vg.grad(), [&](const Mat<double>& at) {
          return project(u, scalenorm_of(x, at));
        }).agrees());
}

TEST_CASE("scalenorm gives every row the length g", "[ch12]") {
  Philox rng(5);
  const Mat<double> x = random_normal<double>(rng, 4, 9);
  const Mat<double> y = scalenorm_of(x, Mat<double>::Constant(1, 1, 2.5));
  for (Index n = 0; n < 4; ++n) CHECK(std::abs(y.row(n).norm() - 2.5) <= 1e-12);
}

TEST_CASE("scalenorm refuses a gain for each feature", "[ch12]") {
  const Mat<double> x = Mat<double>::Zero(2, 4), g = Mat<double>::Zero(1, 4);
  CHECK_THROWS_AS(scalenorm_of(x, g), ShapeError);
}
