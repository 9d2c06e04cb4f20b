// Which of T5's biases an offset uses: chapters/07_position's t5_bucket, the same operations in the same order.
#pragma once

#include "kernels/simt/simt.h"

namespace tpp::twin {

struct T5Buckets {
  bool bidirectional;
  int buckets, max_distance;

  __device__ int operator()(int relative) const {
    // Give each direction its half of the buckets, or let keys after the query count as distance 0
    int first = 0, mine = buckets, distance = -relative;
    if (bidirectional) {
      mine /= 2;
      if (relative > 0) first = mine, distance = relative;
    }
    distance = max(distance, 0);

    // Near distances have a bucket each, far ones share by logarithm
    const int near = mine / 2;
    if (distance < near) return first + distance;
    const double depth = log(double(distance) / near) / log(double(max_distance) / near);
    const double bucket = near + floor(depth * (mine - near) + 1e-9);
    return first + int(min(bucket, double(mine - 1)));
  }
};

}  // namespace tpp::twin
