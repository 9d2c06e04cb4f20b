// One head of attention: compare every query with the keys it sees, make weights of it, mix the values.
//
//   logits[t,s] = scale · ⟨q[t], k[s]⟩ + bias[s − t + T − 1]      for the keys that the mask shows
//   probs[t]    = softmax(logits[t]),  0 for the others
//   out[t]      = Σ_s probs[t,s] · v[s]
//
// Query t sees the keys 0 … mask.visible(t, T) − 1. All of them are compared before the softmax is
// taken, so the logits stand in `probs` until they become probabilities.
#pragma once

#include <algorithm>

#include "chapters/01_tensor/matmul.h"
#include "chapters/06_attention/attention.h"

namespace tpp {

// [snip attention_head_forward]
template <Real T>
void attention_head_forward(In<Mat<T>> q, In<Mat<T>> k, In<Mat<T>> v, In<RowVec<T>> bias, Mask mask,
                            T scale, Out<Mat<T>> out, Out<Mat<T>> probs) {
  const Index L = q.rows();
  require_shape("attention: k", shape_of(k), shape_of(q));
  require_shape("attention: v", shape_of(v), shape_of(out));
  require_shape("attention: probs", shape_of(probs), {L, L});
  if (bias.size() != 0) require_shape("attention: the bias", shape_of(bias), {1, 2 * L - 1});

  for (Index t0 = 0; t0 < L; t0 += kAttentionBlock) {
    // Compare this block of queries with the keys that its last query sees
    const Index rows = std::min(kAttentionBlock, L - t0);
    const Index seen = mask.visible(t0 + rows - 1, L);
    // [hole compare "Write the products ⟨q[t], k[s]⟩ of the queries t = t0 … t0 + rows − 1 with the keys s = 0 … seen − 1 into probs.block(t0, 0, rows, seen). matmul<T>(a, b, c) writes a·b to c; matmul_nt<T>(a, b, c) writes a·bᵀ; both take blocks of matrices."]
    matmul_nt<T>(q.middleRows(t0, rows), k.topRows(seen), probs.block(t0, 0, rows, seen));
    // [/hole]
    // [/snip]

    // [snip attention_weights]
    // [hole weights "Turn the rows t0 … t0 + rows − 1 of probs from products into probabilities: scale, add the bias (if bias.size() is not 0), softmax over the mask.visible(t, L) keys that query t sees. The rest of its row, up to column L − 1, is 0."]
    for (Index t = t0; t < t0 + rows; ++t) {
      // Scale, shift by distance, and forget the keys that this query does not see
      const Index visible = mask.visible(t, L);
      auto row = probs.row(t).head(visible).array();
      row *= scale;
      if (bias.size() != 0) row += bias.segment(L - 1 - t, visible).array();
      probs.row(t).tail(L - visible).setZero();

      // Turn the row into weights that add up to one. Less the maximum, exp cannot overflow
      row = (row - row.maxCoeff()).exp();
      row *= T(1) / row.sum();
    }
    // [/hole]
    // [/snip]

    // [snip attention_mix]
    // [hole mix "Write the rows t0 … t0 + rows − 1 of out: the values 0 … seen − 1, weighted by probs."]
    // Mix the values
    matmul<T>(probs.block(t0, 0, rows, seen), v.topRows(seen), out.middleRows(t0, rows));
    // [/hole]
    // [/snip]
  }
}

}  // namespace tpp
