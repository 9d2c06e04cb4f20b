// Clipping by the global norm: one length for all tensors' gradients together, one factor for all.
//
//   norm = √(Σ over all tensors Σ_i g[i]²),     g ← g · max_norm / norm   where norm > max_norm
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "chapters/10_optimizer/clip.h"

namespace tpp {

/// The factor for a gradient of this norm. A max_norm of 0 means: do not clip. A norm of NaN gives NaN.
// [snip clip_scale]
double clip_scale(double norm, double max_norm) {
  require(max_norm >= 0, "clip_scale: the largest norm must be positive, or 0 for no clipping");
  // [hole scale "Return the factor: below 1 if the gradient is longer than max_norm, else 1. Mind the two cases above; a comparison with NaN is false."]
  if (std::isnan(norm)) return norm;
  return max_norm > 0 && norm > max_norm ? max_norm / norm : 1;
  // [/hole]
}
// [/snip]

// [snip clip_gradients]
/// Clip the gradients of a whole model, one span a tensor, in place. Returns their norm before that.
template <Real T>
double clip_gradients(const std::vector<std::span<T>>& gradients, double max_norm) {
  // [hole clip "Shorten all gradients by one factor, and return the norm that they had. sum_of_squares(g.data(), Index(g.size())) is Σ g[i]² of one tensor g; clip_scale is the function above."]
  double square = 0;
  for (const std::span<T> g : gradients) square += sum_of_squares(g.data(), Index(g.size()));
  const double norm = std::sqrt(square);

  const T scale = T(clip_scale(norm, max_norm));
  for (const std::span<T> g : gradients) {
    for (T& number : g) number *= scale;
  }
  return norm;
  // [/hole]
}
// [/snip]

}  // namespace tpp
