// Clipping: one number for the whole gradient, and a factor that shortens it when it is too long.
//
// The norm is global, over all parameters together, so clipping changes the step's length and not
// its direction. A norm for each tensor would.
#pragma once

#include "chapters/01_tensor/tensor.h"

namespace tpp {

/// Σ x[i]², in double.
///
/// The order of the sum depends on `count` alone: 16 running sums, number i to sum i mod 16, added
/// at the end. So neither the alignment of x nor the machine's vectors change a bit of the result,
/// and a float cannot overflow.
///
/// Cost    one read of x
template <Real T>
[[nodiscard]] double sum_of_squares(const T* x, Index count);

/// The factor for a gradient of this norm: max_norm / norm if it is longer than max_norm, else 1.
///
/// A max_norm of 0 does not clip. A NaN norm gives NaN: a broken gradient must not pass for a short
/// one.
///
/// Errors  ShapeError for a negative or NaN max_norm
/// Paper   Pascanu, Mikolov & Bengio 2012, arXiv:1211.5063, algorithm 1
[[nodiscard]] double clip_scale(double norm, double max_norm);

}  // namespace tpp
