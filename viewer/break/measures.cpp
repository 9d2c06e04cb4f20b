// What is measured of a run over some steps.
#include "viewer/break/measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>

namespace tpp::viewer {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr long kLast = 10;  // steps of the mean loss

constexpr std::array<MeasureInfo, kMeasures> kInfos{{
    {"loss", "training loss", "mean of the last ten steps", false, true},
    {"validation", "validation loss", "the last that was measured", false, true},
    {"worst-loss", "largest loss", "of all steps", false, true},
    {"gradient-norm", "gradient norm", "median of the steps, before clipping"},
    {"clipped", "steps clipped", "of all steps", true},
    {"update-size", "update over weight", "median of the steps"},
    {"entropy", "attention's entropy", "bits, mean of all rows"},
    {"sharpest", "largest weight of a row", "mean of all rows of attention", true},
    {"copied", "attention on the next token", "mean of all rows", true},
}};

double median(std::vector<double> values) {
  std::erase_if(values, [](double x) { return std::isnan(x); });
  if (values.empty()) return kNaN;
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string probs_name(Index layer) { return "block" + std::to_string(layer) + "/attn/probs"; }

/// The mean of what `row` says of each row of attention: its (L) weights, and the query's place.
double mean_of_rows(const Frame& frame, const std::function<double(const float*, int, int)>& row) {
  const int L = int(frame.config.T);
  double sum = 0;
  long rows = 0;
  for (Index layer = 0; layer < frame.config.layers; ++layer) {
    const TapValue* probs = frame.tap(probs_name(layer));
    if (!probs || probs->cols != L || L == 0) return kNaN;
    for (int r = 0; r < probs->rows; ++r, ++rows)
      sum += row(probs->data.data() + std::size_t(r) * std::size_t(L), L, r % L);
  }
  return rows > 0 ? sum / double(rows) : kNaN;
}

}  // namespace

const MeasureInfo& info_of(Measure measure) { return kInfos[std::size_t(measure)]; }

double measured(Measure measure, const History& history, const Frame& frame, long from,
                long until) {
  std::vector<double> values;
  const auto collect = [&](long after, auto&& value) {
    for (const StepScalars& s : history.steps) {
      if (s.step > after && s.step <= until) values.push_back(double(value(s)));
    }
  };
  const auto mean = [&] {
    double sum = 0;
    for (const double x : values) sum += x;
    return values.empty() ? kNaN : sum / double(values.size());
  };
  switch (measure) {
    case Measure::loss:
      collect(std::max(from, until - kLast), [](const StepScalars& s) { return s.loss; });
      return mean();
    case Measure::validation:
      collect(from, [](const StepScalars& s) { return s.validation; });
      std::erase_if(values, [](double x) { return std::isnan(x); });
      return values.empty() ? kNaN : values.back();
    case Measure::worst_loss:
      collect(from, [](const StepScalars& s) { return s.loss; });
      return values.empty() ? kNaN : *std::max_element(values.begin(), values.end());
    case Measure::gradient_norm:
      collect(from, [](const StepScalars& s) { return s.gradient_norm; });
      return median(values);
    case Measure::clipped:
      collect(from, [](const StepScalars& s) { return s.clip_scale < 1 ? 1 : 0; });
      return mean();
    case Measure::update_size:
      collect(from, [](const StepScalars& s) {
        double update = 0, weight = 0;
        for (const ParameterReport& p : s.parameters) {
          update += double(p.update_norm) * double(p.update_norm);
          weight += double(p.weight_norm) * double(p.weight_norm);
        }
        return weight > 0 ? std::sqrt(update / weight) : kNaN;
      });
      return median(values);
    case Measure::entropy:
      return mean_of_rows(frame, [](const float* p, int L, int) {
        double bits = 0;
        for (int s = 0; s < L; ++s)
          if (p[s] > 0) bits -= double(p[s]) * std::log2(double(p[s]));
        return bits;
      });
    case Measure::sharpest:
      return mean_of_rows(
          frame, [](const float* p, int L, int) { return double(*std::max_element(p, p + L)); });
    case Measure::copied:
      return mean_of_rows(
          frame, [](const float* p, int L, int t) { return t + 1 < L ? double(p[t + 1]) : 0; });
    case Measure::count:
      break;
  }
  return kNaN;
}

std::vector<std::string> taps_of(Measure measure, const ModelConfig& config) {
  std::vector<std::string> names;
  if (measure == Measure::entropy || measure == Measure::sharpest || measure == Measure::copied) {
    for (Index layer = 0; layer < config.layers; ++layer) names.push_back(probs_name(layer));
  }
  return names;
}

std::string text_of(Measure measure, double value) {
  if (!std::isfinite(value)) return "–";
  const MeasureInfo& info = info_of(measure);
  char text[48];
  if (info.percent) {
    std::snprintf(text, sizeof text, "%.0f %%", 100 * value);
  } else if (info.nats) {
    std::snprintf(text, sizeof text, "%.2f nats", value);
  } else {
    std::snprintf(text, sizeof text, std::abs(value) < 0.095 ? "%.1e" : "%.2f", value);
  }
  return text;
}

}  // namespace tpp::viewer
