#include "chapters/09_feedforward/activation.h"

#include <limits>
#include <unsupported/Eigen/SpecialFunctions>  // erf

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/09_feedforward/exercises/gelu_backward/reference.h"  // gelu_backward_row, …
#include "chapters/09_feedforward/normal.h"

namespace tpp {

namespace {

/// out = softmax(x), as in chapter 05: minus the row's maximum, and an underflow is 0.
template <Real T>
void softmax_row(RowIn<T> x, RowOut<T> out) {
  out = ((x - x.maxCoeff()).exp() - std::numeric_limits<T>::min()).max(T(0));
  out *= T(1) / out.sum();
}

// [snip activation_forward]
template <Real T>
void forward_row(Activation kind, RowIn<T> x, RowOut<T> y) {
  switch (kind) {
    case Activation::relu:
      y = x.max(T(0));
      break;
    case Activation::gelu:
      y = T(0.5) * x * (T(1) + (x * kSqrtHalf<T>).erf());
      break;
    case Activation::gelu_tanh:
      y = T(0.5) * x * (T(1) + (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh());
      break;
    case Activation::swish:
      y = x * x.logistic();
      break;
    case Activation::solu:
      softmax_row<T>(x, y);
      y *= x;
      break;
  }
}
// [/snip]

// [snip activation_backward]
template <Real T>
void backward_row(Activation kind, RowIn<T> dy, RowIn<T> x, RowIn<T> y, RowOut<T> dx) {
  switch (kind) {
    case Activation::relu:
      dx = (x > T(0)).select(dy, T(0));
      break;
    case Activation::gelu:
      gelu_backward_row<T>(dy, x, dx);
      break;
    case Activation::gelu_tanh:
      gelu_tanh_backward_row<T>(dy, x, dx);
      break;
    case Activation::swish:
      // (x·σ)′ = σ + x·σ·(1 − σ). Keep σ in dx
      dx = x.logistic();
      dx = dy * dx * (T(1) + x * (T(1) - dx));
      break;
    case Activation::solu:
      // y = x·p: through x it is p ⊙ dy, through p it is softmax's gradient of dy ⊙ x. Keep p in dx
      softmax_row<T>(x, dx);
      dx *= dy + dy * x - (dy * y).sum();
      break;
  }
}
// [/snip]

}  // namespace

template <Real T>
void activation_forward(Activation kind, In<Mat<T>> x, Out<Mat<T>> y) {
  require_shape("activation: y", shape_of(y), shape_of(x));
  for (Index n = 0; n < x.rows(); ++n) {
    forward_row<T>(kind, x.row(n).array(), y.row(n).array());
  }
}

template <Real T>
void activation_backward(Activation kind, In<Mat<T>> dy, In<Mat<T>> x, In<Mat<T>> y,
                         Out<Mat<T>> dx) {
  require_shape("activation: dy", shape_of(dy), shape_of(x));
  require_shape("activation: y", shape_of(y), shape_of(x));
  require_shape("activation: dx", shape_of(dx), shape_of(x));
  static const Slot &gelu = slot("gelu_backward"), &gelu_tanh = slot("gelu_tanh_backward");
  auto* const mine = kind == Activation::gelu        ? mine_in<T>(gelu, gelu_backward_row<T>)
                     : kind == Activation::gelu_tanh ? mine_in<T>(gelu_tanh, gelu_backward_row<T>)
                                                     : nullptr;
  if (mine != nullptr) {
    for (Index n = 0; n < x.rows(); ++n)
      mine(dy.row(n).array(), x.row(n).array(), dx.row(n).array());
    return;
  }
  for (Index n = 0; n < x.rows(); ++n) {
    backward_row<T>(kind, dy.row(n).array(), x.row(n).array(), y.row(n).array(), dx.row(n).array());
  }
}

template <Real T>
Var<T> activation(Activation kind, Var<T> x, std::string_view name) {
  Tape<T>& tape = *x.tape;
  const Var<T> y = tape.make(x.rows(), x.cols(), name);
  if (tape.on_device()) {
    const auto twin_kind = static_cast<twin::Activation>(kind);
    const int N = int(x.rows()), F = int(x.cols());
    run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      twin.activation_forward(stream, twin_kind, x.template device<S>(), nullptr,
                              y.template device<S>(), N, F, {});
    });
    return tape.record(y, {x}, [=](Tape<T>& t) {
      const Sink<T> dx = t.sink(x);
      run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        twin.activation_backward(stream, twin_kind, y.template device_grad<S>(),
                                 x.template device<S>(), nullptr, dx.template device<S>(), nullptr,
                                 twin::Write::set, nullptr, N, F, {});
      });
    });
  }
  activation_forward<T>(kind, x.value(), y.value());
  return tape.record(y, {x}, [=](Tape<T>& t) {
    const Sink<T> dx = t.sink(x);
    activation_backward<T>(kind, y.grad(), x.value(), y.value(), dx.mat());
  });
}

#define TPP_INSTANTIATE(T)                                                             \
  template void activation_forward<T>(Activation, In<Mat<T>>, Out<Mat<T>>);            \
  template void activation_backward<T>(Activation, In<Mat<T>>, In<Mat<T>>, In<Mat<T>>, \
                                       Out<Mat<T>>);                                   \
  template Var<T> activation<T>(Activation, Var<T>, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
