// How a block is wired to the residual stream, in the order of today and in that of 2017.
//
//   pre-norm    x ← x + attention(norm(x));   x ← x + feed_forward(norm(x))
//   post-norm   x ← norm(x + attention(x));   x ← norm(x + feed_forward(x))
//
// Chapter 08's residual_block is one half of this, for four placements of the norm.
#pragma once

#include <functional>

#include "chapters/02_tape/ops.h"

namespace tpp {

/// A norm, an attention or a feed-forward layer: call it like a function, y = f(x). The sum of two
/// values is add(a, b).
template <Real T>
using Sublayer = std::function<Var<T>(Var<T>)>;

/// x (N, D) → (N, D). Each of the two halves has a norm of its own.
// [snip blocks]
template <Real T>
Var<T> pre_norm_block(Var<T> x, const Sublayer<T>& norm1, const Sublayer<T>& attention,
                      const Sublayer<T>& norm2, const Sublayer<T>& feed_forward) {
  // [hole pre "Return the stream behind both halves, pre-norm: a norm stands before each sublayer, and nothing but sums on the stream itself."]
  x = add(x, attention(norm1(x)));
  return add(x, feed_forward(norm2(x)));
  // [/hole]
}
// [/snip]

template <Real T>
Var<T> post_norm_block(Var<T> x, const Sublayer<T>& norm1, const Sublayer<T>& attention,
                       const Sublayer<T>& norm2, const Sublayer<T>& feed_forward) {
  // [hole post "The same, post-norm: a sublayer reads the stream as it is, and the norm stands on the sum."]
  x = norm1(add(x, attention(x)));
  return norm2(add(x, feed_forward(x)));
  // [/hole]
}

}  // namespace tpp
