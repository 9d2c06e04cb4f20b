// The GLU family: one projection of a token decides how much of another passes.
#pragma once

#include <string_view>

#include "chapters/02_tape/tape.h"

namespace tpp {

/// What is done to the gate before it multiplies the value.
enum class Gate {
  glu,       // σ(g), the logistic function
  bilinear,  // g itself
  reglu,     // max(g, 0)
  geglu,     // g·Φ(g), Φ the normal distribution
  swiglu,    // g·σ(g)
};

/// Multiply each value by its gate.
///
///   y = a(gate) ⊙ value,     a as the kind says
///
/// gate and value may be blocks of columns of one wider matrix: one product makes both.
///
/// Shapes  gate, value (N, F) → y (N, F)
/// Errors  ShapeError unless all three have one shape
/// Cost    two reads, one write, and an exponential a number (glu, geglu, swiglu)
/// Paper   glu: Dauphin et al. 2016, arXiv:1612.08083
///         the others: Shazeer 2020, arXiv:2002.05202, section 2
/// Twin    kernels/glu
template <Real T>
void glu_forward(Gate kind, In<Mat<T>> gate, In<Mat<T>> value, Out<Mat<T>> y);

/// dgate = dy ⊙ value ⊙ a′(gate),     dvalue = dy ⊙ a(gate)
///
/// Shapes  dy, gate, value (N, F) → dgate, dvalue (N, F), in memory of their own
template <Real T>
void glu_backward(Gate kind, In<Mat<T>> dy, In<Mat<T>> gate, In<Mat<T>> value, Out<Mat<T>> dgate,
                  Out<Mat<T>> dvalue);

/// On the tape: gate, value (N, F) → (N, F).
template <Real T>
Var<T> gated(Gate kind, Var<T> gate, Var<T> value, std::string_view name = "gated");

/// The width of a gated hidden layer with as many weights as a plain one: three matrices instead of
/// two, so ⅔ · 4 · D = 8/3 · D, rounded up to a multiple.
///
/// Errors  ShapeError unless D and multiple are positive
/// Paper   Shazeer 2020, arXiv:2002.05202, section 2 (which rounds nothing)
[[nodiscard]] Index gated_width(Index D, Index multiple = 8);

}  // namespace tpp
