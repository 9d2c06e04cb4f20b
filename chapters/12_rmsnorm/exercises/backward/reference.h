// RMSNorm backward: what reaches y goes to the gain and, less its part along the row, to x. Forward:
//
//   y = x̂ ⊙ w,   x̂ = x · r,   r = 1 / √(mean_d x² + eps)
#pragma once

#include "chapters/12_rmsnorm/rmsnorm.h"

namespace tpp {

// [snip rmsnorm_backward]
template <Real T>
void rmsnorm_backward(In<Mat<T>> dy, In<Mat<T>> x, In<RowVec<T>> w, In<ColVec<T>> rstd,
                      Out<Mat<T>> dx, Out<RowVec<T>> dw) {
  dw.setZero();
  for (Index n = 0; n < x.rows(); ++n) {
    const T r = rstd[n];

    // [hole gain "Add to dw what row n gives it. The forward wrote y = x̂ ⊙ w with x̂ = x · r."]
    // The gain saw every row: y = x̂·w with x̂ = x·r
    dw += (dy.row(n).cwiseProduct(x.row(n))) * r;
    // [/hole]

    // [hole row "Write row n of dx. x reaches y by two ways: through itself, and through r, which measured the whole row."]
    // Undo the gain: the gradient that reaches x̂ is g = dy·w. Keep it in dx
    dx.row(n) = dy.row(n).cwiseProduct(w);

    // Remove g's component along x̂: moving along x̂ only changes the norm
    const T along = dx.row(n).dot(x.row(n)) * r / T(x.cols());
    dx.row(n) = (dx.row(n) - x.row(n) * (r * along)) * r;
    // [/hole]
  }
}
// [/snip]

}  // namespace tpp
