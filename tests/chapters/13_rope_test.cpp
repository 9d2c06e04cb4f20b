// Chapter 13: rotary position embedding.
#include "chapters/13_rope/rope.h"

#include <cmath>
#include <numbers>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/02_tape/ops.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

using M = Mat<double>;

M rope_of(const M& x, Index length, Index K, Pairing pairing, double base = 10000) {
  M y = M::Constant(x.rows(), x.cols(), std::nan(""));
  rope_forward<double>(x, length, K, rope_table<double>(length, K, {.base = base}), pairing, y);
  return y;
}

const auto kPairings = {Pairing::adjacent, Pairing::halves};

}  // namespace

TEST_CASE("rope frequencies fall from one to almost one over the base", "[ch13]") {
  const std::vector<double> theta = rope_frequencies(8, 10000);
  REQUIRE(theta.size() == 4);
  CHECK(std::abs(theta[0] - 1) <= 1e-15);
  CHECK(std::abs(theta[1] - 0.1) <= 1e-15);
  CHECK(std::abs(theta[2] - 0.01) <= 1e-15);
  CHECK(std::abs(theta[3] - 0.001) <= 1e-15);
  CHECK(std::abs(rope_frequencies(4, 100)[1] - 0.1) <= 1e-15);
  CHECK_THROWS_AS(rope_frequencies(7), ShapeError);
  CHECK_THROWS_AS(rope_frequencies(0), ShapeError);
  CHECK_THROWS_AS(rope_frequencies(8, 0), ShapeError);
  CHECK_THROWS_AS(rope_frequencies(8, std::nan("")), ShapeError);
}

TEST_CASE("a rope table has the cosine and sine of position times frequency", "[ch13]") {
  const RopeTable<float> table = rope_table<float>(2000, 4, {.base = 100});
  CHECK(shape_of(table.cos) == Shape{2000, 2});
  CHECK(shape_of(table.sin) == Shape{2000, 2});
  CHECK(table.cos(3, 1) == float(std::cos(3 * 0.1)));
  CHECK(table.sin(3, 1) == float(std::sin(3 * 0.1)));
  CHECK(table.sin(1999, 0) == float(std::sin(1999.0)));  // far out, the angle must not be rounded
}

TEST_CASE("rope of rows worked out by hand", "[ch13]") {
  // K = 4 and base 4/π² give the frequencies 1 and π/2. So at position 1 the first pair turns by
  // one radian and the second by a right angle: (a, b) becomes (−b, a)
  const double base = 4 / (std::numbers::pi * std::numbers::pi), c = std::cos(1.0),
               s = std::sin(1.0);
  M x(2, 4), adjacent(2, 4), halves(2, 4);
  x << 1, 2, 3, 4,  //
      1, 2, 3, 4;
  adjacent << 1, 2, 3, 4,  //
      1 * c - 2 * s, 1 * s + 2 * c, -4, 3;
  halves << 1, 2, 3, 4,  //
      1 * c - 3 * s, -4, 1 * s + 3 * c, 2;
  CHECK((rope_of(x, 2, 4, Pairing::adjacent, base) - adjacent).norm() <= 1e-14);
  CHECK((rope_of(x, 2, 4, Pairing::halves, base) - halves).norm() <= 1e-14);
}

TEST_CASE("rope backward is the transpose of the forward's derivative", "[ch13][grad]") {
  const Pairing pairing = GENERATE(values(kPairings));
  const auto [T, width, heads] =
      GENERATE(table<Index, Index, Index>({{1, 2, 1}, {5, 6, 3}, {4, 32, 2}}));
  const Index length = T, K = width;  // clang 14 cannot capture a binding
  CAPTURE(length, K, heads, int(pairing));
  Philox rng(13, std::uint64_t(K));
  const M x = random_normal<double>(rng, 2 * length, heads * K);
  const M u = random_normal<double>(rng, 2 * length, heads * K);
  const RopeTable<double> table = rope_table<double>(length, K, {.base = 50});

  Tape<double> tape;
  const Var<double> vx = tape.variable(x, "x");
  tape.backward_from(rope(vx, length, K, table, pairing), u);
  CHECK(check_gradient(rng, x, vx.grad(), [&](const M& at) {
          return project(u, rope_of(at, length, K, pairing, 50));
        }).agrees());
}

