// v2 read two numbers from shared memory for each multiplication, and shared memory was the limit. v3 gives a thread 8×8
// elements of C: sixteen reads serve sixty-four multiplications.
//
// A thread's rows and columns lie 16 apart, so that the threads of a warp read neighbours: no two words in one bank. A row of a
// tile has four floats more than it needs: a warp that copies along k writes 8 values of k times 4 neighbours, and a stride of 4
// banks puts these 32 into 32 banks.
#pragma once

#include "kernels/matmul/product.cuh"

namespace tpp::twin {

constexpr int kV3Tile = 128, kV3K = 8, kV3Each = 8, kV3Side = kV3Tile / kV3Each;
constexpr int kV3Threads = kV3Side * kV3Side;

template <Form form, class T, class Out>
__global__ void __launch_bounds__(kV3Threads, 2) matmul_v3_register_blocked(Product<T, Out> p) {
  __shared__ float tile_a[kV3K][kV3Tile + 4];  // (k, m)
  __shared__ float tile_b[kV3K][kV3Tile + 4];  // (k, n)
  const TilePlace place = place_in_rows(int(blockIdx.x), ceil_div(p.N, kV3Tile));
  const int m0 = place.m * kV3Tile, n0 = place.n * kV3Tile;
  const int thread = int(threadIdx.x), x = thread % kV3Side, y = thread / kV3Side;

  float sum[kV3Each][kV3Each] = {};
  for (int k0 = 0; k0 < p.K; k0 += kV3K) {
    // Copy, neighbours from neighbours
#pragma unroll
    for (int i = thread; i < kV3Tile * kV3K; i += kV3Threads) {
      {
        const int k = kARunsAlongK<form> ? i % kV3K : i / kV3Tile;
        const int m = kARunsAlongK<form> ? i / kV3K : i % kV3Tile;
        const bool inside = m0 + m < p.M && k0 + k < p.K;
        tile_a[k][m] = inside ? to_float(*a_at<form>(p, m0 + m, k0 + k)) : 0.0f;
      }
      {
        const int k = kBRunsAlongK<form> ? i % kV3K : i / kV3Tile;
        const int n = kBRunsAlongK<form> ? i / kV3K : i % kV3Tile;
        const bool inside = n0 + n < p.N && k0 + k < p.K;
        tile_b[k][n] = inside ? to_float(*b_at<form>(p, k0 + k, n0 + n)) : 0.0f;
      }
    }
    __syncthreads();

    // [snip v3]
    // Multiply: a column of A's tile times a row of B's
#pragma unroll
    for (int k = 0; k < kV3K; ++k) {
      float a[kV3Each], b[kV3Each];
#pragma unroll
      for (int i = 0; i < kV3Each; ++i) a[i] = tile_a[k][y + kV3Side * i];
#pragma unroll
      for (int j = 0; j < kV3Each; ++j) b[j] = tile_b[k][x + kV3Side * j];
#pragma unroll
      for (int i = 0; i < kV3Each; ++i) {
#pragma unroll
        for (int j = 0; j < kV3Each; ++j) sum[i][j] += a[i] * b[j];
      }
    }
    // [/snip]
    __syncthreads();  // the next copy overwrites
  }

#pragma unroll
  for (int i = 0; i < kV3Each; ++i) {
#pragma unroll
    for (int j = 0; j < kV3Each; ++j) {
      const int m = m0 + y + kV3Side * i, n = n0 + x + kV3Side * j;
      if (m < p.M && n < p.N) write_result(c_at(p, m, n), sum[i][j], p.add);
    }
  }
}

}  // namespace tpp::twin
