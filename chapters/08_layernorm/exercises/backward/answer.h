// What the checks call.
#pragma once

#include "chapters/08_layernorm/layernorm.h"

namespace tpp::learn {

struct Answer {
  void (*forward)(In<Mat<double>> x, In<RowVec<double>> w, In<RowVec<double>> b,
                  LayerNormConfig cfg, Out<Mat<double>> y, Out<ColVec<double>> mean,
                  Out<ColVec<double>> rstd);
  void (*backward)(In<Mat<double>> dy, In<Mat<double>> x, In<RowVec<double>> w,
                   In<ColVec<double>> mean, In<ColVec<double>> rstd, Out<Mat<double>> dx,
                   Out<RowVec<double>> dw, Out<RowVec<double>> db);
};

// What `--mine` puts into the model
struct Slots {
  void (*forward)(In<Mat<float>> x, In<RowVec<float>> w, In<RowVec<float>> b, LayerNormConfig cfg,
                  Out<Mat<float>> y, Out<ColVec<float>> mean, Out<ColVec<float>> rstd);
  void (*backward)(In<Mat<float>> dy, In<Mat<float>> x, In<RowVec<float>> w, In<ColVec<float>> mean,
                   In<ColVec<float>> rstd, Out<Mat<float>> dx, Out<RowVec<float>> dw,
                   Out<RowVec<float>> db);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .forward = layernorm_forward<double>, .backward = layernorm_backward<double> }
#define SLOTS \
  { .forward = layernorm_forward<float>, .backward = layernorm_backward<float> }
