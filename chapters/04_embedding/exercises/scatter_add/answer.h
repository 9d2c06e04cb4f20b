// What the checks call.
#pragma once

namespace tpp::learn {

struct Answer {
  void (*gradient)(const float* dy, const int* tokens, float* dtable, int N, int V, int D);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .gradient = embedding_gradient }
