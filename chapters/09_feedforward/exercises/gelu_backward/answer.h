// What the checks call.
#pragma once

#include "chapters/09_feedforward/normal.h"

namespace tpp::learn {

struct Answer {
  void (*gelu)(RowIn<double> dy, RowIn<double> x, RowOut<double> dx);
  void (*gelu_tanh)(RowIn<double> dy, RowIn<double> x, RowOut<double> dx);
};

// What `--mine` puts into the model
struct Slots {
  void (*gelu)(RowIn<float> dy, RowIn<float> x, RowOut<float> dx);
  void (*gelu_tanh)(RowIn<float> dy, RowIn<float> x, RowOut<float> dx);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .gelu = gelu_backward_row<double>, .gelu_tanh = gelu_tanh_backward_row<double> }
#define SLOTS \
  { .gelu = gelu_backward_row<float>, .gelu_tanh = gelu_tanh_backward_row<float> }