TEST_CASE("rope turns blocks of columns, and leaves what is beside them", "[ch13][grad]") {
  // Queries and keys come as parts of one product: turn both, and use the keys twice
  Philox rng(14);
  const Pairing pairing = GENERATE(values(kPairings));
  const M x = random_normal<double>(rng, 6, 10), u = random_normal<double>(rng, 6, 4);
  const RopeTable<double> table = rope_table<double>(8, 4);  // longer than the sequences
  const auto run = [&](Tape<double>& tape, const M& at) {
    tape.reset();
    const Var<double> vx = tape.variable(at, "x");
    const auto [q, k, v] = split<double, 3>(scale(vx, 1.0), {4, 4, 2}, {"q", "k", "v"});
    const Var<double> a = rope(q, 3, 4, table, pairing), b = rope(k, 3, 4, table, pairing);
    return std::pair(vx, add(multiply(a, b), k));
  };
  Tape<double> tape;
  const auto [vx, y] = run(tape, x);
  CHECK(y.value().allFinite());
  tape.backward_from(y, u);
  CHECK(M(vx.grad().rightCols(2)) == M::Zero(6, 2));
  Tape<double> other;
  CHECK(check_gradient(rng, x, vx.grad(), [&](const M& at) {
          return project(u, run(other, at).second.value());
        }).agrees());
}

TEST_CASE("rope keeps the length of every pair, and of every head", "[ch13]") {
  Philox rng(15);
  const M x = random_normal<double>(rng, 7, 3 * 8);
  for (const Pairing pairing : kPairings) {
    const M y = rope_of(x, 7, 8, pairing);
    for (Index n = 0; n < 7; ++n) {
      for (Index h = 0; h < 3; ++h) {
        const double before = x.row(n).segment(8 * h, 8).norm();
        CHECK(std::abs(y.row(n).segment(8 * h, 8).norm() - before) <= 1e-13);
      }
    }
    CHECK((y.bottomRows(6) - x.bottomRows(6)).norm() > 1);  // and it does turn them
  }
}

TEST_CASE("the dot product of turned vectors depends on their distance alone", "[ch13]") {
  Philox rng(16);
  const Index T = 12, K = 6;
  const M q = random_normal<double>(rng, 1, K), k = random_normal<double>(rng, 1, K);
  for (const Pairing pairing : kPairings) {
    const M turned_q = rope_of(q.replicate(T, 1), T, K, pairing);
    const M turned_k = rope_of(k.replicate(T, 1), T, K, pairing);
    const M scores = turned_q * turned_k.transpose();  // (T, T)
    for (Index t = 0; t + 1 < T; ++t) {
      for (Index s = 0; s + 1 < T; ++s)
        CHECK(std::abs(scores(t, s) - scores(t + 1, s + 1)) <= 1e-12);
    }
    CHECK(std::abs(scores(0, 0) - q.row(0).dot(k.row(0))) <= 1e-12);
    CHECK(std::abs(scores(0, 3) - scores(3, 0)) > 1e-3);  // forwards is not backwards
    CHECK(std::abs(scores(0, 3) - scores(0, 0)) > 1e-3);
  }
}

TEST_CASE("the first token of every sequence does not turn", "[ch13]") {
  Philox rng(17);
  const M x = random_normal<double>(rng, 3 * 4, 8);
  for (const Pairing pairing : kPairings) {
    const M y = rope_of(x, 4, 4, pairing);
    for (const Index n : {0, 4, 8}) CHECK(y.row(n) == x.row(n));
    // and every sequence turns alike
    CHECK(M(y.middleRows(4, 4)) == rope_of(x.middleRows(4, 4), 4, 4, pairing));
  }
}

TEST_CASE("rope backward undoes rope forward", "[ch13]") {
  Philox rng(18);
  const M x = random_normal<double>(rng, 10, 12);
  const RopeTable<double> table = rope_table<double>(5, 6);
  for (const Pairing pairing : kPairings) {
    M back(10, 12);
    rope_backward<double>(rope_of(x, 5, 6, pairing), 5, 6, table, pairing, back);
    CHECK((back - x).norm() <= 1e-13);
  }
}

TEST_CASE("the two pairings are one, up to the order of the features", "[ch13]") {
  Philox rng(19);
  const Index K = 8, heads = 2;
  const M x = random_normal<double>(rng, 5, heads * K);
  // Feature 2p + i of the adjacent order is feature i·K/2 + p of the halves
  const auto in_halves = [&](const M& adjacent) {
    M m(adjacent.rows(), adjacent.cols());
    for (Index h = 0; h < heads; ++h) {
      for (Index p = 0; p < K / 2; ++p) {
        m.col(h * K + p) = adjacent.col(h * K + 2 * p);
        m.col(h * K + K / 2 + p) = adjacent.col(h * K + 2 * p + 1);
      }
    }
    return m;
  };
  const M adjacent = rope_of(x, 5, K, Pairing::adjacent);
  CHECK((rope_of(in_halves(x), 5, K, Pairing::halves) - in_halves(adjacent)).norm() <= 1e-13);
  CHECK((rope_of(x, 5, K, Pairing::halves) - adjacent).norm() > 0.1);
}

