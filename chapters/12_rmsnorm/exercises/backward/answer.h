// What the checks call.
#pragma once

#include "chapters/12_rmsnorm/rmsnorm.h"

namespace tpp::learn {

struct Answer {
  void (*backward)(In<Mat<double>> dy, In<Mat<double>> x, In<RowVec<double>> w,
                   In<ColVec<double>> rstd, Out<Mat<double>> dx, Out<RowVec<double>> dw);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .backward = rmsnorm_backward<double> }
// What `--mine` puts into the model
#define SLOT rmsnorm_backward<float>
