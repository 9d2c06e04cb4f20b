// Backward of a product, y = a·b: two products more, one for each operand.
//
// With a (M, K) and b (K, N), y and dy are (M, N). Each operand's gradient is a product of dy with the other operand,
// and has its own operand's shape.
//
// A value that is used in two places receives two gradients, and its gradient is their sum. The tape says by `write`
// whether this one is the first: Write::set replaces what stands in the output, which may be anything; Write::add is
// added to it.
#pragma once

#include "chapters/01_tensor/matmul.h"

namespace tpp {

// [snip product_backward]
/// dy (M, N), b (K, N) → da (M, K)
template <Real T>
void product_backward_a(In<Mat<T>> dy, In<Mat<T>> b, Out<Mat<T>> da, Write write) {
  // [hole left "Write da, the gradient of the left operand, as `write` says."]
  matmul_nt<T>(dy, b, da, write);  // da = dy·bᵀ
  // [/hole]
}

/// a (M, K), dy (M, N) → db (K, N)
template <Real T>
void product_backward_b(In<Mat<T>> a, In<Mat<T>> dy, Out<Mat<T>> db, Write write) {
  // [hole right "Write db, the gradient of the right operand, as `write` says."]
  matmul_tn<T>(a, dy, db, write);  // db = aᵀ·dy
  // [/hole]
}
// [/snip]

}  // namespace tpp
