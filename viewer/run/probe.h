// The probe: one fixed sequence of validation text, passed forward to see what the model makes of it.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "chapters/31_transformer_pp/catalogue.h"
#include "viewer/run/frame.h"

namespace tpp::viewer {

/// Owns a tape, so that nothing of the trainer is touched but the parameters, which it reads.
class Probe {
 public:
  /// Takes the first validation sequence of T tokens. `run` must outlive the probe.
  explicit Probe(const Run& run);

  /// Fill the frame's probe: tokens, labels, loss, and the values that are asked for.
  ///
  ///   "block2/attn/probs"      a value of the pass, or a parameter
  ///   "rms:block2/attn/out"    √(mean of squares) of each row of it, (rows, 1)
  ///   "grad:block2/attn/wo"    a parameter's gradient, of the step that was taken last
  ///
  /// Names that the model does not have are left out.
  void fill(Frame& frame, const std::vector<std::string>& wanted);

  /// What may come after `tokens`, likeliest first.
  [[nodiscard]] std::vector<NextToken> next(std::span<const int> tokens, int count);

  [[nodiscard]] std::size_t memory_bytes() const {
    return tape_.arena().capacity() + tape_.device_bytes();
  }

 private:
  void index_names();
  bool copy(const std::string& name, TapValue& out);
  Var<float> pass(std::span<const int> tokens, std::span<const int> targets);

  const Run& run_;
  Tape<float> tape_;                 // where the trainer has the parameters
  Batch batch_;                      // (1, T)
  std::vector<std::string> labels_;  // (T)
  std::vector<Var<float>> bound_;
  std::unordered_map<std::string, int> ids_;  // of the values on the tape
  int indexed_ = -1;                          // how many values there were
};

}  // namespace tpp::viewer
