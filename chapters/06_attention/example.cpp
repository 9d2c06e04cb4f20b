// What the text of chapter 06 shows: three tokens worked out in numbers, the masks, the scale, the blocks, the gradient.
#include "chapters/example.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/01_tensor/random.h"
#include "chapters/06_attention/attention.h"

using namespace tpp;

namespace {

void print(const char* title, const Mat<double>& m, int digits = 4) {
  const char* names[] = {"red", "ball", "rolls"};
  std::printf("%s\n", title);
  for (Index t = 0; t < m.rows(); ++t) {
    std::printf("  %-6s", names[t]);
    for (Index i = 0; i < m.cols(); ++i) std::printf(" %8.*f", digits, m(t, i));
    std::printf("\n");
  }
}

// [snip three_tokens]
// A query says what its token looks for, a key what it is: feature 0 an adjective, 1 a noun.
// A value says what it passes on: feature 0 redness, feature 1 roundness.
struct Tokens {
  Mat<double> q{{0, 0},   // red    looks for nothing
                {2, 0},   // ball   looks for an adjective
                {0, 2}};  // rolls  looks for a noun
  Mat<double> k{{2, 0},   // red    is an adjective
                {0, 2},   // ball   is a noun
                {0, 0}};  // rolls  is neither
  Mat<double> v{{1, 0},   // red    passes on redness
                {0, 1},   // ball   passes on roundness
                {0, 0}};  // rolls  passes on nothing
};
// [/snip]

// [snip by_hand]
void by_hand() {
  const Tokens x;
  const double scale = 1 / std::sqrt(2.0);  // 1/√K, and K is 2

  // Compare: one number for every query (row) and every key (column)
  const Mat<double> products = x.q * x.k.transpose();
  print("products ⟨q[t], k[s]⟩", products, 0);

  // Weights: scale, and a softmax along each row, over the keys 0 … t
  Mat<double> weights = Mat<double>::Zero(3, 3);
  for (Index t = 0; t < 3; ++t) {
    for (Index s = 0; s <= t; ++s) weights(t, s) = std::exp(scale * products(t, s));
    weights.row(t) /= weights.row(t).sum();
  }
  print("weights", weights);

  // Mix: each token takes home the mean of the values, by its weights
  print("out", weights * x.v);
}
// [/snip]

void reference() {
  const Tokens x;
  Mat<double> out(3, 2), probs(3, 3);
  attention_head_forward<double>(x.q, x.k, x.v, RowVec<double>(), Mask::causal(),
                                 1 / std::sqrt(2.0), out, probs);
  print("probs", probs);
  print("out", out);
}

void scale() {
  std::printf("width     deviation    largest of 64 weights    what it lets through\n");
  std::printf("    K      of ⟨q,k⟩      raw      by 1/√K        raw      by 1/√K\n");
  for (const Index K : {4, 16, 64, 256}) {
    Philox rng(6, std::uint64_t(K));
    double squares = 0, largest[2] = {0, 0}, through[2] = {0, 0};
    const int trials = 1000;
    for (int i = 0; i < trials; ++i) {
      // A query and 64 keys of independent numbers with mean 0 and variance 1
      const Mat<double> q = random_normal<double>(rng, 1, K), k = random_normal<double>(rng, 64, K);
      const Mat<double> products = q * k.transpose();  // (1, 64)
      squares += products.squaredNorm() / 64;
      for (const int scaled : {0, 1}) {
        const double by = scaled == 1 ? 1 / std::sqrt(double(K)) : 1;
        Mat<double> p = (by * (products.array() - products.maxCoeff())).exp();
        p /= p.sum();
        largest[scaled] += p.maxCoeff() / trials;
        through[scaled] += (p.array() * (1 - p.array())).sum() / trials;  // Σ_s ∂p[s]/∂logit[s]
      }
    }
    std::printf("%5d   %10.2f   %8.2f   %8.2f      %8.2f   %8.2f\n", int(K),
                std::sqrt(squares / trials), largest[0], largest[1], through[0], through[1]);
  }
}

void masks() {
  const std::pair<const char*, Mask> all[] = {{"full", Mask::full()},
                                              {"causal", Mask::causal()},
                                              {"prefix(3)", Mask::prefix(3)},
                                              {"padding(4)", Mask::padding(4)}};
  std::printf("mask     ");
  for (const auto& [name, mask] : all) std::printf("  %10s", name);
  std::printf("\n");
  for (Index t = 0; t < 6; ++t) {
    std::printf("query %d  ", int(t));
    for (const auto& [name, mask] : all) {
      std::string row(6, '.');
      for (Index s = 0; s < mask.visible(t, 6); ++s) row[std::size_t(s)] = '#';
      std::printf("  %10s", row.c_str());
    }
    std::printf("\n");
  }
}

void blocks() {
  const Index T = 128;
  Index done = 0, needed = 0;
  for (Index t0 = 0; t0 < T; t0 += kAttentionBlock) {
    const Index rows = std::min(kAttentionBlock, T - t0);
    const Index seen = Mask::causal().visible(t0 + rows - 1, T);
    std::printf("queries %3d to %3d: keys 0 to %3d\n", int(t0), int(t0 + rows - 1), int(seen - 1));
    done += rows * seen;
  }
  for (Index t = 0; t < T; ++t) needed += Mask::causal().visible(t, T);
  std::printf("pairs compared: %d of %d; the mask shows %d\n", int(done), int(T * T), int(needed));
}

void gradient() {
  const Tokens x;
  const double scale = 1 / std::sqrt(2.0);
  Mat<double> out(3, 2), probs(3, 3);
  attention_head_forward<double>(x.q, x.k, x.v, RowVec<double>(), Mask::causal(), scale, out,
                                 probs);

  // Let the loss be the redness that "ball" takes home
  Mat<double> dout = Mat<double>::Zero(3, 2);
  dout(1, 0) = 1;
  Mat<double> dq(3, 2), dk(3, 2), dv(3, 2), work(kAttentionBlock, 3);
  RowVec<double> dbias(5);
  dbias.setZero();
  attention_head_backward<double>(dout, x.q, x.k, x.v, probs, Mask::causal(), scale, Write::set, dq,
                                  dk, dv, dbias, work);
  print("dq", dq);
  print("dk", dk);
  print("dv", dv);

  // The same for one number of q by taking a small step to both sides
  const double h = 1e-6;
  double loss[2];
  for (const int side : {0, 1}) {
    Tokens moved;
    moved.q(1, 0) += side == 0 ? -h : h;
    attention_head_forward<double>(moved.q, x.k, x.v, RowVec<double>(), Mask::causal(), scale, out,
                                   probs);
    loss[side] = out(1, 0);
  }
  std::printf("dq of ball, feature 0, by two small steps: %.4f\n", (loss[1] - loss[0]) / (2 * h));
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"by_hand", by_hand},
                       {"reference", reference},
                       {"scale", scale},
                       {"masks", masks},
                       {"blocks", blocks},
                       {"gradient", gradient}});
}
