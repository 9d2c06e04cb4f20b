// Which keys a query may see.
#pragma once

#include <algorithm>

#include "chapters/01_tensor/tensor.h"

namespace tpp {

/// A mask in which query t sees the keys 0 … visible(t) − 1 and no others.
///
/// The four masks of this chapter have that form, so a row of probabilities is a filled part and then
/// zeros, and work that the mask would throw away need not be done.
struct Mask {
  enum class Kind {
    full,     // every key: an encoder
    causal,   // keys up to the query itself: a decoder
    prefix,   // the first `length` keys, and keys up to the query: a prefix language model
    padding,  // the first `length` keys: the rest of the sequence is filler
  };
  Kind kind = Kind::causal;
  Index length = 0;

  static constexpr Mask full() { return {Kind::full, 0}; }
  static constexpr Mask causal() { return {Kind::causal, 0}; }
  static constexpr Mask prefix(Index length) { return {Kind::prefix, length}; }
  static constexpr Mask padding(Index length) { return {Kind::padding, length}; }

  // [snip mask_visible]
  /// How many of S keys query t sees. At least one, so that the softmax of the row exists.
  [[nodiscard]] Index visible(Index t, Index S) const {
    Index count = S;
    if (kind == Kind::causal) count = t + 1;
    if (kind == Kind::prefix) count = std::max(t + 1, length);
    if (kind == Kind::padding) count = length;
    return std::clamp<Index>(count, 1, S);
  }
  // [/snip]
};

}  // namespace tpp
