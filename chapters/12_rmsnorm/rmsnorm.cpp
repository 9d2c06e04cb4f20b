#include "chapters/12_rmsnorm/rmsnorm.h"

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/12_rmsnorm/exercises/backward/reference.h"  // rmsnorm_backward
#include "chapters/12_rmsnorm/exercises/forward/reference.h"   // rmsnorm_forward

namespace tpp {

namespace {

// The same operation by the twins
template <Real T>
Var<T> rmsnorm_on_device(Var<T> x, Var<T> gain, RmsNormConfig cfg, Var<T> y) {
  require_shape("rmsnorm: the gain", gain.shape(), {1, x.cols()});
  Tape<T>& tape = *x.tape;
  const int N = int(x.rows()), D = int(x.cols());
  float* rstd = tape.template device_scratch<float>(std::size_t(N));
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    const float* w = gain.template device<float>();
    S* out = y.template device<S>();
    // The residual sum before it is mostly still to be made: in the same launch
    if (const auto sum = tape.template take_sum<S>(x)) {
      twin.rmsnorm_residual_forward(stream, sum->a, sum->b, w, x.template device<S>(), out, rstd, N,
                                    D, float(cfg.eps), {});
    } else {
      twin.rmsnorm_forward(stream, x.template device<S>(), w, out, rstd, N, D, float(cfg.eps), {});
    }
  });
  return tape.record(y, {x, gain}, [=](Tape<T>& t) {
    const Target<T> dx = t.target(x), dgain = t.target(gain);
    float* work = t.template device_scratch<float>(twin::rmsnorm_backward_work(N, D));
    run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const S *dy = y.template device_grad<S>(), *from = x.template device<S>();
      const float* w = gain.template device<float>();
      float* dw = dgain.template device<float>();
      S* to = dx.template device<S>();
      const twin::Write write = twin_write(dgain.write);
      const twin::Stream aside =
          t.second_queue(gain);  // nobody waits for dgain until the pass ends
      if (dx.write == Write::set) {
        twin.rmsnorm_backward(stream, aside, dy, from, w, rstd, to, dw, work, N, D, write, {});
      } else {  // the residual sum's gradient is there already: add in the same pass
        twin.rmsnorm_residual_backward(stream, aside, dy, to, from, w, rstd, to, dw, work, N, D,
                                       write, {});
      }
    });
  });
}

}  // namespace

template <Real T>
Var<T> rmsnorm(Var<T> x, Var<T> gain, RmsNormConfig cfg, std::string_view name) {
  Tape<T>& tape = *x.tape;
  const Var<T> y = tape.make(x.rows(), x.cols(), name);
  if (tape.on_device()) return rmsnorm_on_device(x, gain, cfg, y);
  const ColMap<T> rstd = tape.scratch_col(x.rows());
  static const Slot& mine = slot("rmsnorm_forward");
  in_slot<T>(mine, rmsnorm_forward<T>)(x.value(), gain.row(), cfg, y.value(), ColMap<T>(rstd));
  return tape.record(y, {x, gain}, [=](Tape<T>& t) {
    const Sink<T> dx = t.sink(x), dgain = t.sink(gain);
    static const Slot& back = slot("rmsnorm_backward");
    in_slot<T>(back, rmsnorm_backward<T>)(y.grad(), x.value(), gain.row(), rstd, dx.mat(),
                                          dgain.row());
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
