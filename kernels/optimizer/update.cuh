// One weight's update, which the versions share: the reference's lines, in float.
#pragma once

#include "kernels/common/storage.cuh"
#include "kernels/optimizer/optimizer.h"

namespace tpp::twin {

/// The rule as a kernel gets it; 1 − β is the host's, in double.
struct FloatRule {
  float momentum, beta1, keep1, beta2, keep2, eps, decay;
};

/// The rule and the step together, worked out once a thread.
struct Rates {
  FloatRule rule;
  float lr, scale;
  float rate, root;  // η·m̂ = rate·m and √v̂ = root·√v: the moments' start at 0, undone

  __device__ Rates(const FloatRule& r, const OptimizerStep& step)
      : rule(r),
        lr(step.lr),
        scale(step.gradient_scale),
        rate(step.lr / step.bias1),
        root(1.0f / sqrtf(step.bias2)) {}
};

/// Is there a gradient worth the name? NaN and infinity must not reach a weight.
__device__ inline bool may_update(const OptimizerStep& step) {
  return fabsf(step.gradient_scale) <= 3.402823466e38f;
}

// [snip update_weight]
template <OptimizerKind kKind>
__device__ inline void update_weight(const Rates& at, bool decays, float g, float& w, float& m,
                                     float& v) {
  const FloatRule& rule = at.rule;
  const float lambda = decays ? rule.decay : 0.0f;
  g *= at.scale;
  if constexpr (kKind == OptimizerKind::sgd) {
    w -= at.lr * (g + lambda * w);
  } else if constexpr (kKind == OptimizerKind::momentum) {
    m = rule.momentum * m + (g + lambda * w);
    w -= at.lr * m;
  } else {
    if constexpr (kKind == OptimizerKind::adam) g += lambda * w;
    m = rule.beta1 * m + rule.keep1 * g;
    v = rule.beta2 * v + rule.keep2 * g * g;
    const float change = m == 0.0f ? 0.0f : at.rate * m / (at.root * sqrtf(v) + rule.eps);
    if constexpr (kKind == OptimizerKind::adam) {
      w -= change;
    } else {
      w -= change + at.lr * lambda * w;
    }
  }
}
// [/snip]

/// Which moments a kind keeps.
template <OptimizerKind kKind>
inline constexpr bool kHasM = kKind != OptimizerKind::sgd;
template <OptimizerKind kKind>
inline constexpr bool kHasV = kKind == OptimizerKind::adam || kKind == OptimizerKind::adamw;

}  // namespace tpp::twin
