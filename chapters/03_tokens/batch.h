// What a model learns from: rows of tokens, and beside each token the one to be guessed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/03_tokens/tokenizer.h"

namespace tpp {

/// A target that asks for nothing: the position has no loss.
inline constexpr int kNoTarget = -1;

/// B sequences of T tokens. The size is set here and never changed by a source.
///
/// For a causal model targets[b, t] = tokens[b, t + 1]: the next token. Other objectives (targets.h)
/// fill the same two arrays in another way.
struct Batch {
  Batch(int B, int T);  // InputError unless both are at least 1

  int B, T;
  std::vector<int> tokens;   // (B, T) row-major
  std::vector<int> targets;  // (B, T), kNoTarget where there is nothing to guess
};

/// A loss to compare with: what a simple guesser gets on the validation data.
struct Baseline {
  std::string name;  // "uniform", "unigram", "bigram"; "guess", "optimal"
  double loss;       // nats per target
};

/// Where batches come from: a text, or a task with exact rules.
///
/// Everything is a function of (seed, step): a run that resumes at step 30 needs nothing else, and
/// batches may be made out of order or on several threads at once.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  /// The batch of a training step: sequence b depends on the seed, the step and b only.
  ///
  /// Errors  InputError if sequences of batch.T tokens cannot be had (see require)
  /// Cost    B·T writes; no allocation
  virtual void train(std::uint64_t step, Batch& batch) const = 0;

  /// Batch i of the validation data: sequences i·B … i·B + B − 1, always the same ones.
  virtual void validation(std::uint64_t i, Batch& batch) const = 0;

  /// Throw InputError, saying what would do, if sequences of T tokens cannot be had. Call it first.
  virtual void require(int T) const = 0;

  [[nodiscard]] virtual const Tokenizer& tokenizer() const = 0;
  [[nodiscard]] int vocabulary() const { return tokenizer().vocabulary(); }  // V

  [[nodiscard]] virtual std::string describe() const = 0;  // one or two sentences for the reader

  /// Losses to compare with, the worst first. It may take a pass over the data: ask once.
  [[nodiscard]] virtual std::vector<Baseline> baselines() const = 0;

  /// A text to continue, as a start for samples: a few characters of the kind it is made of.
  [[nodiscard]] virtual std::string prompt() const = 0;
  /// The same as tokens. A source that shows the model more than what came before gives what it shows.
  [[nodiscard]] virtual std::vector<int> opening() const { return tokenizer().encode(prompt()); }
};

}  // namespace tpp
