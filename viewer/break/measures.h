// What is measured of a run over some steps, to compare two of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "viewer/run/frame.h"

namespace tpp::viewer {

enum class Measure {
  loss,           // mean of the last ten steps
  validation,     // the last that was measured
  worst_loss,     // the largest of the steps
  gradient_norm,  // before clipping, median
  clipped,        // share of the steps
  update_size,    // of a step's change to the weights, relative to the weights; median
  entropy,        // of the attention's rows, bits, mean over layers, heads and queries
  sharpest,       // the largest weight of an attention row, mean over them
  copied,         // attention on the key behind the query: on the answer
  count,
};
constexpr int kMeasures = static_cast<int>(Measure::count);

struct MeasureInfo {
  std::string_view id;      // "gradient-norm": in files
  std::string_view name;    // "gradient norm"
  std::string_view detail;  // "median of the steps, before clipping"
  bool percent = false;
  bool nats = false;
};
[[nodiscard]] const MeasureInfo& info_of(Measure measure);

/// Over the steps after `from` up to `until`. NaN where there is nothing to measure it by.
[[nodiscard]] double measured(Measure measure, const History& history, const Frame& frame,
                              long from, long until);

/// Names on the tape that a frame must hold for it.
[[nodiscard]] std::vector<std::string> taps_of(Measure measure, const ModelConfig& config);

/// "1.93 nats", "35 %".
[[nodiscard]] std::string text_of(Measure measure, double value);

}  // namespace tpp::viewer
