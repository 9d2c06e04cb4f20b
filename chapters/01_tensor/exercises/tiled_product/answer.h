// What the checks call.
#pragma once

namespace tpp::learn {

struct Answer {
  void (*product)(const float* A, const float* B, float* C, int M, int N, int K);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .product = product }
