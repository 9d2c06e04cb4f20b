// Softmax of a row by a block: 128 threads find the row's maximum together, then its sum, then the results.
//
//   y[n,i] = exp(x[n,i] − m[n]) / Σ_j exp(x[n,j] − m[n]),     m[n] = max_j x[n,j]
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

constexpr int kThreads = 128;  // of a block, which has one row

__global__ void row_softmax(const float* x, float* y, int M) {
  __shared__ float part[kThreads];  // one number a thread, to be joined
  const int t = int(threadIdx.x);
  x += std::size_t(blockIdx.x) * M;  // this block's row
  y += std::size_t(blockIdx.x) * M;

  // [hole row "Write y[0] … y[M − 1]. Thread t looks at x[t], x[t + kThreads], …; part[] joins what the threads found. M may be less than kThreads, and no multiple of it."]
  // The largest score: each thread's own, then halves join until one is left
  float largest = -INFINITY;
  for (int i = t; i < M; i += kThreads) largest = fmaxf(largest, x[i]);
  part[t] = largest;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) part[t] = fmaxf(part[t], part[t + half]);
    __syncthreads();
  }
  largest = part[0];
  __syncthreads();  // everybody has read it before part is written again

  // The sum, by the same tree
  float sum = 0;
  for (int i = t; i < M; i += kThreads) sum += expf(x[i] - largest);
  part[t] = sum;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) part[t] += part[t + half];
    __syncthreads();
  }
  sum = part[0];

  for (int i = t; i < M; i += kThreads) y[i] = expf(x[i] - largest) / sum;
  // [/hole]
}

/// x (N, M) → y (N, M), both on the device.
inline void softmax_rows(const float* x, float* y, int N, int M) {
  launch(row_softmax, dim3(unsigned(N)), dim3(kThreads))(x, y, M);
}

}  // namespace tpp
