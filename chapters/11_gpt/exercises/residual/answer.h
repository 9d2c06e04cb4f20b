// What the checks call.
#pragma once

#include <functional>

#include "chapters/02_tape/ops.h"

namespace tpp::learn {

using Map = std::function<Var<double>(Var<double>)>;

struct Answer {
  Var<double> (*pre)(Var<double> x, const Map& norm1, const Map& attention, const Map& norm2,
                     const Map& feed_forward);
  Var<double> (*post)(Var<double> x, const Map& norm1, const Map& attention, const Map& norm2,
                      const Map& feed_forward);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .pre = pre_norm_block<double>, .post = post_norm_block<double> }
