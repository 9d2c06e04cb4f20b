// The usual mistakes. Each is what would stand in the hole.

// [wrong decay_in_moments "The decay is part of the gradient and so goes through the moments: that is Adam with L2. AdamW shrinks the weight itself, around them."]
// [hole update]
const T lambda = T(at.decay ? cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i] + lambda * w[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps);
}
// [/hole]
// [/wrong]

// [wrong no_correction "The bias correction is missing. The moments start at 0 and are too small at first: divide them by 1 − βᵗ."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr);
const T root = T(1);
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong first_correction_missing "m is not corrected: m̂ = m / (1 − β₁ᵗ), as v̂ is."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr);
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong second_correction_missing "v is not corrected: v̂ = v / (1 − β₂ᵗ), before the root."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1);
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong correction_without_power "The correction divides by 1 − β. It is 1 − βᵗ: it fades as t, which is at.step, grows."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - cfg.beta1));
const T root = T(1 / std::sqrt(1 - cfg.beta2));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong correction_from_zero "The correction counts steps from 0, and at t = 1 it divides by 1 − β⁰ = 0. at.step starts at 1: use it as it is."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step - 1))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step - 1))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong second_correction_not_rooted "The correction of v stands outside of the root: it is √(v / (1 − β₂ᵗ)), not √v / (1 − β₂ᵗ)."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / (1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong decay_on_norms "Everything decays. Only where at.decay is true: a gain that shrinks to 0 would silence its feature."]
// [hole update]
const T shrink = T(at.lr * cfg.weight_decay);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong no_decay "There is no decay: where at.decay is true, w also loses η·λ·w."]
// [hole update]
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps);
}
// [/hole]
// [/wrong]

// [wrong decay_without_rate "The decay is λ·w a step. It is η·λ·w: the learning rate multiplies both terms."]
// [hole update]
const T shrink = T(at.decay ? cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong decay_grows "The decay has the wrong sign: it lets weights grow instead of shrink."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) - shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong decay_of_new_weight "The decay is of the weight that has moved already. Both terms use the old w: compute them before you subtract."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps);
  w[i] -= shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong eps_in_root "The eps stands under the root. Here it is added to the root: √v̂ + eps."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / std::sqrt(root * root * v[i] + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong no_root "v is not rooted: m̂ / v̂ has the unit of 1/g, so small gradients would make large steps."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * root * v[i] + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong old_moments "The weight moves before the moments see the new gradient. First m and v, then w."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
}
// [/hole]
// [/wrong]

// [wrong gradient_not_kept_small "The new gradient counts in full: m ← β₁·m + g. A mean gives it the weight 1 − β₁ (and 1 − β₂ for its square)."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + gradient;
  v[i] = beta2 * v[i] + gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong square_of_mean "v averages m² instead of g²: the second moment is of the gradient itself."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * m[i] * m[i];
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong betas_swapped "β₁ and β₂ are swapped: β₁ belongs to m, the mean of the gradients, β₂ to v, the mean of their squares."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta2, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta1, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta2 * m[i] + keep2 * gradient;
  v[i] = beta1 * v[i] + keep1 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong not_clipped "The clip factor is not used: the gradient is at.gradient_scale times g."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
}
// [/hole]
// [/wrong]

// [wrong ascent "The step goes up the gradient: subtract it."]
// [hole update]
const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);
const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));
for (Index i = 0; i < count; ++i) {
  const T gradient = scale * g[i];
  m[i] = beta1 * m[i] + keep1 * gradient;
  v[i] = beta2 * v[i] + keep2 * gradient * gradient;
  w[i] -= shrink * w[i] - rate * m[i] / (root * std::sqrt(v[i]) + eps);
}
// [/hole]
// [/wrong]
