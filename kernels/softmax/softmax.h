// The CUDA twin of chapter 05's softmax: rows of scores to rows of probabilities, and back.
//
//   v1_thread_per_row     a thread walks a row three times: maximum, sum, result
//   v2_warp_per_row       a warp walks it: neighbouring lanes read neighbouring addresses
//   v3_row_in_registers   16 bytes a load, and the row is read once: a warp, or a block for wide rows, holds it
#pragma once

#include "kernels/common/types.h"

namespace tpp::twin {

enum class SoftmaxVersion { latest, v1_thread_per_row, v2_warp_per_row, v3_row_in_registers };

/// y[n,i] = exp(x[n,i] − m[n]) / Σ_j exp(x[n,j] − m[n]),     m[n] = max_j x[n,j]
///
/// A score of −∞, or one that lies 88 or more below the row's maximum, gets 0 exactly. A row with a NaN, a +∞,
/// or nothing but −∞ becomes NaN. y may be x.
///
/// Shapes     x (N, M) → y (N, M)
/// Bytes      one read of x, one write of y (v3, rows up to 16384)
/// Errors     std::invalid_argument unless N ≥ 0 and M ≥ 1
/// Reference  chapters/05_softmax
template <Storage T>
void softmax_forward(Stream stream, const T* x, T* y, int N, int M, SoftmaxVersion version);

/// dx[n,i] = y[n,i] · (dy[n,i] − Σ_j dy[n,j]·y[n,j]). dx may be dy.
///
/// Shapes  dy, y (N, M) → dx (N, M)
/// Bytes   one read of dy and y, one write of dx (v3, rows up to 16384)
template <Storage T>
void softmax_backward(Stream stream, const T* dy, const T* y, T* dx, int N, int M,
                      SoftmaxVersion version);

}  // namespace tpp::twin
