#include "chapters/12_rmsnorm/rmsnorm.h"

#include <cmath>

namespace tpp {

// [snip rmsnorm_forward]
template <Real T>
void rmsnorm_forward(In<Mat<T>> x, In<RowVec<T>> w, RmsNormConfig cfg, Out<Mat<T>> y,
                     Out<ColVec<T>> rstd) {
  require_shape("rmsnorm: the gain", shape_of(w), {1, x.cols()});
  for (Index n = 0; n < x.rows(); ++n) {
    // Measure the row: one over its root-mean-square
    rstd[n] = T(1) / std::sqrt(x.row(n).squaredNorm() / T(x.cols()) + T(cfg.eps));

    // Scale the row to length one, each feature to its gain
    y.row(n) = (x.row(n) * rstd[n]).cwiseProduct(w);
  }
}
// [/snip]

// [snip rmsnorm_backward]
template <Real T>
void rmsnorm_backward(In<Mat<T>> dy, In<Mat<T>> x, In<RowVec<T>> w, In<ColVec<T>> rstd,
                      Out<Mat<T>> dx, Out<RowVec<T>> dw) {
  dw.setZero();
  for (Index n = 0; n < x.rows(); ++n) {
    const T r = rstd[n];

    // The gain saw every row: y = x̂·w with x̂ = x·r
    dw += (dy.row(n).cwiseProduct(x.row(n))) * r;

    // Undo the gain: the gradient that reaches x̂ is g = dy·w. Keep it in dx
    dx.row(n) = dy.row(n).cwiseProduct(w);

    // Remove g's component along x̂: moving along x̂ only changes the norm
    const T along = dx.row(n).dot(x.row(n)) * r / T(x.cols());
    dx.row(n) = (dx.row(n) - x.row(n) * (r * along)) * r;
  }
}
// [/snip]

template <Real T>
Var<T> rmsnorm(Var<T> x, Var<T> gain, RmsNormConfig cfg, std::string_view name) {
  Tape<T>& tape = *x.tape;
  const Var<T> y = tape.make(x.rows(), x.cols(), name);
  const ColMap<T> rstd = tape.scratch_col(x.rows());
  rmsnorm_forward<T>(x.value(), gain.row(), cfg, y.value(), ColMap<T>(rstd));
  return tape.record(y, {x, gain}, [=](Tape<T>& t) {
    const Sink<T> dx = t.sink(x), dgain = t.sink(gain);
    rmsnorm_backward<T>(y.grad(), x.value(), gain.row(), rstd, dx.mat(), dgain.row());
  });
}

#define TPP_INSTANTIATE(T)                                                                \
  template void rmsnorm_forward<T>(In<Mat<T>>, In<RowVec<T>>, RmsNormConfig, Out<Mat<T>>, \
                                   Out<ColVec<T>>);                                       \
  template void rmsnorm_backward<T>(In<Mat<T>>, In<Mat<T>>, In<RowVec<T>>, In<ColVec<T>>, \
                                    Out<Mat<T>>, Out<RowVec<T>>);                         \
  template Var<T> rmsnorm<T>(Var<T>, Var<T>, RmsNormConfig, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
