// Embedding: a token chooses a row of a table, and learning moves the rows that were chosen.
//
// Un-embedding, at the other end of a model, is chapter 02's linear(x, table): the score of token v
// is ⟨x, table[v]⟩. With the same table the model is tied, and the table's gradient is the sum of
// both uses; with a table of its own it is separate.
#pragma once

#include <span>
#include <string_view>

#include "chapters/02_tape/tape.h"

namespace tpp {

/// Throws a ShapeError that names the first token outside [0, V).
void require_tokens(std::span<const int> tokens, Index V);

/// Row n of y is the table's row for token n.
///
///   y[n] = table[tokens[n]]
///
/// Shapes  table (V, D), tokens (N) → y (N, D)
/// Errors  ShapeError for a token outside [0, V), or a y of another shape
/// Cost    N·D numbers copied, from rows in no order: memory-bound
/// Paper   Press & Wolf 2016, arXiv:1608.05859, for the tied table
/// Twin    kernels/embedding
template <Real T>
void embedding_forward(In<Mat<T>> table, std::span<const int> tokens, Out<Mat<T>> y);

/// dtable[v] = Σ_n dy[n] over the n with tokens[n] = v: a repeated token gets the sum of its
/// gradients.
///
/// With Write::set the table's other rows become zero; with Write::add they are not touched.
///
/// Shapes  dy (N, D), tokens (N) → dtable (V, D)
template <Real T>
void embedding_backward(In<Mat<T>> dy, std::span<const int> tokens, Out<Mat<T>> dtable,
                        Write write = Write::set);

/// On the tape: table (V, D), N tokens → (N, D). The tokens are copied.
template <Real T>
Var<T> embedding(Var<T> table, std::span<const int> tokens, std::string_view name = "embedding");

}  // namespace tpp
