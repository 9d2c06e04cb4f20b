// LayerNorm on a device, from the obvious to the fast.
//
//   v1_thread_per_row  a thread does what the reference's loop does
//   v2_warp_per_row    32 lanes share a row, so that neighbours read neighbours
//   v3_vector_loads    16 bytes a load, the row in registers between its three uses; backward adds the
//                      gradients of gain and bias on the way
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/common/types.h"

namespace tpp::twin {

/// v3 gives a row to a warp or, where it is wide, to a block. It falls back to v2 where rows are wider than a
/// block's registers (8192 columns), or do not divide into pieces of 16 bytes.
enum class LayerNormVersion { latest, v1_thread_per_row, v2_warp_per_row, v3_vector_loads };

/// y[n,d] = (x[n,d] − μ[n]) · r[n] · w[d] + b[d]
/// μ[n] = mean_d x[n,d],     r[n] = 1 / √(mean_d (x[n,d] − μ[n])² + eps)
///
/// Shapes  x (N, D), w (D), b (D) or null → y (N, D), mean, rstd (N)
/// Errors  std::invalid_argument unless N and D are positive
/// Bytes   N·D read, N·D written
/// Reference  chapters/08_layernorm
template <Storage T>
void layernorm_forward(Stream stream, const T* x, const float* w, const float* b, T* y, float* mean,
                       float* rstd, int N, int D, float eps, LayerNormVersion version);

/// dx = r · (g − mean_d(g) − x̂ · mean_d(g ⊙ x̂)),   g = dy ⊙ w,   x̂ = (x − μ) · r
/// dw (or dw +)= Σ_n dy ⊙ x̂,   db (or db +)= Σ_n dy
///
/// Where dx_in is not null, dx = dx_in + …: what reached x by its other uses, such as the residual sum. dx may be
/// dx_in, which adds in place, or dy.
/// Shapes  dy, x (N, D), w (D), mean, rstd (N) → dx (N, D), dw (D), db (D) or null;
///         work: layernorm_backward_work floats
/// Bytes   2·N·D read, N·D written, and a few rows of partial sums
/// Queues  dw and db are made from the partial sums in gain_stream, which waits for them; it may be `stream`. v1 has no
///         partial sums and makes them in `stream`
template <Storage T>
void layernorm_backward(Stream stream, Stream gain_stream, const T* dy, const T* x, const float* w,
                        const float* mean, const float* rstd, const T* dx_in, T* dx, float* dw,
                        float* db, float* work, int N, int D, Write write,
                        LayerNormVersion version);

/// How many floats a backward needs for its partial sums.
inline std::size_t layernorm_backward_work(int N, int D) {
  return 2 * std::size_t(std::min(N, 528)) * std::size_t(D);
}

}  // namespace tpp::twin
