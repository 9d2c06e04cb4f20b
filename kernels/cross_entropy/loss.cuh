// What stands around cross-entropy's rows: the loss of all rows, and a gradient made for a dloss of 1 scaled to another.
#pragma once

#include "kernels/common/storage.cuh"

namespace tpp::twin {

/// One block: each thread adds its rows in double, then warps halve their sums, then warp 0 adds what the warps have.
template <int kThreads>
__global__ void cross_entropy_loss_kernel(const float* row_loss, float inv_count, float* loss,
                                          int N) {
  __shared__ double partial[kThreads / 32];
  double sum = 0;
#pragma unroll 4
  for (int n = int(threadIdx.x); n < N; n += kThreads) sum += double(row_loss[n]);
  for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, d);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  sum = threadIdx.x < kThreads / 32 ? partial[threadIdx.x] : 0.0;
  for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, d);
  if (threadIdx.x == 0) *loss = float(sum * double(inv_count));
}

template <class T, int kWidth>
__global__ void cross_entropy_scale_kernel(const float* dloss, T* dlogits, int V) {
  const float factor = *dloss;
  if (factor == 1) return;
  dlogits += std::size_t(blockIdx.x) * V;
  for (int v = int(threadIdx.x) * kWidth; v < V; v += int(blockDim.x) * kWidth) {
    float d[kWidth];
    if constexpr (kWidth == 1) {
      d[0] = to_float(dlogits[v]);
    } else {
      load_pack(dlogits + v, d);
    }
#pragma unroll
    for (int j = 0; j < kWidth; ++j) d[j] *= factor;
    if constexpr (kWidth == 1) {
      dlogits[v] = from_float<T>(d[0]);
    } else {
      store_pack(dlogits + v, d);
    }
  }
}

}  // namespace tpp::twin
