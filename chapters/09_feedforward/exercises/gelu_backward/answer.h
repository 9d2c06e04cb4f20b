// What the checks call.
#pragma once

#include "chapters/09_feedforward/normal.h"

namespace tpp::learn {

struct Answer {
  void (*gelu)(RowIn<double> dy, RowIn<double> x, RowOut<double> dx);
  void (*gelu_tanh)(RowIn<double> dy, RowIn<double> x, RowOut<double> dx);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .gelu = gelu_backward_row<double>, .gelu_tanh = gelu_tanh_backward_row<double> }
