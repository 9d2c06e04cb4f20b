// What the checks call.
#pragma once

#include "chapters/13_rope/rope.h"

namespace tpp::learn {

struct Answer {
  void (*rotate)(double a, double b, double cosine, double sine, double& ya, double& yb);
  std::pair<Index, Index> (*partners)(Index p, Index K, Pairing pairing);
  double (*frequency)(Index p, Index K, double base);
};

// What `--mine` puts into the model
struct Slots {
  void (*rotate)(float a, float b, float cosine, float sine, float& ya, float& yb);
};

}  // namespace tpp::learn

// Made in the namespace of each answer
#define ANSWER                                                             \
  {                                                                        \
    .rotate = rotate_pair<double>,                                         \
    .partners =                                                            \
        [](Index p, Index K, Pairing pairing) {                            \
          const auto partners = rope_partners(p, K, pairing);              \
          return std::pair<Index, Index>(partners.first, partners.second); \
        },                                                                 \
    .frequency = rope_frequency                                            \
  }
#define SLOTS \
  { .rotate = rotate_pair<float> }
