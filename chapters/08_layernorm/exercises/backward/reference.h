// LayerNorm: measure each row, shift and scale it; then the way back, which is where mistakes hide.
//
//   y[n,d] = x̂[n,d] · w[d] + b[d],     x̂[n,d] = (x[n,d] − μ[n]) · r[n]
//   μ[n] = mean_d x[n,d],     r[n] = 1 / √(mean_d (x[n,d] − μ[n])² + eps)
#pragma once

#include <cmath>

#include "chapters/08_layernorm/layernorm.h"

namespace tpp {

// [snip layernorm_forward]
template <Real T>
void layernorm_forward(In<Mat<T>> x, In<RowVec<T>> w, In<RowVec<T>> b, LayerNormConfig cfg,
                       Out<Mat<T>> y, Out<ColVec<T>> mean, Out<ColVec<T>> rstd) {
  require_shape("layernorm: the gain", shape_of(w), {1, x.cols()});
  if (b.size() != 0) require_shape("layernorm: the bias", shape_of(b), {1, x.cols()});
  for (Index n = 0; n < x.rows(); ++n) {
    // [hole measure "Measure row n of x: its mean μ into mean[n], and r, one over the root, into rstd[n]. The eps is cfg.eps."]
    // Measure the row: its mean, and one over its standard deviation around that mean
    mean[n] = x.row(n).mean();
    const T variance = (x.row(n).array() - mean[n]).square().mean();
    rstd[n] = T(1) / std::sqrt(variance + T(cfg.eps));
    // [/hole]

    // Shift and scale the row, then each feature to its gain and bias
    y.row(n).array() = (x.row(n).array() - mean[n]) * rstd[n] * w.array();
    if (b.size() != 0) y.row(n) += b;
  }
}
// [/snip]

// [snip layernorm_backward]
template <Real T>
void layernorm_backward(In<Mat<T>> dy, In<Mat<T>> x, In<RowVec<T>> w, In<ColVec<T>> mean,
                        In<ColVec<T>> rstd, Out<Mat<T>> dx, Out<RowVec<T>> dw, Out<RowVec<T>> db) {
  dw.setZero();
  db.setZero();
  for (Index n = 0; n < x.rows(); ++n) {
    const T m = mean[n], r = rstd[n];

    // [hole weights "Row n's share of dw, the gain's gradient, and of db, the bias's. A layer without a bias has a db of size 0."]
    // Gain and bias saw every row: y = x̂·w + b with x̂ = (x − m)·r
    dw.array() += dy.row(n).array() * (x.row(n).array() - m) * r;
    if (db.size() != 0) db += dy.row(n);
    // [/hole]

    // [hole input "Write row n of dx, the gradient of x. The mean and the root depend on x, too."]
    // Undo the gain: the gradient that reaches x̂ is g = dy·w. Keep it in dx
    dx.row(n) = dy.row(n).cwiseProduct(w);

    // Remove g's mean, because a shift of the row changes nothing, and its component along x̂,
    // because neither does a scale
    const T shift = dx.row(n).mean();
    const T along = (dx.row(n).array() * (x.row(n).array() - m)).mean() * r;
    dx.row(n).array() = (dx.row(n).array() - shift - (x.row(n).array() - m) * (r * along)) * r;
    // [/hole]
  }
}
// [/snip]

}  // namespace tpp
