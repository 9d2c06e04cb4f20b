// Is this gradient right? One random projection answers, in double.
//
// Let f map x to y, and let Jᵀ·u be what backward returns for the output gradient u. For any
// direction v, ⟨u, J·v⟩ = ⟨Jᵀ·u, v⟩. The left side needs no derivative: it is the slope of
// h ↦ ⟨u, f(x + h·v)⟩ at 0, two evaluations of f. One random u and v look at every entry of the
// Jacobian at once; a wrong one hides with probability zero. Ones for u would hide a transposed
// index, so u and v are random.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "chapters/01_tensor/random.h"
#include "chapters/01_tensor/tensor.h"

namespace tpp {

struct GradientCheck {
  double numeric = 0;   // ⟨u, J·v⟩ by differences
  double analytic = 0;  // ⟨Jᵀ·u, v⟩ by backward
  /// |numeric − analytic| relative to the projection's size; NaN if either is.
  [[nodiscard]] double error() const {
    return std::abs(numeric - analytic) / (1e-3 + std::max(std::abs(numeric), std::abs(analytic)));
  }
  [[nodiscard]] bool agrees(double tolerance = 1e-6) const { return error() <= tolerance; }
};

/// Compare backward's gradient with the slope of the forward along one random direction.
///
/// Shapes  x, dx alike; forward maps x to ⟨u, f(x)⟩, a number: the caller chooses and keeps u
/// Cost    four evaluations of forward: (8·(f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h has error O(h⁴)
// [snip check_gradient]
[[nodiscard]] inline GradientCheck check_gradient(
    Philox& rng, const Mat<double>& x, const Mat<double>& dx,
    const std::function<double(const Mat<double>&)>& forward, double h = 1e-4) {
  require_shape("check_gradient: dx", shape_of(dx), shape_of(x));
  const Mat<double> v = random_normal<double>(rng, x.rows(), x.cols());
  const double near = forward(x + h * v) - forward(x - h * v);
  const double far = forward(x + 2 * h * v) - forward(x - 2 * h * v);
  return {.numeric = (8 * near - far) / (12 * h), .analytic = dx.cwiseProduct(v).sum()};
}
// [/snip]

/// The projection ⟨u, y⟩ that makes a matrix a number.
[[nodiscard]] inline double project(const Mat<double>& u, const Mat<double>& y) {
  require_shape("project: y", shape_of(y), shape_of(u));
  return u.cwiseProduct(y).sum();
}

}  // namespace tpp
