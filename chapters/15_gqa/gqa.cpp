#include "chapters/15_gqa/gqa.h"

#include "chapters/15_gqa/exercises/mean_pool/reference.h"  // mean_pool_heads

namespace tpp {

template <Real T>
Var<T> grouped_query_attention(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, AttentionConfig cfg,
                               std::string_view name) {
  // Chapter 06's loop over heads asks for key head h / (H/G); its backward adds up dk and dv over the
  // query heads that shared them. With G < H those two lines are the whole of this chapter
  return detail::attention_with_heads(q, k, v, bias, cfg, name);
}

#define TPP_INSTANTIATE(T)                                                                    \
  template Var<T> grouped_query_attention<T>(Var<T>, Var<T>, Var<T>, Var<T>, AttentionConfig, \
                                             std::string_view);                               \
  template void mean_pool_heads<T>(In<Mat<T>>, Index, Index, Out<Mat<T>>);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
