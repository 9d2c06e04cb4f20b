// Chapter 08: LayerNorm, and the four places of a norm around a sublayer.
#include "chapters/08_layernorm/layernorm.h"

#include <cmath>
#include <string>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/08_layernorm/placement.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

using M = Mat<double>;

/// The reference's output; an empty b for no shift.
M layernorm_of(const M& x, const M& w, const M& b, LayerNormConfig cfg = {}) {
  M y(x.rows(), x.cols());
  ColVec<double> mean(x.rows()), rstd(x.rows());
  const RowVec<double> shift = b.size() == 0 ? RowVec<double>() : RowVec<double>(b.row(0));
  layernorm_forward<double>(x, w.row(0), shift, cfg, y, mean, rstd);
  return y;
}

}  // namespace

TEST_CASE("layernorm of a row worked out by hand", "[ch08]") {
  // x = (1, 2, 6): mean 3, mean square deviation (4 + 1 + 9)/3, not /2
  M x(1, 3), w(1, 3), b(1, 3);
  x << 1, 2, 6;
  w << 1, 2, 3;
  b << 10, 20, 30;
  const double r = std::sqrt(3.0 / 14);
  M want(1, 3);
  want << -2 * r + 10, -1 * r * 2 + 20, 3 * r * 3 + 30;
  CHECK((layernorm_of(x, w, b, {.eps = 0}) - want).norm() <= 1e-14);
  CHECK((layernorm_of(x, w, M(), {.eps = 0}) - (want - b)).norm() <= 1e-14);

  // eps stands under the root, beside the variance: 14/3 + 13/3 = 9
  want << -2.0 / 3, -2.0 / 3, 3;
  CHECK((layernorm_of(x, w, M(), {.eps = 13.0 / 3}) - want).norm() <= 1e-14);
}

TEST_CASE("layernorm keeps what it measured", "[ch08]") {
  Philox rng(8);
  const M x = random_normal<double>(rng, 3, 5);
  M y(3, 5);
  ColVec<double> mean(3), rstd(3);
  layernorm_forward<double>(x, RowVec<double>::Ones(5), RowVec<double>(), {.eps = 0.1}, y, mean,
                            rstd);
  for (Index n = 0; n < 3; ++n) {
    const double m = x.row(n).sum() / 5;
    CHECK(std::abs(mean[n] - m) <= 1e-14);
    CHECK(std::abs(rstd[n] - 1 / std::sqrt((x.row(n).array() - m).square().sum() / 5 + 0.1)) <=
          1e-14);
  }
}

TEST_CASE("layernorm backward is the transpose of the forward's derivative", "[ch08][grad]") {
  const int D = GENERATE(1, 7, 64);
  const bool shift = GENERATE(false, true);
  CAPTURE(D, shift);
  Philox rng(81, std::uint64_t(D));
  const M x = random_normal<double>(rng, 3, D).array() + 0.7, w = random_normal<double>(rng, 1, D);
  const M b = random_normal<double>(rng, 1, D), none;
  const M u = random_normal<double>(rng, 3, D);
  const LayerNormConfig cfg = {.eps = 1e-3};

  Tape<double> tape;
  const Var<double> vx = tape.variable(x, "x"), vw = tape.variable(w, "w"),
                    vb = tape.variable(b, "b");
  const Var<double> y = shift ? layernorm(vx, vw, vb, cfg) : layernorm(vx, vw, {}, cfg);
  CHECK(M(y.value()) == layernorm_of(x, w, shift ? b : none, cfg));
  tape.backward_from(y, u);

  CHECK(check_gradient(rng, x, vx.grad(), [&](const M& at) {
          return project(u, layernorm_of(at, w, shift ? b : none, cfg));
        }).agrees());
  CHECK(check_gradient(rng, w, vw.grad(), [&](const M& at) {
          return project(u, layernorm_of(x, at, shift ? b : none, cfg));
        }).agrees());
  CHECK(vb.has_grad() == shift);
  if (!shift) return;
  CHECK(check_gradient(rng, b, vb.grad(), [&](const M& at) {
          return project(u, layernorm_of(x, w, at, cfg));
        }).agrees());
}

