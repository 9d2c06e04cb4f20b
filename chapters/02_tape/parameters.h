// The parameters of a model: one flat buffer, and a table that says what stands where.
//
// The optimiser, the gradient norm, a checkpoint and the viewer all walk the same table. The gradients
// of a pass have the same layout, so a gradient is a second flat buffer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "chapters/01_tensor/random.h"
#include "chapters/01_tensor/tensor.h"

namespace tpp {

/// How a parameter starts: a constant, or normal numbers of this standard deviation.
struct Init {
  enum class Kind { constant, normal } kind = Kind::constant;
  double value = 0;
  Index tail_row = -1;  // rows from here on have the deviation `tail_value`; −1: none
  double tail_value = 0;

  static Init constant(double value) { return {.kind = Kind::constant, .value = value}; }
  static Init normal(double deviation) { return {.kind = Kind::normal, .value = deviation}; }
  static Init normal(double deviation, Index tail_row, double tail_deviation) {
    return {Kind::normal, deviation, tail_row, tail_deviation};
  }
};

struct ParameterInfo {
  std::string name;  // "block2/attn/wo"
  Index rows = 0;    // outputs, for a weight
  Index cols = 0;    // inputs, for a weight
  Index offset = 0;  // of its first number in the flat buffer
  Init init;
  bool decay = true;  // weight decay pulls on matrices, not on gains and biases
  [[nodiscard]] Index size() const { return rows * cols; }
};

/// What a model declares before it has memory.
class ParameterTable {
 public:
  /// Declare a (rows, cols) parameter; returns its number. Errors: ShapeError for a name twice or an
  /// empty shape.
  int add(std::string name, Index rows, Index cols, Init init, bool decay);
  /// A (1, cols) gain or bias: no decay.
  int add_row(std::string name, Index cols, double start) {
    return add(std::move(name), 1, cols, Init::constant(start), false);
  }

  [[nodiscard]] const std::vector<ParameterInfo>& list() const { return list_; }
  [[nodiscard]] const ParameterInfo& operator[](int i) const { return list_[std::size_t(i)]; }
  [[nodiscard]] int count() const { return int(list_.size()); }  // parameters
  [[nodiscard]] Index numbers() const { return numbers_; }       // numbers in all of them
  [[nodiscard]] Index extent() const { return extent_; }         // of the flat buffer, with gaps
  [[nodiscard]] int find(const std::string& name) const;         // −1 when it is not there

 private:
  std::vector<ParameterInfo> list_;
  Index numbers_ = 0;
  Index extent_ = 0;  // each parameter starts at a cache line
};

/// Fill `values` (extent numbers) as the table says. A parameter's numbers depend on the seed and its
/// name alone, so two models that share a parameter share its start.
template <Real T>
void initialise(const ParameterTable& table, std::uint64_t seed, T* values);

}  // namespace tpp
