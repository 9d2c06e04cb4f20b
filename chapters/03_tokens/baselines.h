// How well can one guess without a network? By letter frequencies, and by pairs of letters.
//
// A curve without a yardstick says little. ln V is what an untrained model gets; the unigram and
// bigram losses are what counting gets. A Transformer below the bigram line has used more than one
// token.
#pragma once

#include "chapters/03_tokens/dataset.h"

namespace tpp {

/// Cross-entropy of the validation part under the training part's token frequencies.
///
///   p₁(y) = (c(y) + 1) / (N + V)
///
/// Result  nats per token; NaN without validation tokens
/// Cost    one pass
[[nodiscard]] double unigram_entropy(const Dataset& data);

/// Cross-entropy of the validation part when each token is guessed from the one before.
///
///   p₂(y | x) = (c(x, y) + m·p₁(y)) / (c(x) + m),     m = number of distinct successors of x
///
/// Unseen pairs fall back to p₁ (Witten and Bell's interpolation: the more varied x's successors
/// were, the likelier a new one). Pairs are kept in a hash table, so any vocabulary works.
///
/// Result  nats per token, over all validation tokens but the first; NaN with fewer than two
/// Cost    one pass
/// Paper   Witten & Bell 1991; Chen & Goodman 1998 (Harvard TR-10-98), section 2.5
[[nodiscard]] double bigram_entropy(const Dataset& data);

}  // namespace tpp
