// The sinusoidal table: each pair of columns is a sine and a cosine, from fast to slow.
//
//   P[t, 2i] = sin(t / 10000^(2i/D)),     P[t, 2i + 1] = cos(t / 10000^(2i/D))
#pragma once

#include <cmath>

#include "chapters/07_position/sinusoidal.h"

namespace tpp {

/// The rows for positions 0 … length − 1. When D is odd the last sine has no cosine.
template <Real T>
Mat<T> sinusoidal_table(Index length, Index D) {
  require(length >= 0 && D >= 0, "sinusoidal: a table cannot have a negative size");
  Mat<T> table(length, D);
  // [snip sinusoidal_table]
  // [hole waves "Write table(t, d) for all positions t and columns d. Compute in double: T(number) makes a T of it. Mind that d and D are integers, and that 1 / 2 is 0 for them."]
  for (Index d = 0; d < D; ++d) {
    // A sine and its cosine share a wavelength: a shift in time turns the pair
    const double frequency = std::pow(10000.0, -double(d - d % 2) / double(D));
    for (Index t = 0; t < length; ++t) {
      const double angle = double(t) * frequency;
      table(t, d) = T(d % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  // [/hole]
  // [/snip]
  return table;
}

}  // namespace tpp
