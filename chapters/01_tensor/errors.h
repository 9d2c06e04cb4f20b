// The two ways a caller can be wrong: a value that cannot be used, and shapes that do not fit.
#pragma once

#include <stdexcept>
#include <string>

namespace tpp {

/// What the reader asked for cannot be done: a file, an option, a checkpoint.
/// The message is one sentence or two: what is wrong, and what to do about it.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Two shapes do not fit. The message names both, and the place that called.
struct ShapeError : std::logic_error {
  using std::logic_error::logic_error;
};

}  // namespace tpp
