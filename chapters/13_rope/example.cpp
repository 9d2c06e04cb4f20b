// What the text of chapter 13 shows: attention that cannot see order, the dot product that sees distance alone, the
// clocks, the two pairings, what float does to far angles, and the clocks slowed for longer texts.
#include "chapters/13_rope/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "chapters/01_tensor/random.h"
#include "chapters/06_attention/attention.h"
#include "chapters/example.h"

using namespace tpp;

namespace {

using M = Mat<double>;

/// Row t of x turned as position first + t.
M turned(const M& x, Index first = 0, Pairing pairing = Pairing::halves) {
  const Index K = x.cols(), length = first + x.rows();
  M padded = M::Zero(length, K), y(length, K);
  padded.bottomRows(x.rows()) = x;
  rope_forward<double>(padded, length, K, rope_table<double>(length, K), pairing, y);
  return y.bottomRows(x.rows());
}

M attend(const M& q, const M& k, const M& v) {
  M out(q.rows(), v.cols()), probs(q.rows(), k.rows());
  const RowVec<double> no_bias;
  attention_head_forward<double>(q, k, v, no_bias, Mask::full(), 1 / std::sqrt(double(q.cols())),
                                 out, probs);
  return out;
}

// Four tokens, read forwards and with the first two exchanged. What does the last token see?
void order() {
  Philox rng(13);
  const Index K = 8;
  const M q = random_normal<double>(rng, 4, K), k = random_normal<double>(rng, 4, K);
  const M v = random_normal<double>(rng, 4, K);
  const auto swapped = [](M x) { return x.row(0).swap(x.row(1)), x; };
  const auto show = [](const char* name, const M& out) {
    std::printf("%-32s %8.4f %8.4f %8.4f …\n", name, out(3, 0), out(3, 1), out(3, 2));
  };
  show("without positions", attend(q, k, v));
  show("without positions, exchanged", attend(swapped(q), swapped(k), swapped(v)));
  show("with rope", attend(turned(q), turned(k), v));
  show("with rope, exchanged", attend(turned(swapped(q)), turned(swapped(k)), swapped(v)));
}

// [snip distance]
// One query and one key, set down at several places.
void distance() {
  Philox rng(14);
  const M q = random_normal<double>(rng, 1, 8), k = random_normal<double>(rng, 1, 8);
  for (const auto& [t, s] :
       {std::pair<Index, Index>{3, 0}, {5, 2}, {1003, 1000}, {0, 3}, {5, 5}, {90, 90}}) {
    const double score = turned(q, t).row(0).dot(turned(k, s).row(0));
    std::printf("query at %4d, key at %4d, distance %2d: %8.4f\n", int(t), int(s), int(t - s),
                score);
  }
  std::printf("never turned:                           %8.4f\n", q.row(0).dot(k.row(0)));
}
// [/snip]

void clocks() {
  const Index K = 32, T = 128;
  const std::vector<double> theta = rope_frequencies(K, 10000);
  std::printf("pair  angle a token  tokens a turn  turns in %d tokens\n", int(T));
  for (const Index p : {0, 1, 2, 4, 6, 8, 12, 15}) {
    const double wavelength = 2 * std::numbers::pi / theta[std::size_t(p)];
    std::printf("%4d  %13.6f  %13.1f  %19.3f\n", int(p), theta[std::size_t(p)], wavelength,
                double(T) / wavelength);
  }
}

// [snip pairings]
// Put the features of every head in another order: the even ones first, then the odd ones.
M even_then_odd(const M& x) {
  const Index half = x.cols() / 2;
  M y(x.rows(), x.cols());
  for (Index p = 0; p < half; ++p) y.col(p) = x.col(2 * p), y.col(half + p) = x.col(2 * p + 1);
  return y;
}

void pairings() {
  Philox rng(15);
  const M q = random_normal<double>(rng, 5, 8), k = random_normal<double>(rng, 5, 8);
  const M adjacent = turned(q, 0, Pairing::adjacent) * turned(k, 0, Pairing::adjacent).transpose();
  const M halves = turned(q) * turned(k).transpose();
  const M reordered = turned(even_then_odd(q)) * turned(even_then_odd(k)).transpose();
  const auto largest = [](const M& x) { return x.cwiseAbs().maxCoeff(); };
  std::printf("scores, adjacent against halves:                          off by %.4f\n",
              largest(adjacent - halves));
  std::printf("scores, adjacent against halves of features in new order: off by %.4f\n",
              largest(adjacent - reordered));
}
// [/snip]

// How far off are the cosines of all pairs at the hundred positions before t, with the angle made in float?
void precision() {
  const std::vector<double> theta = rope_frequencies(32, 10000);
  std::printf("positions up to   floats there lie apart by   largest error of a cosine\n");
  for (const int t : {100, 1000, 10000, 100000, 1000000}) {
    double worst = 0;
    for (const double angle : theta) {
      for (int n = t - 99; n <= t; ++n) {
        const float in_float = float(n) * float(angle);
        worst = std::max(worst, std::abs(std::cos(double(in_float)) - std::cos(n * angle)));
      }
    }
    const float apart = std::nextafter(float(t), 2.0f * float(t)) - float(t);
    std::printf("%15d   %25.6f   %25.6f\n", t, double(apart), worst);
  }
}

// By how much is each pair slowed, for a text four times as long as those of the training?
void scalings() {
  const Index K = 32, trained = 128, length = 512;
  const std::vector<double> theta = rope_frequencies(K, 10000);
  const auto slowed = [&](RopeScaling::Kind kind, Index p) {
    const RopeConfig cfg{.scaling = {.kind = kind, .factor = 4, .trained = double(trained)}};
    return theta[std::size_t(p)] / rope_frequencies(K, cfg, length)[std::size_t(p)];
  };
  std::printf("pair  turns in training   linear    ntk   yarn\n");
  for (const Index p : {0, 1, 2, 4, 6, 8, 12, 15}) {
    std::printf("%4d  %17.3f   %6.2f %6.2f %6.2f\n", int(p),
                double(trained) * theta[std::size_t(p)] / (2 * std::numbers::pi),
                slowed(RopeScaling::Kind::linear, p), slowed(RopeScaling::Kind::ntk, p),
                slowed(RopeScaling::Kind::yarn, p));
  }
  std::printf("yarn makes queries and keys %.4f times as long, and scores %.4f times as large\n",
              rope_magnitude({RopeScaling::Kind::yarn, 4}),
              std::pow(rope_magnitude({RopeScaling::Kind::yarn, 4}), 2));
}

// The same four tokens at the start of a text, and 1000 tokens later.
void values() {
  Philox rng(16);
  const M q = random_normal<double>(rng, 4, 8), k = random_normal<double>(rng, 4, 8);
  const M v = random_normal<double>(rng, 4, 8);
  const auto show = [](const char* name, const M& out) {
    std::printf("%-36s %8.4f %8.4f %8.4f …\n", name, out(3, 0), out(3, 1), out(3, 2));
  };
  show("values as they are, at 0", attend(turned(q), turned(k), v));
  show("values as they are, at 1000", attend(turned(q, 1000), turned(k, 1000), v));
  show("values turned, too, at 0", attend(turned(q), turned(k), turned(v)));
  show("values turned, too, at 1000", attend(turned(q, 1000), turned(k, 1000), turned(v, 1000)));
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"order", order},
                       {"distance", distance},
                       {"clocks", clocks},
                       {"pairings", pairings},
                       {"values", values},
                       {"precision", precision},
                       {"scalings", scalings}});
}
