// Embedding backward: row n of the gradient goes back to the table's row that place n was given.
//
//   dtable[v] = Σ_n dy[n]   over the n with tokens[n] = v
#pragma once

#include <span>

#include "chapters/04_embedding/embedding.h"

namespace tpp {

// [snip embedding_backward]
/// The forward was y[n] = table[tokens[n]]. Shapes: dy (N, D), N tokens, dtable (V, D).
template <Real T>
void embedding_backward(In<Mat<T>> dy, std::span<const int> tokens, Out<Mat<T>> dtable,
                        Write write) {
  const Index N = Index(tokens.size());
  require_shape("embedding: dy", shape_of(dy), {N, dtable.cols()});
  require_tokens(tokens, dtable.rows());
  // [hole scatter "Write dtable. With Write::set it holds anything at first, and a row that no token chose must become 0. With Write::add it holds another gradient, to which this one is added."]
  if (write == Write::set) dtable.setZero();
  for (Index n = 0; n < N; ++n) dtable.row(tokens[n]) += dy.row(n);
  // [/hole]
}
// [/snip]

}  // namespace tpp
