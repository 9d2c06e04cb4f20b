// What the checks call.
#pragma once

#include "chapters/04_embedding/embedding.h"

namespace tpp::learn {

struct Answer {
  void (*backward)(In<Mat<double>> dy, std::span<const int> tokens, Out<Mat<double>> dtable,
                   Write write);
};

// What `--mine` puts into the model
struct Slots {
  void (*backward)(In<Mat<float>> dy, std::span<const int> tokens, Out<Mat<float>> dtable,
                   Write write);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER \
  { .backward = embedding_backward<double> }
#define SLOTS \
  { .backward = embedding_backward<float> }
