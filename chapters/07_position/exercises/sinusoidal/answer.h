// What the checks call.
#pragma once

#include "chapters/07_position/sinusoidal.h"

namespace tpp::learn {

struct Answer {
  Mat<double> (*table)(Index length, Index D);
};

// What `--mine` puts into the model
struct Slots {
  Mat<float> (*table)(Index length, Index D);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .table = sinusoidal_table<double> }
#define SLOTS \
  { .table = sinusoidal_table<float> }
