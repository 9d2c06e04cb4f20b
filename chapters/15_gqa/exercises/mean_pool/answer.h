// What the checks call.
#pragma once

#include "chapters/15_gqa/gqa.h"

namespace tpp::learn {

struct Answer {
  void (*pool)(In<Mat<double>> w, Index H, Index G, Out<Mat<double>> pooled);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .pool = mean_pool_heads<double> }
