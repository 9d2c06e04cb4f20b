// LayerNorm: shift a row to mean zero and scale it to variance one, whatever came before.
#pragma once

#include <string_view>

#include "chapters/02_tape/tape.h"

namespace tpp {

struct LayerNormConfig {
  double eps = 1e-5;  // added to the variance, so in units of x²
};

/// Shift and scale each row to mean 0 and variance 1, then each feature to its own gain and bias.
///
///   y[n,d] = (x[n,d] − μ[n]) · r[n] · w[d] + b[d]
///   μ[n] = mean_d x[n,d],     r[n] = 1 / √(mean_d (x[n,d] − μ[n])² + eps)
///
/// The variance is the mean of the squares (divided by D, not D − 1).
/// Shapes  x (N, D), w (D), b (D), or empty for no shift → y (N, D), mean (N), rstd (N)
/// Errors  ShapeError unless w and b have D numbers
/// Cost    one read of x, one write of y: memory-bound
/// Paper   Ba, Kiros, Hinton 2016, arXiv:1607.06450, section 3 (the paper has no eps)
/// Twin    kernels/layernorm
template <Real T>
void layernorm_forward(In<Mat<T>> x, In<RowVec<T>> w, In<RowVec<T>> b, LayerNormConfig cfg,
                       Out<Mat<T>> y, Out<ColVec<T>> mean, Out<ColVec<T>> rstd);

/// dx = r · (g − mean_d(g) − x̂ · mean_d(g ⊙ x̂)),   g = dy ⊙ w,   x̂ = (x − μ) · r
/// dw = Σ_n dy ⊙ x̂,   db = Σ_n dy
///
/// Shapes  dy, x (N, D), w (D), mean, rstd (N) → dx (N, D), dw (D), db (D), or empty
template <Real T>
void layernorm_backward(In<Mat<T>> dy, In<Mat<T>> x, In<RowVec<T>> w, In<ColVec<T>> mean,
                        In<ColVec<T>> rstd, Out<Mat<T>> dx, Out<RowVec<T>> dw, Out<RowVec<T>> db);

/// On the tape: x (N, D), gain (1, D), bias (1, D) or an empty Var for no shift → (N, D).
template <Real T>
Var<T> layernorm(Var<T> x, Var<T> gain, Var<T> bias = {}, LayerNormConfig cfg = {},
                 std::string_view name = "layernorm");

}  // namespace tpp
