// Byte-pair encoding in four small decisions: how a pair is merged, which pairs there are, which of them training
// merges next, and which one encoding merges next.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "chapters/03_tokens/tokenizer.h"

namespace tpp {

/// A pair of tokens as one number: a smaller left token makes a smaller number, then a smaller right one.
inline std::uint64_t key_of(Tokenizer::Merge pair) {
  return std::uint64_t(pair.left) << 32 | std::uint64_t(pair.right);
}
inline Tokenizer::Merge pair_of(std::uint64_t key) {
  return {int(key >> 32), int(key & 0xFFFFFFFF)};
}

// [snip merge_in]
/// Replace the pair by the token `merged`, from the left, in place: "aaa" becomes (aa, a).
inline void merge_in(std::vector<int>& tokens, Tokenizer::Merge pair, int merged) {
  // [hole merge "Change `tokens`: wherever pair.left is followed by pair.right, the one token `merged` stands for both. A token is used only once."]
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool here =
        tokens[i] == pair.left && i + 1 < tokens.size() && tokens[i + 1] == pair.right;
    tokens[kept++] = here ? merged : tokens[i];
    if (here) ++i;
  }
  tokens.resize(kept);
  // [/hole]
}
// [/snip]

// [snip for_each_pair]
/// Visit the pairs of neighbours that a merge could replace, to count them. Of "aaa" that is the first (a, a), not the
/// one that overlaps it: a merge would leave (aa, a).
template <class Visit>
void for_each_pair(std::span<const int> tokens, Visit visit) {
  // [hole pairs "Call visit(key_of({left, right})) for each pair of neighbours, as often as it stands there; leave out what overlaps an equal pair that was visited."]
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    visit(key_of({tokens[i], tokens[i + 1]}));
    const bool overlap =
        tokens[i] == tokens[i + 1] && i + 2 < tokens.size() && tokens[i + 1] == tokens[i + 2];
    if (overlap) ++i;
  }
  // [/hole]
}
// [/snip]

/// A pair, as key_of() numbers it, and how often it occurs in the training text.
struct Candidate {
  std::int64_t count;
  std::uint64_t pair;
};

// [snip comes_first]
/// Does training merge a before b?
inline bool comes_first(const Candidate& a, const Candidate& b) {
  // [hole first "Return whether a comes before b: the more frequent one does; of equally frequent ones the one with the smaller left token, then the smaller right token. Never both, and no pair before itself."]
  return a.count != b.count ? a.count > b.count : a.pair < b.pair;
  // [/hole]
}
// [/snip]

// [snip earliest_merge]
/// Which merge encoding makes next. `merged` has each learned pair's token; the tokens are numbered in the order in
/// which they were learned.
inline int earliest_merge(std::span<const int> tokens,
                          const std::unordered_map<std::uint64_t, int>& merged) {
  // [hole earliest "Of all neighbours that are a learned pair, return the token that was learned first; −1 if there is no such pair. merged.find(key_of({left, right})) looks a pair up."]
  int earliest = -1;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const auto found = merged.find(key_of({tokens[i], tokens[i + 1]}));
    if (found == merged.end()) continue;
    if (earliest < 0 || found->second < earliest) earliest = found->second;
  }
  return earliest;
  // [/hole]
}
// [/snip]

}  // namespace tpp
