// What the checks call.
#pragma once

#include "chapters/07_position/relative_bias.h"

namespace tpp::learn {

struct Answer {
  std::vector<double> (*slopes)(Index heads);
  Mat<double> (*bias)(Index heads, Index length);
};

// What `--mine` puts into the model
struct Slots {
  Mat<float> (*bias)(Index heads, Index length);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .slopes = alibi_slopes, .bias = alibi_bias<double> }
#define SLOTS \
  { .bias = alibi_bias<float> }
