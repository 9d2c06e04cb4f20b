// The learning rate of a step, told: the schedule's formula with the numbers of that step.
#pragma once

#include "chapters/31_transformer_pp/catalogue.h"
#include "viewer/widgets/arithmetic.h"

namespace tpp::viewer {

/// `step` counts from 0; `rate` is what the run had then. Its peak may have been another than now.
[[nodiscard]] Told told_rate(const RunOptions& options, long step, double rate);

}  // namespace tpp::viewer
