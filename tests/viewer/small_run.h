// A run small enough to train in a test, what it learns from, and what the trainer alone makes of it.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chapters/03_tokens/dataset.h"
#include "tests/testing.h"
#include "viewer/run/run_thread.h"

namespace tpp::viewer::testing {

inline constexpr double kPatience = 120;  // seconds; sanitizers are slow

inline Dataset story() {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "the fox saw the hen and the hen saw the fox. ";
  return {text, Tokenizer::bytes()};
}

inline std::unique_ptr<BatchSource> open_story(const RunOptions& options) {
  if (options.text != "story") throw InputError("There is no text '" + options.text + "'.");
  return std::make_unique<TextSource>(story(), options.seed);
}

inline RunOptions small_options(int layers = 1) {
  RunOptions options;
  options.layers = layers;
  options.width = 16;
  options.heads = 2;
  options.attention = "gqa:1";
  options.length = 16;
  options.batch = 4;
  options.steps = 200;
  options.warmup = 5;
  options.text = "story";
  options.threads = 1;
  return options;
}

inline RunThreadConfig quick_config(SourceOpener open = open_story) {
  RunThreadConfig config;
  config.open = std::move(open);
  config.background = false;
  config.sample_tokens = 12;
  return config;
}

using Values = std::map<std::string, std::vector<float>>;  // a parameter's numbers, by its name

inline Values values_of(const Run& run) {
  Values values;
  for (const ParameterInfo& info : run.model->table().list()) {
    const float* begin = run.trainer->values() + info.offset;
    values[info.name].assign(begin, begin + info.size());
  }
  return values;
}

/// What the trainer alone makes of the parameters in this many steps.
inline Values trained(const RunOptions& options, long steps,
                      std::vector<double>* losses = nullptr) {
  Run run = make_run(options, open_story(options));
  for (long i = 0; i < steps; ++i) {
    const StepReport report = run.trainer->step();
    if (losses) losses->push_back(report.loss);
  }
  return values_of(run);
}

/// The taps that a window would ask for to see them.
inline std::vector<std::string> names_of(const Values& values) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : values) names.push_back(name);
  return names;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

inline void require_same(const Frame& frame, const Values& values) {
  for (const auto& [name, expected] : values) {
    INFO(name);
    const TapValue* tap = frame.tap(name);
    REQUIRE(tap != nullptr);
    CHECK(same_bits(tap->data, expected));
  }
}

}  // namespace tpp::viewer::testing
