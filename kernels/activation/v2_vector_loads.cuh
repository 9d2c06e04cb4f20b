// Activations, v2: v1 moved one number a thread, and read everything again for the bias's gradient. v2 gives a thread 16
// bytes of a row and the same columns of the next rows: kRows packs are asked for before the first is used, the bias is read
// once for all of them, and dbias is summed in registers on the way. A thread's rows leave one partial sum; a second
// kernel adds the partial sums in a fixed order, so the bits are the same every time.
#pragma once

#include "kernels/activation/activation.h"
#include "kernels/activation/functions.cuh"
#include "kernels/common/streaming.cuh"

namespace tpp::twin {

/// The bias of the columns from f on; zeros where there is none.
template <int kWidth>
__device__ inline void read_bias(const float* bias, unsigned f, float (&b)[kWidth]) {
  if (bias) {
    read_shared_floats<kWidth>(bias + f, b);
  } else {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) b[j] = 0;
  }
}

template <class A, int kRows, class T>
__global__ void __launch_bounds__(256, 3)
    activation_forward_v2(const T* x, const float* bias, T* y, int N, int F) {
  constexpr int kWidth = kPack<T>;
  // Rows first … first + kRows − 1, columns f … f + kWidth − 1
  const unsigned packs = unsigned(F) / kWidth, i = blockIdx.x * 256 + threadIdx.x;
  const unsigned group = i / packs, f = (i - group * packs) * kWidth, first = group * kRows;
  if (first >= unsigned(N)) return;

  // [snip forward_v2]
  // Ask for everything; past the end for the last row again
  Raw<T> raw[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    raw[r] = read_once(x + std::size_t(min(first + r, unsigned(N) - 1)) * F + f);
  }
  float b[kWidth];
  read_bias(bias, f, b);

#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (first + r >= unsigned(N)) return;
    float v[kWidth];
    unpack(raw[r], v);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) v[j] = A::value(v[j] + b[j]);
    write_once(y + std::size_t(first + r) * F + f, v);
  }
  // [/snip]
}

/// A thread walks down `chunk` rows, kRows at a time; `partial` (groups of chunk rows, F) gets its sums, or is null.
template <class A, int kRows, class T>
__global__ void __launch_bounds__(256, 3)
    activation_backward_v2(const T* dy, const T* x, const float* bias, T* dx, float* partial,
                           int chunk, int N, int F) {
  constexpr int kWidth = kPack<T>;
  const unsigned packs = unsigned(F) / kWidth, i = blockIdx.x * 256 + threadIdx.x;
  const unsigned group = i / packs, f = (i - group * packs) * kWidth, first = group * chunk;
  if (first >= unsigned(N)) return;
  const unsigned end = min(first + chunk, unsigned(N));

  float b[kWidth], sums[kWidth] = {};
  read_bias(bias, f, b);
  for (unsigned n = first; n < end; n += kRows) {
    Raw<T> d[kRows], raw[kRows];
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const std::size_t at = std::size_t(min(n + r, end - 1)) * F + f;
      d[r] = read_once(dy + at);
      raw[r] = read_once(x + at);
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (n + r >= end) break;
      float ds[kWidth], v[kWidth];
      unpack(d[r], ds);
      unpack(raw[r], v);
#pragma unroll
      for (int j = 0; j < kWidth; ++j) {
        float slope;
        (void)A::value(v[j] + b[j], slope);
        v[j] = ds[j] * slope;
        sums[j] += v[j];
      }
      write_once(dx + std::size_t(n + r) * F + f, v);
    }
  }
  if (partial) {
#pragma unroll
    for (int j = 0; j < kWidth; ++j) partial[std::size_t(group) * F + f + j] = sums[j];
  }
}

/// partial[c,f] = Σ dx[n,f] over chunk c's rows. A thread a column: neighbours read neighbours.
template <class T>
__global__ void column_partials(const T* dx, float* partial, int chunk, int N, int F) {
  const int f = blockIdx.x * blockDim.x + threadIdx.x, first = blockIdx.y * chunk;
  if (f >= F) return;
  const int end = min(first + chunk, N);
  float sum = 0;
  for (int n = first; n < end; ++n) sum += to_float(dx[std::size_t(n) * F + f]);
  partial[std::size_t(blockIdx.y) * F + f] = sum;
}

/// dbias[f] = Σ_c partial[c,f], 32 columns a block: each warp adds every kWarps-th row, then one adds the warps'.
template <int kWarps>
__global__ void __launch_bounds__(32 * kWarps)
    add_partials(const float* partial, float* dbias, Write write, int chunks, int F) {
  __shared__ float sums[kWarps][32];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, f = blockIdx.x * 32 + lane;
  float sum = 0;
  if (f < F) {
    for (int c = warp; c < chunks; c += kWarps) sum += partial[std::size_t(c) * F + f];
  }
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp == 0 && f < F) {
    for (int w = 1; w < kWarps; ++w) sum += sums[w][lane];
    dbias[f] = write == Write::add ? dbias[f] + sum : sum;
  }
}

}  // namespace tpp::twin
