// What every update asks for before it touches a weight.
#pragma once

#include "chapters/10_optimizer/optimizer.h"

namespace tpp {

/// Throw ShapeError unless the buffers for this many moments are there, and the rates are rates.
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

}  // namespace tpp
