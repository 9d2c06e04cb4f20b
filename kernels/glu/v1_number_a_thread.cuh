// Gated units, v1: one thread, one number. Neighbouring threads have neighbouring columns, so a warp's loads are whole
// sectors; but each load brings 4 bytes (2 for bfloat16), and every number costs a division to find its row.
#pragma once

#include "kernels/activation/functions.cuh"
#include "kernels/common/storage.cuh"
#include "kernels/glu/glu.h"

namespace tpp::twin {

/// a(g), and a′(g) in `slope`.
__device__ inline float gate_value(Gate kind, float g, float& slope) {
  switch (kind) {
    case Gate::glu:
      return Logistic::value(g, slope);
    case Gate::bilinear:
      return Identity::value(g, slope);
    case Gate::reglu:
      return Relu::value(g, slope);
    case Gate::geglu:
      return Gelu::value(g, slope);
    default:
      return Swish::value(g, slope);
  }
}

template <class T>
__global__ void glu_forward_v1(Gate kind, const T* gate, int ldg, const T* value, int ldv, T* y,
                               int N, int F) {
  // [snip glu_forward_v1]
  const std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;  // = n·F + f
  if (i >= std::size_t(N) * F) return;
  const std::size_t n = i / F, f = i % F;
  float slope;
  const float a = gate_value(kind, to_float(gate[n * ldg + f]), slope);
  y[i] = from_float<T>(a * to_float(value[n * ldv + f]));
  // [/snip]
}

template <class T>
__global__ void glu_backward_v1(Gate kind, const T* dy, const T* gate, int ldg, const T* value,
                                int ldv, T* dgate, int lddg, T* dvalue, int lddv, int N, int F) {
  const std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= std::size_t(N) * F) return;
  const std::size_t n = i / F, f = i % F;
  float slope;
  const float a = gate_value(kind, to_float(gate[n * ldg + f]), slope);
  const float d = to_float(dy[i]);
  dgate[n * lddg + f] = from_float<T>(d * to_float(value[n * ldv + f]) * slope);
  dvalue[n * lddv + f] = from_float<T>(d * a);
}

}  // namespace tpp::twin
