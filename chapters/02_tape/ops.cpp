#include "chapters/02_tape/ops.h"

#include "chapters/01_tensor/matmul.h"
#include "chapters/02_tape/device.h"

namespace tpp {
namespace {

// dx = s·dy, into x's gradient on a device
template <Real T>
void pass_on(Tape<T>& tape, Var<T> y, Var<T> x, float s = 1) {
  if (!tape.wants_grad(x)) return;
  const Target<T> dx = tape.target(x);
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    const DeviceView<S> from = y.template grad_view<S>(), to = dx.template view<S>();
    const int N = int(x.rows()), D = int(x.cols());
    if (dx.write == Write::set) {
      twin.scale(stream, from.data, from.stride, s, to.data, to.stride, N, D);
    } else {
      twin.add_to(stream, from.data, from.stride, to.data, to.stride, N, D);
    }
  });
}

}  // namespace

template <Real T>
Var<T> add(Var<T> a, Var<T> b, std::string_view name) {
  require_shape("add: b", b.shape(), a.shape());
  const Var<T> y = a.tape->make(a.rows(), a.cols(), name);
  if (a.tape->on_device()) {
    run_twin(*a.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> left = a.template view<S>(), right = b.template view<S>();
      twin.add(stream, left.data, left.stride, right.data, right.stride, y.template device<S>(),
               int(y.cols()), int(y.rows()), int(y.cols()));
    });
    return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
      pass_on(tape, y, a);
      pass_on(tape, y, b);
    });
  }
  y.value() = a.value() + b.value();
  return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
    if (tape.wants_grad(a)) tape.target(a).put(y.grad());
    if (tape.wants_grad(b)) tape.target(b).put(y.grad());
  });
}

template <Real T>
Var<T> scale(Var<T> a, T s, std::string_view name) {
  const Var<T> y = a.tape->make(a.rows(), a.cols(), name);
  y.value() = s * a.value();
  return a.tape->record(y, {a}, [=](Tape<T>& tape) { tape.target(a).put(s * y.grad()); });
}

template <Real T>
Var<T> multiply(Var<T> a, Var<T> b, std::string_view name) {
  require_shape("multiply: b", b.shape(), a.shape());
  const Var<T> y = a.tape->make(a.rows(), a.cols(), name);
  y.value() = a.value().cwiseProduct(b.value());
  return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
    if (tape.wants_grad(a)) tape.target(a).put(y.grad().cwiseProduct(b.value()));
    if (tape.wants_grad(b)) tape.target(b).put(y.grad().cwiseProduct(a.value()));
  });
}

template <Real T>
Var<T> add_row(Var<T> x, Var<T> b, std::string_view name) {
  require_shape("add_row: b", b.shape(), {1, x.cols()});
  const Var<T> y = x.tape->make(x.rows(), x.cols(), name);
  y.value() = x.value().rowwise() + b.row();
  return x.tape->record(y, {x, b}, [=](Tape<T>& tape) {
    if (tape.wants_grad(x)) tape.target(x).put(y.grad());
    // The forward gave b to every row, so every row sends a gradient back
    if (tape.wants_grad(b)) tape.target(b).put(y.grad().colwise().sum());
  });
}

template <Real T>
Var<T> product(Var<T> a, Var<T> b, std::string_view name) {
  require_shape("product: b", b.shape(), {a.cols(), b.cols()});
  const Var<T> y = a.tape->make(a.rows(), b.cols(), name);
  matmul<T>(a.value(), b.value(), y.value());
  return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
    if (tape.wants_grad(a)) {
      const Target<T> da = tape.target(a);
      matmul_nt<T>(y.grad(), b.value(), da.mat, da.write);
    }
    if (tape.wants_grad(b)) {
      const Target<T> db = tape.target(b);
      matmul_tn<T>(a.value(), y.grad(), db.mat, db.write);
    }
  });
}

template <Real T>
Var<T> linear(Var<T> x, Var<T> w, Var<T> b, std::string_view name) {
  require_shape("linear: the weight", w.shape(), {w.rows(), x.cols()});
  if (b) require_shape("linear: the bias", b.shape(), {1, w.rows()});
  const Var<T> y = x.tape->make(x.rows(), w.rows(), name);
  matmul_nt<T>(x.value(), w.value(), y.value());
  if (b) y.value().rowwise() += b.row();

  const auto backward = [=](Tape<T>& tape) {
    if (tape.wants_grad(x)) {
      const Target<T> dx = tape.target(x);
      matmul<T>(y.grad(), w.value(), dx.mat, dx.write);
    }
    if (tape.wants_grad(w)) {
      const Target<T> dw = tape.target(w);
      matmul_tn<T>(y.grad(), x.value(), dw.mat, dw.write);
    }
    if (b && tape.wants_grad(b)) tape.target(b).put(y.grad().colwise().sum());
  };
  return b ? x.tape->record(y, {x, w, b}, backward) : x.tape->record(y, {x, w}, backward);
}

template <Real T>
Var<T> sum(Var<T> x, std::string_view name) {
  const Var<T> y = x.tape->make(1, 1, name);
  y.value()(0, 0) = x.value().sum();
  return x.tape->record(y, {x}, [=](Tape<T>& tape) {
    tape.target(x).put(Mat<T>::Constant(x.rows(), x.cols(), y.grad()(0, 0)));
  });
}

#define TPP_INSTANTIATE(T)                                             \
  template Var<T> add<T>(Var<T>, Var<T>, std::string_view);            \
  template Var<T> scale<T>(Var<T>, T, std::string_view);               \
  template Var<T> multiply<T>(Var<T>, Var<T>, std::string_view);       \
  template Var<T> add_row<T>(Var<T>, Var<T>, std::string_view);        \
  template Var<T> product<T>(Var<T>, Var<T>, std::string_view);        \
  template Var<T> linear<T>(Var<T>, Var<T>, Var<T>, std::string_view); \
  template Var<T> sum<T>(Var<T>, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
