#include "chapters/02_tape/ops.h"

#include "chapters/01_tensor/matmul.h"
#include "chapters/02_tape/device.h"
#include "chapters/02_tape/exercises/broadcast_backward/reference.h"  // add_row_backward
#include "chapters/02_tape/exercises/product_backward/reference.h"    // product_backward_a, _b
#include "chapters/02_tape/slots.h"

namespace tpp {
namespace {

const Slot& sum_of_rows = slot("add_row_backward");

// dx = dy, into x's gradient on a device
template <Real T>
void pass_on(Tape<T>& tape, Var<T> y, Var<T> x) {
  if (!tape.wants_grad(x)) return;
  const Target<T> dx = tape.target(x);
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    const DeviceView<S> from = y.template grad_view<S>(), to = dx.template view<S>();
    const int N = int(x.rows()), D = int(x.cols());
    if (dx.write == Write::set) {
      twin.scale(stream, from.data, from.stride, 1, to.data, to.stride, N, D);
    } else {
      twin.add_to(stream, from.data, from.stride, to.data, to.stride, N, D);
    }
  });
}

// db = Σ_n dy[n], into the gradient of a row that every row of y was given, on a device
template <Real T>
void sum_rows(Tape<T>& tape, Var<T> y, Var<T> b) {
  if (!tape.wants_grad(b)) return;
  const Target<T> db = tape.target(b);
  const int N = int(y.rows()), D = int(y.cols());
  float* work = tape.template device_scratch<float>(twin::column_sums_work(N, D));
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream) {
    const DeviceView<S> dy = y.template grad_view<S>();
    twin.column_sums(tape.aside(y, b), dy.data, dy.stride, db.template device<float>(), work, N, D,
                     twin_write(db.write));
  });
}

// y = op(a)·op(b) on a device
template <Real T, class S>
void product_twin(const Tape<T>& tape, const twin::Table<S>& twin, twin::Stream stream,
                  twin::ProductShape shape, DeviceView<S> a, DeviceView<S> b, DeviceView<S> y) {
  const bool tf32 = tape.device()->precision() == Precision::tf32;
  twin.product(stream, shape, a.data, a.stride, b.data, b.stride, y.data, y.stride,
               twin::Write::set, tf32);
}

// The same into a gradient, which is float where the value is a parameter
template <Real T, class S>
void product_twin(const Tape<T>& tape, const twin::Table<S>& twin, twin::Stream stream,
                  twin::ProductShape shape, DeviceView<S> a, DeviceView<S> b, const Target<T>& dy) {
  const bool tf32 = tape.device()->precision() == Precision::tf32;
  const twin::Write write = twin_write(dy.write);
  if (dy.place.is_float) {
    const DeviceView<float> to = dy.template view<float>();
    twin.product_float(stream, shape, a.data, a.stride, b.data, b.stride, to.data, to.stride, write,
                       tf32);
  } else {
    const DeviceView<S> to = dy.template view<S>();
    twin.product(stream, shape, a.data, a.stride, b.data, b.stride, to.data, to.stride, write,
                 tf32);
  }
}

}  // namespace

template <Real T>
Var<T> add(Var<T> a, Var<T> b, std::string_view name) {
  require_shape("add: b", b.shape(), a.shape());
  const Var<T> y = a.tape->make(a.rows(), a.cols(), name);
  if (a.tape->on_device()) {
    // Not yet: the norm that mostly follows makes the sum on its way
    run_twin(*a.tape, [&]<class S>(const twin::Table<S>&, twin::Stream) {
      const DeviceView<S> left = a.template view<S>(), right = b.template view<S>();
      a.tape->postpone_sum(y, {left.data, left.stride}, {right.data, right.stride});
    });
    return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
      if (tape.hand_over(y, a, b)) return;
      pass_on(tape, y, a);
      pass_on(tape, y, b);
    });
  }
  // [snip add]
  y.value() = a.value() + b.value();
  return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
    if (tape.hand_over(y, a, b)) return;
    if (tape.wants_grad(a)) tape.target(a).put(y.grad());
    if (tape.wants_grad(b)) tape.target(b).put(y.grad());
  });
  // [/snip]
}

