// v1 gave a row to one thread: a request of its warp touched 32 sectors. v2 gives a row to a warp: lanes read neighbours,
// 4 sectors of floats a request, and shuffles join what the lanes found. The row is still read three times.
//
// With more than 32 threads a row, the same loop is v3's for rows that do not fit into registers.
#pragma once

#include "kernels/softmax/row.cuh"

namespace tpp::twin {

// [snip softmax_forward_v2]
template <class T, int kThreads>
__global__ void softmax_forward_v2(const T* x, T* y, int N, int M) {
  const int n = row_index<kThreads>(), t = int(threadIdx.x) % kThreads;
  if (n >= N) return;
  x += std::size_t(n) * M;
  y += std::size_t(n) * M;

  float max = -INFINITY;
  for (int i = t; i < M; i += kThreads) max = fmaxf(max, to_float(x[i]));
  max = row_max<kThreads>(max);

  float sum = 0;
  for (int i = t; i < M; i += kThreads) sum += exp_below(to_float(x[i]), max);
  const float scale = 1.0f / row_sum<kThreads>(sum);

  for (int i = t; i < M; i += kThreads)
    y[i] = from_float<T>(exp_below(to_float(x[i]), max) * scale);
}
// [/snip]

template <class T, int kThreads>
__global__ void softmax_backward_v2(const T* dy, const T* y, T* dx, int N, int M) {
  const int n = row_index<kThreads>(), t = int(threadIdx.x) % kThreads;
  if (n >= N) return;
  dy += std::size_t(n) * M;
  y += std::size_t(n) * M;
  dx += std::size_t(n) * M;

  float mean = 0;
  for (int i = t; i < M; i += kThreads) mean += to_float(dy[i]) * to_float(y[i]);
  mean = row_sum<kThreads>(mean);

  for (int i = t; i < M; i += kThreads) {
    dx[i] = from_float<T>(to_float(y[i]) * (to_float(dy[i]) - mean));
  }
}

}  // namespace tpp::twin
