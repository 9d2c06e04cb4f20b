// Chapter 15: shared keys and values.
#include "chapters/15_gqa/gqa.h"

#include "chapters/01_tensor/gradient_check.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

/// Each key head copied once for every query head that uses it: what sharing means.
Mat<double> repeat_heads(const Mat<double>& x, Index G, Index H) {
  const Index K = x.cols() / G;
  Mat<double> wide(x.rows(), H * K);
  for (Index h = 0; h < H; ++h) wide.middleCols(h * K, K) = x.middleCols(h / (H / G) * K, K);
  return wide;
}

}  // namespace

TEST_CASE("shared heads equal multi-head attention with copied keys and values", "[ch15]") {
  const Index G = GENERATE(1, 2, 4);
  constexpr Index B = 2, L = 35, H = 4, K = 3;
  CAPTURE(G);
  Philox rng(15, std::uint64_t(G));
  const Mat<double> q = random_normal<double>(rng, B * L, H * K),
                    k = random_normal<double>(rng, B * L, G * K),
                    v = random_normal<double>(rng, B * L, G * K);
  Tape<double> tape;
  const Var<double> none;
  const Var<double> shared = grouped_query_attention(
      tape.input(q, "q"), tape.input(k, "k"), tape.input(v, "v"), none, {.T = L, .H = H, .G = G});
  const Var<double> copied =
      attention(tape.input(q, "q"), tape.input(repeat_heads(k, G, H), "k"),
                tape.input(repeat_heads(v, G, H), "v"), none, {.T = L, .H = H, .G = H});
  CHECK((shared.value() - copied.value()).cwiseAbs().maxCoeff() <= 1e-14);
}

TEST_CASE("grouped-query attention backward sums over the heads that share", "[ch15][grad]") {
  const Index G = GENERATE(1, 2, 4);
  constexpr Index B = 2, L = 7, H = 4, K = 3;
  CAPTURE(G);
  Philox rng(16, std::uint64_t(G));
  std::array<Mat<double>, 3> in = {random_normal<double>(rng, B * L, H * K),
                                   random_normal<double>(rng, B * L, G * K),
                                   random_normal<double>(rng, B * L, G * K)};
  const Mat<double> u = random_normal<double>(rng, B * L, H * K);
  const AttentionConfig cfg{.T = L, .H = H, .G = G};
  Tape<double> tape;
  std::array<Var<double>, 3> vars;
  for (std::size_t i = 0; i < 3; ++i) vars[i] = tape.variable(in[i], "x");
  tape.backward_from(grouped_query_attention(vars[0], vars[1], vars[2], Var<double>{}, cfg), u);
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(check_gradient(rng, in[i], vars[i].grad(), [&](const Mat<double>& at) {
            std::array<Mat<double>, 3> x = in;
            x[i] = at;
            Tape<double> other;
            return project(u,
                           grouped_query_attention(other.input(x[0], "q"), other.input(x[1], "k"),
                                                   other.input(x[2], "v"), Var<double>{}, cfg)
                               .value());
          }).agrees());
  }
}

TEST_CASE("mean-pooling two heads worked out by hand", "[ch15]") {
  Mat<double> w(4, 2);  // two heads of width 2
  w << 1, 2, 3, 4, 5, 6, 7, 8;
  Mat<double> pooled(2, 2), want(2, 2);
  mean_pool_heads<double>(w, 2, 1, pooled);
  want << 3, 4, 5, 6;
  CHECK(pooled == want);
}

TEST_CASE("pooling heads that were equal changes nothing", "[ch15]") {
  constexpr Index H = 6, G = 3, K = 2, D = 5;
  Philox rng(17);
  const Mat<double> small = random_normal<double>(rng, G * K, D);
  const Mat<double> wide = repeat_heads(small.transpose(), G, H).transpose();
  Mat<double> pooled(G * K, D);
  mean_pool_heads<double>(wide, H, G, pooled);
  CHECK((pooled - small).cwiseAbs().maxCoeff() <= 1e-15);
}

TEST_CASE("the cache shrinks with the key heads", "[ch15]") {
  CHECK(kv_cache_bytes_per_token(4, 4, 32) == 4096);  // 2 · 4 layers · 4 heads · 32 · 4 bytes
  CHECK(kv_cache_bytes_per_token(4, 1, 32) * 4 == kv_cache_bytes_per_token(4, 4, 32));
}

TEST_CASE("sharing refuses groups that do not divide the heads", "[ch15]") {
  Tape<double> tape;
  const Var<double> x = tape.input(Mat<double>::Zero(6, 6), "x");
  CHECK_THROWS_AS(grouped_query_attention(x, x, x, Var<double>{}, {.T = 3, .H = 3, .G = 2}),
                  ShapeError);
  Mat<double> w(6, 2), pooled(4, 2);
  w.setZero();
  CHECK_THROWS_AS(mean_pool_heads<double>(w, 3, 2, pooled), ShapeError);
}
