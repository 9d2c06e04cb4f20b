// What the checks call.
#pragma once

#include "chapters/10_optimizer/optimizer.h"

namespace tpp::learn {

struct Answer {
  void (*update)(const OptimizerConfig& cfg, const UpdateRange<double>& range,
                 const UpdateStep& at);
};

// What `--mine` puts into the model
struct Slots {
  void (*update)(const OptimizerConfig& cfg, const UpdateRange<float>& range, const UpdateStep& at);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .update = adamw_update<double> }
#define SLOTS \
  { .update = adamw_update<float> }
