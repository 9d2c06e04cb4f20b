// Sums in double over a warp and a block, and the second launch of both versions.
#pragma once

#include "kernels/global_norm/global_norm.h"
#include "kernels/simt/simt.h"

namespace tpp::twin {

/// Every lane gets the sum of the full warp.
__device__ inline double warp_sum_double(double v) {
#pragma unroll
  for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
  return v;
}

/// Thread 0 gets the sum over a block of kThreads. One barrier; once a launch.
template <int kThreads>
__device__ inline double block_sum_double(double v) {
  __shared__ double of_warp[kThreads / 32];
  v = warp_sum_double(v);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = v;
  __syncthreads();
  double total = 0;
  if (threadIdx.x == 0) {
    for (int i = 0; i < kThreads / 32; ++i) total += of_warp[i];
  }
  return total;
}

/// One block: a warp adds up a parameter's pieces, then the parameters are added, then the clip factor is known.
template <int kThreads>
__global__ void __launch_bounds__(kThreads)
    finish_norm(const double* partial, const int* first, int parameters, double max_norm,
                double* squares, OptimizerStep* step, GradientNorm* result) {
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  double of_warp = 0;  // lane 0's
  for (int p = warp; p < parameters; p += kThreads / 32) {
    const int end = first[p + 1];
    double sum = 0;
#pragma unroll 4
    for (int i = first[p] + lane; i < end; i += 32) sum += partial[i];
    sum = warp_sum_double(sum);
    if (lane == 0) squares[p] = sum, of_warp += sum;
  }

  // [snip finish]
  const double square = block_sum_double<kThreads>(of_warp);
  if (threadIdx.x != 0) return;
  const double norm = sqrt(square);
  double scale = max_norm > 0 && norm > max_norm ? max_norm / norm : 1.0;
  if (!(norm <= 1.7976931348623157e308)) scale = nan("");
  if (result != nullptr) *result = {norm, scale};
  if (step != nullptr) step->gradient_scale = float(scale);
  // [/snip]
}

}  // namespace tpp::twin
