#include "chapters/14_swiglu/glu.h"

#include <unsupported/Eigen/SpecialFunctions>  // erf

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/09_feedforward/normal.h"
#include "chapters/14_swiglu/exercises/swiglu_backward/reference.h"  // swiglu_backward_row

namespace tpp {

namespace {

// [snip glu_forward]
template <Real T>
void forward_row(Gate kind, RowIn<T> g, RowIn<T> v, RowOut<T> y) {
  switch (kind) {
    case Gate::glu:
      y = g.logistic() * v;
      break;
    case Gate::bilinear:
      y = g * v;
      break;
    case Gate::reglu:
      y = g.max(T(0)) * v;
      break;
    case Gate::geglu:
      y = T(0.5) * g * (T(1) + (g * kSqrtHalf<T>).erf()) * v;
      break;
    case Gate::swiglu:
      y = g * g.logistic() * v;
      break;
  }
}
// [/snip]

// [snip glu_backward]
template <Real T>
void backward_row(Gate kind, RowIn<T> dy, RowIn<T> g, RowIn<T> v, RowOut<T> dg, RowOut<T> dv) {
  // dg holds the costly function of g until its own turn comes
  switch (kind) {
    case Gate::glu:
      // σ′ = σ·(1 − σ)
      dg = g.logistic();
      dv = dy * dg;
      dg = dy * v * dg * (T(1) - dg);
      break;
    case Gate::bilinear:
      dv = dy * g;
      dg = dy * v;
      break;
    case Gate::reglu:
      dv = dy * g.max(T(0));
      dg = dy * v;
      dg = (g > T(0)).select(dg, T(0));
      break;
    case Gate::geglu:
      // (g·Φ)′ = Φ + g·φ, with the density φ = Φ′
      dg = T(0.5) * (T(1) + (g * kSqrtHalf<T>).erf());
      dv = dy * g * dg;
      dg = dy * v * (dg + g * kNormalDensity<T> * (T(-0.5) * g.square()).exp());
      break;
    case Gate::swiglu:
      swiglu_backward_row<T>(dy, g, v, dg, dv);
      break;
  }
}
// [/snip]

}  // namespace

template <Real T>
void glu_forward(Gate kind, In<Mat<T>> gate, In<Mat<T>> value, Out<Mat<T>> y) {
  require_shape("glu: value", shape_of(value), shape_of(gate));
  require_shape("glu: y", shape_of(y), shape_of(gate));
  for (Index n = 0; n < gate.rows(); ++n) {
    forward_row<T>(kind, gate.row(n).array(), value.row(n).array(), y.row(n).array());
  }
}

template <Real T>
void glu_backward(Gate kind, In<Mat<T>> dy, In<Mat<T>> gate, In<Mat<T>> value, Out<Mat<T>> dgate,
                  Out<Mat<T>> dvalue) {
  require_shape("glu: dy", shape_of(dy), shape_of(gate));
  require_shape("glu: value", shape_of(value), shape_of(gate));
  require_shape("glu: dgate", shape_of(dgate), shape_of(gate));
  require_shape("glu: dvalue", shape_of(dvalue), shape_of(gate));
  static const Slot& place = slot("swiglu_backward");
  if (auto* const mine = mine_in<T>(place, swiglu_backward_row<T>); mine && kind == Gate::swiglu) {
    for (Index n = 0; n < gate.rows(); ++n) {
      mine(dy.row(n).array(), gate.row(n).array(), value.row(n).array(), dgate.row(n).array(),
           dvalue.row(n).array());
    }
    return;
  }
  for (Index n = 0; n < gate.rows(); ++n) {
    backward_row<T>(kind, dy.row(n).array(), gate.row(n).array(), value.row(n).array(),
                    dgate.row(n).array(), dvalue.row(n).array());
  }
}

template <Real T>
Var<T> gated(Gate kind, Var<T> gate, Var<T> value, std::string_view name) {
  Tape<T>& tape = *gate.tape;
  const Var<T> y = tape.make(gate.rows(), gate.cols(), name);
  if (tape.on_device()) {
    require_shape("glu: value", value.shape(), gate.shape());
    const auto twin_kind = static_cast<twin::Gate>(kind);
    const int N = int(gate.rows()), F = int(gate.cols());
    run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> g = gate.template view<S>(), v = value.template view<S>();
      twin.glu_forward(stream, twin_kind, g.data, g.stride, v.data, v.stride,
                       y.template device<S>(), N, F, {});
    });
    return tape.record(y, {gate, value}, [=](Tape<T>& t) {
      const Sink<T> dgate = t.sink(gate), dvalue = t.sink(value);
      run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        const DeviceView<S> g = gate.template view<S>(), v = value.template view<S>(),
                            dg = dgate.template view<S>(), dv = dvalue.template view<S>();
        twin.glu_backward(stream, twin_kind, y.template device_grad<S>(), g.data, g.stride, v.data,
                          v.stride, dg.data, dg.stride, dv.data, dv.stride, N, F, {});
      });
    });
  }
  glu_forward<T>(kind, gate.value(), value.value(), y.value());
  return tape.record(y, {gate, value}, [=](Tape<T>& t) {
    const Sink<T> dgate = t.sink(gate), dvalue = t.sink(value);
    glu_backward<T>(kind, y.grad(), gate.value(), value.value(), dgate.mat(), dvalue.mat());
  });
}

// [snip gated_width]
Index gated_width(Index D, Index multiple) {
  require(D > 0 && multiple > 0, "gated_width: D and the multiple must be positive");
  const Index width = (8 * D + 2) / 3;  // rounded up
  return (width + multiple - 1) / multiple * multiple;
}
// [/snip]

#define TPP_INSTANTIATE(T)                                                             \
  template void glu_forward<T>(Gate, In<Mat<T>>, In<Mat<T>>, Out<Mat<T>>);             \
  template void glu_backward<T>(Gate, In<Mat<T>>, In<Mat<T>>, In<Mat<T>>, Out<Mat<T>>, \
                                Out<Mat<T>>);                                          \
  template Var<T> gated<T>(Gate, Var<T>, Var<T>, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
