// What the checks call.
#pragma once

#include "chapters/05_softmax/softmax.h"

namespace tpp::learn {

struct Answer {
  void (*forward)(In<Mat<double>> x, Out<Mat<double>> y);
};

// What `--mine` puts into the model
struct Slots {
  void (*forward)(In<Mat<float>> x, Out<Mat<float>> y);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .forward = softmax_forward<double> }
#define SLOTS \
  { .forward = softmax_forward<float> }
