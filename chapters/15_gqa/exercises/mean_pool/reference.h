// Mean-pooling: a trained model's key heads, in groups of neighbours, become one head each.
//
//   pooled[g·K + i] = (G/H) · Σ_{h in group g} w[h·K + i]
#pragma once

#include "chapters/15_gqa/gqa.h"

namespace tpp {

// [snip mean_pool_heads]
template <Real T>
void mean_pool_heads(In<Mat<T>> w, Index H, Index G, Out<Mat<T>> pooled) {
  require(G > 0 && H % G == 0, "mean_pool_heads: G must divide H");
  require(w.rows() % H == 0, "mean_pool_heads: H must divide the rows of w");
  const Index K = w.rows() / H, group = H / G;
  require_shape("mean_pool_heads: pooled", shape_of(pooled), {G * K, w.cols()});
  // [hole pool "Write pooled (G·K, D) from w (H·K, D): head h owns rows h·K … h·K + K − 1, and `group` neighbours become one. pooled may hold anything when it comes in."]
  pooled.setZero();
  for (Index h = 0; h < H; ++h) {
    pooled.middleRows(h / group * K, K) += w.middleRows(h * K, K) / T(group);
  }
  // [/hole]
}
// [/snip]

}  // namespace tpp
