// Relative positions: how far a key stands from the query changes their logit, and nothing else.
//
// A head's bias depends on the offset s − t of key s from query t alone. So for T tokens a head has
// 2T − 1 numbers, not T²: the layout is (H, 2T − 1), and entry [h, s − t + T − 1] is added to head
// h's logit of query t and key s. The middle column is the token itself.
#pragma once

#include <string_view>
#include <vector>

#include "chapters/02_tape/tape.h"

namespace tpp {

/// How fast each head's attention falls with distance: a geometric sequence.
///
///   m[h] = 2^(−8(h+1)/H)                         for H a power of two
///
/// Any other H takes the slopes of the next smaller power P, then every other one of 2P's.
/// Errors  ShapeError unless heads is positive
/// Paper   Press, Smith, Lewis 2021, arXiv:2108.12409, section 3. The rule for other H is that of
/// the
///         authors' code; their models have powers of two
[[nodiscard]] std::vector<double> alibi_slopes(Index heads);

/// The bias −m[h]·|t − s|.
///
/// Shapes  → (H, 2T − 1); `length` is T
/// Paper   as above. The paper looks back only; for keys after the query we mirror the distance
template <Real T>
[[nodiscard]] Mat<T> alibi_bias(Index heads, Index length);

/// On the tape, for `length` tokens: the middle of a bias that was made for as many or more.
///
/// Shapes  longest (H, 2·L − 1) → (H, 2·length − 1)
/// Errors  ShapeError unless length is from 1 to L
/// Twin    kernels/position_bias: a device makes its own
template <Real T>
Var<T> alibi_bias(Tape<T>& tape, In<Mat<T>> longest, Index length,
                  std::string_view name = "alibi_bias");

/// Which of T5's learned biases an offset uses: near ones have their own, far ones share by
/// logarithm.
///
/// `relative` is s − t: negative for a key before the query. Let n be the distance, N the buckets.
/// When looking both ways, keys after the query have the second half of the buckets, and N is
/// halved. Otherwise they all count as distance 0.
///
///   n                                                      for n < N/2
///   N/2 + ⌊N/2 · log(n / (N/2)) / log(max / (N/2))⌋         at most N − 1
///
/// Errors  ShapeError unless there are 2 buckets (4 for both ways, and an even number) and max >
/// N/2 Paper   Raffel et al. 2019, arXiv:1910.10683, section 2.1 (the formula is that of the
/// authors' code)
[[nodiscard]] int t5_bucket(Index relative, bool bidirectional, int buckets = 32,
                            int max_distance = 128);

/// bias[h, s − t + T − 1] = table[t5_bucket(s − t), h].
///
/// Shapes  table (buckets, H) → bias (H, 2T − 1)
/// Errors  ShapeError unless bias has table.cols() rows and an odd number of columns
/// Twin    kernels/position_bias
template <Real T>
void t5_bias_forward(In<Mat<T>> table, bool bidirectional, Out<Mat<T>> bias);

/// dtable[j, h] = Σ of dbias[h, ·] over the offsets whose bucket is j.
template <Real T>
void t5_bias_backward(In<Mat<T>> dbias, bool bidirectional, Out<Mat<T>> dtable);

/// On the tape: table (buckets, H) → (H, 2T − 1); `length` is T. Distances beyond 128 share a
/// bucket.
template <Real T>
Var<T> t5_bias(Var<T> table, Index length, bool bidirectional, std::string_view name = "t5_bias");

}  // namespace tpp
