// A thread a number. Forward, H threads find the same bucket. Backward, a thread walks over all 2T − 1 offsets and keeps
// those of its bucket.
#pragma once

#include "kernels/common/types.h"
#include "kernels/position_bias/bucket.cuh"

namespace tpp::twin {

static __global__ void t5_bias_forward_naive(const float* table, float* bias, int length, int H,
                                             T5Buckets bucket) {
  const int o = int(blockIdx.x * blockDim.x + threadIdx.x), h = int(blockIdx.y);
  const int width = 2 * length - 1;
  if (o >= width) return;
  bias[std::size_t(h) * width + o] = table[bucket(o - (length - 1)) * H + h];
}

static __global__ void t5_bias_backward_naive(const float* dbias, float* dtable, Write write,
                                              int length, int H, T5Buckets bucket) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= bucket.buckets * H) return;
  const int j = i / H, h = i % H, width = 2 * length - 1;
  float sum = 0;
  for (int o = 0; o < width; ++o) {
    if (bucket(o - (length - 1)) == j) sum += dbias[std::size_t(h) * width + o];
  }
  dtable[i] = write == Write::set ? sum : dtable[i] + sum;
}

}  // namespace tpp::twin