template <Real T>
Var<T> scale(Var<T> a, T s, std::string_view name) {
  const Var<T> y = a.tape->make(a.rows(), a.cols(), name);
  if (a.tape->on_device()) {
    run_twin(*a.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> from = a.template view<S>(), to = y.template view<S>();
      twin.scale(stream, from.data, from.stride, float(s), to.data, to.stride, int(y.rows()),
                 int(y.cols()));
    });
    return a.tape->record(y, {a}, [=](Tape<T>& tape) {
      const Sink<T> da = tape.sink(a);
      run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        const DeviceView<S> dy = y.template grad_view<S>(), to = da.template view<S>();
        twin.scale(stream, dy.data, dy.stride, float(s), to.data, to.stride, int(y.rows()),
                   int(y.cols()));
      });
    });
  }
  y.value() = s * a.value();
  return a.tape->record(y, {a}, [=](Tape<T>& tape) { tape.target(a).put(s * y.grad()); });
}

template <Real T>
Var<T> multiply(Var<T> a, Var<T> b, std::string_view name) {
  require_shape("multiply: b", b.shape(), a.shape());
  const Var<T> y = a.tape->make(a.rows(), a.cols(), name);
  if (a.tape->on_device()) {
    run_twin(*a.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> left = a.template view<S>(), right = b.template view<S>();
      twin.multiply(stream, left.data, left.stride, right.data, right.stride,
                    y.template device<S>(), int(y.cols()), int(y.rows()), int(y.cols()));
    });
    return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
      const auto pass = [&](Var<T> to, Var<T> other) {  // d(to) = dy ⊙ other
        if (!tape.wants_grad(to)) return;
        const Sink<T> sink = tape.sink(to);
        run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
          const DeviceView<S> dy = y.template grad_view<S>(), factor = other.template view<S>(),
                              dx = sink.template view<S>();
          twin.multiply(stream, dy.data, dy.stride, factor.data, factor.stride, dx.data, dx.stride,
                        int(y.rows()), int(y.cols()));
        });
      };
      pass(a, b);
      pass(b, a);
    });
  }
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
  if (x.tape->on_device()) {
    run_twin(*x.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> from = x.template view<S>();
      twin.add_row(stream, from.data, from.stride, b.template device<float>(),
                   y.template device<S>(), int(y.cols()), int(y.rows()), int(y.cols()));
    });
    return x.tape->record(y, {x, b}, [=](Tape<T>& tape) {
      pass_on(tape, y, x);
      sum_rows(tape, y, b);
    });
  }
  y.value() = x.value().rowwise() + b.row();
  return x.tape->record(y, {x, b}, [=](Tape<T>& tape) {
    if (tape.wants_grad(x)) tape.target(x).put(y.grad());
    if (tape.wants_grad(b)) {
      const Target<T> db = tape.target(b);
      in_slot<T>(sum_of_rows, add_row_backward<T>)(y.grad(), db.mat, db.write);
    }
  });
}

