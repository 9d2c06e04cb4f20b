// v1 needed the maximum before it could begin the sum. v2 keeps both while it reads: when a larger score comes, what was
// summed so far shrinks by exp(old maximum − new maximum). One pass gives the statistics, and the second one, for the
// gradient, follows so soon that part of the row is still in the L2 cache.
//
// Online normaliser: Milakov & Gimelshein 2018, arXiv:1805.02867, algorithm 3.
#pragma once

#include "kernels/softmax/row.cuh"

namespace tpp::twin {

struct RowStatistics {
  float max, sum;  // Σ_v exp(logits[v] − max)
};

template <class T, int kThreads, int kWidth>
__device__ inline RowStatistics row_statistics(const T* logits, int V) {
  constexpr int kBatch = 4;  // loads under way at once
  float max = -INFINITY, sum = 0;
  for (int start = 0; start < V; start += kBatch * kThreads * kWidth) {
    Row<T, kThreads, kBatch, kWidth> row;
    row.load(logits + start, V - start, -INFINITY);

    // [snip online_sum]
    float larger = max;
#pragma unroll
    for (int i = 0; i < kBatch; ++i) {
#pragma unroll
      for (int j = 0; j < kWidth; ++j) larger = fmaxf(larger, row.v[i][j]);
    }

    // While nothing but −∞ was seen, shift by 0: ∞ − ∞ is not a number
    const float shift = larger == -INFINITY ? 0.0f : larger;
    sum *= __expf(max - shift);
#pragma unroll
    for (int i = 0; i < kBatch; ++i) {
#pragma unroll
      for (int j = 0; j < kWidth; ++j) sum += __expf(row.v[i][j] - shift);
    }
    max = larger;
    // [/snip]
  }
  const float largest = row_max<kThreads>(max);
  return {largest, row_sum<kThreads>(sum * __expf(max - largest))};
}

/// Which of the threads that share a row holds this column.
template <int kThreads, int kWidth>
__device__ inline bool owns(int column) {
  return column / kWidth % kThreads == int(threadIdx.x) % kThreads;
}

template <class T, int kThreads, int kWidth>
__global__ void __launch_bounds__(block_of(kThreads))
    cross_entropy_forward_v2(const T* logits, const int* targets, float* row_loss, float* log_sum,
                             int N, int V) {
  const int n = row_index<kThreads>();
  if (n >= N) return;
  logits += std::size_t(n) * V;
  const int target = targets[n];
  const bool writes = int(threadIdx.x) % kThreads == 0;
  if (target < 0) {
    if (writes) row_loss[n] = log_sum[n] = 0;
    return;
  }
  const RowStatistics row = row_statistics<T, kThreads, kWidth>(logits, V);
  if (writes) {
    const float shifted = logf(row.sum);
    log_sum[n] = row.max + shifted;
    row_loss[n] = shifted - (to_float(logits[target]) - row.max);
  }
}

// A thread writes what it alone has read, so that dlogits may be logits.
template <class T, int kThreads, int kWidth>
__global__ void __launch_bounds__(block_of(kThreads))
    cross_entropy_fused_v2(const float* dloss, const T* logits, const int* targets, float inv_count,
                           float* row_loss, float* log_sum, T* dlogits, int N, int V) {
  const int n = row_index<kThreads>();
  if (n >= N) return;
  logits += std::size_t(n) * V;
  dlogits += std::size_t(n) * V;
  const int target = targets[n];
  const int first = int(threadIdx.x) % kThreads * kWidth;
  if (target < 0) {
    const float zeros[kWidth] = {};
    for (int v = first; v < V; v += kThreads * kWidth) store_some(dlogits + v, zeros);
    if (first == 0) row_loss[n] = log_sum[n] = 0;
    return;
  }

  const float share = dloss == nullptr ? inv_count : *dloss * inv_count;
  const RowStatistics row = row_statistics<T, kThreads, kWidth>(logits, V);
  if (owns<kThreads, kWidth>(target)) {
    const float shifted = logf(row.sum);
    log_sum[n] = row.max + shifted;
    row_loss[n] = shifted - (to_float(logits[target]) - row.max);
  }

  // [snip fused_gradient]
  // What the model said, minus what was true
  const float scale = share / row.sum;
#pragma unroll 4
  for (int v = first; v < V; v += kThreads * kWidth) {
    float d[kWidth];
    load_some(logits + v, d);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) {
      d[j] = __expf(d[j] - row.max) * scale - (v + j == target ? share : 0.0f);
    }
    store_some(dlogits + v, d);
  }
  // [/snip]
}

}  // namespace tpp::twin
