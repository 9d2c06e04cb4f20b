#include "chapters/07_position/sinusoidal.h"

#include <algorithm>

#include "chapters/02_tape/device.h"
#include "chapters/07_position/exercises/sinusoidal/reference.h"  // sinusoidal_table

namespace tpp {

static void require_positions(Shape x, Shape table, Index length) {
  require(length > 0 && x.rows % length == 0, "positions: the rows must be whole sequences");
  require_shape("positions: the table", {std::min(table.rows, length), table.cols},
                {length, x.cols});
}

// [snip add_positions_forward]
template <Real T>
void add_positions_forward(In<Mat<T>> x, In<Mat<T>> table, Index length, Out<Mat<T>> y) {
  require_positions(shape_of(x), shape_of(table), length);
  for (Index first = 0; first < x.rows(); first += length) {
    y.middleRows(first, length) = x.middleRows(first, length) + table.topRows(length);
  }
}
// [/snip]

// [snip add_positions_backward]
template <Real T>
void add_positions_backward(In<Mat<T>> dy, Index length, Out<Mat<T>> dtable) {
  dtable.setZero();
  // The forward gave a row to every sequence, so every sequence sends a gradient back
  for (Index first = 0; first < dy.rows(); first += length) {
    dtable.topRows(length) += dy.middleRows(first, length);
  }
}
// [/snip]

template <Real T>
Var<T> add_positions(Var<T> x, Var<T> table, Index length, std::string_view name) {
  const Var<T> y = x.tape->make(x.rows(), x.cols(), name);
  if (x.tape->on_device()) {
    require_positions(x.shape(), table.shape(), length);
    const int N = int(x.rows()), D = int(x.cols()), steps = int(length);
    run_twin(*x.tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      twin.add_positions(stream, x.template device<S>(), table.template device<S>(),
                         y.template device<S>(), N, steps, D);
    });
    return x.tape->record(y, {x, table}, [=](Tape<T>& tape) {
      run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        if (tape.wants_grad(x)) {
          const Sink<T> dx = tape.sink(x);
          twin.scale(stream, y.template device_grad<S>(), D, 1, dx.template device<S>(), D, N, D);
        }
        if (tape.wants_grad(table)) {
          const Target<T> dtable = tape.target(table);
          float* work =
              tape.template device_scratch<float>(twin::add_positions_backward_work(N, steps, D));
          twin.add_positions_backward(stream, y.template device_grad<S>(),
                                      dtable.template device<float>(), work, N, steps,
                                      int(table.rows()), D, twin_write(dtable.write));
        }
      });
    });
  }
  add_positions_forward<T>(x.value(), table.value(), length, y.value());
  return x.tape->record(y, {x, table}, [=](Tape<T>& tape) {
    if (tape.wants_grad(x)) tape.target(x).put(y.grad());
    if (tape.wants_grad(table)) {
      const Sink<T> dtable = tape.sink(table);
      add_positions_backward<T>(y.grad(), length, dtable.mat());
    }
  });
}

#define TPP_INSTANTIATE(T)                                                            \
  template Mat<T> sinusoidal_table<T>(Index, Index);                                  \
  template void add_positions_forward<T>(In<Mat<T>>, In<Mat<T>>, Index, Out<Mat<T>>); \
  template void add_positions_backward<T>(In<Mat<T>>, Index, Out<Mat<T>>);            \
  template Var<T> add_positions<T>(Var<T>, Var<T>, Index, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
