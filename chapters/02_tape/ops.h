// The plain operations: sums, products, and the linear layer.
//
// Each comes as the rest of the book has it: what it computes, and, in its closure, what its gradient
// is. y.grad() is dy = ∂L/∂y; each sink receives ∂L/∂x of one input.
#pragma once

#include <array>
#include <string_view>

#include "chapters/02_tape/tape.h"

namespace tpp {

/// y = a + b.                      da = dy, db = dy                         all (N, D)
template <Real T>
Var<T> add(Var<T> a, Var<T> b, std::string_view name = "add");

/// y = s·a.                        da = s·dy
template <Real T>
Var<T> scale(Var<T> a, T s, std::string_view name = "scale");

/// y = a ⊙ b.                      da = dy ⊙ b, db = dy ⊙ a                 all (N, D)
template <Real T>
Var<T> multiply(Var<T> a, Var<T> b, std::string_view name = "multiply");

/// y[n] = x[n] + b.                dx = dy, db = Σ_n dy[n]                  x (N, D), b (1, D)
template <Real T>
Var<T> add_row(Var<T> x, Var<T> b, std::string_view name = "add_row");

/// y = a·b.                        da = dy·bᵀ, db = aᵀ·dy                   a (M, K), b (K, N)
template <Real T>
Var<T> product(Var<T> a, Var<T> b, std::string_view name = "product");

/// y = x·wᵀ, or x·wᵀ + b.          dx = dy·w, dw = dyᵀ·x, db = Σ_n dy[n]
///
/// Shapes  x (N, D), w (O, D), b (1, O) or an empty Var → y (N, O)
/// Cost    2·N·D·O operations forward, twice that backward
/// Twin    kernels/cublaslt; kernels/matmul shows how such products work
template <Real T>
Var<T> linear(Var<T> x, Var<T> w, Var<T> b = {}, std::string_view name = "linear");

/// y = Σ x[n,d], a (1, 1) value.   dx = dy everywhere
template <Real T>
Var<T> sum(Var<T> x, std::string_view name = "sum");

/// x's columns in consecutive parts of these widths, without a copy.
/// Errors  ShapeError unless the widths add up to x.cols()
template <Real T, std::size_t P>
std::array<Var<T>, P> split(Var<T> x, const std::array<Index, P>& widths,
                            const std::array<std::string_view, P>& names) {
  Tape<T>& tape = *x.tape;
  const int group = tape.new_group();
  std::array<Var<T>, P> parts;
  Index first = 0;
  for (std::size_t p = 0; p < P; ++p) {
    parts[p] = tape.columns(x, first, widths[p], group, names[p]);
    first += widths[p];
  }
  require(first == x.cols(), "split: the widths must add up to the columns");
  return parts;
}

}  // namespace tpp
