// What the checks call.
#pragma once

#include "chapters/12_rmsnorm/rmsnorm.h"

namespace tpp::learn {

struct Answer {
  void (*forward)(In<Mat<double>> x, In<RowVec<double>> w, RmsNormConfig cfg, Out<Mat<double>> y,
                  Out<ColVec<double>> rstd);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .forward = rmsnorm_forward<double> }
// What `--mine` puts into the model
#define SLOT rmsnorm_forward<float>
