// Cross-entropy: how surprised the model was by the token that came, straight from the scores.
#pragma once

#include <span>
#include <string_view>

#include "chapters/02_tape/tape.h"

namespace tpp {

/// A target that does not count: padding, or a token that nobody asks about.
inline constexpr int kIgnored = -1;

/// The mean of −log p[target] under softmax(logits). Probabilities are never stored.
///
///   log_sum[n] = log Σ_v exp(logits[n,v])
///   row_loss[n] = log_sum[n] − logits[n, targets[n]]             0 where the target is kIgnored
///   result = Σ_n row_loss[n] / count                             added up in double, in nats
///
/// `count` is the number of targets in the whole batch, so that the losses of a batch's parts add
/// up to the loss of the batch, and so do their gradients.
///
/// Shapes  logits (N, V), targets (N) → row_loss (N), log_sum (N)
/// Errors  ShapeError for a target outside [−1, V) or a count that is not positive
/// Cost    two reads of logits, N·V exponentials
/// Twin    kernels/cross_entropy
template <Real T>
[[nodiscard]] double cross_entropy_forward(In<Mat<T>> logits, std::span<const int> targets,
                                           double count, Out<ColVec<T>> row_loss,
                                           Out<ColVec<T>> log_sum);

/// dlogits[n,v] = dloss / count · (p[n,v] − 1[v = targets[n]]),     p = exp(logits − log_sum)
///
/// A row whose target is kIgnored gets zeros.
///
/// Shapes  logits (N, V), targets (N), log_sum (N) → dlogits (N, V)
template <Real T>
void cross_entropy_backward(T dloss, In<Mat<T>> logits, std::span<const int> targets, double count,
                            In<ColVec<T>> log_sum, Out<Mat<T>> dlogits);

/// On the tape: logits (N, V), N targets → (1, 1). Records row_loss as "token_loss" (N, 1).
///
/// A count of 0 stands for the number of targets that are not kIgnored.
/// Errors  ShapeError if count is 0 and every target is kIgnored
template <Real T>
Var<T> cross_entropy(Var<T> logits, std::span<const int> targets, double count = 0,
                     std::string_view name = "loss");

/// e^nats: among how many equally likely tokens the model hesitates.
[[nodiscard]] double perplexity(double nats);

namespace detail {
/// Throws ShapeError unless every row has a target in [−1, V) and the count is positive.
void require_targets(std::span<const int> targets, Shape logits, double count);
}  // namespace detail

}  // namespace tpp
