// RMSNorm's gradient for x by a block: 128 threads find the row's component along x̂ together, then take it off.
//
//   dx = r · (g − x̂ · mean_d(g ⊙ x̂)),   g = dy ⊙ w,   x̂ = x · r
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

constexpr int kThreads = 128;  // of a block, which has one row

/// dy, x, dx (N, D), w (D), rstd (N).
__global__ void rmsnorm_backward_row(const float* dy, const float* x, const float* w,
                                     const float* rstd, float* dx, int D) {
  __shared__ float part[kThreads];  // one number a thread, to be joined
  const int n = int(blockIdx.x), t = int(threadIdx.x);
  dy += std::size_t(n) * D;  // this block's row
  x += std::size_t(n) * D;
  dx += std::size_t(n) * D;

  // [hole row "Write dx[0] … dx[D − 1] of row n. Thread t has the features t, t + kThreads, …; part[] joins what the threads found. D may be less than kThreads, and no multiple of it."]
  const float r = rstd[n];

  // How much of g = dy·w lies along x̂: each thread's own sum, then halves join until one is left
  float along = 0;
  for (int d = t; d < D; d += kThreads) along += dy[d] * w[d] * (x[d] * r);
  part[t] = along;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) part[t] += part[t + half];
    __syncthreads();
  }
  const float mean = part[0] / float(D);

  // Remove it
  for (int d = t; d < D; d += kThreads) dx[d] = (dy[d] * w[d] - x[d] * r * mean) * r;
  // [/hole]
}

/// All on the device.
inline void rmsnorm_backward_rows(const float* dy, const float* x, const float* w,
                                  const float* rstd, float* dx, int N, int D) {
  launch(rmsnorm_backward_row, dim3(unsigned(N)), dim3(kThreads))(dy, x, w, rstd, dx, D);
}

}  // namespace tpp
