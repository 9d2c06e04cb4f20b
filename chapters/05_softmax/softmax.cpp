#include "chapters/05_softmax/softmax.h"

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/05_softmax/exercises/forward/reference.h"  // softmax_forward

namespace tpp {

// [snip softmax_backward]
template <Real T>
void softmax_backward(In<Mat<T>> dy, In<Mat<T>> y, Out<Mat<T>> dx) {
  require_shape("softmax: dy", shape_of(dy), shape_of(y));
  require_shape("softmax: dx", shape_of(dx), shape_of(y));
  for (Index n = 0; n < y.rows(); ++n) {
    const T mean = dy.row(n).dot(y.row(n));  // of dy, under the row's probabilities
    dx.row(n) = y.row(n).array() * (dy.row(n).array() - mean);
  }
}
// [/snip]

template <Real T>
Var<T> softmax(Var<T> x, std::string_view name) {
  Tape<T>& tape = *x.tape;
  const Var<T> y = tape.make(x.rows(), x.cols(), name);
  if (tape.on_device()) {
    const int N = int(x.rows()), M = int(x.cols());
    run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      twin.softmax_forward(stream, x.template device<S>(), y.template device<S>(), N, M, {});
    });
    return tape.record(y, {x}, [=](Tape<T>& t) {
      const Sink<T> dx = t.sink(x);
      run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        twin.softmax_backward(stream, y.template device_grad<S>(), y.template device<S>(),
                              dx.template device<S>(), N, M, {});
      });
    });
  }
  static const Slot& mine = slot("softmax_forward");
  in_slot<T>(mine, softmax_forward<T>)(x.value(), y.value());
  return tape.record(y, {x}, [=](Tape<T>& t) {
    const Sink<T> dx = t.sink(x);
    softmax_backward<T>(y.grad(), y.value(), dx.mat());
  });
}

#define TPP_INSTANTIATE(T)                                                \
  template void softmax_forward<T>(In<Mat<T>>, Out<Mat<T>>);              \
  template void softmax_backward<T>(In<Mat<T>>, In<Mat<T>>, Out<Mat<T>>); \
  template Var<T> softmax<T>(Var<T>, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
