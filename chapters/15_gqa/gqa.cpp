#include "chapters/15_gqa/gqa.h"

namespace tpp {

template <Real T>
Var<T> grouped_query_attention(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, AttentionConfig cfg,
                               std::string_view name) {
  // Chapter 06's loop over heads asks for key head h / (H/G); its backward adds up dk and dv over the
  // query heads that shared them. With G < H those two lines are the whole of this chapter
  return detail::attention_with_heads(q, k, v, bias, cfg, name);
}

// [snip mean_pool_heads]
template <Real T>
void mean_pool_heads(In<Mat<T>> w, Index H, Index G, Out<Mat<T>> pooled) {
  require(G > 0 && H % G == 0, "mean_pool_heads: G must divide H");
  require(w.rows() % H == 0, "mean_pool_heads: H must divide the rows of w");
  const Index K = w.rows() / H, group = H / G;
  require_shape("mean_pool_heads: pooled", shape_of(pooled), {G * K, w.cols()});
  pooled.setZero();
  for (Index h = 0; h < H; ++h) {
    pooled.middleRows(h / group * K, K) += w.middleRows(h * K, K) / T(group);
  }
}
// [/snip]

#define TPP_INSTANTIATE(T)                                                                    \
  template Var<T> grouped_query_attention<T>(Var<T>, Var<T>, Var<T>, Var<T>, AttentionConfig, \
                                             std::string_view);                               \
  template void mean_pool_heads<T>(In<Mat<T>>, Index, Index, Out<Mat<T>>);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
