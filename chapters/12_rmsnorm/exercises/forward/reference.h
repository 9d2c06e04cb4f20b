// RMSNorm forward: measure each row, then give it rms 1 and each feature its gain.
//
//   y[n,d] = x[n,d] · r[n] · w[d],     r[n] = 1 / √(mean_d x[n,d]² + eps)
#pragma once

#include <cmath>

#include "chapters/12_rmsnorm/rmsnorm.h"

namespace tpp {

// [snip rmsnorm_forward]
template <Real T>
void rmsnorm_forward(In<Mat<T>> x, In<RowVec<T>> w, RmsNormConfig cfg, Out<Mat<T>> y,
                     Out<ColVec<T>> rstd) {
  require_shape("rmsnorm: the gain", shape_of(w), {1, x.cols()});
  for (Index n = 0; n < x.rows(); ++n) {
    // [hole row "Measure row n of x into rstd[n], and write row n of y. The backward pass will read rstd: it holds r, one over the root."]
    // Measure the row: one over its root-mean-square
    rstd[n] = T(1) / std::sqrt(x.row(n).squaredNorm() / T(x.cols()) + T(cfg.eps));

    // Scale the row to rms 1, each feature to its gain
    y.row(n) = (x.row(n) * rstd[n]).cwiseProduct(w);
    // [/hole]
  }
}
// [/snip]

}  // namespace tpp
