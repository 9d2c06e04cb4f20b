// v1: a block a row. Neighbouring threads read neighbouring numbers; the row is read once to measure it and once more,
// from the cache if it is still there, to scale it.
#pragma once

#include "kernels/common/partial_sums.cuh"
#include "kernels/common/reduce.cuh"
#include "kernels/common/storage.cuh"

namespace tpp::twin {

/// branch may be null: then x alone is the row, and s is not written.
template <class T, int kThreads>
__global__ void __launch_bounds__(kThreads)
    rmsnorm_forward_v1(const T* x, const T* branch, const float* w, T* s, T* y, float* rstd, int D,
                       float eps) {
  const std::size_t row = std::size_t(blockIdx.x) * D;

  // [snip rmsnorm_forward_v1]
  // Add the branch, and measure the row
  float squares = 0;
  for (int d = int(threadIdx.x); d < D; d += kThreads) {
    T v = x[row + d];
    if (branch != nullptr) {
      v = from_float<T>(to_float(v) + to_float(branch[row + d]));
      s[row + d] = v;
    }
    squares += to_float(v) * to_float(v);
  }
  const float r = rsqrtf(block_sum<kThreads>(squares) / float(D) + eps);

  // Scale the row to rms 1, each feature to its gain
  const T* measured = branch != nullptr ? s : x;
  for (int d = int(threadIdx.x); d < D; d += kThreads) {
    y[row + d] = from_float<T>(to_float(measured[row + d]) * r * w[d]);
  }
  // [/snip]
  if (threadIdx.x == 0) rstd[blockIdx.x] = r;
}

/// A block walks the rows that are its own, so that it can leave one sum of dy·x̂ for each column. dx_in may be null.
template <class T, int kThreads>
__global__ void __launch_bounds__(kThreads)
    rmsnorm_backward_v1(const T* dy, const T* dx_in, const T* x, const float* w, const float* rstd,
                        T* dx, float* partial, int N, int D) {
  float* of_block = partial + std::size_t(blockIdx.x) * D;
  for (int n = int(blockIdx.x); n < N; n += int(gridDim.x)) {
    const std::size_t row = std::size_t(n) * D;
    const float r = rstd[n];

    // How much of g = dy·w lies along x̂
    float along = 0;
    for (int d = int(threadIdx.x); d < D; d += kThreads) {
      along += to_float(dy[row + d]) * w[d] * (to_float(x[row + d]) * r);
    }
    const float mean = block_sum<kThreads>(along) / float(D);

    // Remove it; the gain saw every row
    for (int d = int(threadIdx.x); d < D; d += kThreads) {
      const float g = to_float(dy[row + d]), unit = to_float(x[row + d]) * r;
      const float before = n == int(blockIdx.x) ? 0 : of_block[d];
      of_block[d] = before + g * unit;
      const float other = dx_in != nullptr ? to_float(dx_in[row + d]) : 0;
      dx[row + d] = from_float<T>(other + (g * w[d] - unit * mean) * r);
    }
  }
}

template <class T>
void rmsnorm_forward_v1_launch(cudaStream_t stream, const T* x, const T* branch, const float* w,
                               T* s, T* y, float* rstd, int N, int D, float eps) {
  constexpr int kThreads = 256;
  launch(rmsnorm_forward_v1<T, kThreads>, dim3(unsigned(N)), dim3(kThreads), 0, stream)(
      x, branch, w, s, y, rstd, D, eps);
}

/// Returns how many rows of partial sums it leaves.
template <class T>
int rmsnorm_backward_v1_launch(cudaStream_t stream, const T* dy, const T* dx_in, const T* x,
                               const float* w, const float* rstd, T* dx, float* partial, int N,
                               int D) {
  constexpr int kThreads = 256;
  const int blocks = std::min(N, kPartialRows);
  launch(rmsnorm_backward_v1<T, kThreads>, dim3(unsigned(blocks)), dim3(kThreads), 0, stream)(
      dy, dx_in, x, w, rstd, dx, partial, N, D);
  return blocks;
}

}  // namespace tpp::twin
