// Scaled dot-product attention: every query takes a weighted mean of the values, with weights that it
// chooses by comparing itself with the keys.
#pragma once

#include "chapters/02_tape/tape.h"
#include "chapters/06_attention/mask.h"

namespace tpp {

/// One head of one sequence.
///
///   logits[t,s] = scale · ⟨q[t], k[s]⟩ + bias[s − t + T − 1]      for the keys that the mask shows
///   probs[t]    = softmax(logits[t]),  0 for the others
///   out[t]      = Σ_s probs[t,s] · v[s]
///
/// Shapes  q (T, K), k (T, K), v (T, K), bias (2T − 1) or empty → out (T, K), probs (T, T)
/// Errors  ShapeError
/// Cost    2·T·T·K operations a product, half of them under a causal mask: queries go in blocks, and
///         a block does not touch the keys that none of its queries sees
/// Paper   Vaswani et al. 2017, arXiv:1706.03762, eq. 1, where scale is 1/√K and there is no bias
/// Twin    kernels/attention
template <Real T>
void attention_head_forward(In<Mat<T>> q, In<Mat<T>> k, In<Mat<T>> v, In<RowVec<T>> bias, Mask mask,
                            T scale, Out<Mat<T>> out, Out<Mat<T>> probs);

/// With dP = dout·vᵀ and dS = P ⊙ (dP − Σ_s P ⊙ dP):
///
///   dq = scale · dS·k,   dk = scale · dSᵀ·q,   dv = Pᵀ·dout,   dbias[o] = Σ over s − t + T − 1 = o of dS
///
/// `shared` says whether dk and dv replace what stands there or are added: heads may share keys and
/// values. dq replaces; dbias is always added to, because every sequence of a batch uses the same bias.
/// Shapes  work (block, T): scratch memory with kAttentionBlock rows
template <Real T>
void attention_head_backward(In<Mat<T>> dout, In<Mat<T>> q, In<Mat<T>> k, In<Mat<T>> v,
                             In<Mat<T>> probs, Mask mask, T scale, Write shared, Out<Mat<T>> dq,
                             Out<Mat<T>> dk, Out<Mat<T>> dv, Out<RowVec<T>> dbias,
                             Out<Mat<T>> work);

/// How many queries are taken at a time. A head's block of logits stays in the first cache.
inline constexpr Index kAttentionBlock = 32;

struct AttentionConfig {
  Index T = 0;  // queries in a sequence; the rows are B·T
  Index H = 0;  // query heads
  Index G = 0;  // key and value heads; this chapter has G = H
  Mask mask = Mask::causal();
  double scale = 0;  // 0: 1/√K
};

/// Multi-head attention on the tape: head h owns the columns [h·K, (h+1)·K) of q, k, v and out.
///
/// Shapes  q, k, v (B·T, H·K), bias (H, 2T − 1) or an empty Var → (B·T, H·K)
/// Names   the result `name`, and beside it "probs" (B·H·T, T): sequence, then head, then query
/// Errors  ShapeError unless H divides the columns, T divides the rows, and G == H
/// Paper   Vaswani et al. 2017, section 3.2.2; the bias by offset is chapter 07's
template <Real T>
Var<T> attention(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, AttentionConfig cfg,
                 std::string_view name = "attention");

namespace detail {
/// The same with G key and value heads, query head h using key head h / (H/G). Chapter 15 says why
/// one would; this chapter calls it with G = H.
template <Real T>
Var<T> attention_with_heads(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, AttentionConfig cfg,
                            std::string_view name);
}  // namespace detail

}  // namespace tpp
