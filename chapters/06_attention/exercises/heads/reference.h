// Splitting heads: which numbers of a (B·T, H·K) matrix are one head's, and where its probabilities go.
//
// Nothing is copied. Positions stay rows; each head owns K neighbouring columns.
#pragma once

#include "chapters/01_tensor/tensor.h"

namespace tpp {

/// B sequences of T positions, H heads of K features each.
struct Heads {
  Index B;
  Index T;
  Index H;
  Index K;
};

/// A place in a matrix.
struct HeadPlace {
  Index row;
  Index col;
};

// [snip head_place]
/// Where feature k of head h stands, for position t of sequence b, in a matrix (B·T, H·K): queries, keys,
/// values and results all lie like this.
inline HeadPlace head_place(const Heads& n, Index b, Index h, Index t, Index k) {
  // [hole place "Return the row and the column. The rows are the positions of the first sequence, then those of the second, …; the columns are the features of the first head, then those of the second, …"]
  return {b * n.T + t, h * n.K + k};
  // [/hole]
}

/// Which row of the probabilities (B·H·T, T) is that of query t of head h of sequence b.
inline Index probs_row(const Heads& n, Index b, Index h, Index t) {
  // [hole row "Return the row: sequence by sequence, in a sequence head by head, in a head query by query."]
  return (b * n.H + h) * n.T + t;
  // [/hole]
}
// [/snip]

}  // namespace tpp
