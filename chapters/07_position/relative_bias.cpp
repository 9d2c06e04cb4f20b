#include "chapters/07_position/relative_bias.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "chapters/02_tape/device.h"
#include "chapters/07_position/exercises/alibi/reference.h"  // alibi_slopes, alibi_bias

namespace tpp {

template <Real T>
Var<T> alibi_bias(Tape<T>& tape, In<Mat<T>> longest, Index length, std::string_view name) {
  const Index L = longest.cols() / 2 + 1;
  require(length > 0 && length <= L, "alibi: the length must be positive and not beyond the bias");
  const Var<T> y = tape.make_float(longest.rows(), 2 * length - 1, name);
  if (tape.on_device()) {
    run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      twin.alibi_bias(stream, y.template device<float>(), int(length), int(y.rows()));
    });
  } else {
    y.value() = longest.middleCols(L - length, 2 * length - 1);
  }
  return tape.record(y);
}

int t5_bucket(Index relative, bool bidirectional, int buckets, int max_distance) {
  require(buckets >= (bidirectional ? 4 : 2) && (!bidirectional || buckets % 2 == 0),
          "t5_bucket: needs 2 buckets, or an even number from 4 on to look both ways");

  // Give each direction its half of the buckets, or let keys after the query count as distance 0
  int first = 0;
  Index distance = -relative;
  if (bidirectional) {
    buckets /= 2;
    if (relative > 0) first = buckets;
    distance = std::abs(relative);
  }
  distance = std::max<Index>(distance, 0);

  // [snip t5_bucket_far]
  // Near distances have a bucket each
  const int near = buckets / 2;
  require(max_distance > near,
          "t5_bucket: max_distance must exceed the distances with own buckets");
  if (distance < near) return first + int(distance);

  // Far ones share by logarithm. The small term keeps exact powers on their side of the floor
  const double depth = std::log(double(distance) / near) / std::log(double(max_distance) / near);
  const double bucket = near + std::floor(depth * (buckets - near) + 1e-9);
  return first + int(std::min(bucket, double(buckets - 1)));
  // [/snip]
}

// [snip t5_bias_forward]
template <Real T>
void t5_bias_forward(In<Mat<T>> table, bool bidirectional, Out<Mat<T>> bias) {
  require(bias.cols() % 2 == 1, "t5_bias: the output must have 2T - 1 columns");
  require_shape("t5_bias: the output", shape_of(bias), {table.cols(), bias.cols()});
  const Index itself = bias.cols() / 2;  // the column of offset 0
  for (Index o = 0; o < bias.cols(); ++o) {
    bias.col(o) = table.row(t5_bucket(o - itself, bidirectional, int(table.rows()))).transpose();
  }
}
// [/snip]

// [snip t5_bias_backward]
template <Real T>
void t5_bias_backward(In<Mat<T>> dbias, bool bidirectional, Out<Mat<T>> dtable) {
  dtable.setZero();
  // A row of the table was read by every offset of its bucket
  const Index itself = dbias.cols() / 2;
  for (Index o = 0; o < dbias.cols(); ++o) {
    dtable.row(t5_bucket(o - itself, bidirectional, int(dtable.rows()))) +=
        dbias.col(o).transpose();
  }
}
// [/snip]

template <Real T>
Var<T> t5_bias(Var<T> table, Index length, bool bidirectional, std::string_view name) {
  require(length > 0, "t5_bias: the length must be positive");
  Tape<T>& tape = *table.tape;
  const Var<T> y = tape.make_float(table.cols(), 2 * length - 1, name);
  if (tape.on_device()) {
    const int H = int(table.cols()), buckets = int(table.rows()), L = int(length);
    constexpr int kFar = 128;  // t5_bucket's
    run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      twin.t5_bias_forward(stream, table.template device<float>(), y.template device<float>(), L, H,
                           bidirectional, buckets, kFar, {});
    });
    return tape.record(y, {table}, [=](Tape<T>& t) {
      const Target<T> dtable = t.target(table);
      run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        twin.t5_bias_backward(stream, y.template device_grad<float>(),
                              dtable.template device<float>(), twin_write(dtable.write), L, H,
                              bidirectional, buckets, kFar, {});
      });
    });
  }
  t5_bias_forward<T>(table.value(), bidirectional, y.value());
  return tape.record(y, {table}, [=](Tape<T>& t) {
    const Sink<T> dtable = t.sink(table);
    t5_bias_backward<T>(y.grad(), bidirectional, dtable.mat());
  });
}

#define TPP_INSTANTIATE(T)                                                      \
  template Mat<T> alibi_bias<T>(Index, Index);                                  \
  template Var<T> alibi_bias<T>(Tape<T>&, In<Mat<T>>, Index, std::string_view); \
  template void t5_bias_forward<T>(In<Mat<T>>, bool, Out<Mat<T>>);              \
  template void t5_bias_backward<T>(In<Mat<T>>, bool, Out<Mat<T>>);             \
  template Var<T> t5_bias<T>(Var<T>, Index, bool, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
