// ScaleNorm: RMSNorm with one number instead of a gain for each feature.
#pragma once

#include "chapters/02_tape/tape.h"

namespace tpp {

struct ScaleNormConfig {
  double eps = 1e-5;  // the least length that a row is divided by
};

/// Scale each row to length g, one learned number for the whole layer.
///
///   y[n,d] = g · x[n,d] / max(‖x[n]‖, eps)
///
/// Shapes  x (N, D), g (1) → y (N, D), rnorm (N)       rnorm[n] = 1 / max(‖x[n]‖, eps)
/// Errors  ShapeError unless g is one number
/// Cost    one read of x, one write of y: memory-bound
/// Paper   Nguyen & Salazar 2019, arXiv:1910.05895, eq. 5 (the paper has no eps)
/// Twin    kernels/scalenorm
template <Real T>
void scalenorm_forward(In<Mat<T>> x, In<RowVec<T>> g, ScaleNormConfig cfg, Out<Mat<T>> y,
                       Out<ColVec<T>> rnorm);

/// dx = g · rnorm · (dy − x̂ · ⟨dy, x̂⟩),   x̂ = x · rnorm;     dg = Σ_n ⟨dy, x̂⟩
///
/// A row shorter than eps is divided by a constant: for it dx = g · dy / eps.
template <Real T>
void scalenorm_backward(In<Mat<T>> dy, In<Mat<T>> x, In<RowVec<T>> g, ScaleNormConfig cfg,
                        In<ColVec<T>> rnorm, Out<Mat<T>> dx, Out<RowVec<T>> dg);

/// On the tape: x (N, D), gain (1, 1) → (N, D). The paper starts the gain at √D.
template <Real T>
Var<T> scalenorm(Var<T> x, Var<T> gain, ScaleNormConfig cfg = {},
                 std::string_view name = "scalenorm");

}  // namespace tpp
