// Cross-entropy backward: what the model said, minus what was true, a share for each row.
//
//   dlogits[n,v] = dloss / count · (p[n,v] − 1[v = targets[n]]),     p = exp(logits − log_sum)
#pragma once

#include "chapters/05_softmax/cross_entropy.h"

namespace tpp {

// [snip cross_entropy_backward]
template <Real T>
void cross_entropy_backward(T dloss, In<Mat<T>> logits, std::span<const int> targets, double count,
                            In<ColVec<T>> log_sum, Out<Mat<T>> dlogits) {
  detail::require_targets(targets, shape_of(logits), count);
  require_shape("cross_entropy: log_sum", shape_of(log_sum), {logits.rows(), 1});
  require_shape("cross_entropy: dlogits", shape_of(dlogits), shape_of(logits));
  // [hole rows "Write every row of dlogits. log_sum[n] is the logarithm of row n's sum of exponentials. A target of kIgnored does not count, and count is the number of those that do."]
  const T share = T(double(dloss) / count);  // each row is one of `count`
  for (Index n = 0; n < logits.rows(); ++n) {
    if (targets[n] == kIgnored) {
      dlogits.row(n).setZero();
      continue;
    }
    // What the model said, minus what was true
    dlogits.row(n) = (logits.row(n).array() - log_sum[n]).exp() * share;
    dlogits(n, targets[n]) -= share;
  }
  // [/hole]
}
// [/snip]

}  // namespace tpp