TEST_CASE("layernorm backward overwrites: what stood in its outputs is gone", "[ch08]") {
  Philox rng(86);
  const M x = random_normal<double>(rng, 3, 5), dy = random_normal<double>(rng, 3, 5);
  const RowVec<double> w = RowVec<double>::Ones(5);
  M y(3, 5), dx = M::Constant(3, 5, std::nan(""));
  ColVec<double> mean(3), rstd(3);
  RowVec<double> dw = RowVec<double>::Constant(5, std::nan("")), db = dw;
  layernorm_forward<double>(x, w, w, {.eps = 0}, y, mean, rstd);
  layernorm_backward<double>(dy, x, w, mean, rstd, dx, dw, db);
  CHECK((db - dy.colwise().sum()).norm() <= 1e-14);
  const M normed = y.array() - 1;
  CHECK((dw - dy.cwiseProduct(normed).colwise().sum()).norm() <= 1e-13);
  // A shift and a scale of the row change nothing, so no gradient points there
  CHECK(dx.rowwise().sum().norm() <= 1e-13);
  CHECK(dx.cwiseProduct(normed).rowwise().sum().norm() <= 1e-13);
}

TEST_CASE("two layernorms may share their gain, bias and input", "[ch08][grad]") {
  Philox rng(82);
  const M x = random_normal<double>(rng, 4, 6), w = random_normal<double>(rng, 1, 6);
  const M u = random_normal<double>(rng, 4, 6);
  const auto run = [&](Tape<double>& tape, const M& at_x, const M& at_w) {
    tape.reset();
    const Var<double> vx = tape.variable(at_x, "x"), vw = tape.variable(at_w, "w");
    // w is the gain twice, and once the bias too
    return std::array{vx, vw, multiply(layernorm(vx, vw), layernorm(add(vx, vx), vw, vw))};
  };
  Tape<double> tape, other;
  const auto [vx, vw, y] = run(tape, x, w);
  tape.backward_from(y, u);
  CHECK(check_gradient(rng, x, vx.grad(), [&](const M& at) {
          return project(u, run(other, at, w)[2].value());
        }).agrees());
  CHECK(check_gradient(rng, w, vw.grad(), [&](const M& at) {
          return project(u, run(other, x, at)[2].value());
        }).agrees());
}

TEST_CASE("without eps, layernorm does not see a shift or the scale of its input", "[ch08]") {
  Philox rng(83);
  const M x = random_normal<double>(rng, 4, 9), w = random_normal<double>(rng, 1, 9);
  const M b = random_normal<double>(rng, 1, 9), y = layernorm_of(x, w, b, {.eps = 0});
  const M moved = (1e3 * x).array() + 50;
  CHECK((layernorm_of(moved, w, b, {.eps = 0}) - y).norm() <= 1e-11 * y.norm());

  // so every row has mean 0 and variance 1 before gain and bias
  const M plain = layernorm_of(x, M::Ones(1, 9), M(), {.eps = 0});
  for (Index n = 0; n < 4; ++n) {
    CHECK(std::abs(plain.row(n).mean()) <= 1e-14);
    CHECK(std::abs(plain.row(n).squaredNorm() / 9 - 1) <= 1e-13);
  }
}

TEST_CASE("layernorm of a constant row is its bias, not a division by zero", "[ch08]") {
  M b(1, 3);
  b << 1, 2, 3;
  CHECK((layernorm_of(M::Constant(1, 3, 7), M::Ones(1, 3), b) - b).norm() <= 1e-12);
}

TEST_CASE("layernorm in float survives a row far from zero", "[ch08]") {
  // mean(x²) − mean(x)² would lose every digit of the variance here
  Philox rng(84);
  const Mat<float> x = random_normal<float>(rng, 2, 64).array() + 4000.0f;
  Mat<float> y(2, 64);
  ColVec<float> mean(2), rstd(2);
  layernorm_forward<float>(x, RowVec<float>::Ones(64), RowVec<float>(), {}, y, mean, rstd);
  const M want = layernorm_of(x.cast<double>(), M::Ones(1, 64), M());
  CHECK((y.cast<double>() - want).cwiseAbs().maxCoeff() <= 2e-3);
}

TEST_CASE("layernorm refuses a gain or bias of another width", "[ch08]") {
  const M x = M::Zero(2, 4), fits = M::Zero(1, 4), other = M::Zero(1, 3);
  CHECK_THROWS_AS(layernorm_of(x, other, fits), ShapeError);
  CHECK_THROWS_AS(layernorm_of(x, fits, other), ShapeError);
  CHECK_NOTHROW(layernorm_of(x, fits, M()));
}

