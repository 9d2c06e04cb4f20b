// Softmax: scores in, probabilities out, however large the scores are.
#pragma once

#include <string_view>

#include "chapters/02_tape/tape.h"

namespace tpp {

/// Turn each row of scores into probabilities: positive, with sum 1, in the scores' order.
///
///   y[n,i] = exp(x[n,i] − m[n]) / Σ_j exp(x[n,j] − m[n]),     m[n] = max_j x[n,j]
///
/// Subtracting the maximum changes nothing in exact arithmetic. In floating point it keeps the
/// largest exponential at 1, so the sum can neither overflow nor vanish.
///
/// A score of −∞ (masked) gets the probability 0 exactly. In `float` so does one that lies 88 or
/// more below the row's maximum. A row with a NaN, a +∞, or nothing but −∞ has no softmax: it
/// becomes NaN.
///
/// Shapes  x (N, M) → y (N, M)
/// Errors  ShapeError unless y has x's shape and the rows are not empty
/// Cost    one read of x, one write of y, N·M exponentials
/// Paper   Bridle 1990, "Probabilistic interpretation of feedforward classification outputs"
/// Twin    kernels/softmax
template <Real T>
void softmax_forward(In<Mat<T>> x, Out<Mat<T>> y);

/// dx = y ⊙ (dy − ⟨dy, y⟩), row by row: probabilities can only be moved from one place to another.
///
/// Shapes  dy, y (N, M) → dx (N, M)
template <Real T>
void softmax_backward(In<Mat<T>> dy, In<Mat<T>> y, Out<Mat<T>> dx);

/// On the tape: x (N, M) → (N, M).
template <Real T>
Var<T> softmax(Var<T> x, std::string_view name = "softmax");

}  // namespace tpp
