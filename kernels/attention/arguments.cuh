// What every version's kernels take: the tensors of a call, and where a head's rows stand in them.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/common/storage.cuh"

namespace tpp::twin {

/// A head's block of columns: row t stands at `at + t·stride`.
template <class T>
struct HeadRows {
  T* at;
  std::size_t stride;
  __device__ T* row(int t) const { return at + std::size_t(t) * stride; }
};

template <class T>
struct AttentionTensors {
  const T *q, *k, *v;            // (B·T, H·K), (B·T, G·K), (B·T, G·K)
  std::size_t ldq, ldk, ldv;     // between rows
  const float* bias;             // (H, 2T − 1) or null
  T *out, *probs;                // (B·T, H·K), (B·H·T, T)
  const T* dout;                 // (B·T, H·K); from here on: backward only
  T *dq, *dk, *dv;               // as q, k, v
  std::size_t lddq, lddk, lddv;  // between rows
  float* work;
  bool vectors;       // four (v4: eight) neighbours of a row may be read at once
  bool prob_vectors;  // eight of a row of probs
};

/// One query head h of sequence b, and the key head that it uses.
template <class X>
__device__ HeadRows<X> head_rows(X* x, std::size_t stride, const AttentionShape& shape, int b,
                                 int head) {
  return {x + std::size_t(b) * shape.T * stride + std::size_t(head) * shape.K, stride};
}

template <class X>
__device__ HeadRows<X> prob_rows(X* probs, const AttentionShape& shape, int b, int h) {
  const std::size_t L = std::size_t(shape.T);
  return {probs + (std::size_t(b) * shape.H + h) * L * L, L};
}

/// The bias of head h, shifted so that [s − t] is the entry for query t and key s. Not for null.
__device__ inline const float* bias_of(const float* bias, const AttentionShape& shape, int h) {
  return bias + std::size_t(h) * (2 * std::size_t(shape.T) - 1) + (shape.T - 1);
}

}  // namespace tpp::twin
