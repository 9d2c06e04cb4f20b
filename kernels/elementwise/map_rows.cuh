// One element of y needs one element of each input, so all that counts is how bytes travel: 16 at a time, and several
// loads under way before the first is used.
#pragma once

#include "kernels/common/storage.cuh"

namespace tpp::twin {

/// A matrix whose row r starts at data + r · stride. Stride 0 gives every row the same numbers.
template <class T>
struct Rows {
  T* data;
  std::size_t stride;
};

using tpp::load_pack;
using tpp::store_pack;

// Packs of other sizes: single numbers, and four bfloat16 beside four floats.
template <class T>
__device__ inline void load_pack(const T* p, float (&v)[1]) {
  v[0] = to_float(*p);
}
__device__ inline void load_pack(const __nv_bfloat16* p, float (&v)[4]) {
  const uint2 packed = *reinterpret_cast<const uint2*>(p);
  v[0] = __uint_as_float(packed.x << 16), v[1] = __uint_as_float(packed.x & 0xffff0000u);
  v[2] = __uint_as_float(packed.y << 16), v[3] = __uint_as_float(packed.y & 0xffff0000u);
}
template <class T>
__device__ inline void store_pack(T* p, const float (&v)[1]) {
  *p = from_float<T>(v[0]);
}
__device__ inline void store_pack(__nv_bfloat16* p, const float (&v)[4]) {
  *reinterpret_cast<uint2*>(p) = make_uint2(pack_two(v[0], v[1]), pack_two(v[2], v[3]));
}

/// y = f(x…) for rows of `packs_a_row` packs of kWidth numbers; each thread does kUnroll packs.
template <int kThreads, int kUnroll, int kWidth, class F, class Y, class... X>
__global__ void __launch_bounds__(kThreads)
    map_rows(F f, unsigned rows, unsigned packs_a_row, Rows<Y> y, Rows<const X>... x) {
  const std::size_t packs = std::size_t(rows) * packs_a_row;
  const std::size_t first = std::size_t(blockIdx.x) * (kThreads * kUnroll) + threadIdx.x;
  constexpr int kInputs = sizeof...(X);
  float in[kUnroll][kInputs == 0 ? 1 : kInputs][kWidth];

  // Ask for everything
#pragma unroll
  for (int u = 0; u < kUnroll; ++u) {
    const std::size_t pack = first + std::size_t(u) * kThreads;
    if (pack >= packs) break;
    const unsigned row = rows == 1 ? 0 : unsigned(pack) / packs_a_row;
    [[maybe_unused]] const std::size_t column = (pack - std::size_t(row) * packs_a_row) * kWidth;
    [[maybe_unused]] int i = 0;
    (load_pack(x.data + row * x.stride + column, in[u][i++]), ...);
  }

  // Then use it
#pragma unroll
  for (int u = 0; u < kUnroll; ++u) {
    const std::size_t pack = first + std::size_t(u) * kThreads;
    if (pack >= packs) break;
    const unsigned row = rows == 1 ? 0 : unsigned(pack) / packs_a_row;
    const std::size_t column = (pack - std::size_t(row) * packs_a_row) * kWidth;
    float out[kWidth];
#pragma unroll
    for (int w = 0; w < kWidth; ++w) {
      if constexpr (kInputs == 0) out[w] = f();
      if constexpr (kInputs == 1) out[w] = f(in[u][0][w]);
      if constexpr (kInputs == 2) out[w] = f(in[u][0][w], in[u][1][w]);
    }
    store_pack(y.data + row * y.stride + column, out);
  }
}

}  // namespace tpp::twin
