// RMSNorm: keep a row's direction, fix its length, and leave the mean alone.
#pragma once

#include "chapters/02_tape/tape.h"

namespace tpp {

struct RmsNormConfig {
  double eps = 1e-5;  // added to mean x², so in units of x²
};

/// Scale each row to unit root-mean-square, then each feature by a learned gain.
///
///   y[n,d] = x[n,d] · r[n] · w[d],     r[n] = 1 / √(mean_d x[n,d]² + eps)
///
/// Shapes  x (N, D), w (D) → y (N, D), rstd (N)
/// Errors  ShapeError unless w.size() == D
/// Cost    one read of x, one write of y: memory-bound
/// Paper   Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4 (the paper has no eps)
/// Twin    kernels/rmsnorm
template <Real T>
void rmsnorm_forward(In<Mat<T>> x, In<RowVec<T>> w, RmsNormConfig cfg, Out<Mat<T>> y,
                     Out<ColVec<T>> rstd);

/// dx = r · (g − x̂ · mean_d(g ⊙ x̂)),   g = dy ⊙ w,   x̂ = x · r;     dw = Σ_n dy ⊙ x̂
///
/// Shapes  dy, x (N, D), w (D), rstd (N) → dx (N, D), dw (D)
template <Real T>
void rmsnorm_backward(In<Mat<T>> dy, In<Mat<T>> x, In<RowVec<T>> w, In<ColVec<T>> rstd,
                      Out<Mat<T>> dx, Out<RowVec<T>> dw);

/// On the tape: x (N, D), gain (1, D) → (N, D).
template <Real T>
Var<T> rmsnorm(Var<T> x, Var<T> gain, RmsNormConfig cfg = {}, std::string_view name = "rmsnorm");

}  // namespace tpp
