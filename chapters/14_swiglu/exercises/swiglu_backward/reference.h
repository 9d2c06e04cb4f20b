// SwiGLU backward: the value's gradient passes the gate, the gate's gradient passes the value and SiLU's slope.
//
//   y = SiLU(gate) ⊙ value,   SiLU(g) = g·σ(g),   σ(g) = 1 / (1 + e^−g)
#pragma once

#include "chapters/09_feedforward/normal.h"

namespace tpp {

// [snip swiglu_backward]
/// One row of each: dy, gate and value come in, dgate and dvalue go out. All five are arrays of Eigen's,
/// so * multiplies number by number, and .exp(), .logistic() (that is σ) work on each number.
template <Real T>
inline void swiglu_backward_row(RowIn<T> dy, RowIn<T> gate, RowIn<T> value, RowOut<T> dgate,
                                RowOut<T> dvalue) {
  // [hole row "Write dgate and dvalue: dy times the slope of y by each of the two. Numbers of type T: T(1), not 1."]
  // dgate holds σ until its own turn comes
  dgate = gate.logistic();
  dvalue = dy * gate * dgate;
  // (g·σ)′ = σ + g·σ·(1 − σ) = σ·(1 + g·(1 − σ))
  dgate = dy * value * dgate * (T(1) + gate * (T(1) - dgate));
  // [/hole]
}
// [/snip]

}  // namespace tpp
