// What the checks call.
#pragma once

#include "chapters/09_feedforward/normal.h"

namespace tpp::learn {

struct Answer {
  void (*backward)(RowIn<double> dy, RowIn<double> gate, RowIn<double> value, RowOut<double> dgate,
                   RowOut<double> dvalue);
};

// What `--mine` puts into the model
struct Slots {
  void (*backward)(RowIn<float> dy, RowIn<float> gate, RowIn<float> value, RowOut<float> dgate,
                   RowOut<float> dvalue);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .backward = swiglu_backward_row<double> }
#define SLOTS \
  { .backward = swiglu_backward_row<float> }
