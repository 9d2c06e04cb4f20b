// Two runs in lockstep: what may differ between A and B, and what B takes from A at a fork.
//
// B is A with a few options set otherwise. Both see the same batches at the same steps, so whatever
// then differs comes from what was set. Run threads take their phases in turn: A's, then B's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/02_tape/parameters.h"
#include "chapters/11_gpt/trainer.h"
#include "chapters/31_transformer_pp/catalogue.h"

namespace tpp::viewer {

/// Where B begins: at the step where A is, with A's weights, or both at step 0.
enum class ForkAt { here, start };

/// What is set otherwise in B, by the options' names: {{"ffn", "relu"}}.
using Swaps = std::vector<std::pair<std::string, std::string>>;

/// A fork that is still to come: B begins when A has come to this step.
struct ForkPlan {
  Swaps swaps;
  long step = 0;

  bool operator==(const ForkPlan&) const = default;
};

/// "norm=layernorm,warmup=0". Errors: InputError
[[nodiscard]] Swaps parse_swaps(std::string_view text);

/// The options of B.
/// Errors  InputError for an option that both must share (the batches would differ), or a value that
///         cannot be
[[nodiscard]] RunOptions with_swaps(const RunOptions& a, const Swaps& swaps);

/// What has to be set in `a` to get `b`.
[[nodiscard]] Swaps swaps_between(const RunOptions& a, const RunOptions& b);

/// B's rate when A's goes from one to another: it stays as many times A's.
[[nodiscard]] double scaled_rate(double b, double a_before, double a);

/// "ffn relu, norm layernorm"; "nothing changed yet" when there is none.
[[nodiscard]] std::string describe(const Swaps& swaps);

/// Have two parameters the same name and shape?
[[nodiscard]] bool is_shared(const ParameterInfo& a, const ParameterInfo& b);

/// B's state at A's step: the values of every parameter that both have, and with `moments` what the
/// optimiser knows of them. The others keep the values of `b`, with zero moments.
[[nodiscard]] TrainState transplanted(const TrainState& a, const ParameterTable& a_table,
                                      TrainState b, const ParameterTable& b_table, bool moments);

/// Are the optimisers' moments the same quantities?
[[nodiscard]] bool same_moments(const RunOptions& a, const RunOptions& b);

}  // namespace tpp::viewer
