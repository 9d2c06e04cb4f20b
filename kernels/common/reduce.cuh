// Sums and maxima over a warp and over a block: butterflies of shuffles, then one value a warp in shared memory.
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

/// Every lane gets the sum of the full warp.
__device__ inline float warp_sum(float v) {
  for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
  return v;
}

/// Every lane gets the largest value of the full warp.
__device__ inline float warp_max(float v) {
  for (int d = 16; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
  return v;
}

/// Every thread gets the sum over a block of kThreads, a multiple of 32. Two barriers.
template <int kThreads>
__device__ inline float block_sum(float v) {
  static_assert(kThreads % 32 == 0);
  __shared__ float partial[kThreads / 32];
  v = warp_sum(v);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = v;
  __syncthreads();
  float total = 0;
  for (int i = 0; i < kThreads / 32; ++i) total += partial[i];
  __syncthreads();  // the next call may write
  return total;
}

}  // namespace tpp
