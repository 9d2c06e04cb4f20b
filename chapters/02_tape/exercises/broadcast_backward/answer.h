// What the checks call.
#pragma once

#include "chapters/01_tensor/tensor.h"

namespace tpp::learn {

struct Answer {
  void (*backward)(In<Mat<double>> dy, Out<Mat<double>> db, Write write);
};

// What `--mine` puts into the model
struct Slots {
  void (*backward)(In<Mat<float>> dy, Out<Mat<float>> db, Write write);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .backward = add_row_backward<double> }
#define SLOTS \
  { .backward = add_row_backward<float> }
