// What the checks call.
#pragma once

#include "chapters/05_softmax/cross_entropy.h"

namespace tpp::learn {

struct Answer {
  void (*backward)(double dloss, In<Mat<double>> logits, std::span<const int> targets, double count,
                   In<ColVec<double>> log_sum, Out<Mat<double>> dlogits);
};

// What `--mine` puts into the model
struct Slots {
  void (*backward)(float dloss, In<Mat<float>> logits, std::span<const int> targets, double count,
                   In<ColVec<float>> log_sum, Out<Mat<float>> dlogits);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .backward = cross_entropy_backward<double> }
#define SLOTS \
  { .backward = cross_entropy_backward<float> }