template <Real T>
Var<T> product(Var<T> a, Var<T> b, std::string_view name) {
  require_shape("product: b", b.shape(), {a.cols(), b.cols()});
  const Var<T> y = a.tape->make(a.rows(), b.cols(), name);
  if (a.tape->on_device()) {
    const int M = int(y.rows()), N = int(y.cols()), K = int(a.cols());
    run_twin(*a.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      product_twin<T, S>(*a.tape, twin, stream, {.M = M, .N = N, .K = K}, a.template view<S>(),
                         b.template view<S>(), y.template view<S>());
    });
    return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
      run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        const DeviceView<S> dy = y.template grad_view<S>();
        if (tape.wants_grad(a)) {
          product_twin<T, S>(tape, twin, stream, {.transpose_b = true, .M = M, .N = K, .K = N}, dy,
                             b.template view<S>(), tape.target(a));
        }
        if (tape.wants_grad(b)) {
          product_twin<T, S>(tape, twin, stream, {.transpose_a = true, .M = K, .N = N, .K = M},
                             a.template view<S>(), dy, tape.target(b));
        }
      });
    });
  }
  // [snip product]
  matmul<T>(a.value(), b.value(), y.value());
  return a.tape->record(y, {a, b}, [=](Tape<T>& tape) {
    if (tape.wants_grad(a)) {
      const Target<T> da = tape.target(a);
      product_backward_a<T>(y.grad(), b.value(), da.mat, da.write);
    }
    if (tape.wants_grad(b)) {
      const Target<T> db = tape.target(b);
      product_backward_b<T>(a.value(), y.grad(), db.mat, db.write);
    }
  });
  // [/snip]
}

template <Real T>
Var<T> linear(Var<T> x, Var<T> w, Var<T> b, std::string_view name) {
  require_shape("linear: the weight", w.shape(), {w.rows(), x.cols()});
  if (b) require_shape("linear: the bias", b.shape(), {1, w.rows()});
  const Var<T> y = x.tape->make(x.rows(), w.rows(), name);
  if (x.tape->on_device()) {
    const int N = int(x.rows()), D = int(x.cols()), O = int(w.rows());
    run_twin(*x.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> out = y.template view<S>();
      product_twin<T, S>(*x.tape, twin, stream, {.transpose_b = true, .M = N, .N = O, .K = D},
                         x.template view<S>(), w.template view<S>(), out);
      if (b) {
        twin.add_row(stream, out.data, O, b.template device<float>(), out.data, O, N, O);
      }
    });
    const auto backward = [=](Tape<T>& tape) {
      if (b) sum_rows(tape, y, b);
      run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        const DeviceView<S> dy = y.template grad_view<S>();
        // The parameters' gradients first: they may run beside all that follows
        if (tape.wants_grad(w)) {  // dw (O, D) = dyᵀ (O, N) · x (N, D)
          const Target<T> dw = tape.target(w);
          product_twin<T, S>(tape, twin, tape.aside(y, w),
                             {.transpose_a = true, .M = O, .N = D, .K = N}, dy,
                             x.template view<S>(), dw);
        }
        if (tape.wants_grad(x)) {  // dx (N, D) = dy (N, O) · w (O, D)
          product_twin<T, S>(tape, twin, stream, {.M = N, .N = D, .K = O}, dy, w.template view<S>(),
                             tape.target(x));
        }
      });
    };
    return b ? x.tape->record(y, {x, w, b}, backward) : x.tape->record(y, {x, w}, backward);
  }
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
    if (b && tape.wants_grad(b)) {
      const Target<T> db = tape.target(b);
      in_slot<T>(sum_of_rows, add_row_backward<T>)(y.grad(), db.mat, db.write);
    }
  };
  return b ? x.tape->record(y, {x, w, b}, backward) : x.tape->record(y, {x, w}, backward);
}

template <Real T>
Var<T> sum(Var<T> x, std::string_view name) {
  const Var<T> y = x.tape->make_float(1, 1, name);
  if (x.tape->on_device()) {
    const int N = int(x.rows()), D = int(x.cols());
    float* work = x.tape->template device_scratch<float>(twin::sum_all_work(N, D));
    run_twin(*x.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> from = x.template view<S>();
      twin.sum_all(stream, from.data, from.stride, y.template device<float>(), work, N, D);
    });
    return x.tape->record(y, {x}, [=](Tape<T>& tape) {
      const Sink<T> dx = tape.sink(x);
      run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        const DeviceView<S> to = dx.template view<S>();
        twin.fill_with(stream, y.template device_grad<float>(), to.data, to.stride, N, D);
      });
    });
  }
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
