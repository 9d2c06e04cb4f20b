// From probabilities to text: draw a token, append it, ask again.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "chapters/01_tensor/random.h"
#include "chapters/11_gpt/gpt.h"
#include "kernels/device/device.h"

namespace tpp {

struct SamplingConfig {
  double temperature = 0.8;  // logits are divided by it; 0: always the likeliest token
  int top_k = 0;             // only the k likeliest; 0: all
  double top_p = 1;          // only the fewest likeliest whose probabilities reach p
};

/// The distribution that a token is drawn from: softmax(logits/temperature), cut by top-k, then by
/// top-p, and normalised. The token that crosses p is kept.
///
/// Errors  InputError for a temperature below 0, top_k below 0, top_p outside (0, 1]
/// Paper   top-p: Holtzman et al. 2020, arXiv:1904.09751, section 3.1
[[nodiscard]] std::vector<double> sampling_distribution(std::span<const float> logits,
                                                        const SamplingConfig& config);

/// A token drawn from a distribution with one uniform number in [0, 1).
[[nodiscard]] int draw(std::span<const double> distribution, double uniform);

/// Continues a text, token by token. Every token is a whole forward pass over what the model can see:
/// keeping keys and values is chapter 22.
class Generator {
 public:
  /// `model` and `values` (laid out by its table) must outlive the generator, and so must `device`, if
  /// there is one: it is then sent the values as they are now.
  Generator(const Model<float>& model, const float* values, std::uint64_t seed,
            const Device* device = nullptr);

  /// Logits (V) of the token after `tokens`, of which the last T count. `tokens` must not be empty.
  [[nodiscard]] std::span<const float> logits(std::span<const int> tokens);

  /// The likeliest token at every place of one sequence of at most T tokens: how a model that was trained to fill
  /// blanks fills them.
  [[nodiscard]] std::vector<int> likeliest(std::span<const int> tokens);

  /// Append up to `count` tokens to `tokens`, calling `each` (if any) with every new one; stop when it
  /// returns false.
  void generate(std::vector<int>& tokens, int count, const SamplingConfig& config,
                const std::function<bool(int token)>& each = {});

 private:
  Var<float> forward(std::span<const int> tokens);

  const Model<float>& model_;
  float* values_;
  DeviceMemory on_device_, copies_;  // the values there
  Tape<float> tape_;
  std::vector<Var<float>> bound_;
  std::vector<float> logits_;
  Philox rng_;
};

}  // namespace tpp
