#include "chapters/08_layernorm/layernorm.h"

#include <cmath>

#include "chapters/02_tape/device.h"

namespace tpp {

// [snip layernorm_forward]
template <Real T>
void layernorm_forward(In<Mat<T>> x, In<RowVec<T>> w, In<RowVec<T>> b, LayerNormConfig cfg,
                       Out<Mat<T>> y, Out<ColVec<T>> mean, Out<ColVec<T>> rstd) {
  require_shape("layernorm: the gain", shape_of(w), {1, x.cols()});
  if (b.size() != 0) require_shape("layernorm: the bias", shape_of(b), {1, x.cols()});
  for (Index n = 0; n < x.rows(); ++n) {
    // Measure the row: its mean, and one over its standard deviation around that mean
    mean[n] = x.row(n).mean();
    const T variance = (x.row(n).array() - mean[n]).square().mean();
    rstd[n] = T(1) / std::sqrt(variance + T(cfg.eps));

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

    // Gain and bias saw every row: y = x̂·w + b with x̂ = (x − m)·r
    dw.array() += dy.row(n).array() * (x.row(n).array() - m) * r;
    if (db.size() != 0) db += dy.row(n);

    // Undo the gain: the gradient that reaches x̂ is g = dy·w. Keep it in dx
    dx.row(n) = dy.row(n).cwiseProduct(w);

    // Remove g's mean, because a shift of the row changes nothing, and its component along x̂,
    // because neither does a scale
    const T shift = dx.row(n).mean();
    const T along = (dx.row(n).array() * (x.row(n).array() - m)).mean() * r;
    dx.row(n).array() = (dx.row(n).array() - shift - (x.row(n).array() - m) * (r * along)) * r;
  }
}
// [/snip]

namespace {

// The same operation by the twins
template <Real T>
Var<T> layernorm_on_device(Var<T> x, Var<T> gain, Var<T> bias, LayerNormConfig cfg, Var<T> y) {
  require_shape("layernorm: the gain", gain.shape(), {1, x.cols()});
  if (bias) require_shape("layernorm: the bias", bias.shape(), {1, x.cols()});
  Tape<T>& tape = *x.tape;
  const int N = int(x.rows()), D = int(x.cols());
  float* mean = tape.template device_scratch<float>(std::size_t(N));
  float* rstd = tape.template device_scratch<float>(std::size_t(N));
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    twin.layernorm_forward(stream, x.template device<S>(), gain.template device<float>(),
                           bias ? bias.template device<float>() : nullptr, y.template device<S>(),
                           mean, rstd, N, D, float(cfg.eps), {});
  });
  const auto backward = [=](Tape<T>& t) {
    const Target<T> dx = t.target(x), dgain = t.target(gain);
    float* work = t.template device_scratch<float>(twin::layernorm_backward_work(N, D));
    float* db = nullptr;
    if (bias && t.wants_grad(bias)) {
      const Target<T> dbias = t.target(bias);
      require(dbias.write == dgain.write, "layernorm: gain and bias are used equally often");
      db = dbias.template device<float>();
    }
    run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      S* to = dx.template device<S>();
      const S* there = dx.write == Write::set ? nullptr : to;  // the residual sum's gradient
      twin.layernorm_backward(stream, y.template device_grad<S>(), x.template device<S>(),
                              gain.template device<float>(), mean, rstd, there, to,
                              dgain.template device<float>(), db, work, N, D,
                              twin_write(dgain.write), {});
    });
  };
  return bias ? tape.record(y, {x, gain, bias}, backward) : tape.record(y, {x, gain}, backward);
}

}  // namespace

template <Real T>
Var<T> layernorm(Var<T> x, Var<T> gain, Var<T> bias, LayerNormConfig cfg, std::string_view name) {
  Tape<T>& tape = *x.tape;
  const Var<T> y = tape.make(x.rows(), x.cols(), name);
  if (tape.on_device()) return layernorm_on_device(x, gain, bias, cfg, y);
  const ColMap<T> mean = tape.scratch_col(x.rows()), rstd = tape.scratch_col(x.rows());
  const RowMap<T> b = bias ? bias.row() : RowMap<T>(nullptr, 0);
  layernorm_forward<T>(x.value(), gain.row(), b, cfg, y.value(), ColMap<T>(mean), ColMap<T>(rstd));
  if (!bias) {
    return tape.record(y, {x, gain}, [=](Tape<T>& t) {
      const Sink<T> dx = t.sink(x), dgain = t.sink(gain);
      layernorm_backward<T>(y.grad(), x.value(), gain.row(), mean, rstd, dx.mat(), dgain.row(),
                            RowMap<T>(nullptr, 0));
    });
  }
  return tape.record(y, {x, gain, bias}, [=](Tape<T>& t) {
    const Sink<T> dx = t.sink(x), dgain = t.sink(gain), dbias = t.sink(bias);
    layernorm_backward<T>(y.grad(), x.value(), gain.row(), mean, rstd, dx.mat(), dgain.row(),
                          dbias.row());
  });
}

#define TPP_INSTANTIATE(T)                                                                         \
  template void layernorm_forward<T>(In<Mat<T>>, In<RowVec<T>>, In<RowVec<T>>, LayerNormConfig,    \
                                     Out<Mat<T>>, Out<ColVec<T>>, Out<ColVec<T>>);                 \
  template void layernorm_backward<T>(In<Mat<T>>, In<Mat<T>>, In<RowVec<T>>, In<ColVec<T>>,        \
                                      In<ColVec<T>>, Out<Mat<T>>, Out<RowVec<T>>, Out<RowVec<T>>); \
  template Var<T> layernorm<T>(Var<T>, Var<T>, Var<T>, LayerNormConfig, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
