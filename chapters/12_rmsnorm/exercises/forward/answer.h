// What the checks call.
#pragma once

#include "chapters/12_rmsnorm/rmsnorm.h"

namespace tpp::learn {

struct Answer {
  void (*forward)(In<Mat<double>> x, In<RowVec<double>> w, RmsNormConfig cfg, Out<Mat<double>> y,
                  Out<ColVec<double>> rstd);
};

// What `--mine` puts into the model
struct Slots {
  void (*forward)(In<Mat<float>> x, In<RowVec<float>> w, RmsNormConfig cfg, Out<Mat<float>> y,
                  Out<ColVec<float>> rstd);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .forward = rmsnorm_forward<double> }
#define SLOTS \
  { .forward = rmsnorm_forward<float> }
