// What the checks call.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "chapters/03_tokens/tokenizer.h"

namespace tpp::learn {

struct Answer {
  void (*merge)(std::vector<int>& tokens, Tokenizer::Merge pair, int merged);
  std::vector<std::uint64_t> (*pairs)(std::span<const int> tokens);
  bool (*first)(std::int64_t a_count, std::uint64_t a, std::int64_t b_count, std::uint64_t b);
  int (*earliest)(std::span<const int> tokens,
                  const std::unordered_map<std::uint64_t, int>& merged);
};

}  // namespace tpp::learn

// clang-format off
// Made in the namespace of each answer
#define ANSWER {                                                                   \
  .merge = merge_in,                                                               \
  .pairs = [](std::span<const int> tokens) {                                       \
    std::vector<std::uint64_t> found;                                              \
    for_each_pair(tokens, [&](std::uint64_t pair) { found.push_back(pair); });     \
    return found;                                                                  \
  },                                                                               \
  .first = [](std::int64_t a_count, std::uint64_t a, std::int64_t b_count,         \
              std::uint64_t b) {                                                   \
    return comes_first(Candidate{a_count, a}, Candidate{b_count, b});              \
  },                                                                               \
  .earliest = earliest_merge,                                                      \
}
