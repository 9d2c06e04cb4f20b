// Where weights start: small enough that the first logits are calm, large enough that signals live.
#pragma once

#include <cmath>

#include "chapters/02_tape/parameters.h"

namespace tpp {

/// Standard deviations of a model's weights at the start.
struct InitScales {
  double weight = 0.02;    // embeddings and linear layers
  double residual = 0.02;  // the layers whose output is added to the residual stream
};

/// GPT-2's: 0.02, and 0.02/√(2·layers) for the two projections of each layer that write to the
/// residual stream. Each adds its variance to the stream; so divided, the stream's variance does
/// not grow with depth.
///
/// Errors  ShapeError unless layers > 0
/// Paper   Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3
// [snip gpt2_init]
[[nodiscard]] inline InitScales gpt2_init(int layers) {
  require(layers > 0, "gpt2_init: a model has at least one layer");
  return {.weight = 0.02, .residual = 0.02 / std::sqrt(2.0 * layers)};
}
// [/snip]

/// The same for any width: 1/√D, with D the number of a layer's inputs, so that inputs of
/// variance 1 give outputs of variance 1.
///
/// Errors  ShapeError unless D > 0 and layers > 0
/// Paper   LeCun et al. 1998, "Efficient BackProp", section 4.6, for 1/√D
[[nodiscard]] inline InitScales fan_in_init(Index D, int layers) {
  require(D > 0 && layers > 0, "fan_in_init: width and layers must be positive");
  const double weight = 1 / std::sqrt(double(D));
  return {.weight = weight, .residual = weight / std::sqrt(2.0 * layers)};
}

}  // namespace tpp
