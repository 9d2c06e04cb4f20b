// v1 is the reference's loop, a row to a thread. Neighbouring threads read addresses M apart, so that each request of a
// warp touches 32 sectors, and the row is read three times.
#pragma once

#include "kernels/softmax/row.cuh"

namespace tpp::twin {

// [snip softmax_forward_v1]
template <class T>
__global__ void softmax_forward_v1(const T* x, T* y, int N, int M) {
  const int n = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (n >= N) return;
  x += std::size_t(n) * M;
  y += std::size_t(n) * M;

  float max = -INFINITY;
  for (int i = 0; i < M; ++i) max = fmaxf(max, to_float(x[i]));

  float sum = 0;
  for (int i = 0; i < M; ++i) sum += exp_below(to_float(x[i]), max);

  for (int i = 0; i < M; ++i) y[i] = from_float<T>(exp_below(to_float(x[i]), max) / sum);
}
// [/snip]

template <class T>
__global__ void softmax_backward_v1(const T* dy, const T* y, T* dx, int N, int M) {
  const int n = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (n >= N) return;
  dy += std::size_t(n) * M;
  y += std::size_t(n) * M;
  dx += std::size_t(n) * M;

  float mean = 0;  // of dy, under the row's probabilities
  for (int i = 0; i < M; ++i) mean += to_float(dy[i]) * to_float(y[i]);

  for (int i = 0; i < M; ++i) dx[i] = from_float<T>(to_float(y[i]) * (to_float(dy[i]) - mean));
}

}  // namespace tpp::twin
