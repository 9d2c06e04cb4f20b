// What exercises on matrices include, compiled once so that a student's file takes a second. Eigen's
// assertions become exceptions: an index out of range is a sentence, not a crash.
#pragma once

#include <stdexcept>
#include <string>

namespace tpp::learn {
[[noreturn]] inline void eigen_says_no(const char* condition) {
  throw std::logic_error(std::string("Eigen: an index or a size does not fit (") + condition + ")");
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
