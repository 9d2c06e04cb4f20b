// What exercises on matrices include, compiled once so that a student's file takes a second. Eigen's
// assertions become exceptions: an index out of range is a sentence, not a crash.
#pragma once

#include <stdexcept>
#include <string>

namespace tpp::learn {
[[noreturn]] inline void eigen_says_no(const std::string& condition) {
  const auto has = [&](const char* part) { return condition.find(part) != std::string::npos; };
  std::string words =
      "sizes do not fit (" + condition.substr(0, condition.find(" && \"")) + " does not hold)";
  if (has("invalid matrix product")) {
    words = "a matrix product whose inner sizes differ; number by number it is a.cwiseProduct(b)";
  } else if (has("BlockRows") || has("startRow >= 0") || has("start >= 0")) {
    words = "a row, a column or a part that the matrix does not have";
  } else if (has("row >= 0") || has("index >= 0")) {
    words = "an index outside of the matrix";
  } else if (has("rows() == ") || has("cols() == ") || has("size() == ")) {
    words = "an operation on two matrices of different sizes";
  }
  throw std::logic_error("Eigen: " + words);
}
}  // namespace tpp::learn
#undef eigen_assert
#define eigen_assert(condition) \
  ((condition) ? static_cast<void>(0) : ::tpp::learn::eigen_says_no(#condition))

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/01_tensor/random.h"
#include "chapters/01_tensor/tensor.h"
#include "chapters/02_tape/tape.h"
#include "tools/learn/check.h"
