// What is the model asked? Five ways to make a row of tokens and targets from a window of text.
//
// A row is T tokens, and beside each the token to be guessed there, or kNoTarget. Who may look where belongs to the
// question: whoever sees the next token need not guess it. All rows here are for one decoder-only model; BERT is an
// encoder and T5 an encoder with a decoder, and what that changes is said at each.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/01_tensor/random.h"
#include "chapters/03_tokens/dataset.h"

namespace tpp {

enum class Objective {
  causal,  // the next token, everywhere
  masked,  // tokens that were hidden, from both sides
  prefix,  // the next token, behind a beginning that is read in both directions
  span,    // what stood in several gaps, one gap after the other
  fim,     // the next token; in half of the rows the middle has been moved to the end
};

/// "causal", "masked", "prefix", "span", "fim", in the order of Objective.
[[nodiscard]] std::span<const std::string_view> objective_names();
/// Errors  InputError, with the names that there are
[[nodiscard]] Objective objective_named(std::string_view name);

/// Is going on with a text what the model has learned? Not if it fills blanks.
[[nodiscard]] bool continues_text(Objective objective);

/// What a token may look at: chapter 06 has the masks.
struct Sight {
  enum class Kind { causal, full, prefix } kind = Kind::causal;
  int prefix = 0;  // for Kind::prefix: the first so many tokens are seen by all
  bool operator==(const Sight&) const = default;
};

/// How rows of an objective are laid out: all numbers follow from T.
struct RowPlan {
  Objective objective = Objective::causal;
  int T = 0;       // tokens in a row
  int window = 0;  // tokens of text that a row is made of, at most T + 1
  int hidden = 0;  // masked, span: how many of them are asked for
  int spans = 0;   // span: in how many gaps
  Sight sight;
};

/// Errors  InputError if T is too small: 2 for most, 8 for span and fim
[[nodiscard]] RowPlan plan_rows(Objective objective, int T);

/// The special tokens that rows of this plan need: <mask>; <span_0>, <span_1>, …; <prefix>, <suffix>, <middle>, <end>.
[[nodiscard]] std::vector<std::string> special_names(const RowPlan& plan);

// In all of them: tokens (T), targets (T). A window may lie in `targets`: it has been read when they are written.

/// targets[t] = window[t + 1].   Shapes  window (T + 1)
void causal_row(std::span<const int> window, std::span<int> tokens, std::span<int> targets);

/// The same, but nothing is asked of the first `prefix` − 1 tokens: they see what comes.   Shapes  window (T + 1)
///
/// Paper   Raffel et al. 2019 (T5), arXiv:1910.10683. Deviation: its prefix has a random length, ours is T/2, because
///         all rows of a batch have one mask
void prefix_row(std::span<const int> window, int prefix, std::span<int> tokens,
                std::span<int> targets);

/// Exactly `hidden` tokens are asked for, where they stand. Of 10 of them 8 become `mask`, 1 a random token of the text's
/// `vocabulary`, and 1 stays: so that no token can be trusted, or ignored.   Shapes  window (T)
///
/// Paper   Devlin et al. 2018 (BERT), arXiv:1810.04805: 15 % of the tokens; without its second task, next sentences
void masked_row(std::span<const int> window, int hidden, int mask, int vocabulary, Philox& rng,
                std::span<int> tokens, std::span<int> targets);

/// `hidden` tokens go, in `spans` gaps of random lengths. The row is the text with a sentinel in each gap, and behind it
/// each sentinel with what stood there; one more sentinel ends it. Only the second part is asked for.
///
///   the fox <span_0> the pond and <span_1> | <span_0> ran to <span_1> drank <span_2>
///
/// Shapes  window (T − 2·spans), sentinels: `spans` + 1 tokens from `first_sentinel`
/// Paper   Raffel et al. 2019 (T5): 15 % in gaps of 3 on average, all ways to cut equally likely. Deviation: T5 reads the
///         first part with an encoder and writes the second with a decoder; here both stand in one row, the first part
///         under a prefix mask, so the decoder's tokens also share its weights
void span_row(std::span<const int> window, int hidden, int spans, int first_sentinel, Philox& rng,
              std::span<int> tokens, std::span<int> targets);

/// Cut in three at two random places, and write the middle last:
///
///   <prefix> beginning <suffix> end <middle> middle <end>
///
/// Every next token is asked for.   Shapes  window (T − 3); the special tokens are four from `first_special`
/// Paper   Bavarian et al. 2022, arXiv:2207.14255: prefix, suffix, middle. Deviations: the window takes the document's
///         place, and is cut between tokens, not between letters
void fim_row(std::span<const int> window, int first_special, Philox& rng, std::span<int> tokens,
             std::span<int> targets);

/// A text with another question than the next token: the windows of TextSource, made into rows.
///
/// Everything is a function of (seed, step, sequence), as there. Of fim's rows one half is causal.
class ObjectiveSource : public BatchSource {
 public:
  /// The text's tokenizer must have the special tokens of the plan.
  /// Errors  InputError if it has not, or T is too small
  ObjectiveSource(TextSource text, Objective objective, int T, std::uint64_t seed);

  void train(std::uint64_t step, Batch& batch) const override;
  void validation(std::uint64_t i, Batch& batch) const override;
  void require(int T) const override;  // also InputError if the rows were planned for another T
  [[nodiscard]] const Tokenizer& tokenizer() const override { return text_.tokenizer(); }
  [[nodiscard]] std::string describe() const override;
  /// Knowing nothing, and knowing how frequent each target is. Bigrams only where the token before can be seen.
  [[nodiscard]] std::vector<Baseline> baselines() const override;
  [[nodiscard]] std::string prompt() const override { return text_.prompt(); }
  [[nodiscard]] std::vector<int> opening() const override;
  [[nodiscard]] const RowPlan& plan() const { return plan_; }

 private:
  void fill(Batch& batch, int b, std::size_t offset, Philox rng) const;

  TextSource text_;
  RowPlan plan_;
  std::uint64_t seed_;
  int first_special_ = 0;
};

}  // namespace tpp
