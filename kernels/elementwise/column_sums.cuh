// A column's sum crosses every row. A block takes some rows of some columns: its lanes stand beside each other on columns, so
// loads are whole sectors, and its warps on different rows. What the blocks found is summed by the same kernel.
#pragma once

#include "kernels/elementwise/map_rows.cuh"

namespace tpp::twin {

/// out[blockIdx.y, d] (+)= Σ_n x[n,d] over this block's share of the rows: n = blockIdx.y · rows_a_block …
/// Each lane holds kWidth columns; no atomics, so the same sum in the same order each time.
template <int kWarps, int kUnroll, int kWidth, class T>
__global__ void __launch_bounds__(kWarps * 32)
    column_sums_kernel(Rows<const T> x, float* out, int N, int D, int rows_a_block, bool add) {
  constexpr int kColumns = 32 * kWidth;
  __shared__ float partial[kWarps][kColumns];
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const int tile = int(blockIdx.x) * kColumns;
  const int d = tile + lane * kWidth;  // D is a multiple of kWidth
  const int first = int(blockIdx.y) * rows_a_block;
  const int end = min(N, first + rows_a_block);

  // Walk down the rows, kUnroll of them under way
  float sum[kWidth] = {};
  for (int n = first + warp; n < end && d < D; n += kWarps * kUnroll) {
    float v[kUnroll][kWidth] = {};
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const int row = n + u * kWarps;
      if (row < end) load_pack(x.data + std::size_t(row) * x.stride + d, v[u]);
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
#pragma unroll
      for (int w = 0; w < kWidth; ++w) sum[w] += v[u][w];
    }
  }
#pragma unroll
  for (int w = 0; w < kWidth; ++w) partial[warp][lane * kWidth + w] = sum[w];
  __syncthreads();

  // Add up the warps
  for (int i = int(threadIdx.x); i < kColumns && tile + i < D; i += kWarps * 32) {
    float total = 0;
#pragma unroll
    for (int w = 0; w < kWarps; ++w) total += partial[w][i];
    float& to = out[std::size_t(blockIdx.y) * D + tile + i];
    to = add ? to + total : total;
  }
}

}  // namespace tpp::twin
