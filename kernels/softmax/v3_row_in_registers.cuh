// v2 read a row three times, 4 bytes a load. v3 reads it once, 16 bytes a load: each thread has all its loads under way
// at once, then works on registers and writes once. Wide rows are held by a block instead of a warp.
//
// guard: softmax_forward_v3 has ld.global.v4 st.global.v4
// guard: softmax_backward_v3 has ld.global.v4 st.global.v4
#pragma once

#include "kernels/softmax/row.cuh"

namespace tpp::twin {

template <class T, int kThreads, int kPacks, int kWidth>
__global__ void __launch_bounds__(block_of(kThreads))
    softmax_forward_v3(const T* x, T* y, int N, int M) {
  const int n = row_index<kThreads>();
  if (n >= N) return;
  Row<T, kThreads, kPacks, kWidth> row;
  row.load(x + std::size_t(n) * M, M, -INFINITY);

  float max = -INFINITY;
#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) max = fmaxf(max, row.v[i][j]);
  }
  max = row_max<kThreads>(max);

  float sum = 0;
#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) sum += row.v[i][j] = exp_below(row.v[i][j], max);
  }
  const float scale = 1.0f / row_sum<kThreads>(sum);

#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) row.v[i][j] *= scale;
  }
  row.store(y + std::size_t(n) * M, M);
}

template <class T, int kThreads, int kPacks, int kWidth>
__global__ void __launch_bounds__(block_of(kThreads))
    softmax_backward_v3(const T* dy, const T* y, T* dx, int N, int M) {
  const int n = row_index<kThreads>();
  if (n >= N) return;
  Row<T, kThreads, kPacks, kWidth> gradient, probability;
  gradient.load(dy + std::size_t(n) * M, M, 0.0f);
  probability.load(y + std::size_t(n) * M, M, 0.0f);

  float mean = 0;
#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) mean += gradient.v[i][j] * probability.v[i][j];
  }
  mean = row_sum<kThreads>(mean);

#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) {
      gradient.v[i][j] = probability.v[i][j] * (gradient.v[i][j] - mean);
    }
  }
  gradient.store(dx + std::size_t(n) * M, M);
}

}  // namespace tpp::twin