TEST_CASE("rope in float agrees with the oracle", "[ch13]") {
  Philox rng(20);
  const M x = random_normal<double>(rng, 64, 2 * 32);
  const Mat<float> xf = x.cast<float>();
  for (const Pairing pairing : kPairings) {
    Mat<float> yf(64, 64);
    rope_forward<float>(xf, 64, 32, rope_table<float>(64, 32), pairing, yf);
    const M want = rope_of(xf.cast<double>(), 64, 32, pairing);
    CHECK((yf.cast<double>() - want).cwiseAbs().maxCoeff() <= 1e-6);
  }
}

namespace {

using Scale = RopeScaling::Kind;
const auto kScalings = {Scale::linear, Scale::ntk, Scale::yarn};

std::vector<double> scaled(Index K, double base, RopeScaling scaling, Index length = 64) {
  return rope_frequencies(K, {.base = base, .scaling = scaling}, length);
}

}  // namespace

TEST_CASE("rope scaling worked out by hand", "[ch13]") {
  // K = 6 and base 1000 give 1, 1/10, 1/100
  const auto near = [](const std::vector<double>& got, const std::vector<double>& want) {
    REQUIRE(got.size() == want.size());
    for (std::size_t p = 0; p < want.size(); ++p) {
      CAPTURE(p, got[p], want[p]);
      CHECK(std::abs(got[p] - want[p]) <= 1e-14);
    }
  };
  near(scaled(6, 1000, {Scale::linear, 4}), {1 / 4.0, 1 / 40.0, 1 / 400.0});
  // s^(−2p/4): 1, 1/√4, 1/4
  near(scaled(6, 1000, {Scale::ntk, 4}), {1, 1 / 20.0, 1 / 400.0});

  // Trained on 20π tokens the pairs made 10, 1 and 1/10 turns. Of the way from 2 to 0.5 turns the second has come
  // two thirds
  const double trained = 20 * std::numbers::pi;
  near(scaled(6, 1000, {Scale::yarn, 4, trained, 0.5, 2}),
       {1, 0.1 * (1 / 3.0) + 0.025 * (2 / 3.0), 1 / 400.0});
  near(scaled(6, 1000, {Scale::yarn, 4, trained}),
       {(22 / 31.0) / 4 + 9 / 31.0, 1 / 40.0, 1 / 400.0});

  CHECK(std::abs(rope_magnitude({Scale::yarn, std::exp(5.0)}) - 1.5) <= 1e-14);
  for (const Scale kind : {Scale::none, Scale::linear, Scale::ntk})
    CHECK(rope_magnitude({kind, 4}) == 1);
}

TEST_CASE("ntk scaling is another base", "[ch13]") {
  const std::vector<double> ntk = scaled(32, 10000, {Scale::ntk, 8});
  const std::vector<double> other = rope_frequencies(32, 10000 * std::pow(8, 32 / 30.0));
  for (std::size_t p = 0; p < ntk.size(); ++p) CHECK(std::abs(ntk[p] / other[p] - 1) <= 1e-13);
}

TEST_CASE("a rope scaling of factor one changes no bit", "[ch13]") {
  for (const Index K : {2, 6, 32}) {
    const RopeTable<double> plain = rope_table<double>(50, K);
    for (const Scale kind : kScalings) {
      const RopeTable<double> same = rope_table<double>(50, K, {.scaling = {kind, 1}});
      CHECK(same.cos == plain.cos);
      CHECK(same.sin == plain.sin);
    }
    // and without a kind the factor is not looked at
    CHECK(rope_table<double>(50, K, {.scaling = {Scale::none, 8}}).sin == plain.sin);
  }
}

TEST_CASE("rope scalings at the ends of the dimensions", "[ch13]") {
  // One pair alone: linear slows it, NTK leaves the first pair as it is
  CHECK(scaled(2, 10000, {Scale::linear, 8})[0] == 1 / 8.0);
  CHECK(scaled(2, 10000, {Scale::ntk, 8})[0] == 1);
  CHECK(std::isfinite(scaled(2, 10000, {Scale::yarn, 8})[0]));

  // In a large head: whoever is slowed is never slowed by more than the factor, nor sped up
  const std::vector<double> theta = rope_frequencies(128, 10000);
  for (const Scale kind : kScalings) {
    const std::vector<double> slow = scaled(128, 10000, {kind, 8, 2048}, 16384);
    for (std::size_t p = 0; p < theta.size(); ++p) {
      CHECK(slow[p] <= theta[p] * (1 + 1e-14));
      CHECK(slow[p] >= theta[p] / 8 * (1 - 1e-14));
    }
    CHECK(std::abs(slow.back() * 8 / theta.back() - 1) <= 1e-13);
    CHECK((slow.front() == theta.front()) == (kind != Scale::linear));
  }
  // Without a trained length it is the table's over the factor
  CHECK(scaled(128, 10000, {Scale::yarn, 8}, 16384) ==
        scaled(128, 10000, {Scale::yarn, 8, 2048}, 16384));
  CHECK(scaled(128, 10000, {Scale::yarn, 8}, 8192) !=
        scaled(128, 10000, {Scale::yarn, 8, 2048}, 16384));
}

