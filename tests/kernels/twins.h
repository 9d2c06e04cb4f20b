// What the tests of the twins share: random inputs as they are stored, the double reference's answer, and how near to it
// a twin must come.
//
// A test is plain C++ and calls a twin by its name. Which twin that is, the linker decides: tpp_twin_tests has the
// emulator's, tpp_twin_tests_checked those whose every access is judged, tpp_twin_tests_gpu what nvcc made.
#pragma once

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "chapters/01_tensor/random.h"
#include "chapters/01_tensor/tensor.h"
#include "kernels/common/runtime.h"
#include "tests/testing.h"

namespace tpp::testing {

/// The relative size of one rounding of a stored number.
template <Storage S>
constexpr double rounding() {
  return std::is_same_v<S, float> ? 6e-8 : 3.9e-3;
}

template <Storage S>
std::string storage_name() {
  return std::is_same_v<S, float> ? "float" : "bf16";
}

/// Normal numbers, rounded to S: what the twin is given and, as double, what the reference is given.
template <Storage S>
struct Input {
  Mat<double> host;        // (rows, cols)
  twin::Buffer<S> device;  // rows · cols

  Input(Philox& rng, Index rows, Index cols, double deviation = 1)
      : Input(Mat<double>(random_normal<double>(rng, rows, cols) * deviation)) {}
  explicit Input(const Mat<double>& values) : host(values), device(std::size_t(values.size())) {
    std::vector<S> stored(std::size_t(host.size()));
    for (Index i = 0; i < host.size(); ++i) {
      stored[std::size_t(i)] = S(float(host.data()[i]));
      host.data()[i] = double(stored[std::size_t(i)]);
    }
    device = twin::Buffer<S>(stored);
  }
  [[nodiscard]] const S* data() const { return device.data(); }
  [[nodiscard]] RowVec<double> row() const { return host.row(0); }
};

/// A place for a twin's answer, filled with NaN: what is not written cannot pass.
template <Storage S>
struct Output {
  Index rows, cols;
  twin::Buffer<S> device;

  Output(Index rows_, Index cols_)
      : rows(rows_),
        cols(cols_),
        device(std::vector<S>(std::size_t(rows_ * cols_), S(std::nanf("")))) {}
  [[nodiscard]] S* data() { return device.data(); }
  [[nodiscard]] Mat<double> host() const {
    const std::vector<S> stored = device.to_host();
    Mat<double> values(rows, cols);
    for (Index i = 0; i < values.size(); ++i) values.data()[i] = double(stored[std::size_t(i)]);
    return values;
  }
};

/// Every number of `got` lies within `roundings` stored roundings of `want`, measured against the largest
/// of the number itself, the whole result's root-mean-square, and `terms`: the size of what cancels where
/// the result is zero. NaN fails.
template <Storage S>
void check_near(const Mat<double>& got, const Mat<double>& want, double roundings = 8,
                double terms = 1e-30) {
  REQUIRE(got.rows() == want.rows());
  REQUIRE(got.cols() == want.cols());
  const double size = std::sqrt(want.squaredNorm() / double(std::max<Index>(want.size(), 1)));
  double worst = 0;
  Index at = 0;
  for (Index i = 0; i < want.size(); ++i) {
    const double scale = std::max({std::abs(want.data()[i]), size, terms});
    const double error = std::abs(got.data()[i] - want.data()[i]) / scale / rounding<S>();
    if (!(error <= worst)) worst = error, at = i;
    if (std::isnan(error)) break;
  }
  INFO(storage_name<S>() << ", " << want.rows() << " × " << want.cols() << ": worst at ("
                         << at / std::max<Index>(want.cols(), 1) << ", "
                         << at % std::max<Index>(want.cols(), 1) << "): got " << got.data()[at]
                         << ", want " << want.data()[at] << ", " << worst << " roundings");
  CHECK(worst <= roundings);
}

/// Call `test.template operator()<S>()` for float and for bfloat16.
template <class F>
void for_each_storage(F&& test) {
  test.template operator()<float>();
  test.template operator()<Bf16>();
}

}  // namespace tpp::testing
