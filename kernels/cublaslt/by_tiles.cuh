// A block makes a square of c. It walks along K in squares of a and b, which it keeps in shared memory: each number is read
// from there kTile times, and from global memory once. Transposes are met on the way in, so that lanes always read
// neighbours.
#pragma once

#include "kernels/common/storage.cuh"
#include "kernels/cublaslt/product.h"

namespace tpp::twin {

template <int kTile, class T, class Out>
__global__ void __launch_bounds__(kTile* kTile)
    product_tiles(ProductShape s, const T* a, int lda, const T* b, int ldb, Out* c, int ldc,
                  bool add) {
  __shared__ float tile_a[kTile][kTile + 1],
      tile_b[kTile][kTile + 1];  // a column more: no bank conflicts
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  const int m0 = int(blockIdx.y) * kTile, n0 = int(blockIdx.x) * kTile;
  float sum = 0;
  for (int k0 = 0; k0 < s.K; k0 += kTile) {
    // tile_a[m][k], tile_b[k][n]: zeros beyond the edges
    if (s.transpose_a) {
      const bool inside = k0 + y < s.K && m0 + x < s.M;
      tile_a[x][y] = inside ? to_float(a[std::size_t(k0 + y) * std::size_t(lda) + m0 + x]) : 0;
    } else {
      const bool inside = m0 + y < s.M && k0 + x < s.K;
      tile_a[y][x] = inside ? to_float(a[std::size_t(m0 + y) * std::size_t(lda) + k0 + x]) : 0;
    }
    if (s.transpose_b) {
      const bool inside = n0 + y < s.N && k0 + x < s.K;
      tile_b[x][y] = inside ? to_float(b[std::size_t(n0 + y) * std::size_t(ldb) + k0 + x]) : 0;
    } else {
      const bool inside = k0 + y < s.K && n0 + x < s.N;
      tile_b[y][x] = inside ? to_float(b[std::size_t(k0 + y) * std::size_t(ldb) + n0 + x]) : 0;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTile; ++k) sum += tile_a[y][k] * tile_b[k][x];
    __syncthreads();
  }
  if (m0 + y >= s.M || n0 + x >= s.N) return;
  Out& to = c[std::size_t(m0 + y) * std::size_t(ldc) + n0 + x];
  to = from_float<Out>(add ? to_float(to) + sum : sum);
}

}  // namespace tpp::twin
