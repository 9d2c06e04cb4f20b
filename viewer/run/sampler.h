// Text written by the model of one step, a few tokens at a time, so that training hardly waits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chapters/01_tensor/random.h"
#include "chapters/02_tape/arena.h"
#include "chapters/11_gpt/sampling.h"
#include "chapters/31_transformer_pp/catalogue.h"

namespace tpp::viewer {

class Sampler {
 public:
  struct Text {
    std::string prompt, text;  // text goes on where the prompt ends
    long step = -1;            // of the weights that wrote it
    bool whole = false;
  };

  /// `run` must outlive the sampler. An empty prompt means the source's.
  explicit Sampler(const Run& run) : run_(run) {}

  void set_prompt(const std::string& prompt);
  void set_temperature(double temperature) { config_.temperature = temperature; }
  [[nodiscard]] const std::vector<int>& prompt_tokens();

  /// A model that was trained on hidden tokens writes no text: it fills a row of the validation data.
  [[nodiscard]] bool fills_blanks() const { return run_.options.objective == "masked"; }

  /// Start a text of `count` tokens with a copy of the weights as they are now.
  void start(int count);
  void stop() { left_ = 0; }
  [[nodiscard]] bool busy() const { return left_ > 0; }
  [[nodiscard]] long step() const { return current_.step; }  // of the text that is being written

  /// Write one token more. Only while busy().
  void advance();

  /// The newest text that is complete; while there is none, or with `partial`, what there is so far.
  [[nodiscard]] const Text& shown(bool partial) const;

  [[nodiscard]] std::size_t memory_bytes() const { return weights_.capacity() * sizeof(float); }

 private:
  const Run& run_;
  SamplingConfig config_;
  std::string prompt_;
  std::vector<int> prompt_tokens_;
  LineVector<float> weights_;  // of the step at which the text was started
  std::optional<Generator> generator_;
  std::vector<int> tokens_;  // prompt and text
  std::ptrdiff_t prompt_size_ = 0;
  int left_ = 0;
  Text current_, complete_;
};

}  // namespace tpp::viewer
