// Every value in this book is a row-major matrix: one row a token, one column a feature.
//
// A sequence of T tokens with D features is a (T, D) matrix. A batch of B sequences is the same
// thing, taller: (B·T, D), a sequence's rows standing together. Heads are blocks of columns. So two
// indices are enough for a whole Transformer, and Eigen, CUDA and the pictures agree on the memory.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "chapters/01_tensor/errors.h"

namespace tpp {

using Index = Eigen::Index;

/// float trains; double is the oracle of the tests.
template <class T>
concept Real = std::floating_point<T>;

// [snip mat]
template <Real T>
using Mat = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;  // (N, D)
template <Real T>
using RowVec = Eigen::Matrix<T, 1, Eigen::Dynamic, Eigen::RowMajor>;  // (D)
template <Real T>
using ColVec = Eigen::Matrix<T, Eigen::Dynamic, 1>;  // (N)
// [/snip]

/// Views of memory that somebody else owns: the tape's arena, the flat buffer of the parameters.
/// Rows may be further apart than they are long, so that a block of columns is a view, not a copy.
template <Real T>
using MatMap = Eigen::Map<Mat<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <Real T>
using ConstMatMap = Eigen::Map<const Mat<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <Real T>
using RowMap = Eigen::Map<RowVec<T>>;
template <Real T>
using ColMap = Eigen::Map<ColVec<T>>;

/// How a function takes a matrix that it reads, and one that it writes.
///
/// In binds to matrices, views and row or column blocks without a copy. A transpose or a column-major
/// matrix would be copied silently, so we never pass one. Out refuses such arguments when compiling.
///
/// The stride is Eigen's own default, spelled out from M: clang would name it after const M or M,
/// whichever a source file happened to mention first, and files would not link.
template <class M>
using StrideOf =
    std::conditional_t<bool(M::IsVectorAtCompileTime), Eigen::InnerStride<1>, Eigen::OuterStride<>>;
// [snip in_out]
template <class M>
using In = const Eigen::Ref<const M, 0, StrideOf<M>>&;
template <class M>
using Out = Eigen::Ref<M, 0, StrideOf<M>>;
// [/snip]

/// Whether a result replaces what stands in the output or is added to it.
enum class Write { set, add };

struct Shape {
  Index rows = 0;
  Index cols = 0;
  friend bool operator==(const Shape&, const Shape&) = default;
};

template <class M>
[[nodiscard]] Shape shape_of(const M& m) {
  return {m.rows(), m.cols()};
}

/// A place in the source: as a default argument, the place of the call.
struct Place {
  const char* file;
  int line;
  const char* function;

  // std::source_location would be the same, but clang 14 does not have it
  static constexpr Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE(),
                              const char* function = __builtin_FUNCTION()) {
    return {file, line, function};
  }
};

namespace detail {
[[noreturn]] void throw_shape_error(std::string_view what, Shape got, Shape want, Place at);
}

// [snip require_shape]
/// Throw ShapeError unless `got` is `want`: "rmsnorm: gain is (1, 8), wanted (1, 16)  [file:line]".
inline void require_shape(std::string_view what, Shape got, Shape want, Place at = Place::here()) {
  if (!(got == want)) detail::throw_shape_error(what, got, want, at);
}
// [/snip]

/// Throw ShapeError with this sentence unless `condition` holds.
void require(bool condition, std::string_view sentence, Place at = Place::here());

}  // namespace tpp
