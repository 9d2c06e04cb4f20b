// Activations, v1: one thread, one number. Whole sectors, but 4 or 2 bytes a load, and a division a number to find its bias.
// The bias's gradient comes from a second kernel that computes dx once more, a thread a column. solu gives a row to one
// thread: neighbouring threads read addresses F apart.
#pragma once

#include "kernels/activation/activation.h"
#include "kernels/activation/functions.cuh"
#include "kernels/common/storage.cuh"

namespace tpp::twin {

/// f(x), and f′(x) in `slope`.
__device__ inline float activation_value(Activation kind, float x, float& slope) {
  switch (kind) {
    case Activation::relu:
      return Relu::value(x, slope);
    case Activation::gelu:
      return Gelu::value(x, slope);
    case Activation::gelu_tanh:
      return GeluTanh::value(x, slope);
    default:
      return Swish::value(x, slope);
  }
}

/// x[i] + bias[f].
template <class T>
__device__ inline float biased(const T* x, const float* bias, std::size_t i, std::size_t f) {
  return to_float(x[i]) + (bias ? bias[f] : 0.0f);
}

template <class T>
// [snip forward_v1]
__global__ void activation_forward_v1(Activation kind, const T* x, const float* bias, T* y, int N,
                                      int F) {
  const std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;  // = n·F + f
  if (i >= std::size_t(N) * F) return;
  float slope;
  y[i] = from_float<T>(activation_value(kind, biased(x, bias, i, i % F), slope));
}
// [/snip]

template <class T>
__global__ void activation_backward_v1(Activation kind, const T* dy, const T* x, const float* bias,
                                       T* dx, int N, int F) {
  const std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= std::size_t(N) * F) return;
  float slope;
  (void)activation_value(kind, biased(x, bias, i, i % F), slope);
  dx[i] = from_float<T>(to_float(dy[i]) * slope);
}

template <class T>
__global__ void activation_dbias_v1(Activation kind, const T* dy, const T* x, const float* bias,
                                    float* dbias, Write write, int N, int F) {
  const int f = blockIdx.x * blockDim.x + threadIdx.x;
  if (f >= F) return;
  float sum = write == Write::add ? dbias[f] : 0.0f;
  for (int n = 0; n < N; ++n) {
    const std::size_t i = std::size_t(n) * F + f;
    float slope;
    (void)activation_value(kind, biased(x, bias, i, f), slope);
    sum += to_float(dy[i]) * slope;
  }
  dbias[f] = sum;
}

// --- solu -----------------------------------------------------------------------------------------

template <class T>
__global__ void solu_forward_v1(const T* x, const float* bias, T* y, int N, int F) {
  const int n = blockIdx.x * blockDim.x + threadIdx.x;
  if (n >= N) return;
  x += std::size_t(n) * F;
  y += std::size_t(n) * F;
  float largest = biased(x, bias, 0, 0), sum = 0;
  for (int f = 1; f < F; ++f) largest = fmaxf(largest, biased(x, bias, f, f));
  for (int f = 0; f < F; ++f) sum += __expf(biased(x, bias, f, f) - largest);
  for (int f = 0; f < F; ++f) {
    const float v = biased(x, bias, f, f);
    y[f] = from_float<T>(v * __expf(v - largest) / sum);
  }
}

// dx = p ⊙ (dy + dy ⊙ x − ⟨dy, y⟩), with ⟨dy, y⟩ = Σ dy·x·e^(x − max) / sum
template <class T>
__global__ void solu_backward_v1(const T* dy, const T* x, const float* bias, T* dx, int N, int F) {
  const int n = blockIdx.x * blockDim.x + threadIdx.x;
  if (n >= N) return;
  dy += std::size_t(n) * F;
  x += std::size_t(n) * F;
  dx += std::size_t(n) * F;
  float largest = biased(x, bias, 0, 0), sum = 0, dot = 0;
  for (int f = 1; f < F; ++f) largest = fmaxf(largest, biased(x, bias, f, f));
  for (int f = 0; f < F; ++f) {
    const float v = biased(x, bias, f, f), e = __expf(v - largest);
    sum += e;
    dot += e * v * to_float(dy[f]);
  }
  for (int f = 0; f < F; ++f) {
    const float v = biased(x, bias, f, f), d = to_float(dy[f]);
    dx[f] = from_float<T>(__expf(v - largest) / sum * (d + d * v - dot / sum));
  }
}

template <class T>
__global__ void column_sums_v1(const T* dx, float* dbias, Write write, int N, int F) {
  const int f = blockIdx.x * blockDim.x + threadIdx.x;
  if (f >= F) return;
  float sum = write == Write::add ? dbias[f] : 0.0f;
  for (int n = 0; n < N; ++n) sum += to_float(dx[std::size_t(n) * F + f]);
  dbias[f] = sum;
}

}  // namespace tpp::twin
