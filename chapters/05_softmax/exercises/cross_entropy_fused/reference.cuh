// Cross-entropy, forward and backward at once: a block has one row, and leaves the gradient where the scores stood.
//
//   loss[n] = log_sum − x[n,target],     x[n,i] ← share · (exp(x[n,i] − log_sum) − 1[i = target])
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

constexpr int kThreads = 128;  // of a block, which has one row
constexpr int kIgnored = -1;   // a target that does not count

/// The largest of the numbers that the block's threads bring. All of them get it; all must call.
__device__ inline float join_max(float mine, float* part) {
  const int t = int(threadIdx.x);
  part[t] = mine;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) part[t] = fmaxf(part[t], part[t + half]);
    __syncthreads();
  }
  const float all = part[0];
  __syncthreads();  // everybody has read it before part is written again
  return all;
}

/// Their sum, likewise.
__device__ inline float join_sum(float mine, float* part) {
  const int t = int(threadIdx.x);
  part[t] = mine;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) part[t] += part[t + half];
    __syncthreads();
  }
  const float all = part[0];
  __syncthreads();
  return all;
}

__global__ void cross_entropy_row(float* x, const int* targets, float share, float* loss, int V) {
  __shared__ float part[kThreads];  // for join_max and join_sum
  const int t = int(threadIdx.x), n = int(blockIdx.x);
  const int target = targets[n];
  x += std::size_t(n) * V;  // this block's row

  // [hole row "Write loss[n], and the gradient over x[0] … x[V − 1]. join_max(mine, part) and join_sum(mine, part) make one number of the threads' numbers. A row whose target is kIgnored has loss 0 and gradient 0. The loss is not multiplied by share."]
  if (target == kIgnored) {
    for (int i = t; i < V; i += kThreads) x[i] = 0;
    if (t == 0) loss[n] = 0;
    return;
  }
  // The logarithm of the sum of exponentials, less the maximum so that none overflows
  float largest = -INFINITY, sum = 0;
  for (int i = t; i < V; i += kThreads) largest = fmaxf(largest, x[i]);
  largest = join_max(largest, part);
  for (int i = t; i < V; i += kThreads) sum += expf(x[i] - largest);
  const float log_sum = largest + logf(join_sum(sum, part));

  // The target's score is read before it is overwritten
  if (t == 0) loss[n] = log_sum - x[target];
  __syncthreads();
  for (int i = t; i < V; i += kThreads) {
    x[i] = share * (expf(x[i] - log_sum) - (i == target ? 1.0f : 0.0f));
  }
  // [/hole]
}

/// x (N, V) scores → the loss's gradient, loss (N), all on the device; share is dloss / count.
inline void cross_entropy_rows(float* x, const int* targets, float share, float* loss, int N,
                               int V) {
  launch(cross_entropy_row, dim3(unsigned(N)), dim3(kThreads))(x, targets, share, loss, V);
}

}  // namespace tpp
