// GELU's way back, for both of its forms: the exact one with Φ, and the approximation with tanh.
//
//   gelu       y = x·Φ(x),   Φ(x) = ½·(1 + erf(x/√2)), whose slope is φ(x) = e^(−x²/2)/√(2π)
//   gelu_tanh  y = ½x·(1 + tanh(u)),   u = √(2/π)·(x + 0.044715·x³)
#pragma once

#include <unsupported/Eigen/SpecialFunctions>  // erf

#include "chapters/09_feedforward/normal.h"

namespace tpp {

/// One row. Arrays work number by number: a * b, x.square(), x.cube(), x.exp(), x.tanh(), x.erf().
/// kSqrtHalf<T> is 1/√2, kNormalDensity<T> is 1/√(2π).
// [snip gelu_backward]
template <Real T>
inline void gelu_backward_row(RowIn<T> dy, RowIn<T> x, RowOut<T> dx) {
  // [hole gelu "Write dx: dy times the slope of x·Φ(x). Two factors depend on x."]
  // (x·Φ)′ = Φ + x·φ, with the density φ = Φ′
  dx = dy * (T(0.5) * (T(1) + (x * kSqrtHalf<T>).erf()) +
             x * kNormalDensity<T> * (T(-0.5) * x.square()).exp());
  // [/hole]
}
// [/snip]

// [snip gelu_tanh_backward]
/// The same for the approximation. kGeluSlope<T> is √(2/π), kGeluCubic<T> is 0.044715.
template <Real T>
inline void gelu_tanh_backward_row(RowIn<T> dy, RowIn<T> x, RowOut<T> dx) {
  // [hole gelu_tanh "Write dx: dy times the slope of ½x·(1 + tanh(u)), where u depends on x, too. dx is a good place to keep tanh(u) for a while."]
  // With t = tanh(u): (½x·(1 + t))′ = ½(1 + t) + ½x·(1 − t²)·u′. Keep t in dx
  dx = (kGeluSlope<T> * (x + kGeluCubic<T> * x.cube())).tanh();
  dx = dy * T(0.5) *
       (T(1) + dx +
        x * (T(1) - dx.square()) * kGeluSlope<T> * (T(1) + T(3) * kGeluCubic<T> * x.square()));
  // [/hole]
}
// [/snip]

}  // namespace tpp
