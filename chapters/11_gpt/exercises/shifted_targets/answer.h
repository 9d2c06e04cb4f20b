// What the checks call.
#pragma once

#include <span>

#include "chapters/03_tokens/batch.h"

namespace tpp::learn {

struct Answer {
  void (*batch)(std::span<const int> text, std::span<const int> offsets, int T,
                std::span<int> tokens, std::span<int> targets);
  double (*loss)(std::span<const double> losses, std::span<const int> targets);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .batch = causal_batch, .loss = mean_loss }
