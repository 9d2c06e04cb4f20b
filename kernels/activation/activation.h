// Bias and activation in one pass, in two versions:
//   v1_number_a_thread  a thread makes one number; solu: one row
//   v2_vector_loads     a thread makes 16 bytes of several rows, all asked for before it computes, and sums the bias's
//                       gradient on the way; solu: a warp makes a row
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/common/types.h"

namespace tpp::twin {

/// In the order of chapter 09; solu looks at the whole row.
enum class Activation { relu, gelu, gelu_tanh, swish, solu };

enum class ActivationVersion { latest, v1_number_a_thread, v2_vector_loads };

/// y = f(x + bias).
///
/// Shapes  x (N, F), bias (F) or null for none → y (N, F)
/// Errors  std::invalid_argument unless N, F ≥ 1
/// Bytes   N·F·(read + write); solu reads twice, the second time from the caches
/// Reference  chapters/09_feedforward
template <Storage T>
void activation_forward(Stream stream, Activation kind, const T* x, const float* bias, T* y, int N,
                        int F, ActivationVersion version);

/// The rows that one partial sum of dbias covers.
constexpr int activation_rows_of_a_sum(int N) {
  return std::max(8, ceil_div(ceil_div(N, 256), 4) * 4);
}

/// How many floats activation_backward needs as `work` where dbias is asked for.
constexpr std::size_t activation_backward_work(int N, int F) {
  return std::size_t(ceil_div(N, activation_rows_of_a_sum(N))) * std::size_t(F);
}

/// dx = dy ⊙ f′(x + bias),     dbias = Σ_n dx[n]
///
/// The forward's result is not needed: solu makes it again.
///
/// Shapes  dy, x (N, F), bias (F) or null → dx (N, F), dbias (F) or null; work holds
///         activation_backward_work(N, F) floats, or is null with dbias
/// Errors  std::invalid_argument unless N, F ≥ 1, and where dbias comes without work
/// Bytes   N·F·(2 reads + 1 write); solu's dbias reads dx once more
template <Storage T>
void activation_backward(Stream stream, Activation kind, const T* dy, const T* x, const float* bias,
                         T* dx, float* dbias, Write write, float* work, int N, int F,
                         ActivationVersion version);

}  // namespace tpp::twin
