// What every unit made of the normal distribution needs: rows as arrays, and constants.
#pragma once

#include <numbers>

#include "chapters/01_tensor/tensor.h"

namespace tpp {

/// One row, as an array: Eigen's exp, tanh, logistic and erf then work on eight floats at a time.
template <Real T>
using RowIn = const Eigen::Ref<const Eigen::Array<T, 1, Eigen::Dynamic, Eigen::RowMajor>>&;
template <Real T>
using RowOut = Eigen::Ref<Eigen::Array<T, 1, Eigen::Dynamic, Eigen::RowMajor>>;

template <Real T>
inline constexpr T kSqrtHalf = T(1 / std::numbers::sqrt2);
template <Real T>
inline constexpr T kNormalDensity = T(std::numbers::inv_sqrtpi / std::numbers::sqrt2);  // 1/√(2π)

// GELU's approximation by tanh: u = √(2/π)·(x + 0.044715·x³)
template <Real T>
inline constexpr T kGeluSlope = T(std::numbers::sqrt2* std::numbers::inv_sqrtpi);  // √(2/π)
template <Real T>
inline constexpr T kGeluCubic = T(0.044715);

}  // namespace tpp
