// The functions of one number that activations and gates are made of, each with its slope.
//
// The exponential and the division are the hardware's: __expf is off by up to 2 + 1.173·|x| units in the last place,
// __fdividef by 2 (CUDA C++ Programming Guide, intrinsic functions). Where |x| is large e^−|x| is small beside the 1 that
// it is added to, so the functions stay within 8 roundings of a float, relative to the larger of the value and the inputs'
// size: the tests hold them to that, against double.
#pragma once

#include "kernels/simt/simt.h"

namespace tpp::twin {

/// σ(x) = 1 / (1 + e^−x). Where e^−x overflows this is 0.
__device__ inline float logistic(float x) { return __fdividef(1.0f, 1.0f + __expf(-x)); }

/// σ(x), and 1 − σ(x) in `rest` to as many digits: σ(−x) = 1 − σ(x), and e^−|x| never overflows.
__device__ inline float logistic(float x, float& rest) {
  const float e = __expf(-fabsf(x)), large = __fdividef(1.0f, 1.0f + e), small = e * large;
  rest = x < 0 ? large : small;
  return x < 0 ? small : large;
}

/// Φ(x), the normal distribution.
__device__ inline float normal_distribution(float x) {
  return 0.5f * (1.0f + erff(x * 0.70710678f));  // √½
}

// Each has f(x), and f(x) together with f′(x), since the two share what is costly.
struct Identity {
  static __device__ float value(float x) { return x; }
  static __device__ float value(float x, float& slope) {
    slope = 1;
    return x;
  }
};

struct Relu {
  static __device__ float value(float x) { return x < 0 ? 0.0f : x; }  // NaN stays NaN
  static __device__ float value(float x, float& slope) {
    slope = x > 0 ? 1.0f : 0.0f;
    return value(x);
  }
};

struct Logistic {
  static __device__ float value(float x) { return logistic(x); }
  static __device__ float value(float x, float& slope) {
    float rest;
    const float s = logistic(x, rest);
    slope = s * rest;
    return s;
  }
};

// (x·σ)′ = σ + x·σ·(1 − σ)
struct Swish {
  static __device__ float value(float x) { return x * logistic(x); }
  static __device__ float value(float x, float& slope) {
    float rest;
    const float s = logistic(x, rest);
    slope = s * (1.0f + x * rest);
    return x * s;
  }
};

// (x·Φ)′ = Φ + x·φ, with the density φ = Φ′
struct Gelu {
  static __device__ float value(float x) { return x * normal_distribution(x); }
  static __device__ float value(float x, float& slope) {
    const float phi = normal_distribution(x);
    slope = phi + x * 0.39894228f * __expf(-0.5f * x * x);  // 1/√(2π)
    return x * phi;
  }
};

// [snip gelu_tanh]
// ½(1 + tanh u) = σ(2u), so this is swish with another argument: u = √(2/π)·(x + 0.044715·x³)
struct GeluTanh {
  static __device__ float value(float x) {
    return x * logistic(1.5957691f * x * (1.0f + 0.044715f * x * x));  // 2·√(2/π)
  }
  static __device__ float value(float x, float& slope) {
    float rest;
    const float s = logistic(1.5957691f * x * (1.0f + 0.044715f * x * x), rest);
    slope = s * (1.0f + x * rest * 1.5957691f * (1.0f + 3.0f * 0.044715f * x * x));
    return x * s;
  }
};
// [/snip]

}  // namespace tpp::twin
