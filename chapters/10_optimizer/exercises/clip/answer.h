// What the checks call.
#pragma once

#include <span>
#include <vector>

#include "chapters/10_optimizer/clip.h"

namespace tpp::learn {

struct Answer {
  double (*scale)(double norm, double max_norm);
  double (*clip)(const std::vector<std::span<double>>& gradients, double max_norm);
};

// What `--mine` puts into the model
struct Slots {
  double (*scale)(double norm, double max_norm);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .scale = clip_scale, .clip = clip_gradients<double> }
#define SLOTS \
  { .scale = clip_scale }
