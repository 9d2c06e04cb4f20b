// What the text of chapter 07 shows: a bag of words, the waves, the buckets, the slopes, and a table's gradient.
#include "chapters/example.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "chapters/01_tensor/random.h"
#include "chapters/06_attention/attention.h"
#include "chapters/07_position/relative_bias.h"
#include "chapters/07_position/sinusoidal.h"

using namespace tpp;

namespace {

// [snip bag]
// What the last of five tokens takes home, when the four before it stand in another order.
double change_by_order(const RowVec<double>& bias, const Mat<double>& table) {
  Philox rng(7);
  const Mat<double> x = random_normal<double>(rng, 5, 8);
  const Index orders[2][5] = {{0, 1, 2, 3, 4}, {3, 1, 0, 2, 4}};
  Mat<double> out[2] = {Mat<double>(5, 8), Mat<double>(5, 8)}, probs(5, 5);
  for (int i = 0; i < 2; ++i) {
    Mat<double> tokens(5, 8);
    for (Index t = 0; t < 5; ++t) tokens.row(t) = x.row(orders[i][t]) + table.row(t);
    attention_head_forward<double>(tokens, tokens, tokens, bias, Mask::causal(), 1 / std::sqrt(8.0),
                                   out[i], probs);
  }
  return (out[0].row(4) - out[1].row(4)).norm();
}
// [/snip]

void bag() {
  const RowVec<double> none;
  const Mat<double> nothing = Mat<double>::Zero(5, 8);
  std::printf("no positions:    %.4f\n", change_by_order(none, nothing));
  std::printf("sinusoidal:      %.4f\n", change_by_order(none, sinusoidal_table<double>(5, 8)));
  std::printf("ALiBi:           %.4f\n", change_by_order(alibi_bias<double>(8, 5).row(0), nothing));
}

// [snip counting]
void counting() {
  // Every token is the same, but the first one's value is 1 and the others' are 0
  const Mat<double> same = Mat<double>::Ones(6, 1);
  Mat<double> first = Mat<double>::Zero(6, 1), out(6, 1), probs(6, 6);
  first(0, 0) = 1;
  attention_head_forward<double>(same, same, first, RowVec<double>(), Mask::causal(), 1, out,
                                 probs);
  for (Index t = 0; t < 6; ++t) std::printf("position %d: %.4f\n", int(t), out(t, 0));
}
// [/snip]

void waves() {
  const double pi = std::numbers::pi;
  const Mat<double> P = sinusoidal_table<double>(1025, 8);
  for (const Index t : {0, 1, 2, 3, 100}) {
    std::printf("P[%3d] ", int(t));
    for (Index d = 0; d < 8; ++d) std::printf(" %7.4f", P(t, d));
    std::printf("\n");
  }
  std::printf("tokens a wave:    %7.1f         %7.1f         %7.1f         %7.1f\n\n", 2 * pi,
              2 * pi * 10, 2 * pi * 100, 2 * pi * 1000);
  std::printf("⟨P[t], P[t + distance]⟩    distance 0       1       5      20\n");
  for (const Index t : {0, 7, 1000}) {
    std::printf("t = %4d                    ", int(t));
    for (const Index distance : {0, 1, 5, 20}) {
      std::printf(" %7.4f", P.row(t).dot(P.row(t + distance)));
    }
    std::printf("\n");
  }
}

void buckets() {
  std::printf("bucket: distances\n");
  Index from = 0;
  for (Index n = 1; n <= 130; ++n) {
    const int bucket = t5_bucket(-from, false);
    if (t5_bucket(-n, false) == bucket && n < 130) continue;
    if (bucket >= 14) {
      if (n == 130) {
        std::printf("%6d: %d and more\n", bucket, int(from));
      } else if (n - 1 == from) {
        std::printf("%6d: %d\n", bucket, int(from));
      } else {
        std::printf("%6d: %d to %d\n", bucket, int(from), int(n - 1));
      }
    }
    from = n;
  }
}

void slopes() {
  for (const Index heads : {4, 8, 6}) {
    std::printf("%d heads: ", int(heads));
    for (const double slope : alibi_slopes(heads)) std::printf(" %.4f", slope);
    std::printf("\n");
  }
  std::printf("\nweight of a key against that of the token itself, logits alike:\n");
  std::printf("distance       1       4      16      64     256\n");
  for (const double slope : alibi_slopes(4)) {
    std::printf("m = %.4f", slope);
    for (const int distance : {1, 4, 16, 64, 256})
      std::printf("  %.4f", std::exp(-slope * distance));
    std::printf("\n");
  }
}

// [snip bias_gradient]
void bias_gradient() {
  // One head; four buckets: distances 0, 1, 2 to 15, 16 and more; six tokens: offsets −5 to 5
  Mat<double> table{{0.4}, {0.3}, {0.2}, {0.1}}, bias(1, 11), dtable(4, 1);
  t5_bias_forward<double>(table, false, bias);

  // A gradient of 1 at every offset that a causal mask shows counts how often each row was read
  Mat<double> dbias = Mat<double>::Zero(1, 11);
  dbias.leftCols(6).setOnes();
  t5_bias_backward<double>(dbias, false, dtable);
  std::printf("offset  ");
  for (int o = -5; o <= 5; ++o) std::printf(" %4d", o);
  std::printf("\nbias    ");
  for (Index o = 0; o < 11; ++o) std::printf(" %4.1f", bias(0, o));
  std::printf("\ndbias   ");
  for (Index o = 0; o < 11; ++o) std::printf(" %4.0f", dbias(0, o));
  std::printf("\ndtable  ");
  for (Index j = 0; j < 4; ++j) std::printf(" %4.0f", dtable(j, 0));
  std::printf("\n");
}
// [/snip]

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"bag", bag},
                       {"counting", counting},
                       {"waves", waves},
                       {"buckets", buckets},
                       {"slopes", slopes},
                       {"bias_gradient", bias_gradient}});
}
