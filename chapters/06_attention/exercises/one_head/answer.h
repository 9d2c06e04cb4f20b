// What the checks call.
#pragma once

#include "chapters/06_attention/attention.h"

namespace tpp::learn {

struct Answer {
  void (*forward)(In<Mat<double>> q, In<Mat<double>> k, In<Mat<double>> v, In<RowVec<double>> bias,
                  Mask mask, double scale, Out<Mat<double>> out, Out<Mat<double>> probs);
};

// What `--mine` puts into the model
struct Slots {
  void (*forward)(In<Mat<float>> q, In<Mat<float>> k, In<Mat<float>> v, In<RowVec<float>> bias,
                  Mask mask, float scale, Out<Mat<float>> out, Out<Mat<float>> probs);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .forward = attention_head_forward<double> }
#define SLOTS \
  { .forward = attention_head_forward<float> }
