// RoPE, in three versions:
//   v1_thread_per_pair  a thread turns one pair, and computes its own cosine and sine
//   v2_table            the cosine and sine come from a table
//   v3_vector_loads     a thread turns 16 bytes of first and 16 of second partners, in several heads
#pragma once

#include "kernels/common/types.h"

namespace tpp::twin {

/// Which two numbers of a head turn together, in the order of chapter 13: (0, 1), (2, 3), … or
/// (0, K/2), (1, K/2 + 1), ….
enum class Pairing { adjacent, halves };

enum class RopeVersion { latest, v1_thread_per_pair, v2_table, v3_vector_loads };

/// Cosine and sine of t·base^(−2p/K), on the device. v1 looks at the base alone, the others at the tables.
struct RopeAngles {
  const float* cos;  // (≥ T, K/2)
  const float* sin;  // (≥ T, K/2)
  float base;
};

/// Turn each pair (a, b) of each head of row b·T + t by the angle t·θ[p].
///
///   y_a = x_a·cos(t·θ[p]) − x_b·sin(t·θ[p])
///   y_b = x_a·sin(t·θ[p]) + x_b·cos(t·θ[p])
///
/// Shapes  x (N, heads·K) → y (N, heads·K), their rows ldx and ldy numbers apart; `length` is T. y may be x,
///         with ldy = ldx
/// Errors  std::invalid_argument unless K is even, N, heads and length ≥ 1 and ldx, ldy ≥ heads·K
/// Bytes   N·heads·K·(read + write)
/// Reference  chapters/13_rope
template <Storage T>
void rope_forward(Stream stream, const T* x, int ldx, int length, int K, const RopeAngles& angles,
                  Pairing pairing, T* y, int ldy, int N, int heads, RopeVersion version);

/// Turn dy back by the same angles. Shapes and errors as above.
template <Storage T>
void rope_backward(Stream stream, const T* dy, int lddy, int length, int K,
                   const RopeAngles& angles, Pairing pairing, T* dx, int lddx, int N, int heads,
                   RopeVersion version);

/// Some heads of each row: where they come from and where they go.
template <Storage T>
struct RopeHeads {
  const T* x;  // (N, heads·K), rows ldx apart
  int ldx;
  T* y;  // (N, heads·K), rows ldy apart
  int ldy;
  int heads;
};

/// Queries and keys in one launch (v3; two launches before it).
template <Storage T>
void rope_forward_both(Stream stream, const RopeHeads<T>& q, const RopeHeads<T>& k, int length,
                       int K, const RopeAngles& angles, Pairing pairing, int N,
                       RopeVersion version);

/// The same for dq and dk: `x` is the gradient that comes in, `y` the one that goes out.
template <Storage T>
void rope_backward_both(Stream stream, const RopeHeads<T>& dq, const RopeHeads<T>& dk, int length,
                        int K, const RopeAngles& angles, Pairing pairing, int N,
                        RopeVersion version);

}  // namespace tpp::twin
