// What the text of chapter 15 shows: the cache in bytes, who shares with whom, the gradient of a shared head, and what
// the mean of heads keeps.
#include "chapters/15_gqa/gqa.h"

#include <cmath>

#include "chapters/01_tensor/random.h"
#include "chapters/15_gqa/exercises/head_sharing/reference.h"
#include "chapters/example.h"

using namespace tpp;

namespace {

using M = Mat<double>;

void cache() {
  const auto row = [](const char* name, Index layers, Index H, Index G, Index K, Index bytes,
                      Index context) {
    const Index a_token = kv_cache_bytes_per_token(layers, G, K, bytes);
    std::printf("%-30s %2d/%-2d %14lld %15.3f\n", name, int(H), int(G), (long long)(a_token),
                double(a_token * context) / double(1 << 20));
  };
  std::printf("                               H/G    bytes a token   MiB of a text\n");
  row("book's model, mha", 4, 4, 4, 32, 4, 128);
  row("book's model, gqa:2", 4, 4, 2, 32, 4, 128);
  row("book's model, mqa", 4, 4, 1, 32, 4, 128);
  row("80 layers, 8192 tokens, mha", 80, 64, 64, 128, 2, 8192);
  row("80 layers, 8192 tokens, gqa:8", 80, 64, 8, 128, 2, 8192);
  row("80 layers, 8192 tokens, mqa", 80, 64, 1, 128, 2, 8192);
}

void sharing() {
  std::printf("query head    ");
  for (Index h = 0; h < 8; ++h) std::printf(" %d", int(h));
  for (const Index G : {8, 4, 2, 1}) {
    std::printf("\nkey head, G=%d ", int(G));
    for (Index h = 0; h < 8; ++h) std::printf(" %d", int(key_head(h, 8, G)));
  }
  std::printf("\n");
}

struct Gradients {
  M dq, dk, dv;
};

Gradients gradients(const M& q, const M& k, const M& v, const M& dout, Index H, Index G) {
  M out(q.rows(), q.cols()), probs(H * q.rows(), q.rows());
  Gradients g{M(q.rows(), q.cols()), M(k.rows(), k.cols()), M(v.rows(), v.cols())};
  shared_heads_forward<double>(q, k, v, H, G, out, probs);
  shared_heads_backward<double>(dout, q, k, v, probs, H, G, g.dq, g.dk, g.dv);
  return g;
}

// [snip sum]
// Two query heads on one key head, beside two heads whose keys and values are copies of it.
void sum() {
  Philox rng(15);
  const Index T = 5, K = 4;
  const M q = random_normal<double>(rng, T, 2 * K), dout = random_normal<double>(rng, T, 2 * K);
  const M k = random_normal<double>(rng, T, K), v = random_normal<double>(rng, T, K);
  M k_twice(T, 2 * K), v_twice(T, 2 * K);
  k_twice << k, k;
  v_twice << v, v;
  const Gradients shared = gradients(q, k, v, dout, 2, 1);
  const Gradients own = gradients(q, k_twice, v_twice, dout, 2, 2);
  const auto row = [](const char* name, const auto& x) {
    std::printf("%-28s %8.4f %8.4f %8.4f %8.4f\n", name, x(1, 0), x(1, 1), x(1, 2), x(1, 3));
  };
  row("dk of head 0's copy, token 1", own.dk.leftCols(K));
  row("dk of head 1's copy", own.dk.rightCols(K));
  row("their sum", M(own.dk.leftCols(K) + own.dk.rightCols(K)));
  row("dk of the shared head", shared.dk);
}
// [/snip]

// Pool two key heads that are alike up to a difference, and look at the logits of the model that comes out.
void pool() {
  Philox rng(16);
  const Index D = 32, K = 8, T = 16;
  const M x = random_normal<double>(rng, T, D), q = random_normal<double>(rng, T, 2 * K);
  const M common = random_normal<double>(rng, K, D), first = random_normal<double>(rng, K, D);
  const M second = random_normal<double>(rng, K, D);
  std::printf(
      "share of their own   error of the logits: mean   head 0 for both   new random head\n");
  for (const double own : {0.0, 0.1, 0.5, 1.0}) {
    // Head h's key weights: what both have, and what is its own, of one size in all
    const double both = std::sqrt(1 - own);
    M w(2 * K, D);
    w << both * common + std::sqrt(own) * first, both * common + std::sqrt(own) * second;
    M mean(K, D);
    mean_pool_heads<double>(w, 2, 1, mean);
    const auto error = [&](const M& shared) {
      double wrong = 0, size = 0;
      for (Index h = 0; h < 2; ++h) {
        const M want =
            q.middleCols(h * K, K) * (x * w.middleRows(h * K, K).transpose()).transpose();
        const M got = q.middleCols(h * K, K) * (x * shared.transpose()).transpose();
        wrong += (got - want).squaredNorm(), size += want.squaredNorm();
      }
      return wrong / size;
    };
    Philox other(17);
    std::printf("%17.0f%% %28.3f %17.3f %17.3f\n", 100 * own, error(mean), error(w.topRows(K)),
                error(random_normal<double>(other, K, D)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"cache", cache}, {"sharing", sharing}, {"sum", sum}, {"pool", pool}});
}
