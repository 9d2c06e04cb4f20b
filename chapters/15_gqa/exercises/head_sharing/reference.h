// Head sharing: neighbouring query heads read one key and value head, and all of them send it their gradients.
#pragma once

#include <cmath>

#include "chapters/06_attention/attention.h"

namespace tpp {

// [snip key_head]
/// The key and value head that query head h = 0 … H − 1 uses, one of G. G divides H; neighbours share.
inline Index key_head(Index h, Index H, Index G) {
  // [hole key_head "Return the key head of query head h. With H = 6 and G = 2, heads 0, 1, 2 use key head 0 and heads 3, 4, 5 use key head 1."]
  return h / (H / G);
  // [/hole]
}
// [/snip]

/// One sequence, causal. q, out (T, H·K), k, v (T, G·K), probs (H·T, T).
template <Real T>
void shared_heads_forward(In<Mat<T>> q, In<Mat<T>> k, In<Mat<T>> v, Index H, Index G,
                          Out<Mat<T>> out, Out<Mat<T>> probs) {
  const Index L = q.rows(), K = q.cols() / H;
  const RowVec<T> no_bias;
  for (Index h = 0; h < H; ++h) {
    const Index g = key_head(h, H, G);
    attention_head_forward<T>(q.middleCols(h * K, K), k.middleCols(g * K, K),
                              v.middleCols(g * K, K), no_bias, Mask::causal(),
                              T(1) / std::sqrt(T(K)), out.middleCols(h * K, K),
                              probs.middleRows(h * L, L));
  }
}

/// dout, dq (T, H·K), dk, dv (T, G·K).
template <Real T>
void shared_heads_backward(In<Mat<T>> dout, In<Mat<T>> q, In<Mat<T>> k, In<Mat<T>> v,
                           In<Mat<T>> probs, Index H, Index G, Out<Mat<T>> dq, Out<Mat<T>> dk,
                           Out<Mat<T>> dv) {
  const Index L = q.rows(), K = q.cols() / H;
  Mat<T> dk_h(L, K), dv_h(L, K), work(kAttentionBlock, L);
  RowVec<T> no_bias;
  dk.setZero();
  dv.setZero();
  for (Index h = 0; h < H; ++h) {
    const Index g = key_head(h, H, G);
    attention_head_backward<T>(dout.middleCols(h * K, K), q.middleCols(h * K, K),
                               k.middleCols(g * K, K), v.middleCols(g * K, K),
                               probs.middleRows(h * L, L), Mask::causal(), T(1) / std::sqrt(T(K)),
                               Write::set, dq.middleCols(h * K, K), dk_h, dv_h, no_bias, work);
    // [snip shared_heads_gradients]
    // [hole gradients "dk_h and dv_h (T, K) are what query head h alone wants of the keys and values that it used. Bring them to their place in dk and dv."]
    dk.middleCols(g * K, K) += dk_h;
    dv.middleCols(g * K, K) += dv_h;
    // [/hole]
    // [/snip]
  }
}

}  // namespace tpp
