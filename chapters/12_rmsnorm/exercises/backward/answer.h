// What the checks call.
#pragma once

#include "chapters/12_rmsnorm/rmsnorm.h"

namespace tpp::learn {

struct Answer {
  void (*backward)(In<Mat<double>> dy, In<Mat<double>> x, In<RowVec<double>> w,
                   In<ColVec<double>> rstd, Out<Mat<double>> dx, Out<RowVec<double>> dw);
};

// What `--mine` puts into the model
struct Slots {
  void (*backward)(In<Mat<float>> dy, In<Mat<float>> x, In<RowVec<float>> w, In<ColVec<float>> rstd,
                   Out<Mat<float>> dx, Out<RowVec<float>> dw);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .backward = rmsnorm_backward<double> }
#define SLOTS \
  { .backward = rmsnorm_backward<float> }
