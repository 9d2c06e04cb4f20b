// CUDA's words for g++ and clang++: keywords, vectors, bfloat16 and half, arithmetic.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "kernels/simt/types.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __shared__ thread_local
#define __forceinline__ TPP_SIMT_INLINE
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))

inline namespace TPP_SIMT_VARIANT {

// --- Vectors: a load or store of a whole vector is one access ---------------------------------------

#if TPP_SIMT_CHECKED
// Compilers copy a struct in pieces; the hooks would see four accesses.
#define TPP_SIMT_VECTOR_COPIES(V)                                                      \
  V() = default;                                                                       \
  __attribute__((noinline, no_sanitize("thread"))) V(const V& other) {                 \
    TPP_SIMT_TOUCH(&other, sizeof(V), ::tpp::simt::Access::kRead);                     \
    TPP_SIMT_TOUCH(this, sizeof(V), ::tpp::simt::Access::kWrite);                      \
    __builtin_memcpy(static_cast<void*>(this), &other, sizeof(V));                     \
  }                                                                                    \
  __attribute__((noinline, no_sanitize("thread"))) V& operator=(const V& other) {      \
    TPP_SIMT_TOUCH(&other, sizeof(V), ::tpp::simt::Access::kRead);                     \
    TPP_SIMT_TOUCH(this, sizeof(V), ::tpp::simt::Access::kWrite);                      \
    if (this != &other) __builtin_memcpy(static_cast<void*>(this), &other, sizeof(V)); \
    return *this;                                                                      \
  }
#else
#define TPP_SIMT_VECTOR_COPIES(V) V() = default;
#endif

#define TPP_SIMT_VECTOR2(V, T, alignment)           \
  struct __attribute__((aligned(alignment))) V {    \
    T x, y;                                         \
    TPP_SIMT_VECTOR_COPIES(V)                       \
    TPP_SIMT_INLINE V(T x_, T y_) : x(x_), y(y_) {} \
  };                                                \
  TPP_SIMT_INLINE V make_##V(T x, T y) { return V(x, y); }
#define TPP_SIMT_VECTOR4(V, T, alignment)                                     \
  struct __attribute__((aligned(alignment))) V {                              \
    T x, y, z, w;                                                             \
    TPP_SIMT_VECTOR_COPIES(V)                                                 \
    TPP_SIMT_INLINE V(T x_, T y_, T z_, T w_) : x(x_), y(y_), z(z_), w(w_) {} \
  };                                                                          \
  TPP_SIMT_INLINE V make_##V(T x, T y, T z, T w) { return V(x, y, z, w); }

TPP_SIMT_VECTOR2(float2, float, 8)
TPP_SIMT_VECTOR4(float4, float, 16)
TPP_SIMT_VECTOR2(int2, int, 8)
TPP_SIMT_VECTOR4(int4, int, 16)
TPP_SIMT_VECTOR2(uint2, unsigned, 8)
TPP_SIMT_VECTOR4(uint4, unsigned, 16)
TPP_SIMT_VECTOR2(double2, double, 16)

struct float3 {
  float x, y, z;
};
TPP_SIMT_INLINE float3 make_float3(float x, float y, float z) { return {x, y, z}; }

// --- bfloat16 and half --------------------------------------------------------------------------------

namespace simt_detail {

// Round to nearest, ties to even; NaN stays NaN.
inline std::uint16_t bfloat16_bits(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float bfloat16_value(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// Scaling by a power of two is exact, so the mantissa's rounding is done by one integer addition.
inline std::uint16_t half_bits(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  std::uint32_t result;
  if (magnitude > 0x7f800000u) {
    return 0x7fff;
  } else if (magnitude >= 0x477ff000u) {  // 65520 and more
    result = 0x7c00u;
  } else if (magnitude < 0x38800000u) {  // subnormal: the unit is 2^-24
    result =
        static_cast<std::uint32_t>(std::nearbyint(std::bit_cast<float>(magnitude) * 16777216.0f));
  } else {
    result = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  }
  return static_cast<std::uint16_t>(sign | result);
}

inline float half_value(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 31u;
  const std::uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 5.9604644775390625e-8f;  // 2^-24
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 0x7f800000u : (exponent + 112u) << 23;
  return std::bit_cast<float>(sign | wide | (mantissa << 13));
}

}  // namespace simt_detail

#define TPP_SIMT_SHORT_FLOAT(S, to_bits, to_value)                                 \
  struct S {                                                                       \
    std::uint16_t bits;                                                            \
    S() = default;                                                                 \
    TPP_SIMT_INLINE S(float value) : bits(simt_detail::to_bits(value)) {}          \
    TPP_SIMT_INLINE operator float() const { return simt_detail::to_value(bits); } \
  };                                                                               \
  TPP_SIMT_INLINE S operator+(S a, S b) { return S(float(a) + float(b)); }         \
  TPP_SIMT_INLINE S operator-(S a, S b) { return S(float(a) - float(b)); }         \
  TPP_SIMT_INLINE S operator*(S a, S b) { return S(float(a) * float(b)); }         \
  TPP_SIMT_INLINE S operator/(S a, S b) { return S(float(a) / float(b)); }

TPP_SIMT_SHORT_FLOAT(__nv_bfloat16, bfloat16_bits, bfloat16_value)
TPP_SIMT_SHORT_FLOAT(__half, half_bits, half_value)
using half = __half;

#define TPP_SIMT_SHORT_PAIR(P, S)                   \
  struct __attribute__((aligned(4))) P {            \
    S x, y;                                         \
    TPP_SIMT_VECTOR_COPIES(P)                       \
    TPP_SIMT_INLINE P(S x_, S y_) : x(x_), y(y_) {} \
  };
TPP_SIMT_SHORT_PAIR(__nv_bfloat162, __nv_bfloat16)
TPP_SIMT_SHORT_PAIR(__half2, __half)
using half2 = __half2;

TPP_SIMT_INLINE float __bfloat162float(__nv_bfloat16 v) { return v; }
TPP_SIMT_INLINE __nv_bfloat16 __float2bfloat16(float v) { return v; }
TPP_SIMT_INLINE __nv_bfloat16 __float2bfloat16_rn(float v) { return v; }
TPP_SIMT_INLINE float2 __bfloat1622float2(const __nv_bfloat162& v) { return {v.x, v.y}; }
TPP_SIMT_INLINE __nv_bfloat162 __floats2bfloat162_rn(float a, float b) { return {a, b}; }
TPP_SIMT_INLINE __nv_bfloat162 __float22bfloat162_rn(const float2& v) { return {v.x, v.y}; }
TPP_SIMT_INLINE float __half2float(__half v) { return v; }
TPP_SIMT_INLINE __half __float2half(float v) { return v; }
TPP_SIMT_INLINE __half __float2half_rn(float v) { return v; }
TPP_SIMT_INLINE float2 __half22float2(const __half2& v) { return {v.x, v.y}; }
TPP_SIMT_INLINE __half2 __floats2half2_rn(float a, float b) { return {a, b}; }

// --- Arithmetic ---------------------------------------------------------------------------------------

namespace simt_detail {
TPP_SIMT_INLINE float quick_exp(float x) { return std::exp(x); }
TPP_SIMT_INLINE float quick_log(float x) { return std::log(x); }
TPP_SIMT_INLINE float quick_pow(float x, float y) { return std::pow(x, y); }
TPP_SIMT_INLINE float quick_sin(float x) { return std::sin(x); }
TPP_SIMT_INLINE float quick_cos(float x) { return std::cos(x); }
}  // namespace simt_detail
// Macros, because the C library has functions of these names
#define __expf(x) simt_detail::quick_exp(x)
#define __logf(x) simt_detail::quick_log(x)
#define __powf(x, y) simt_detail::quick_pow(x, y)
#define __sinf(x) simt_detail::quick_sin(x)
#define __cosf(x) simt_detail::quick_cos(x)
TPP_SIMT_INLINE float __fdividef(float x, float y) { return x / y; }
TPP_SIMT_INLINE float __frcp_rn(float x) { return 1.0f / x; }
TPP_SIMT_INLINE float __fsqrt_rn(float x) { return std::sqrt(x); }
TPP_SIMT_INLINE float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
TPP_SIMT_INLINE float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f; }

TPP_SIMT_INLINE float __int_as_float(int v) { return std::bit_cast<float>(v); }
TPP_SIMT_INLINE float __uint_as_float(unsigned v) { return std::bit_cast<float>(v); }
TPP_SIMT_INLINE int __float_as_int(float v) { return std::bit_cast<int>(v); }
TPP_SIMT_INLINE unsigned __float_as_uint(float v) { return std::bit_cast<unsigned>(v); }
TPP_SIMT_INLINE int __popc(unsigned v) { return std::popcount(v); }
TPP_SIMT_INLINE int __clz(int v) { return std::countl_zero(static_cast<unsigned>(v)); }
TPP_SIMT_INLINE int __ffs(int v) {
  return v == 0 ? 0 : std::countr_zero(static_cast<unsigned>(v)) + 1;
}

#define TPP_SIMT_MIN_MAX(T)                                 \
  TPP_SIMT_INLINE T min(T a, T b) { return b < a ? b : a; } \
  TPP_SIMT_INLINE T max(T a, T b) { return a < b ? b : a; }
TPP_SIMT_MIN_MAX(int)
TPP_SIMT_MIN_MAX(unsigned)
TPP_SIMT_MIN_MAX(long)
TPP_SIMT_MIN_MAX(unsigned long)
TPP_SIMT_MIN_MAX(long long)
TPP_SIMT_MIN_MAX(unsigned long long)
TPP_SIMT_INLINE float min(float a, float b) { return std::fmin(a, b); }
TPP_SIMT_INLINE float max(float a, float b) { return std::fmax(a, b); }
TPP_SIMT_INLINE double min(double a, double b) { return std::fmin(a, b); }
TPP_SIMT_INLINE double max(double a, double b) { return std::fmax(a, b); }

namespace simt_detail {
TPP_SIMT_INLINE float reciprocal_root(float x) { return 1.0f / std::sqrt(x); }
}  // namespace simt_detail
#define rsqrtf(x) \
  simt_detail::reciprocal_root(x)  // a macro, because newer C libraries have the function

// --- What only a device has ---------------------------------------------------------------------------

[[noreturn]] inline void __trap() { tpp::simt::refuse("__trap"); }
[[noreturn]] inline void __nanosleep(unsigned) {
  tpp::simt::refuse(
      "__nanosleep: waiting until another thread or block changes memory does not work here, "
      "blocks "
      "run one after another; use a barrier or a second launch");
}
[[noreturn]] inline long long clock64() {
  tpp::simt::refuse("clock64: the emulator has no device time; measure on a GPU");
}

// --- Loads and stores with a hint -------------------------------------------------------------------

template <class T>
TPP_SIMT_QUIET T __ldg(const T* address) {
  TPP_SIMT_TOUCH(address, sizeof(T), tpp::simt::Access::kRead);
  T value;
  __builtin_memcpy(static_cast<void*>(&value), address, sizeof(T));
  return value;
}
template <class T>
TPP_SIMT_QUIET T __ldcs(const T* address) {
  TPP_SIMT_TOUCH(address, sizeof(T), tpp::simt::Access::kRead);
  T value;
  __builtin_memcpy(static_cast<void*>(&value), address, sizeof(T));
  return value;
}
template <class T>
TPP_SIMT_QUIET void __stcs(T* address, T value) {
  TPP_SIMT_TOUCH(address, sizeof(T), tpp::simt::Access::kWrite);
  __builtin_memcpy(static_cast<void*>(address), &value, sizeof(T));
}

}  // namespace TPP_SIMT_VARIANT
