// ScaleNorm on a device: RMSNorm's plan with one number for a gain.
//
//   v1_warp_per_row  32 lanes share a row, read once to measure it and once more to scale it
#pragma once

#include <cstddef>

#include "kernels/common/types.h"

namespace tpp::twin {

enum class ScaleNormVersion { latest, v1_warp_per_row };

/// y[n,d] = g · x[n,d] · rnorm[n],     rnorm[n] = 1 / max(‖x[n]‖, eps)
///
/// Shapes  x (N, D), g (1), on the device → y (N, D), rnorm (N)
/// Errors  std::invalid_argument unless N and D are positive
/// Bytes   N·D read, N·D written
/// Reference  chapters/12_rmsnorm
template <Storage T>
void scalenorm_forward(Stream stream, const T* x, const float* g, T* y, float* rnorm, int N, int D,
                       float eps, ScaleNormVersion version);

/// dx = g · rnorm · (dy − x̂ · ⟨dy, x̂⟩),   x̂ = x · rnorm;     dg (or dg +)= Σ_n ⟨dy, x̂⟩
///
/// A row shorter than eps was divided by a constant: for it dx = g · dy / eps.
/// Shapes  dy, x (N, D), g (1), rnorm (N) → dx (N, D), dg (1); work: scalenorm_backward_work floats
/// Bytes   2·N·D read, N·D written
/// Queues  dg is made from the rows' products in gain_stream, which waits for them; it may be `stream`
template <Storage T>
void scalenorm_backward(Stream stream, Stream gain_stream, const T* dy, const T* x, const float* g,
                        const float* rnorm, T* dx, float* dg, float* work, int N, int D, float eps,
                        Write write, ScaleNormVersion version);

/// How many floats a backward needs: ⟨dy, x̂⟩ of each row.
inline std::size_t scalenorm_backward_work(int N, int) { return std::size_t(N); }

}  // namespace tpp::twin
