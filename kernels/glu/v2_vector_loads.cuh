// Gated units, v2: v1 moved one number a thread. v2 moves 16 bytes: a quarter or an eighth of the loads, stores and
// divisions for the same bytes.
#pragma once

#include "kernels/common/streaming.cuh"
#include "kernels/glu/v1_number_a_thread.cuh"

namespace tpp::twin {

template <class T>
__global__ void glu_forward_v2(Gate kind, const T* gate, int ldg, const T* value, int ldv, T* y,
                               int N, int F) {
  constexpr int kWidth = kPack<T>;
  const unsigned packs = unsigned(F) / kWidth;  // of a row
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const std::size_t n = i / packs, f = std::size_t(i % packs) * kWidth;
  if (n >= std::size_t(N)) return;
  float g[kWidth], v[kWidth], out[kWidth];
  load_pack(gate + n * ldg + f, g);
  load_pack(value + n * ldv + f, v);
#pragma unroll
  for (int j = 0; j < kWidth; ++j) {
    float slope;
    out[j] = gate_value(kind, g[j], slope) * v[j];
  }
  store_pack(y + n * F + f, out);
}

template <class T>
__global__ void glu_backward_v2(Gate kind, const T* dy, const T* gate, int ldg, const T* value,
                                int ldv, T* dgate, int lddg, T* dvalue, int lddv, int N, int F) {
  constexpr int kWidth = kPack<T>;
  const unsigned packs = unsigned(F) / kWidth;
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const std::size_t n = i / packs, f = std::size_t(i % packs) * kWidth;
  if (n >= std::size_t(N)) return;
  float d[kWidth], g[kWidth], v[kWidth];
  load_pack(dy + n * F + f, d);
  load_pack(gate + n * ldg + f, g);
  load_pack(value + n * ldv + f, v);
#pragma unroll
  for (int j = 0; j < kWidth; ++j) {
    float slope;
    const float a = gate_value(kind, g[j], slope);
    g[j] = d[j] * v[j] * slope;
    v[j] = d[j] * a;
  }
  store_pack(dgate + n * lddg + f, g);
  store_pack(dvalue + n * lddv + f, v);
}

}  // namespace tpp::twin
