// Four small tasks with exact answers: what does an attention head have to do to solve them?
//
// A text never says what the best loss is. A task does: every position with a target can be known
// for sure from the tokens before it, so the best loss is 0, and everything above it is something
// that the model has not learned yet. Positions that are random have no target.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/03_tokens/batch.h"

namespace tpp {

enum class Task {
  copy,       // "qzt|qzt."        the letters behind the bar, and the point
  induction,  // "QxMbTaMbQx"      the small letter behind a capital that was there before
  sorting,    // "dcab>abcd."      the letters behind the arrow, and the point
  addition,   // "123+045=168."    the digits behind "=", and the point
};

/// "copy", "induction", "sorting", "addition", in the order of Task.
[[nodiscard]] std::span<const std::string_view> task_names();

/// Rows of a task, examples packed one behind the other; the last one is cut off at T.
///
/// Tokens are printable bytes (V = 256), so every model for bytes can learn them.
///   copy       3 to 7 random letters a–z, a bar, the same letters, a point
///   sorting    3 to 7 random letters a–z, an arrow, the letters in alphabetical order, a point
///   addition   two numbers of three digits whose sum is at most 999, all such pairs equally likely
///   induction  pairs of a capital and a small letter. A row has 4 (T < 32) or 8 capitals, each
///   with a
///              small letter of its own, drawn anew for every row: only the row itself tells which.
///
/// Optimal loss 0. Guess: the entropy of the targets, which is what a model gets that knows how
/// often each of them occurs and looks at nothing. Induction: ln 26 = 3.26 exactly. Copy and
/// sorting: a point is one target in 6, so h(1/6) + 5/6·ln 26 = 3.17 in long rows. Addition: 2.27.
///
/// Errors  InputError for T < 16
class TaskSource : public BatchSource {
 public:
  static constexpr int kSmallestT = 16;  // the longest example fits

  TaskSource(Task task, std::uint64_t seed);

  void train(std::uint64_t step, Batch& batch) const override;
  void validation(std::uint64_t i, Batch& batch) const override;  // rows of their own stream
  void require(int T) const override;
  [[nodiscard]] const Tokenizer& tokenizer() const override { return tokenizer_; }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::vector<Baseline> baselines() const override;  // "guess", "optimal"
  [[nodiscard]] std::string prompt() const override;

 private:
  Task task_;
  std::uint64_t seed_;
  Tokenizer tokenizer_ = Tokenizer::bytes();
};

/// The task of that name.
///
/// Errors  InputError, with the names that there are
[[nodiscard]] Task task_named(std::string_view name);

}  // namespace tpp
