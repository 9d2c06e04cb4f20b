// Gated units, v3: v2 waited for its two loads. v3 gives a thread the same columns of kRows rows and asks for all of them
// before the first use, so a thread has 2·kRows (backward 3·kRows) times 16 bytes under way and divides once. The kind is
// a template's argument: no choice is left to run time. Nothing is read twice, so loads and stores are marked as passing
// once, and the caches keep what the next kernel needs.
//
// Four blocks a multiprocessor are enough, and the launch bounds say so: left alone the compiler aims at six and saves
// registers by asking for one row after another, which is v2 again.
#pragma once

#include "kernels/activation/functions.cuh"
#include "kernels/common/streaming.cuh"
#include "kernels/glu/glu.h"

namespace tpp::twin {

template <class A, int kRows, class T>
__global__ void __launch_bounds__(256, 4)
    glu_forward_v3(const T* gate, int ldg, const T* value, int ldv, T* y, int N, int F) {
  constexpr int kWidth = kPack<T>;
  // Rows first … first + kRows − 1, columns f … f + kWidth − 1
  const unsigned packs = unsigned(F) / kWidth, i = blockIdx.x * 256 + threadIdx.x;
  const unsigned group = i / packs, f = (i - group * packs) * kWidth, first = group * kRows;
  if (first >= unsigned(N)) return;

  // [snip glu_v3]
  // Ask for everything; past the end for the last row again
  Raw<T> g[kRows], v[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    const std::size_t n = min(first + r, unsigned(N) - 1);
    g[r] = read_once(gate + n * ldg + f);
    v[r] = read_once(value + n * ldv + f);
  }

#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (first + r >= unsigned(N)) return;
    float gs[kWidth], vs[kWidth];
    unpack(g[r], gs);
    unpack(v[r], vs);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) gs[j] = A::value(gs[j]) * vs[j];
    write_once(y + std::size_t(first + r) * F + f, gs);
  }
  // [/snip]
}

template <class A, int kRows, class T>
__global__ void __launch_bounds__(256, 4)
    glu_backward_v3(const T* dy, const T* gate, int ldg, const T* value, int ldv, T* dgate,
                    int lddg, T* dvalue, int lddv, int N, int F) {
  constexpr int kWidth = kPack<T>;
  const unsigned packs = unsigned(F) / kWidth, i = blockIdx.x * 256 + threadIdx.x;
  const unsigned group = i / packs, f = (i - group * packs) * kWidth, first = group * kRows;
  if (first >= unsigned(N)) return;

  Raw<T> d[kRows], g[kRows], v[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    const std::size_t n = min(first + r, unsigned(N) - 1);
    d[r] = read_once(dy + n * F + f);
    g[r] = read_once(gate + n * ldg + f);
    v[r] = read_once(value + n * ldv + f);
  }

#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (first + r >= unsigned(N)) return;
    float ds[kWidth], gs[kWidth], vs[kWidth];
    unpack(d[r], ds);
    unpack(g[r], gs);
    unpack(v[r], vs);
#pragma unroll
    for (int j = 0; j < kWidth; ++j) {
      float slope;
      const float a = A::value(gs[j], slope);
      gs[j] = ds[j] * vs[j] * slope;
      vs[j] = ds[j] * a;
    }
    write_once(dgate + std::size_t(first + r) * lddg + f, gs);
    write_once(dvalue + std::size_t(first + r) * lddv + f, vs);
  }
}

}  // namespace tpp::twin
