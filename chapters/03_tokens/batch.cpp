#include "chapters/03_tokens/batch.h"

#include "chapters/01_tensor/errors.h"

namespace tpp {

Batch::Batch(int B, int T) : B(B), T(T) {
  if (B < 1 || T < 1) {
    throw InputError("A batch of " + std::to_string(B) + " sequences of " + std::to_string(T) +
                     " tokens is empty: both numbers must be at least 1.");
  }
  tokens.resize(std::size_t(B) * std::size_t(T), 0);
  targets.resize(tokens.size(), kNoTarget);
}

}  // namespace tpp
