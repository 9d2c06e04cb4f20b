// What the checks call.
#pragma once

#include "chapters/10_optimizer/optimizer.h"

namespace tpp::learn {

struct Answer {
  void (*update)(const OptimizerConfig& cfg, const UpdateRange<double>& range,
                 const UpdateStep& at);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .update = adamw_update<double> }
