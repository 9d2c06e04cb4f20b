// v1 is the reference's three loops, a warp to a row: the maximum, the sum of exponentials, and in a kernel of its own
// the gradient. The scores come from memory three times, 4 bytes a load.
#pragma once

#include "kernels/softmax/row.cuh"

namespace tpp::twin {

template <class T>
__global__ void cross_entropy_forward_v1(const T* logits, const int* targets, float* row_loss,
                                         float* log_sum, int N, int V) {
  const int n = row_index<32>(), lane = int(threadIdx.x) % 32;
  if (n >= N) return;
  logits += std::size_t(n) * V;
  const int target = targets[n];
  if (target < 0) {
    if (lane == 0) row_loss[n] = log_sum[n] = 0;
    return;
  }

  float max = -INFINITY;
  for (int v = lane; v < V; v += 32) max = fmaxf(max, to_float(logits[v]));
  max = warp_max(max);

  float sum = 0;
  for (int v = lane; v < V; v += 32) sum += __expf(to_float(logits[v]) - max);
  const float shifted = logf(warp_sum(sum));

  // Subtract small numbers, not large ones: `shifted` lies in [0, log V]
  if (lane == 0) {
    log_sum[n] = max + shifted;
    row_loss[n] = shifted - (to_float(logits[target]) - max);
  }
}

// One thread kWidth numbers.
template <class T, int kWidth>
__global__ void cross_entropy_backward_v1(const float* dloss, const T* logits, const int* targets,
                                          float inv_count, const float* log_sum, T* dlogits,
                                          int V) {
  const int n = int(blockIdx.x), target = targets[n];
  logits += std::size_t(n) * V;
  dlogits += std::size_t(n) * V;
  const float share = dloss == nullptr ? inv_count : *dloss * inv_count;
  const float log_z = log_sum[n];
#pragma unroll 4
  for (int v = int(threadIdx.x) * kWidth; v < V; v += int(blockDim.x) * kWidth) {
    float d[kWidth];
    load_some(logits + v, d);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) {
      d[j] = target < 0 ? 0.0f : share * (__expf(d[j] - log_z) - (v + j == target ? 1.0f : 0.0f));
    }
    store_some(dlogits + v, d);
  }
}

}  // namespace tpp::twin
