// v1 read each number of A from memory N times and each of B M times, and waited for the caches. v2 lets a block copy a
// 32×32 tile of both to shared memory first; each number then serves 32 threads, so memory is asked 32 times less.
//
// In shared memory both tiles lie with k as their row, whatever the form. A row has one float more than it needs: where the
// copy transposes, the threads of a warp write down a column, and a stride of 33 puts them into 32 different banks.
#pragma once

#include "kernels/matmul/product.cuh"

namespace tpp::twin {

constexpr int kV2Tile = 32;

template <Form form, class T, class Out>
__global__ void __launch_bounds__(kV2Tile* kV2Tile) matmul_v2_tiled(Product<T, Out> p) {
  __shared__ float tile_a[kV2Tile][kV2Tile + 1];  // (k, m)
  __shared__ float tile_b[kV2Tile][kV2Tile + 1];  // (k, n)
  const TilePlace place = place_in_rows(int(blockIdx.x), ceil_div(p.N, kV2Tile));
  const int m0 = place.m * kV2Tile, n0 = place.n * kV2Tile;
  const int x = int(threadIdx.x), y = int(threadIdx.y);

  float sum = 0;
  for (int k0 = 0; k0 < p.K; k0 += kV2Tile) {
    // Copy, neighbours from neighbours; beyond the edges stand zeros
    {
      const int m = kARunsAlongK<form> ? y : x, k = kARunsAlongK<form> ? x : y;
      const bool inside = m0 + m < p.M && k0 + k < p.K;
      tile_a[k][m] = inside ? to_float(*a_at<form>(p, m0 + m, k0 + k)) : 0.0f;
    }
    {
      const int n = kBRunsAlongK<form> ? y : x, k = kBRunsAlongK<form> ? x : y;
      const bool inside = n0 + n < p.N && k0 + k < p.K;
      tile_b[k][n] = inside ? to_float(*b_at<form>(p, k0 + k, n0 + n)) : 0.0f;
    }
    __syncthreads();

    // [snip v2]
    // Multiply
#pragma unroll
    for (int k = 0; k < kV2Tile; ++k) {
      const float a = tile_a[k][y];
      const float b = tile_b[k][x];
      sum += a * b;
    }
    // [/snip]
    __syncthreads();  // the next copy overwrites
  }
  if (m0 + y < p.M && n0 + x < p.N) write_result(c_at(p, m0 + y, n0 + x), sum, p.add);
}

}  // namespace tpp::twin
