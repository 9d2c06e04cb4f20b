#include "chapters/08_layernorm/layernorm.h"

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/08_layernorm/exercises/backward/reference.h"  // layernorm_forward, _backward

namespace tpp {

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
    Var<T> second;
    if (bias && t.wants_grad(bias)) {
      const Target<T> dbias = t.target(bias);
      require(dbias.write == dgain.write, "layernorm: gain and bias are used equally often");
      db = dbias.template device<float>();
      second = bias;
    }
    run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      S* to = dx.template device<S>();
      const S* there = dx.write == Write::set ? nullptr : to;  // the residual sum's gradient
      twin.layernorm_backward(stream, t.second_queue(gain, second), y.template device_grad<S>(),
                              x.template device<S>(), gain.template device<float>(), mean, rstd,
                              there, to, dgain.template device<float>(), db, work, N, D,
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
  static const Slot &mine = slot("layernorm_forward"), &back = slot("layernorm_backward");
  in_slot<T>(mine, layernorm_forward<T>)(x.value(), gain.row(), b, cfg, y.value(), ColMap<T>(mean),
                                         ColMap<T>(rstd));
  if (!bias) {
    return tape.record(y, {x, gain}, [=](Tape<T>& t) {
      const Sink<T> dx = t.sink(x), dgain = t.sink(gain);
      in_slot<T>(back, layernorm_backward<T>)(y.grad(), x.value(), gain.row(), mean, rstd, dx.mat(),
                                              dgain.row(), RowMap<T>(nullptr, 0));
    });
  }
  return tape.record(y, {x, gain, bias}, [=](Tape<T>& t) {
    const Sink<T> dx = t.sink(x), dgain = t.sink(gain), dbias = t.sink(bias);
    in_slot<T>(back, layernorm_backward<T>)(y.grad(), x.value(), gain.row(), mean, rstd, dx.mat(),
                                            dgain.row(), dbias.row());
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
