// v2 read a row twice, and a row of 50304 floats is gone from the cache when 132 of them are under way. v3 reads it once:
// a warp holds a short row in registers. A long one fills an SM. It lands in shared memory by cp.async and is taken into
// registers, 100 a thread; at once the block's next row is sent for, so that memory works while exponentials are taken.
// A thread takes only what it sent for itself: the landing needs no barrier.
//
// guard: cross_entropy_fused_warp has ld.global.v4 st.global.v4
// guard: cross_entropy_fused_block has cp.async.cg.shared.global ld.shared.v4 st.global.v4
#pragma once

#include "kernels/cross_entropy/v2_online.cuh"

namespace tpp::twin {

/// Short rows: a warp holds one.
template <class T, int kPacks, int kWidth>
__global__ void __launch_bounds__(block_of(32))
    cross_entropy_fused_warp(const float* dloss, const T* logits, const int* targets,
                             float inv_count, float* row_loss, float* log_sum, T* dlogits, int N,
                             int V) {
  const int n = row_index<32>();
  if (n >= N) return;
  logits += std::size_t(n) * V;
  dlogits += std::size_t(n) * V;
  const int target = targets[n];
  Row<T, 32, kPacks, kWidth> row;
  row.load(logits, V, -INFINITY);
  const bool owner = owns<32, kWidth>(target < 0 ? 0 : target);
  const float score = owner && target >= 0 ? to_float(logits[target]) : 0.0f;

  float max = -INFINITY;
#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) max = fmaxf(max, row.v[i][j]);
  }
  max = warp_max(max);

  float sum = 0;
#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) sum += row.v[i][j] = __expf(row.v[i][j] - max);
  }
  sum = warp_sum(sum);

  const float share = dloss == nullptr ? inv_count : *dloss * inv_count;
  const float scale = share / sum;
#pragma unroll
  for (int i = 0; i < kPacks; ++i) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) row.v[i][j] = target < 0 ? 0.0f : row.v[i][j] * scale;
  }
  row.store(dlogits, V);

  // The target's number is written again, by the thread that wrote it
  if (owner) {
    const float shifted = logf(sum);
    row_loss[n] = target < 0 ? 0.0f : shifted - (score - max);
    log_sum[n] = target < 0 ? 0.0f : max + shifted;
    if (target >= 0) dlogits[target] = from_float<T>(__expf(score - max) * scale - share);
  }
}

// An SM's registers, 128 for each thread.
template <int kThreads>
inline constexpr int kBlocksPerSm = 512 / kThreads;

/// Long rows: a block holds one, the next is on its way. Each thread holds more than kCertain packs (their bounds, tested,
/// would cost registers) and at most kPacks. Shared memory: kThreads · kPacks · 16 bytes.
template <class T, int kThreads, int kCertain, int kPacks>
__global__ void __launch_bounds__(kThreads, kBlocksPerSm<kThreads>)
    cross_entropy_fused_block(const float* dloss, const T* logits, const int* targets,
                              float inv_count, float* row_loss, float* log_sum, T* dlogits, int N,
                              int V) {
  constexpr int kWidth = kPack<T>;
  constexpr int kStride = kThreads * kWidth;
  const int first = int(threadIdx.x) * kWidth;  // this thread's columns: first + i · kStride
  const int packs = (V - first + kStride - 1) / kStride;  // that this thread holds
  T* landing = dynamic_shared<T>() + first;

  const auto send_for = [&](int n) {
    const T* from = logits + std::size_t(n) * V + first;
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      if (i < kCertain || i < packs) {
        __pipeline_memcpy_async(landing + i * kStride, from + i * kStride, 16);
      }
    }
    __pipeline_commit();
  };

  const float share = dloss == nullptr ? inv_count : *dloss * inv_count;
  int n = int(blockIdx.x);
  int target = targets[n];
  send_for(n);
  while (n < N) {
    // Take the row, send for the next
    __pipeline_wait_prior(0);
    float v[kPacks][kWidth];
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      if (i < kCertain || i < packs) {
        load_pack(landing + i * kStride, v[i]);
      } else {
#pragma unroll
        for (int j = 0; j < kWidth; ++j) v[i][j] = -INFINITY;
      }
    }
    const bool owner = target >= 0 && owns<kThreads, kWidth>(target);
    const float score = owner ? to_float(logits[std::size_t(n) * V + target]) : 0.0f;
    const int next = n + int(gridDim.x);
    const int next_target = next < N ? targets[next] : -1;
    if (next < N) send_for(next);

    T* to = dlogits + std::size_t(n) * V + first;
    if (target < 0) {
      const float zeros[kWidth] = {};
#pragma unroll
      for (int i = 0; i < kPacks; ++i) {
        if (i < kCertain || i < packs) store_pack(to + i * kStride, zeros);
      }
      if (threadIdx.x == 0) row_loss[n] = log_sum[n] = 0;
    } else {
      float max = -INFINITY;
#pragma unroll
      for (int i = 0; i < kPacks; ++i) {
#pragma unroll
        for (int j = 0; j < kWidth; ++j) max = fmaxf(max, v[i][j]);
      }
      max = row_max<kThreads>(max);

      float sum = 0;
#pragma unroll
      for (int i = 0; i < kPacks; ++i) {
        float of_pack = 0;
#pragma unroll
        for (int j = 0; j < kWidth; ++j) of_pack += v[i][j] = __expf(v[i][j] - max);
        sum += of_pack;
      }
      sum = row_sum<kThreads>(sum);

      // What the model said
      const float scale = share / sum;
#pragma unroll
      for (int i = 0; i < kPacks; ++i) {
#pragma unroll
        for (int j = 0; j < kWidth; ++j) v[i][j] *= scale;
        if (i < kCertain || i < packs) store_pack(to + i * kStride, v[i]);
      }

      // Minus what was true: the thread that wrote the target's number writes it again
      if (owner) {
        const float shifted = logf(sum);
        row_loss[n] = shifted - (score - max);
        log_sum[n] = max + shifted;
        to[target - first] = from_float<T>(__expf(score - max) * scale - share);
      }
    }
    n = next;
    target = next_target;
  }
}

}  // namespace tpp::twin
