#include "chapters/05_softmax/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/05_softmax/exercises/cross_entropy_backward/reference.h"  // cross_entropy_backward

namespace tpp {

void detail::require_targets(std::span<const int> targets, Shape logits, double count) {
  require_shape("cross_entropy: the targets", {Index(targets.size()), 1}, {logits.rows, 1});
  require(count > 0, "cross_entropy: the count must be positive; are all targets ignored?");
  for (std::size_t n = 0; n < targets.size(); ++n) {
    if (targets[n] >= kIgnored && targets[n] < logits.cols) continue;
    require(false, "cross_entropy: target " + std::to_string(targets[n]) + " at place " +
                       std::to_string(n) + ", but there are " + std::to_string(logits.cols) +
                       " scores a row");
  }
}

// [snip cross_entropy_forward]
template <Real T>
double cross_entropy_forward(In<Mat<T>> logits, std::span<const int> targets, double count,
                             Out<ColVec<T>> row_loss, Out<ColVec<T>> log_sum) {
  detail::require_targets(targets, shape_of(logits), count);
  require_shape("cross_entropy: row_loss", shape_of(row_loss), {logits.rows(), 1});
  require_shape("cross_entropy: log_sum", shape_of(log_sum), {logits.rows(), 1});
  double total = 0;
  for (Index n = 0; n < logits.rows(); ++n) {
    row_loss[n] = log_sum[n] = T(0);
    if (targets[n] == kIgnored) continue;

    // Shift the row so that its largest score is 0: no exponential overflows
    const T max = logits.row(n).maxCoeff();
    const T shifted = std::log((logits.row(n).array() - max).exp().sum());
    log_sum[n] = max + shifted;

    // Subtract small numbers, not large ones: `shifted` lies in [0, log V]
    row_loss[n] = shifted - (logits(n, targets[n]) - max);
    total += double(row_loss[n]);
  }
  return total / count;
}
// [/snip]

namespace {

// On a device the scores are read once: where a gradient will be wanted, the forward pass makes it in the same go, for a
// dloss of 1. backward() sends 1, so that all that is left to do is to say where the gradient stands.
template <Real T>
Var<T> cross_entropy_on_device(Var<T> logits, std::span<const int> targets, double count,
                               std::string_view name) {
  Tape<T>& tape = *logits.tape;
  const int N = int(logits.rows()), V = int(logits.cols());
  detail::require_targets(targets, logits.shape(), count);
  const int* places = tape.device_ints(targets);
  const Var<T> row_loss = tape.make_float(N, 1, "token_loss");
  float* log_sum = tape.template device_scratch<float>(std::size_t(N));
  const Var<T> y = tape.make_float(1, 1, name);
  void* dlogits = nullptr;
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    const auto inv_count = float(1 / count);
    const S* scores = logits.template device<S>();
    float* losses = row_loss.template device<float>();
    if (tape.wants_grad(logits)) {
      S* gradient = tape.template device_scratch<S>(std::size_t(N) * std::size_t(V));
      twin.cross_entropy_fused(stream, nullptr, scores, places, inv_count, losses, log_sum,
                               gradient, N, V, {});
      dlogits = gradient;
    } else {
      twin.cross_entropy_forward(stream, scores, places, losses, log_sum, N, V, {});
    }
    twin.cross_entropy_loss(stream, losses, inv_count, y.template device<float>(), N);
  });
  tape.record(row_loss);
  return tape.record(y, {logits}, [=](Tape<T>& t) {
    if (!t.gradient_is_one(y)) {
      run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
        twin.cross_entropy_scale(stream, y.template device_grad<float>(), static_cast<S*>(dlogits),
                                 N, V);
      });
    }
    t.give(logits, dlogits);
  });
}

}  // namespace

template <Real T>
Var<T> cross_entropy(Var<T> logits, std::span<const int> targets, double count,
                     std::string_view name) {
  Tape<T>& tape = *logits.tape;
  const Index N = logits.rows();
  if (count == 0) count = double(targets.size() - std::ranges::count(targets, kIgnored));
  if (tape.on_device()) return cross_entropy_on_device(logits, targets, count, name);
  const std::span<const int> kept = tape.keep(targets);
  const Var<T> row_loss = tape.make(N, 1, "token_loss");
  const ColMap<T> log_sum = tape.scratch_col(N);
  const Var<T> y = tape.make(1, 1, name);
  y.value()(0, 0) = T(cross_entropy_forward<T>(
      logits.value(), kept, count, ColMap<T>(row_loss.value().data(), N), ColMap<T>(log_sum)));
  tape.record(row_loss);
  return tape.record(y, {logits}, [=](Tape<T>& t) {
    const Sink<T> dlogits = t.sink(logits);
    static const Slot& mine = slot("cross_entropy_backward");
    in_slot<T>(mine, cross_entropy_backward<T>)(y.grad()(0, 0), logits.value(), kept, count,
                                                log_sum, dlogits.mat());
  });
}

double perplexity(double nats) { return std::exp(nats); }

#define TPP_INSTANTIATE(T)                                                             \
  template double cross_entropy_forward<T>(In<Mat<T>>, std::span<const int>, double,   \
                                           Out<ColVec<T>>, Out<ColVec<T>>);            \
  template void cross_entropy_backward<T>(T, In<Mat<T>>, std::span<const int>, double, \
                                          In<ColVec<T>>, Out<Mat<T>>);                 \
  template Var<T> cross_entropy<T>(Var<T>, std::span<const int>, double, std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
