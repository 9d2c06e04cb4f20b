// The product by tiles: a block copies a tile of A and one of B to shared memory, and each number
// that was read serves kTile threads.
//
//   C[m,n] = Σ_k A[m,k] · B[k,n]
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

constexpr int kTile = 8;  // a block has kTile × kTile threads, and as many numbers of C

/// A (M, K), B (K, N), C (M, N), each row after row. M, N and K need not be multiples of kTile.
__global__ void tiled_product(const float* A, const float* B, float* C, int M, int N, int K) {
  __shared__ float tile_a[kTile][kTile];
  __shared__ float tile_b[kTile][kTile];
  const int x = int(threadIdx.x);             // this thread's place in the block,
  const int y = int(threadIdx.y);             // and in a tile: row y, column x
  const int m = int(blockIdx.y) * kTile + y;  // its row of C, maybe beyond the edge
  const int n = int(blockIdx.x) * kTile + x;  // its column of C, maybe beyond the edge

  // [hole tiles "Write C[m,n]. Round by round along K, all threads fill tile_a and tile_b, then each adds kTile products to its sum. Each barrier is __syncthreads(), and every thread of the block must reach it."]
  float sum = 0;
  for (int k0 = 0; k0 < K; k0 += kTile) {
    // Copy; beyond the edges stand zeros
    tile_a[y][x] = m < M && k0 + x < K ? A[m * K + k0 + x] : 0;
    tile_b[y][x] = k0 + y < K && n < N ? B[(k0 + y) * N + n] : 0;
    __syncthreads();  // both tiles are whole

    for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
    __syncthreads();  // nobody reads them any more
  }
  if (m < M && n < N) C[m * N + n] = sum;
  // [/hole]
}

/// C = A·B, all three on the device.
inline void product(const float* A, const float* B, float* C, int M, int N, int K) {
  const dim3 blocks(unsigned((N + kTile - 1) / kTile), unsigned((M + kTile - 1) / kTile));
  launch(tiled_product, blocks, dim3(kTile, kTile))(A, B, C, M, N, K);
}

}  // namespace tpp
