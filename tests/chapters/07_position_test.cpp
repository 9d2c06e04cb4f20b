// Chapter 07: positions that are added, and biases by distance.
#include <cmath>
#include <cstdlib>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/02_tape/ops.h"
#include "chapters/07_position/relative_bias.h"
#include "chapters/07_position/sinusoidal.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

using M = Mat<double>;

M positions_of(const M& x, const M& table, Index length) {
  M y = M::Constant(x.rows(), x.cols(), std::nan(""));
  add_positions_forward<double>(x, table, length, y);
  return y;
}

M t5_of(const M& table, Index length, bool bidirectional) {
  M bias = M::Constant(table.cols(), 2 * length - 1, std::nan(""));
  t5_bias_forward<double>(table, bidirectional, bias);
  return bias;
}

}  // namespace

// --- Sinusoidal and learned
// -----------------------------------------------------------------------

TEST_CASE("sinusoidal rows worked out by hand", "[ch07]") {
  const M p = sinusoidal_table<double>(3, 4);  // wavelengths 2π and 200π
  for (Index t = 0; t < 3; ++t) {
    CHECK(std::abs(p(t, 0) - std::sin(double(t))) <= 1e-15);
    CHECK(std::abs(p(t, 1) - std::cos(double(t))) <= 1e-15);
    CHECK(std::abs(p(t, 2) - std::sin(double(t) / 100)) <= 1e-15);
    CHECK(std::abs(p(t, 3) - std::cos(double(t) / 100)) <= 1e-15);
  }
  CHECK(sinusoidal_table<float>(5, 3)(4, 2) == float(std::sin(4 / std::pow(10000.0, 2 / 3.0))));
}

TEST_CASE("a shift of a sinusoidal position is one rotation, wherever it starts", "[ch07]") {
  const Index T = 20, D = 8, shift = 5;
  const M p = sinusoidal_table<double>(T, D);
  CHECK(std::abs(p.row(7).squaredNorm() - D / 2.0) <= 1e-12);  // sin² + cos² of each pair
  for (Index i = 0; i < D; i += 2) {
    const double angle = double(shift) * std::pow(10000.0, -double(i) / double(D));
    for (Index t = 0; t + shift < T; ++t) {
      const double sine = p(t, i) * std::cos(angle) + p(t, i + 1) * std::sin(angle);
      const double cosine = p(t, i + 1) * std::cos(angle) - p(t, i) * std::sin(angle);
      CHECK(std::abs(p(t + shift, i) - sine) <= 1e-12);
      CHECK(std::abs(p(t + shift, i + 1) - cosine) <= 1e-12);
    }
  }
}

TEST_CASE("positions added by hand: every sequence gets the same rows", "[ch07]") {
  M x(4, 2), table(3, 2), want(4, 2);
  x << 1, 2, 3, 4, 5, 6, 7, 8;
  table << 10, 20, 30, 40, 50, 60;  // one row more than the sequences reach
  want << 11, 22, 33, 44, 15, 26, 37, 48;
  CHECK(positions_of(x, table, 2) == want);
}

TEST_CASE("positions' gradient by hand: summed over sequences, zero where none reached", "[ch07]") {
  M u(4, 2), want(3, 2);
  u << 1, 2, 3, 4, 5, 6, 7, 8;
  want << 6, 8, 10, 12, 0, 0;
  Tape<double> tape;
  const Var<double> x = tape.variable(M::Zero(4, 2), "x"),
                    table = tape.variable(M::Ones(3, 2), "p");
  tape.backward_from(add_positions(x, table, 2), u);
  CHECK(M(table.grad()) == want);
  CHECK(M(x.grad()) == u);
}

TEST_CASE("positions' backward is the transpose of the forward's derivative", "[ch07][grad]") {
  const auto [B, length, rows] =
      GENERATE(table<Index, Index, Index>({{1, 1, 1}, {3, 5, 5}, {2, 4, 9}}));
  const Index T = length;  // clang 14 cannot capture a binding
  CAPTURE(B, T, rows);
  Philox rng(7, std::uint64_t(T));
  const M x = random_normal<double>(rng, B * T, 3), p = random_normal<double>(rng, rows, 3);
  const M u = random_normal<double>(rng, B * T, 3);
  Tape<double> tape;
  const Var<double> vx = tape.variable(x, "x"), vp = tape.variable(p, "p");
  // Twice: the second use must add to the first one's gradients
  tape.backward_from(add_positions(add_positions(vx, vp, T), vp, T), u);
  const auto forward = [&](const M& at_x, const M& at_p) {
    return project(u, positions_of(positions_of(at_x, at_p, T), at_p, T));
  };
  CHECK(check_gradient(rng, x, vx.grad(), [&](const M& at) { return forward(at, p); }).agrees());
  CHECK(check_gradient(rng, p, vp.grad(), [&](const M& at) { return forward(x, at); }).agrees());
}

