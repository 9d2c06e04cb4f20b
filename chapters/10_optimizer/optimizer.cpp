#include "chapters/10_optimizer/optimizer.h"

#include <cmath>

namespace tpp {

// Plain loops over single numbers. The compiler makes vectors of them; Eigen's √ would be quicker,
// but in a vector it is an approximation, and the same weight would then depend on where a range
// begins.

namespace {

template <Real T>
void require_range(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at,
                   int moments) {
  const auto is_rate = [](double beta) { return beta >= 0 && beta < 1; };
  require(range.count >= 0, "optimizer: a range cannot have a negative count");
  require(range.count == 0 || (range.w != nullptr && range.g != nullptr),
          "optimizer: weights and gradients must be there");
  require(range.count == 0 || moments < 1 || range.m != nullptr,
          "optimizer: this kind needs a buffer m of first moments");
  require(range.count == 0 || moments < 2 || range.v != nullptr,
          "optimizer: this kind needs a buffer v of second moments");
  require(at.step >= 1, "optimizer: steps count from 1");
  require(is_rate(cfg.momentum) && is_rate(cfg.beta1) && is_rate(cfg.beta2),
          "optimizer: momentum, beta1 and beta2 must lie in [0, 1)");
}

}  // namespace

// [snip sgd]
template <Real T>
void sgd_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at) {
  require_range(cfg, range, at, 0);
  const T lr = T(at.lr), scale = T(at.gradient_scale), lambda = T(at.decay ? cfg.weight_decay : 0);
  const auto [w, g, m, v, count] = range;
  for (Index i = 0; i < count; ++i) {
    w[i] -= lr * (scale * g[i] + lambda * w[i]);
  }
}
// [/snip]

// [snip momentum]
template <Real T>
void momentum_update(const OptimizerConfig& cfg, const UpdateRange<T>& range,
                     const UpdateStep& at) {
  require_range(cfg, range, at, 1);
  const T lr = T(at.lr), scale = T(at.gradient_scale), lambda = T(at.decay ? cfg.weight_decay : 0);
  const T mu = T(cfg.momentum);
  const auto [w, g, m, v, count] = range;
  for (Index i = 0; i < count; ++i) {
    m[i] = mu * m[i] + (scale * g[i] + lambda * w[i]);
    w[i] -= lr * m[i];
  }
}
// [/snip]

// [snip adam]
template <Real T>
void adam_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at) {
  require_range(cfg, range, at, 2);
  const T scale = T(at.gradient_scale), lambda = T(at.decay ? cfg.weight_decay : 0),
          eps = T(cfg.eps);
  const T beta1 = T(cfg.beta1), keep1 = T(1 - cfg.beta1);
  const T beta2 = T(cfg.beta2), keep2 = T(1 - cfg.beta2);

  // Undo the moments' start at 0, once for all weights: η·m̂ = rate·m and √v̂ = root·√v
  const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
  const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));

  const auto [w, g, m, v, count] = range;
  for (Index i = 0; i < count; ++i) {
    const T gradient = scale * g[i] + lambda * w[i];  // decay goes through the moments
    m[i] = beta1 * m[i] + keep1 * gradient;
    v[i] = beta2 * v[i] + keep2 * gradient * gradient;
    w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps);
  }
}
// [/snip]

// [snip adamw]
template <Real T>
void adamw_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at) {
  require_range(cfg, range, at, 2);
  const T scale = T(at.gradient_scale), eps = T(cfg.eps);
  const T beta1 = T(cfg.beta1), keep1 = T(1 - cfg.beta1);
  const T beta2 = T(cfg.beta2), keep2 = T(1 - cfg.beta2);
  const T shrink = T(at.decay ? at.lr * cfg.weight_decay : 0);  // decay goes around the moments

  // Undo the moments' start at 0, once for all weights: η·m̂ = rate·m and √v̂ = root·√v
  const T rate = T(at.lr / (1 - std::pow(cfg.beta1, double(at.step))));
  const T root = T(1 / std::sqrt(1 - std::pow(cfg.beta2, double(at.step))));

  const auto [w, g, m, v, count] = range;
  for (Index i = 0; i < count; ++i) {
    const T gradient = scale * g[i];
    m[i] = beta1 * m[i] + keep1 * gradient;
    v[i] = beta2 * v[i] + keep2 * gradient * gradient;
    w[i] -= rate * m[i] / (root * std::sqrt(v[i]) + eps) + shrink * w[i];
  }
}
// [/snip]

template <Real T>
void optimizer_update(const OptimizerConfig& cfg, const UpdateRange<T>& range,
                      const UpdateStep& at) {
  switch (cfg.kind) {
    case OptimizerKind::sgd:
      return sgd_update<T>(cfg, range, at);
    case OptimizerKind::momentum:
      return momentum_update<T>(cfg, range, at);
    case OptimizerKind::adam:
      return adam_update<T>(cfg, range, at);
    case OptimizerKind::adamw:
      return adamw_update<T>(cfg, range, at);
  }
}

#define TPP_INSTANTIATE_UPDATE(update, T) \
  template void update<T>(const OptimizerConfig&, const UpdateRange<T>&, const UpdateStep&);
#define TPP_INSTANTIATE(T)                   \
  TPP_INSTANTIATE_UPDATE(sgd_update, T)      \
  TPP_INSTANTIATE_UPDATE(momentum_update, T) \
  TPP_INSTANTIATE_UPDATE(adam_update, T)     \
  TPP_INSTANTIATE_UPDATE(adamw_update, T)    \
  TPP_INSTANTIATE_UPDATE(optimizer_update, T)
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE
#undef TPP_INSTANTIATE_UPDATE

}  // namespace tpp
