// The matrix product, in the three forms that a layer and its gradient need.
//
// A layer computes Y = X·Wᵀ. Its gradients are dX = dY·W and dW = dYᵀ·X. Those are all the products
// that training needs, so they are all that stands here. Nine tenths of the time of a training step
// is spent in these three functions.
#pragma once

#include "chapters/01_tensor/tensor.h"

namespace tpp {

/// C = A·B, or C += A·B.
///
/// Shapes  a (M, K), b (K, N) → c (M, N)      (this chapter alone uses M, N, K for a product's sizes)
/// Errors  ShapeError
/// Cost    2·M·N·K floating-point operations; no allocation
/// Twin    kernels/matmul
template <Real T>
void matmul(In<Mat<T>> a, In<Mat<T>> b, Out<Mat<T>> c, Write write = Write::set);

/// C = A·Bᵀ. Both operands are read along their rows.    a (M, K), b (N, K) → c (M, N)
template <Real T>
void matmul_nt(In<Mat<T>> a, In<Mat<T>> b, Out<Mat<T>> c, Write write = Write::set);

/// C = Aᵀ·B. The sum runs over the rows.                 a (K, M), b (K, N) → c (M, N)
template <Real T>
void matmul_tn(In<Mat<T>> a, In<Mat<T>> b, Out<Mat<T>> c, Write write = Write::set);

}  // namespace tpp