// --- Placement
// ------------------------------------------------------------------------------------

TEST_CASE("deepnorm's two numbers are the paper's for decoders", "[ch08]") {
  CHECK(std::abs(deepnorm_scale(8).alpha - 2) <= 1e-15);     // 16^¼
  CHECK(std::abs(deepnorm_scale(2).beta - 0.5) <= 1e-15);    // 16^−¼
  CHECK(std::abs(deepnorm_scale(32).beta - 0.25) <= 1e-15);  // 256^−¼
  CHECK(std::abs(deepnorm_scale(1).alpha - 1.189207115002721) <= 1e-15);
  CHECK_THROWS_AS(deepnorm_scale(0), ShapeError);
}

TEST_CASE("the four placements compose norms, sublayer and stream as their formulas say",
          "[ch08]") {
  // One number, and maps whose order shows in the digits: norm_in adds 1, f multiplies by 10,
  // norm_out adds 0.5 and doubles
  Tape<double> tape;
  const Var<double> x = tape.input(M::Constant(1, 1, 3), "x");
  const Var<double> one = tape.input(M::Constant(1, 1, 1), "one");
  int ins = 0, outs = 0;
  const auto norm_in = [&](Var<double> v) { return ++ins, add(v, one); };
  const auto f = [](Var<double> v) { return scale(v, 10.0); };
  const auto norm_out = [&](Var<double> v) { return ++outs, scale(add(v, scale(one, 0.5)), 2.0); };
  const auto result = [&](Placement placement) {
    ins = outs = 0;
    const Var<double> y = residual_block(placement, x, norm_in, f, norm_out, 2.0);
    CHECK(ins == int(uses_norm_in(placement)));
    CHECK(outs == int(uses_norm_out(placement)));
    return y.value()(0, 0);
  };
  CHECK(result(Placement::pre) == 3 + 10 * (3 + 1));
  CHECK(tape.find("residual").value()(0, 0) == 43);
  CHECK(result(Placement::post) == 2 * (3 + 10 * 3 + 0.5));
  CHECK(tape.find("residual").value()(0, 0) == 33);
  CHECK(result(Placement::sandwich) == 3 + 2 * (10 * (3 + 1) + 0.5));
  CHECK(tape.find("residual").value()(0, 0) == 84);
  CHECK(result(Placement::deepnorm) == 2 * (2 * 3 + 10 * 3 + 0.5));
  CHECK(tape.find("residual").value()(0, 0) == 36);
}

TEST_CASE("every placement differentiates its stream and its parameters", "[ch08][grad]") {
  const Placement placement =
      GENERATE(Placement::pre, Placement::post, Placement::sandwich, Placement::deepnorm);
  CAPTURE(int(placement));
  Philox rng(85);
  const M x = random_normal<double>(rng, 3, 5), w = random_normal<double>(rng, 5, 5);
  const M g = random_normal<double>(rng, 1, 5), u = random_normal<double>(rng, 3, 5);
  const auto run = [&](Tape<double>& tape, const M& at_x, const M& at_w, const M& at_g) {
    tape.reset();
    const Var<double> vx = tape.variable(at_x, "x"), vw = tape.variable(at_w, "w"),
                      vg = tape.variable(at_g, "g");
    const auto norm = [&](Var<double> v) { return layernorm(v, vg); };
    const auto f = [&](Var<double> v) { return linear(v, vw); };
    const Var<double> y = residual_block(placement, vx, norm, f, norm, 1.3);
    return std::array{vx, vw, vg, residual_block(placement, y, norm, f, norm, 1.3)};
  };
  Tape<double> tape, other;
  const auto [vx, vw, vg, y] = run(tape, x, w, g);
  tape.backward_from(y, u);
  CHECK(check_gradient(rng, x, vx.grad(), [&](const M& at) {
          return project(u, run(other, at, w, g)[3].value());
        }).agrees());
  CHECK(check_gradient(rng, w, vw.grad(), [&](const M& at) {
          return project(u, run(other, x, at, g)[3].value());
        }).agrees());
  CHECK(check_gradient(rng, g, vg.grad(), [&](const M& at) {
          return project(u, run(other, x, w, at)[3].value());
        }).agrees());
}
