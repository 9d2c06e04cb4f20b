#include "chapters/12_rmsnorm/scalenorm.h"

#include <algorithm>

#include "chapters/02_tape/device.h"

namespace tpp {

// [snip scalenorm_forward]
template <Real T>
void scalenorm_forward(In<Mat<T>> x, In<RowVec<T>> g, ScaleNormConfig cfg, Out<Mat<T>> y,
                       Out<ColVec<T>> rnorm) {
  require_shape("scalenorm: the gain", shape_of(g), {1, 1});
  for (Index n = 0; n < x.rows(); ++n) {
    rnorm[n] = T(1) / std::max(x.row(n).norm(), T(cfg.eps));
    y.row(n) = x.row(n) * (g[0] * rnorm[n]);
  }
}
// [/snip]

// [snip scalenorm_backward]
template <Real T>
void scalenorm_backward(In<Mat<T>> dy, In<Mat<T>> x, In<RowVec<T>> g, ScaleNormConfig cfg,
                        In<ColVec<T>> rnorm, Out<Mat<T>> dx, Out<RowVec<T>> dg) {
  dg[0] = 0;
  for (Index n = 0; n < x.rows(); ++n) {
    const T r = rnorm[n];
    const T along = dy.row(n).dot(x.row(n)) * r;  // ⟨dy, x̂⟩
    dg[0] += along;

    // A row at the floor is divided by a constant; any other loses its component along x̂
    const bool floor = x.row(n).norm() <= T(cfg.eps);
    const T remove = floor ? T(0) : r * along;
    dx.row(n) = (dy.row(n) - x.row(n) * remove) * (g[0] * r);
  }
}
// [/snip]

namespace {

// The same operation by the twins
template <Real T>
Var<T> scalenorm_on_device(Var<T> x, Var<T> gain, ScaleNormConfig cfg, Var<T> y) {
  require_shape("scalenorm: the gain", gain.shape(), {1, 1});
  Tape<T>& tape = *x.tape;
  const int N = int(x.rows()), D = int(x.cols());
  float* rnorm = tape.template device_scratch<float>(std::size_t(N));
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    twin.scalenorm_forward(stream, x.template device<S>(), gain.template device<float>(),
                           y.template device<S>(), rnorm, N, D, float(cfg.eps), {});
  });
  return tape.record(y, {x, gain}, [=](Tape<T>& t) {
    const Sink<T> dx = t.sink(x);
    const Target<T> dgain = t.target(gain);
    float* work = t.template device_scratch<float>(twin::scalenorm_backward_work(N, D));
    run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      twin.scalenorm_backward(stream, t.second_queue(gain), y.template device_grad<S>(),
                              x.template device<S>(), gain.template device<float>(), rnorm,
                              dx.template device<S>(), dgain.template device<float>(), work, N, D,
                              float(cfg.eps), twin_write(dgain.write), {});
    });
  });
}

}  // namespace

template <Real T>
Var<T> scalenorm(Var<T> x, Var<T> gain, ScaleNormConfig cfg, std::string_view name) {
  Tape<T>& tape = *x.tape;
  const Var<T> y = tape.make(x.rows(), x.cols(), name);
  if (tape.on_device()) return scalenorm_on_device(x, gain, cfg, y);
  const ColMap<T> rnorm = tape.scratch_col(x.rows());
  scalenorm_forward<T>(x.value(), gain.row(), cfg, y.value(), ColMap<T>(rnorm));
  return tape.record(y, {x, gain}, [=](Tape<T>& t) {
    const Sink<T> dx = t.sink(x), dgain = t.sink(gain);
    scalenorm_backward<T>(y.grad(), x.value(), gain.row(), cfg, rnorm, dx.mat(), dgain.row());
  });
}

#define TPP_INSTANTIATE(T)                                                                    \
  template void scalenorm_forward<T>(In<Mat<T>>, In<RowVec<T>>, ScaleNormConfig, Out<Mat<T>>, \
                                     Out<ColVec<T>>);                                         \
  template void scalenorm_backward<T>(In<Mat<T>>, In<Mat<T>>, In<RowVec<T>>, ScaleNormConfig, \
                                      In<ColVec<T>>, Out<Mat<T>>, Out<RowVec<T>>);            \
  template Var<T> scalenorm<T>(Var<T>, Var<T>, ScaleNormConfig, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
