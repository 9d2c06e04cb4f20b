// AdamW: two running means of the gradient make the step's size, and decay goes around them.
//
//   m ← β₁·m + (1 − β₁)·g;   v ← β₂·v + (1 − β₂)·g²
//   w ← w − η · (m̂ / (√v̂ + eps) + λ·w),     m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
#pragma once

#include <cmath>

#include "chapters/10_optimizer/require_range.h"

namespace tpp {

/// The buffers hold `count` numbers each; at.step is t, from 1, and at.lr is η.
// [snip adamw]
template <Real T>
void adamw_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at) {
  require_range(cfg, range, at, 2);
  const auto [w, g, m, v, count] = range;
  const T scale = T(at.gradient_scale), eps = T(cfg.eps);
  const T beta1 = T(cfg.beta1), keep1 = T(1 - cfg.beta1);
  const T beta2 = T(cfg.beta2), keep2 = T(1 - cfg.beta2);

  // [hole update "Update m, v and w in place. The gradient is scale·g[i] (clipping may have shortened it). λ is cfg.weight_decay, and only where at.decay is true: gains and biases do not decay."]
  const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);  // decay goes around the moments

  // Undo the moments' start at 0, once for all weights: η·m̂ = rate·m and √v̂ = root·√v
  const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
  const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));

  for (Index i = 0; i < count; ++i) {
    const T gradient = scale * g[i];
    m[i] = beta1 * m[i] + keep1 * gradient;
    v[i] = beta2 * v[i] + keep2 * gradient * gradient;
    w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
  }
  // [/hole]
}
// [/snip]

}  // namespace tpp