TEST_CASE("position interpolation reads position s·t as t was read", "[ch13]") {
  const RopeTable<double> plain = rope_table<double>(16, 8);
  const RopeTable<double> linear = rope_table<double>(64, 8, {.scaling = {Scale::linear, 4}});
  for (Index t = 0; t < 16; ++t) {
    CHECK((linear.cos.row(4 * t) - plain.cos.row(t)).norm() <= 1e-14);
    CHECK((linear.sin.row(4 * t) - plain.sin.row(t)).norm() <= 1e-14);
  }
}

TEST_CASE("YaRN's magnitude multiplies dot products, and the gradient once more", "[ch13][grad]") {
  Philox rng(21);
  const Index T = 6, K = 8;
  const Pairing pairing = GENERATE(values(kPairings));
  const RopeTable<double> table = rope_table<double>(T, K, {.scaling = {Scale::yarn, 4, 3}});
  const M x = random_normal<double>(rng, T, K), u = random_normal<double>(rng, T, K);
  const auto turned = [&](const M& at) {
    M y(T, K);
    rope_forward<double>(at, T, K, table, pairing, y);
    return y;
  };
  const double m = 0.1 * std::log(4.0) + 1;
  const M scores = turned(x) * turned(x).transpose();
  for (Index t = 0; t < T; ++t)
    CHECK(std::abs(scores(t, t) - m * m * x.row(t).squaredNorm()) <= 1e-13);

  M dx(T, K);
  rope_backward<double>(u, T, K, table, pairing, dx);
  CHECK(check_gradient(rng, x, dx, [&](const M& at) { return project(u, turned(at)); }).agrees());
}

TEST_CASE("rope scaling refuses what has no sense", "[ch13]") {
  CHECK_THROWS_AS(scaled(8, 100, {Scale::linear, 0.5}), ShapeError);
  CHECK_THROWS_AS(scaled(8, 100, {Scale::linear, std::nan("")}), ShapeError);
  CHECK_THROWS_AS(scaled(8, 100, {Scale::ntk, INFINITY}), ShapeError);
  CHECK_THROWS_AS(scaled(8, 100, {Scale::yarn, 2, -1}), ShapeError);
  CHECK_THROWS_AS(scaled(8, 100, {Scale::yarn, 2, 0, 32, 1}), ShapeError);
  CHECK_THROWS_AS(scaled(8, 100, {Scale::yarn, 2, 0, 0, 1}), ShapeError);
  CHECK_THROWS_AS(scaled(7, 100, {Scale::linear, 2}), ShapeError);
}

TEST_CASE("rope refuses odd heads, broken sequences and foreign tables", "[ch13]") {
  const RopeTable<double> table = rope_table<double>(4, 6);
  const auto forward = [&](Index rows, Index cols, Index length, Index K) {
    const M x = M::Zero(rows, cols);
    M y(rows, cols);
    rope_forward<double>(x, length, K, table, Pairing::halves, y);
  };
  CHECK_NOTHROW(forward(8, 12, 4, 6));
  CHECK_THROWS_AS(forward(8, 10, 4, 5), ShapeError);   // odd head
  CHECK_THROWS_AS(forward(8, 13, 4, 6), ShapeError);   // not whole heads
  CHECK_THROWS_AS(forward(9, 12, 4, 6), ShapeError);   // not whole sequences
  CHECK_THROWS_AS(forward(8, 12, 0, 6), ShapeError);   // no sequence
  CHECK_THROWS_AS(forward(10, 12, 5, 6), ShapeError);  // longer than the table
  CHECK_THROWS_AS(forward(8, 12, 4, 4), ShapeError);   // the table of another head size
  CHECK_THROWS_AS(rope_table<double>(4, 3), ShapeError);

  const M x = M::Zero(8, 12);
  M y(8, 6);
  CHECK_THROWS_AS(rope_forward<double>(x, 4, 6, table, Pairing::halves, y), ShapeError);
  CHECK_THROWS_AS(rope_backward<double>(x, 4, 6, table, Pairing::halves, y), ShapeError);
}