TEST_CASE("backward functions overwrite: what stood in their outputs is gone", "[ch07]") {
  Philox rng(71);
  const M dy = random_normal<double>(rng, 6, 4), dbias = random_normal<double>(rng, 4, 9);
  M dtable = M::Constant(5, 4, std::nan(""));
  add_positions_backward<double>(dy, 3, dtable);
  CHECK((dtable.topRows(3) - (dy.topRows(3) + dy.bottomRows(3))).norm() <= 1e-14);
  CHECK(M(dtable.bottomRows(2)) == M::Zero(2, 4));

  M dt5 = M::Constant(32, 4, std::nan(""));
  t5_bias_backward<double>(dbias, false, dt5);
  CHECK(std::abs(dt5.sum() - dbias.sum()) <= 1e-13);  // every offset has one bucket
  CHECK((M(dt5.row(0).transpose()) - dbias.rightCols(5).rowwise().sum()).norm() <= 1e-14);
  CHECK(M(dt5.bottomRows(27)) == M::Zero(27, 4));
}

TEST_CASE("a constant table gets no gradient, and x gets its own", "[ch07]") {
  Tape<double> tape;
  const Var<double> x = tape.variable(M::Zero(4, 2), "x");
  const Var<double> table = tape.input(sinusoidal_table<double>(2, 2), "p");
  tape.backward_from(add_positions(x, table, 2), M::Ones(4, 2));
  CHECK_FALSE(table.has_grad());
  CHECK(M(x.grad()) == M::Ones(4, 2));
}

TEST_CASE("positions refuse a table that is too short or too wide, and broken sequences",
          "[ch07]") {
  const M x = M::Zero(6, 4);
  CHECK_THROWS_AS(positions_of(x, M::Zero(2, 4), 3), ShapeError);
  CHECK_THROWS_AS(positions_of(x, M::Zero(3, 5), 3), ShapeError);
  CHECK_THROWS_AS(positions_of(x, M::Zero(9, 4), 4), ShapeError);
  CHECK_THROWS_AS(positions_of(x, M::Zero(9, 4), 0), ShapeError);
  CHECK_THROWS_AS(sinusoidal_table<double>(-1, 4), ShapeError);
}

// --- ALiBi
// ----------------------------------------------------------------------------------------

TEST_CASE("alibi slopes are the paper's for 8 and for 16 heads", "[ch07]") {
  const std::vector<double> eight = alibi_slopes(8), sixteen = alibi_slopes(16);
  REQUIRE(eight.size() == 8);
  REQUIRE(sixteen.size() == 16);
  for (std::size_t h = 0; h < 8; ++h) CHECK(eight[h] == std::ldexp(1, -int(h) - 1));  // ½ … 1/256
  for (std::size_t h = 0; h < 16; ++h) {
    CHECK(std::abs(sixteen[h] - std::exp2(-0.5 * double(h + 1))) <= 1e-15);  // 1/√2 … 1/256
  }
  CHECK(alibi_slopes(1) == std::vector<double>{1.0 / 256});
  CHECK(alibi_slopes(2) == std::vector<double>{1.0 / 16, 1.0 / 256});
}

TEST_CASE("alibi slopes for other numbers of heads take every other one of twice as many",
          "[ch07]") {
  const std::vector<double> twelve = alibi_slopes(12), eight = alibi_slopes(8),
                            sixteen = alibi_slopes(16);
  REQUIRE(twelve.size() == 12);
  for (std::size_t h = 0; h < 8; ++h) CHECK(twelve[h] == eight[h]);
  for (std::size_t h = 0; h < 4; ++h) CHECK(twelve[8 + h] == sixteen[2 * h]);
  CHECK(alibi_slopes(3) == std::vector<double>{1.0 / 16, 1.0 / 256, 1.0 / 4});
  CHECK_THROWS_AS(alibi_slopes(0), ShapeError);
}

TEST_CASE("the alibi bias falls on both sides of the token itself", "[ch07]") {
  const M bias = alibi_bias<double>(2, 3);
  M want(2, 5);
  want << -2, -1, 0, -1, -2, -2, -1, 0, -1, -2;
  want.row(0) /= 16;
  want.row(1) /= 256;
  CHECK(bias == want);

  // The layout: entry [h, s − t + T − 1] belongs to query t and key s
  const Index T = 6;
  const Mat<float> six = alibi_bias<float>(4, T);
  for (Index t = 0; t < T; ++t) {
    for (Index s = 0; s < T; ++s) CHECK(six(0, s - t + T - 1) == -0.25f * float(std::abs(t - s)));
  }
  CHECK_THROWS_AS(alibi_bias<double>(2, 0), ShapeError);
  CHECK_THROWS_AS(alibi_bias<double>(0, 2), ShapeError);
}

// --- T5
// -------------------------------------------------------------------------------------------

TEST_CASE("t5 buckets looking back: 16 near distances, then by logarithm", "[ch07]") {
  const auto bucket = [](Index distance) { return t5_bucket(-distance, false); };
  for (Index n = 0; n < 16; ++n) CHECK(bucket(n) == n);
  CHECK(bucket(16) == 16);
  // Bucket 16 + j starts at 16·8^(j/16): 18.2, 20.7, 23.6, …, 45.3, 112.4
  CHECK(bucket(18) == 16);
  CHECK(bucket(19) == 17);
  CHECK(bucket(20) == 17);
  CHECK(bucket(21) == 18);
  CHECK(bucket(45) == 23);
  CHECK(bucket(46) == 24);
  CHECK(bucket(112) == 30);
  CHECK(bucket(113) == 31);
  CHECK(bucket(128) == 31);
  CHECK(bucket(1000000) == 31);
  CHECK(t5_bucket(5, false) == 0);  // keys after the query count as distance 0
}

