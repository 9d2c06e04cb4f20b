// RMSNorm on a device, alone and with the residual sum before it.
//
//   v1_block_per_row      a block walks a row twice: once to measure it, once to scale it; any width
//   v2_row_in_registers   a row is read once, 16 bytes a load, and stays in registers between the two;
//                         backward adds the gain's gradient on the way
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/common/types.h"

namespace tpp::twin {

/// The fast version falls back to v1 where rows are wider than a block's registers (8192 columns), or do
/// not divide into pieces of 16 bytes.
enum class RmsNormVersion { latest, v1_block_per_row, v2_row_in_registers };

/// y[n,d] = x[n,d] · r[n] · w[d],     r[n] = 1 / √(mean_d x[n,d]² + eps)
///
/// Shapes  x (N, D), w (D) → y (N, D), rstd (N). y may be x
/// Errors  std::invalid_argument unless N and D are positive
/// Bytes   N·D read, N·D written
/// Reference  chapters/12_rmsnorm
template <Storage T>
void rmsnorm_forward(Stream stream, const T* x, const float* w, T* y, float* rstd, int N, int D,
                     float eps, RmsNormVersion version);

/// dx = r · (g − x̂ · mean_d(g ⊙ x̂)),   g = dy ⊙ w,   x̂ = x · r;     dw (or dw +)= Σ_n dy ⊙ x̂
///
/// Shapes  dy, x (N, D), w (D), rstd (N) → dx (N, D), dw (D); work: rmsnorm_backward_work floats. dx may be dy
/// Bytes   2·N·D read, N·D written, and a few rows of partial sums
/// Queues  dw is made from the partial sums in gain_stream, which waits for them; it may be `stream`
template <Storage T>
void rmsnorm_backward(Stream stream, Stream gain_stream, const T* dy, const T* x, const float* w,
                      const float* rstd, T* dx, float* dw, float* work, int N, int D, Write write,
                      RmsNormVersion version);

/// The residual sum and the norm of it in one pass: s = x + branch, y = rmsnorm(s).
///
/// The norm sees s as it is stored, so the result is that of two steps to the last bit.
/// Shapes  x, branch (N, D), w (D) → s, y (N, D), rstd (N). s may be x or branch
/// Bytes   2·N·D read, 2·N·D written; in two steps 3·N·D and 2·N·D
template <Storage T>
void rmsnorm_residual_forward(Stream stream, const T* x, const T* branch, const float* w, T* s,
                              T* y, float* rstd, int N, int D, float eps, RmsNormVersion version);

/// The gradient of s, which goes on to x and to branch alike: ds = (rmsnorm's dx) + ds_in.
///
/// ds_in is what reached s by its other uses. ds may be ds_in: then the gradient is added in place.
/// Shapes  dy, ds_in, s (N, D), w (D), rstd (N) → ds (N, D), dw (D); work: rmsnorm_backward_work floats
/// Bytes   3·N·D read, N·D written, and a few rows of partial sums
template <Storage T>
void rmsnorm_residual_backward(Stream stream, Stream gain_stream, const T* dy, const T* ds_in,
                               const T* s, const float* w, const float* rstd, T* ds, float* dw,
                               float* work, int N, int D, Write write, RmsNormVersion version);

/// How many floats a backward needs for its partial sums.
inline std::size_t rmsnorm_backward_work(int N, int D) {
  return std::size_t(std::min(N, 528)) * std::size_t(D);
}

}  // namespace tpp::twin
