// v1 found each bucket H times forward, and backward one thread found 2T − 1 buckets in a row; a bucket costs two double
// logarithms. v2 finds it once forward, and backward gives a number of dtable to a warp: each lane has every 32nd offset.
#pragma once

#include "kernels/common/reduce.cuh"
#include "kernels/common/types.h"
#include "kernels/position_bias/bucket.cuh"

namespace tpp::twin {

// [snip t5_bias_forward_shared]
static __global__ void t5_bias_forward_shared(const float* table, float* bias, int length, int H,
                                              T5Buckets bucket) {
  const int o = int(blockIdx.x * blockDim.x + threadIdx.x), width = 2 * length - 1;
  if (o >= width) return;
  const float* row = table + std::size_t(bucket(o - (length - 1))) * H;
  for (int h = 0; h < H; ++h) bias[std::size_t(h) * width + o] = row[h];
}
// [/snip]

static __global__ void t5_bias_backward_warp(const float* dbias, float* dtable, Write write,
                                             int length, int H, T5Buckets bucket) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  if (i >= bucket.buckets * H) return;  // a whole warp
  const int j = i / H, h = i % H, width = 2 * length - 1;
  float sum = 0;
  for (int o = lane; o < width; o += 32) {
    if (bucket(o - (length - 1)) == j) sum += dbias[std::size_t(h) * width + o];
  }
  sum = warp_sum(sum);
  if (lane == 0) dtable[i] = write == Write::set ? sum : dtable[i] + sum;
}

/// The slope of head h: a power of two for the first P heads, P the largest power in H; the rest go between.
__device__ inline double alibi_slope(int h, int H) {
  int power = 1;
  while (2 * power <= H) power *= 2;
  return h < power ? exp2(-8.0 * double(h + 1) / power)
                   : exp2(-8.0 * double(2 * (h - power) + 1) / (2 * power));
}

static __global__ void alibi_bias_fill(float* bias, int length, int H) {
  const int o = int(blockIdx.x * blockDim.x + threadIdx.x), h = int(blockIdx.y);
  const int width = 2 * length - 1;
  if (o >= width) return;
  const int offset = o - (length - 1);
  bias[std::size_t(h) * width + o] = float(-alibi_slope(h, H) * double(max(offset, -offset)));
}

}  // namespace tpp::twin
