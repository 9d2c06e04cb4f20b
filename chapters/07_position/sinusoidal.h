// Absolute positions: a row for every place in the sequence, added to what stands there.
//
// The rows are a fixed table of sines and cosines, or learned like any other parameter. The
// operation that adds them is the same.
#pragma once

#include <string_view>

#include "chapters/02_tape/tape.h"

namespace tpp {

/// Sines and cosines of geometrically growing wavelengths, from 2π to about 10000·2π tokens.
///
///   P[t, 2i] = sin(t / 10000^(2i/D)),     P[t, 2i + 1] = cos(t / 10000^(2i/D))
///
/// Shapes  → (T, D); `length` is T. When D is odd the last sine has no cosine
/// Errors  ShapeError when a size is negative
/// Paper   Vaswani et al. 2017, arXiv:1706.03762, section 3.5
template <Real T>
[[nodiscard]] Mat<T> sinusoidal_table(Index length, Index D);

/// y[b·T + t] = x[b·T + t] + P[t]: every sequence gets the same rows.
///
/// Shapes  x (B·T, D), P (≥ T, D) → y (B·T, D); `length` is T
/// Errors  ShapeError unless x has whole sequences and P is wide and long enough
/// Cost    one read of x, one write of y: memory-bound
/// Twin    kernels/elementwise
template <Real T>
void add_positions_forward(In<Mat<T>> x, In<Mat<T>> table, Index length, Out<Mat<T>> y);

/// dP[t] = Σ_b dy[b·T + t], and 0 for the rows that no sequence reached. dx is dy itself.
template <Real T>
void add_positions_backward(In<Mat<T>> dy, Index length, Out<Mat<T>> dtable);

/// On the tape: x (B·T, D), table (≥ T, D), a parameter (learned) or an input (sinusoidal).
template <Real T>
Var<T> add_positions(Var<T> x, Var<T> table, Index length, std::string_view name = "positions");

}  // namespace tpp
