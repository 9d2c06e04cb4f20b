// What the checks call.
#pragma once

#include "chapters/01_tensor/tensor.h"

namespace tpp::learn {

struct Answer {
  void (*backward_a)(In<Mat<double>> dy, In<Mat<double>> b, Out<Mat<double>> da, Write write);
  void (*backward_b)(In<Mat<double>> a, In<Mat<double>> dy, Out<Mat<double>> db, Write write);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .backward_a = product_backward_a<double>, .backward_b = product_backward_b<double> }
