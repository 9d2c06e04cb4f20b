// solu, v2: v1 gave a row to one thread, which walked it three times. v2 gives it to a warp: neighbouring lanes read
// neighbouring packs. The largest number and the sums are found in one walk: where a larger number comes up, what was
// summed so far is scaled down to it. The second walk finds the row in the caches.
#pragma once

#include "kernels/activation/v2_vector_loads.cuh"
#include "kernels/common/reduce.cuh"

namespace tpp::twin {

/// kWidth numbers: a pack where it fits, else one.
template <int kWidth, class T>
__device__ inline void read_few(const T* p, float (&v)[kWidth]) {
  if constexpr (kWidth == 1) {
    v[0] = to_float(*p);
  } else {
    load_pack(p, v);
  }
}
template <int kWidth, class T>
__device__ inline void write_few(T* p, const float (&v)[kWidth]) {
  if constexpr (kWidth == 1) {
    *p = from_float<T>(v[0]);
  } else {
    store_pack(p, v);
  }
}
template <int kWidth>
__device__ inline void add_bias(const float* bias, int f, float (&v)[kWidth]) {
  if (!bias) return;
#pragma unroll
  for (int j = 0; j < kWidth; ++j) v[j] += bias[f + j];
}

// [snip solu_sums]
/// Of a row, or of what a lane saw of it: the largest number m, Σ e^(x − m), Σ e^(x − m)·x·dy.
struct SoluSums {
  float largest = -INFINITY, sum = 0, dot = 0;

  __device__ void rise_to(float larger) {
    if (larger == largest) return;  // also where both are −∞
    const float scale = __expf(largest - larger);
    sum *= scale;
    dot *= scale;
    largest = larger;
  }
  __device__ void combine_warp() {
    rise_to(warp_max(largest));
    sum = warp_sum(sum);
    dot = warp_sum(dot);
  }
};
// [/snip]

template <int kWidth, class T>
__global__ void __launch_bounds__(128)
    solu_forward_v2(const T* x, const float* bias, T* y, int N, int F) {
  const int n = blockIdx.x * 4 + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (n >= N) return;
  x += std::size_t(n) * F;
  y += std::size_t(n) * F;
  SoluSums row;
  for (int f = lane * kWidth; f < F; f += 32 * kWidth) {
    float v[kWidth];
    read_few(x + f, v);
    add_bias(bias, f, v);
    float largest = row.largest;
#pragma unroll
    for (int j = 0; j < kWidth; ++j) largest = fmaxf(largest, v[j]);
    row.rise_to(largest);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) row.sum += __expf(v[j] - largest);
  }
  row.combine_warp();

  const float scale = 1.0f / row.sum;
  for (int f = lane * kWidth; f < F; f += 32 * kWidth) {
    float v[kWidth];
    read_few(x + f, v);
    add_bias(bias, f, v);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) v[j] *= __expf(v[j] - row.largest) * scale;
    write_few(y + f, v);
  }
}

template <int kWidth, class T>
__global__ void __launch_bounds__(128)
    solu_backward_v2(const T* dy, const T* x, const float* bias, T* dx, int N, int F) {
  const int n = blockIdx.x * 4 + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (n >= N) return;
  dy += std::size_t(n) * F;
  x += std::size_t(n) * F;
  dx += std::size_t(n) * F;
  SoluSums row;
  for (int f = lane * kWidth; f < F; f += 32 * kWidth) {
    float v[kWidth], d[kWidth];
    read_few(x + f, v);
    read_few(dy + f, d);
    add_bias(bias, f, v);
    float largest = row.largest;
#pragma unroll
    for (int j = 0; j < kWidth; ++j) largest = fmaxf(largest, v[j]);
    row.rise_to(largest);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) {
      const float e = __expf(v[j] - largest);
      row.sum += e;
      row.dot += e * v[j] * d[j];
    }
  }
  row.combine_warp();

  const float scale = 1.0f / row.sum, dot = row.dot * scale;
  for (int f = lane * kWidth; f < F; f += 32 * kWidth) {
    float v[kWidth], d[kWidth];
    read_few(x + f, v);
    read_few(dy + f, d);
    add_bias(bias, f, v);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) {
      v[j] = __expf(v[j] - row.largest) * scale * (d[j] + d[j] * v[j] - dot);
    }
    write_few(dx + f, v);
  }
}

}  // namespace tpp::twin
