// What the checks call.
#pragma once

namespace tpp::learn {

struct Answer {
  void (*scores)(const float* q, const float* k, float* scores, float scale, int T, int K);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .scores = scores_of_head }
