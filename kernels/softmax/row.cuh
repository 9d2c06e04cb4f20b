// A row in registers: a warp or a block holds it, each thread a few packs.
#pragma once

#include "kernels/common/reduce.cuh"
#include "kernels/common/storage.cuh"

namespace tpp::twin {

// --- Threads that share a row: 32 are a warp, more are a block ---------------------------------------

/// Every one of the kThreads threads gets the largest value.
template <int kThreads>
__device__ inline float row_max(float v) {
  v = warp_max(v);
  if constexpr (kThreads > 32) {
    __shared__ float partial[kThreads / 32];
    const int lane = threadIdx.x % 32;
    if (lane == 0) partial[threadIdx.x / 32] = v;
    __syncthreads();
    v = warp_max(lane < kThreads / 32 ? partial[lane] : -INFINITY);
    __syncthreads();  // the next call may write
  }
  return v;
}

template <int kThreads>
__device__ inline float row_sum(float v) {
  v = warp_sum(v);
  if constexpr (kThreads > 32) {
    __shared__ float partial[kThreads / 32];
    const int lane = threadIdx.x % 32;
    if (lane == 0) partial[threadIdx.x / 32] = v;
    __syncthreads();
    v = warp_sum(lane < kThreads / 32 ? partial[lane] : 0.0f);
    __syncthreads();
  }
  return v;
}

/// The row of this thread's warp, or of its block.
template <int kThreads>
__device__ inline int row_index() {
  if constexpr (kThreads == 32) return int(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32);
  return int(blockIdx.x);
}

// A block's threads and the grid's blocks for N rows: four warps share a block.
constexpr int block_of(int threads_per_row) {
  return threads_per_row == 32 ? 128 : threads_per_row;
}
constexpr int grid_of(int threads_per_row, int N) {
  return threads_per_row == 32 ? ceil_div(N, 4) : N;
}

// --- One number or 16 bytes of them ---------------------------------------------------------------------

template <class T, int kWidth>
__device__ inline void load_some(const T* p, float (&v)[kWidth]) {
  if constexpr (kWidth == 1) {
    v[0] = to_float(*p);
  } else {
    load_pack(p, v);
  }
}

template <class T, int kWidth>
__device__ inline void store_some(T* p, const float (&v)[kWidth]) {
  if constexpr (kWidth == 1) {
    *p = from_float<T>(v[0]);
  } else {
    store_pack(p, v);
  }
}

/// What one thread of kThreads holds of a row: kPacks pieces of kWidth neighbours.
template <class T, int kThreads, int kPacks, int kWidth>
struct Row {
  float v[kPacks][kWidth];

  // Neighbouring threads hold neighbouring pieces
  __device__ static int column(int i) {
    return (i * kThreads + int(threadIdx.x) % kThreads) * kWidth;
  }

  /// All loads are under way before the first value is used. Beyond the row's end stands `beyond`.
  __device__ void load(const T* row, int M, float beyond) {
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      if (column(i) < M) {
        load_some(row + column(i), v[i]);
      } else {
#pragma unroll
        for (int j = 0; j < kWidth; ++j) v[i][j] = beyond;
      }
    }
  }

  __device__ void store(T* row, int M) const {
#pragma unroll
    for (int i = 0; i < kPacks; ++i) {
      if (column(i) < M) store_some(row + column(i), v[i]);
    }
  }
};

/// exp(x − max), and 0 where that is no normal number any more.
__device__ inline float exp_below(float x, float max) {
  const float difference = x - max;
  return difference < -87.3f ? 0.0f : __expf(difference);
}

}  // namespace tpp::twin
