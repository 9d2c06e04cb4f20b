// LayerNorm of a row by a warp: 32 lanes walk the row together, and shuffles add up what they found.
//
//   y[n,d] = (x[n,d] − μ[n]) · r[n] · w[d] + b[d]
//   μ[n] = mean_d x[n,d],     r[n] = 1 / √(mean_d (x[n,d] − μ[n])² + eps)
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

constexpr int kWarps = 4;  // of a block: four rows, 128 threads

/// The sum of all 32 lanes' values, for every lane. All 32 must come here together: from a lane that
/// does not come, the emulator hands out NaN.
__device__ inline float add_lanes(float value) {
  // [hole sum "Return the sum of the 32 lanes' values, in every lane. __shfl_xor_sync(0xffffffffu, value, k) is the value of the lane whose number differs in bit k: 16, 8, 4, 2 or 1."]
  for (int k = 16; k > 0; k /= 2) value += __shfl_xor_sync(0xffffffffu, value, k);
  return value;
  // [/hole]
}

__global__ void layernorm_by_warp(const float* x, const float* w, const float* b, float* y, int N,
                                  int D, float eps) {
  int lane = 0, n = 0;
  // [hole place "Set lane, this thread's number in its warp, and n, the row of its warp. A block is kWarps warps of 32 threads, and a warp is 32 neighbours."]
  lane = int(threadIdx.x) % 32;
  n = int(blockIdx.x) * kWarps + int(threadIdx.x) / 32;
  // [/hole]
  if (n >= N) return;  // a whole warp goes: nobody waits for it
  x += std::size_t(n) * D;
  y += std::size_t(n) * D;

  // [hole row "Write y[0] … y[D − 1] of this warp's row x[0] … x[D − 1]. A lane looks at d = lane, lane + 32, …; add_lanes joins what the lanes found. D may be less than 32, and no multiple of it."]
  // The mean
  float sum = 0;
  for (int d = lane; d < D; d += 32) sum += x[d];
  const float mean = add_lanes(sum) / float(D);

  // One over the standard deviation around it
  float squares = 0;
  for (int d = lane; d < D; d += 32) squares += (x[d] - mean) * (x[d] - mean);
  const float r = 1 / sqrtf(add_lanes(squares) / float(D) + eps);

  for (int d = lane; d < D; d += 32) y[d] = (x[d] - mean) * r * w[d] + b[d];
  // [/hole]
}

/// x (N, D), w (D), b (D) → y (N, D), all on the device.
inline void layernorm_rows(const float* x, const float* w, const float* b, float* y, int N, int D,
                           float eps) {
  const auto blocks = unsigned((N + kWarps - 1) / kWarps);
  launch(layernorm_by_warp, dim3(blocks), dim3(32 * kWarps))(x, w, b, y, N, D, eps);
}

}  // namespace tpp
