// Softmax: scores in, probabilities out, however large the scores are.
//
//   y[n,i] = exp(x[n,i] − m[n]) / Σ_j exp(x[n,j] − m[n]),     m[n] = max_j x[n,j]
#pragma once

#include <cmath>
#include <limits>

#include "chapters/05_softmax/softmax.h"

namespace tpp {

// [snip softmax_forward]
template <Real T>
void softmax_forward(In<Mat<T>> x, Out<Mat<T>> y) {
  require_shape("softmax: y", shape_of(y), shape_of(x));
  require(x.cols() > 0, "softmax: a row without scores has no probabilities");
  // [hole rows "Write every row of y: the softmax of the same row of x. Scores may be as large as 1000, and as small as -1000."]
  for (Index n = 0; n < x.rows(); ++n) {
    // Shift the row so that its largest score is 0
    const T max = x.row(n).maxCoeff();

    // Eigen's vectorised exp(−∞) is not 0 but a number below the smallest normal one. Take that one
    // off: no exponential above 1e-30 changes, and a masked score gets 0 exactly
    constexpr T tiny = std::numeric_limits<T>::min();
    y.row(n) = ((x.row(n).array() - max).exp() - tiny).max(T(0));

    // Make the sum 1
    y.row(n) *= T(1) / y.row(n).sum();
  }
  // [/hole]
}
// [/snip]

}  // namespace tpp
