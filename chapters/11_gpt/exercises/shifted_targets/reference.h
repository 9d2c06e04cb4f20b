// What a causal model is asked: at every token, for the one that comes next. And what its loss is the mean of.
#pragma once

#include <span>

#include "chapters/03_tokens/batch.h"

namespace tpp {

/// Cut one window of T tokens out of a text for each offset, and say what is to be guessed at each
/// place. Window b starts at offsets[b], and lies in the text as a whole.
///
/// Shapes  text (any length), offsets (B) → tokens (B, T), targets (B, T), row-major
// [snip causal_batch]
inline void causal_batch(std::span<const int> text, std::span<const int> offsets, int T,
                         std::span<int> tokens, std::span<int> targets) {
  // [hole batch "Write all tokens and targets. The target is the token that follows in the text, also behind the window's last place; only behind the text's own last token there is none: kNoTarget."]
  for (std::size_t b = 0; b < offsets.size(); ++b) {
    for (int t = 0; t < T; ++t) {
      const std::size_t place = b * std::size_t(T) + std::size_t(t);
      const std::size_t at = std::size_t(offsets[b] + t);
      tokens[place] = text[at];
      targets[place] = at + 1 < text.size() ? text[at + 1] : kNoTarget;
    }
  }
  // [/hole]
}
// [/snip]

/// The mean loss of the places that have a target; 0 if none has one.
///
/// Shapes  losses, targets (B·T)
inline double mean_loss(std::span<const double> losses, std::span<const int> targets) {
  // [hole loss "Return the mean of the losses whose target is not kNoTarget. The other places ask for nothing: whatever stands there must not count."]
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] == kNoTarget) continue;
    sum += losses[i];
    ++count;
  }
  return count > 0 ? sum / count : 0;
  // [/hole]
}

}  // namespace tpp
