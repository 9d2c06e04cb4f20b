#include "chapters/08_layernorm/placement.h"

#include <cmath>

namespace tpp {

DeepNormScale deepnorm_scale(int layers) {
  require(layers > 0, "deepnorm: the number of layers must be positive");
  return {.alpha = std::pow(2.0 * layers, 0.25), .beta = std::pow(8.0 * layers, -0.25)};
}

}  // namespace tpp
