// The second stage of a gradient that every row feeds: add up what each block left, always in the same order.
//
// The first stage leaves one row of partial sums a block. Atomics would spare the workspace and this launch,
// but add in the order in which blocks happen to end, and float sums depend on the order.
#pragma once

#include "kernels/common/runtime.h"
#include "kernels/common/types.h"
#include "kernels/simt/simt.h"

namespace tpp::twin {

/// How many rows of partial sums a first stage leaves at most: four blocks for each multiprocessor of an H100.
inline constexpr int kPartialRows = 528;

/// first[d] is set to, or grows by, Σ_r partial[r, d]; second[d] by Σ_r partial[r, D + d] where the grid's
/// second row asks for it. Shapes partial (rows, stride), first, second (D). A block is 32 columns × kDeep.
template <int kDeep>
__global__ void __launch_bounds__(32 * kDeep)
    sum_partial_rows(const float* partial, int rows, int stride, float* first, float* second, int D,
                     Write write) {
  __shared__ float of_lane[kDeep][32];
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  const int d = int(blockIdx.x) * 32 + x;

  // A lane adds every kDeep-th row: several loads are under way at once
  float sum = 0;
  if (d < D) {
    const float* column = partial + std::size_t(blockIdx.y) * D + d;
#pragma unroll 8
    for (int r = y; r < rows; r += kDeep) sum += column[std::size_t(r) * stride];
  }
  of_lane[y][x] = sum;
  __syncthreads();

  // One warp adds the lanes
  if (y != 0 || d >= D) return;
  float total = 0;
  for (int i = 0; i < kDeep; ++i) total += of_lane[i][x];
  float* out = blockIdx.y == 0 ? first : second;
  out[d] = write == Write::add ? out[d] + total : total;
}

/// What is put into `second` from now on comes after what is in `stream` now.
inline void go_on_in(Stream second, Stream stream) {
  if (second != stream) wait_for(second, stream);
}

/// partial (rows, D) → out (D)
inline void sum_columns(Stream stream, const float* partial, int rows, float* out, int D,
                        Write write) {
  launch(sum_partial_rows<32>, dim3(unsigned(ceil_div(D, 32))), dim3(32, 32), 0,
         static_cast<cudaStream_t>(stream))(partial, rows, D, out, nullptr, D, write);
}

/// partial (rows, 2, D) → first, second (D); no second stage for a null second.
inline void sum_columns_of_two(Stream stream, const float* partial, int rows, float* first,
                               float* second, int D, Write write) {
  launch(sum_partial_rows<32>, dim3(unsigned(ceil_div(D, 32)), second == nullptr ? 1 : 2),
         dim3(32, 32), 0,
         static_cast<cudaStream_t>(stream))(partial, rows, 2 * D, first, second, D, write);
}

}  // namespace tpp::twin