TEST_CASE("t5 buckets looking both ways: a half for each direction", "[ch07]") {
  CHECK(t5_bucket(0, true) == 0);
  for (Index n = 1; n < 8; ++n) {
    CHECK(t5_bucket(-n, true) == n);
    CHECK(t5_bucket(n, true) == 16 + n);
  }
  // Bucket 8 + j starts at 8·16^(j/8): 11.3, 16, 22.6, 32, 45.3, 64, 90.5. Exact powers belong to
  // it
  const Index starts[] = {8, 12, 16, 23, 32, 46, 64, 91};
  for (int j = 0; j < 8; ++j) {
    CHECK(t5_bucket(-starts[j], true) == 8 + j);
    CHECK(t5_bucket(starts[j], true) == 16 + 8 + j);
    CHECK(t5_bucket(-(starts[j] - 1), true) == 8 + j - 1);
  }
  CHECK(t5_bucket(-100000, true) == 15);
  CHECK(t5_bucket(100000, true) == 31);
}

TEST_CASE("t5 buckets never fall with distance, and all are used", "[ch07]") {
  const bool both = GENERATE(false, true);
  const auto [buckets, far] = GENERATE(table<int, int>({{32, 128}, {8, 20}, {4, 1000}}));
  CAPTURE(both, buckets, far);
  std::vector<bool> used(std::size_t(buckets), false);
  int last = 0;
  for (Index n = 0; n <= far + 5; ++n) {
    const int back = t5_bucket(-n, both, buckets, far);
    CHECK(back >= last);
    last = back;
    used[std::size_t(back)] = true;
    used[std::size_t(t5_bucket(n, both, buckets, far))] = true;
  }
  // Nothing stands at distance 0 after the query, so that bucket is never used
  if (both) used[std::size_t(buckets / 2)] = true;
  for (int j = 0; j < buckets; ++j) {
    CAPTURE(j);
    CHECK(used[std::size_t(j)]);
  }
}

TEST_CASE("t5 buckets refuse numbers that leave no room", "[ch07]") {
  CHECK_THROWS_AS(t5_bucket(1, false, 1, 128), ShapeError);
  CHECK_THROWS_AS(t5_bucket(1, true, 2, 128), ShapeError);
  CHECK_THROWS_AS(t5_bucket(1, true, 7, 128), ShapeError);
  CHECK_THROWS_AS(t5_bucket(1, false, 32, 16), ShapeError);
  CHECK_NOTHROW(t5_bucket(1, false, 7, 128));
}

TEST_CASE("the t5 bias reads the bucket of each offset", "[ch07]") {
  // 4 buckets looking back are the distances 0, 1, 2 … 15 and farther: T = 3 uses three of them
  M t(4, 2), want(2, 5);
  t << 1, 10, 2, 20, 3, 30, 4, 40;
  want << 3, 2, 1, 1, 1,  // offsets −2 … 2; keys after the query count as distance 0
      30, 20, 10, 10, 10;
  CHECK(t5_of(t, 3, false) == want);
  // Looking both ways, each direction has two: near itself, and the rest
  want << 2, 2, 1, 4, 4, 20, 20, 10, 40, 40;
  CHECK(t5_of(t, 3, true) == want);
}

TEST_CASE("t5 bias backward is the transpose of the forward's derivative", "[ch07][grad]") {
  const bool both = GENERATE(false, true);
  const Index T = GENERATE(1, 5, 150);
  CAPTURE(both, T);
  Philox rng(77, std::uint64_t(T));
  const M table = random_normal<double>(rng, 32, 3), u = random_normal<double>(rng, 3, 2 * T - 1);
  Tape<double> tape;
  const Var<double> vt = tape.variable(table, "table");
  const Var<double> bias = t5_bias(vt, T, both);
  CHECK(M(bias.value()) == t5_of(table, T, both));
  tape.backward_from(scale(add(bias, t5_bias(vt, T, both)), 0.5), u);  // used twice
  CHECK(check_gradient(rng, table, vt.grad(), [&](const M& at) {
          return project(u, t5_of(at, T, both));
        }).agrees());
}

TEST_CASE("the t5 bias refuses an output of another shape", "[ch07]") {
  const M table = M::Zero(32, 3);
  M even(3, 4), rows(2, 5);
  CHECK_THROWS_AS(t5_bias_forward<double>(table, true, even), ShapeError);
  CHECK_THROWS_AS(t5_bias_forward<double>(table, true, rows), ShapeError);
  Tape<double> tape;
  CHECK_THROWS_AS(t5_bias(tape.input(table, "table"), 0, true), ShapeError);
  CHECK_THROWS_AS(t5_bias(tape.input(M::Zero(3, 2), "table"), 4, true), ShapeError);
}
