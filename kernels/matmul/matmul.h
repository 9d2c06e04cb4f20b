// The matrix product, a ladder of seven rungs:
//
//   v1_naive_uncoalesced  a thread an element of C; neighbouring threads work in neighbouring rows
//   v1_naive              the same, but neighbouring threads work in neighbouring columns: loads of neighbours are neighbours
//   v2_tiled              a block copies 32×32 tiles to shared memory: each number is read from memory once a tile
//   v3_register_blocked   a thread makes 8×8 elements: each number read from shared memory serves eight products
//   v4_vectorised         four floats a load, from memory and from shared memory
//   v5_double_buffered    the next tile is on its way (cp.async) while this one is multiplied
//   v6_tensor_cores       bfloat16: a warp multiplies 16×8×16 by one instruction
//
// v1 to v3 take float and bfloat16, v4 and v5 float, v6 bfloat16. Sums are float in all. Each has all three forms.
#pragma once

#include "kernels/common/types.h"

namespace tpp::twin {

/// `latest` is v5_double_buffered for float and v6_tensor_cores for bfloat16.
enum class MatmulVersion {
  latest,
  v1_naive_uncoalesced,
  v1_naive,
  v2_tiled,
  v3_register_blocked,
  v4_vectorised,
  v5_double_buffered,
  v6_tensor_cores
};

/// C = A·B, or C += A·B. Every number contiguous in rows; M, N, K ≥ 1, any values, any alignment.
///
/// Shapes     a (M, K), b (K, N) → c (M, N)
/// Cost       2·M·N·K floating-point operations; (M·K + K·N)·sizeof(T) + M·N·sizeof(Out) bytes at least
/// Errors     std::invalid_argument for null pointers, sizes below 1, a c that overlaps a or b, a version that does not
///            know T
/// Reference  chapters/01_tensor
///
/// Made for <float, float>, <Bf16, Bf16> and, for gradients of parameters, <Bf16, float>.
template <Storage T, Storage Out>
void matmul(Stream stream, const T* a, const T* b, Out* c, int M, int N, int K, Write write,
            MatmulVersion version);

/// C = A·Bᵀ.    a (M, K), b (N, K) → c (M, N)
template <Storage T, Storage Out>
void matmul_nt(Stream stream, const T* a, const T* b, Out* c, int M, int N, int K, Write write,
               MatmulVersion version);

/// C = Aᵀ·B.    a (K, M), b (K, N) → c (M, N)
template <Storage T, Storage Out>
void matmul_tn(Stream stream, const T* a, const T* b, Out* c, int M, int N, int K, Write write,
               MatmulVersion version);

}  // namespace tpp::twin
