// What a twin's declaration may name: storage types, a stream, and a refusal. No CUDA, no Eigen.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace tpp {

/// A number of 16 bits with float's exponent and 8 bits of mantissa. Kernels see __nv_bfloat16; this is
/// the same memory for code that is not a kernel.
struct Bf16 {
  std::uint16_t bits;

  Bf16() = default;
  /// Round to nearest, ties to even; NaN stays NaN.
  explicit Bf16(float value) {
    const auto b = std::bit_cast<std::uint32_t>(value);
    const bool nan = (b & 0x7fffffffu) > 0x7f800000u;
    bits = nan ? std::uint16_t(0x7fff) : std::uint16_t((b + 0x7fffu + ((b >> 16) & 1u)) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t(bits) << 16); }
  explicit operator double() const { return double(float(*this)); }
};

/// What a twin's tensors may be stored as. Arithmetic is float.
template <class T>
concept Storage = std::same_as<T, float> || std::same_as<T, Bf16>;

namespace twin {

/// A cudaStream_t, for code that does not include CUDA.
using Stream = void*;

/// Whether a result replaces what stands in the output or is added to it.
enum class Write { set, add };

/// Throw std::invalid_argument with this sentence unless `condition` holds.
inline void require(bool condition, const char* sentence) {
  if (!condition) throw std::invalid_argument(sentence);
}

/// ⌈a / b⌉ for a ≥ 0, b > 0.
template <std::integral I>
constexpr I ceil_div(I a, I b) {
  return (a + b - 1) / b;
}

}  // namespace twin
}  // namespace tpp
