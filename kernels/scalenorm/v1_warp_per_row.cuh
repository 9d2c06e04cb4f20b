// v1: a warp a row. Lanes read neighbours, shuffles add up, and the second reading of the row comes from the cache.
#pragma once

#include "kernels/common/reduce.cuh"
#include "kernels/common/storage.cuh"

namespace tpp::twin {

template <class T>
__global__ void scalenorm_forward_v1(const T* x, const float* g, T* y, float* rnorm, int N, int D,
                                     float eps) {
  const int lane = int(threadIdx.x) % 32;
  const int n = int((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  if (n >= N) return;
  const std::size_t row = std::size_t(n) * D;

  // Measure the row's length
  float squares = 0;
  for (int d = lane; d < D; d += 32) squares += to_float(x[row + d]) * to_float(x[row + d]);
  const float r = 1 / fmaxf(sqrtf(warp_sum(squares)), eps);

  // Make it g
  const float scale = g[0] * r;
  for (int d = lane; d < D; d += 32) y[row + d] = from_float<T>(to_float(x[row + d]) * scale);
  if (lane == 0) rnorm[n] = r;
}

/// along (N) gets each row's ⟨dy, x̂⟩.
template <class T>
__global__ void scalenorm_backward_v1(const T* dy, const T* x, const float* g, const float* rnorm,
                                      T* dx, float* along, int N, int D, float eps) {
  const int lane = int(threadIdx.x) % 32;
  const int n = int((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  if (n >= N) return;
  const std::size_t row = std::size_t(n) * D;
  const float r = rnorm[n];

  // ⟨dy, x̂⟩, and the row's length once more
  float product = 0, squares = 0;
  for (int d = lane; d < D; d += 32) {
    const float v = to_float(x[row + d]);
    product += to_float(dy[row + d]) * v;
    squares += v * v;
  }
  product = warp_sum(product) * r;
  squares = warp_sum(squares);

  // A row at the floor is divided by a constant; any other loses its component along x̂
  const float remove = sqrtf(squares) <= eps ? 0 : r * product;
  const float scale = g[0] * r;
  for (int d = lane; d < D; d += 32) {
    dx[row + d] = from_float<T>((to_float(dy[row + d]) - to_float(x[row + d]) * remove) * scale);
  }
  if (lane == 0) along[n] = product;
}

/// dg (or dg +)= Σ_n along[n], in one block and always in the same order.
template <int kThreads>
__global__ void __launch_bounds__(kThreads)
    scalenorm_gain_backward_v1(const float* along, float* dg, int N, Write write) {
  float sum = 0;
  for (int n = int(threadIdx.x); n < N; n += kThreads) sum += along[n];
  sum = block_sum<kThreads>(sum);
  if (threadIdx.x == 0) dg[0] = write == Write::add ? dg[0] + sum : sum;
}

}  // namespace tpp::twin
