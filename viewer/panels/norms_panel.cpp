#include "viewer/panels/norms_panel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>
#include <span>

#include "chapters/08_layernorm/placement.h"
#include "viewer/export.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/telling.h"
#include "viewer/view_context.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/heatmap.h"
#include "viewer/widgets/histogram.h"
#include "viewer/widgets/legend.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

enum class View { stream, norms, gains, values };
constexpr const char* kViews[] = {"stream", "norms", "gains", "values"};

/// An axis from a little below to a little above, through 0 when that is near.
struct Axis {
  double lo = 0, hi = 1;
};

}  // namespace

RmsRange rms_range(const TapValue* rms) {
  RmsRange out;
  if (!rms) return out;
  double sum = 0;
  int good = 0;
  for (const float x : rms->data) {
    ++out.count;
    if (!std::isfinite(x)) {
      ++out.bad;
      continue;
    }
    if (good == 0) out.min = out.max = x;
    out.min = std::min(out.min, x);
    out.max = std::max(out.max, x);
    sum += double(x);
    ++good;
  }
  out.mean = good ? float(sum / good) : kNaN;
  if (!good) out.min = out.max = kNaN;
  return out;
}

std::vector<DepthRms> stream_points(const Frame& f) {
  std::vector<DepthRms> points;
  const ModelConfig& c = f.config;
  if (c.layers < 1) return points;
  const bool after = c.placement == Placement::post || c.placement == Placement::deepnorm;
  points.push_back({"embed/out", "embed", {}});
  for (int l = 0; l < int(c.layers); ++l) {
    const std::string block = "block" + std::to_string(l);
    for (const char* part : {"attn", "ffn"})
      points.push_back({block + "/" + part + (after ? "/norm_out" : "/residual"),
                        std::to_string(l) + " " + part,
                        {}});
  }
  return points;
}

std::vector<NormWork> model_norms(const Frame& f) {
  std::vector<NormWork> norms;
  const ModelConfig& c = f.config;
  if (c.layers < 1) return norms;
  const bool in = uses_norm_in(c.placement), out = uses_norm_out(c.placement);
  const bool sandwich = c.placement == Placement::sandwich;
  std::string stream = "embed/out";
  for (int l = 0; l < int(c.layers); ++l) {
    for (const char* part : {"attn", "ffn"}) {
      const std::string at = "block" + std::to_string(l) + "/" + part;
      const std::string label = std::to_string(l) + " " + part;
      if (in) norms.push_back({stream, at + "/norm", at + "/norm/gain", label, {}, {}});
      if (out)
        norms.push_back({at + (sandwich ? "/out" : "/residual"),
                         at + "/norm_out",
                         at + "/norm_out/gain",
                         label + (sandwich ? " out" : ""),
                         {},
                         {}});
      stream = at + (out && !sandwich ? "/norm_out" : "/residual");
    }
  }
  const bool has_final =
      std::any_of(f.parameters.begin(), f.parameters.end(),
                  [](const ParameterInfo& p) { return p.name.starts_with("final/norm"); });
  if (has_final) norms.push_back({stream, "final/norm", "final/norm/gain", "final", {}, {}});
  return norms;
}

struct NormsPanel::State {
  PanelInfo info{"norms", "Norms", "12_rmsnorm", Slot::norms};
  View view = View::stream;

  bool known = false;
  const Frame *frame = nullptr, *other = nullptr;
  unsigned long version = 0, other_version = 0, selection_version = 0, drawn = 0;
  Compare compare = Compare::a;
  bool subtracted = false;  // all numbers are B − A
  std::string note;         // why they are not
  long step = 0;
  std::string kind;  // "rmsnorm"
  std::vector<DepthRms> stream;
  std::vector<NormWork> norms;
  float largest = kNaN;
  int missing = 0;  // points of the stream that were not recorded

  // Gains, one row a norm: what differs from 1
  std::vector<std::string> gain_labels, gain_names;
  std::vector<float> gains;          // (norms, D): gain − 1; −∞ beyond a shorter row
  std::vector<RmsRange> gain_range;  // of the gains themselves
  int gain_cols = 0;
  Heatmap gain_map;

  // Values of the chosen point of the stream
  std::string value_name, value_label;
  ValueStats values;
  double value_rms = 0, value_mean = 0;
  int value_rows = 0, value_cols = 0;

  std::string chosen_value(const Frame& f, const Selection& selection) const;
  void compute(const Frame& f, const Frame* b, const Selection& selection);

  // Numbers of one run, told
  std::optional<Told> tell_rms(const Frame& f, const std::string& name, bool of_norm) const;
  std::optional<Told> tell_gain(const Frame& f, const std::string& name, int feature) const;
  std::optional<Told> tell_mean_gain(const Frame& f, const std::string& name) const;
  enum class ValueWord { rms, mean, largest };
  std::optional<Told> tell_values(const ViewContext& context, ValueWord word) const;
  Told tell_bin(int bin) const;
  std::optional<Told> tell_logit(const Frame& f) const;
  Rgba colour(const ViewContext& context) const {
    return subtracted ? context.colours().text : context.run_colour();
  }
  void draw_view(ViewContext& context, View which, const Rect& r);
  void draw_stream(ViewContext& context, const Rect& r);
  void draw_norms(ViewContext& context, const Rect& r);
  void draw_gains(ViewContext& context, const Rect& r);
  void draw_values(ViewContext& context, const Rect& r);
};

NormsPanel::NormsPanel() : state_(std::make_unique<State>()) {}
NormsPanel::~NormsPanel() = default;
const PanelInfo& NormsPanel::info() const { return state_->info; }
const std::vector<DepthRms>& NormsPanel::stream() const { return state_->stream; }
const std::vector<NormWork>& NormsPanel::norms() const { return state_->norms; }
float NormsPanel::largest_logit() const { return state_->largest; }

std::string NormsPanel::State::chosen_value(const Frame& f, const Selection& selection) const {
  const std::vector<DepthRms> points = stream_points(f);
  if (points.empty()) return {};
  const std::optional<int> layer = selection.locked().layer;
  if (!layer || *layer < 0 || *layer >= int(f.config.layers)) return points.back().name;
  return points[std::size_t(2 * *layer + 2)].name;
}

std::vector<std::string> NormsPanel::taps(const ViewContext& context) const {
  const Frame* f = context.shown();
  if (!f || f->config.layers < 1) return {};
  std::vector<std::string> names{"logits", state_->chosen_value(*f, context.selection)};
  for (const DepthRms& point : stream_points(*f)) names.push_back("rms:" + point.name);
  for (const NormWork& norm : model_norms(*f)) {
    names.push_back("rms:" + norm.input);
    names.push_back("rms:" + norm.output);
    names.push_back(norm.gain);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void NormsPanel::update(const ViewContext& context) {
  State& s = *state_;
  const Frame* f = context.shown();
  if (!f || f->config.layers < 1) {
    s.known = false;
    s.frame = nullptr;
    return;
  }
  const Frame* other = context.compare == Compare::difference ? context.b : nullptr;
  const unsigned long other_version = other ? other->version : 0;
  if (s.known && f == s.frame && f->version == s.version && other == s.other &&
      other_version == s.other_version && context.compare == s.compare &&
      context.selection.version() == s.selection_version)
    return;
  s.other = other;
  s.other_version = other_version;
  s.compare = context.compare;
  s.known = true;
  s.frame = f;
  s.version = f->version;
  s.selection_version = context.selection.version();
  s.note.clear();
  if (other) {
    const auto names = [](const Frame& frame) {
      std::vector<std::string> all;
      for (const DepthRms& point : stream_points(frame)) all.push_back(point.name);
      for (const NormWork& norm : model_norms(frame)) all.push_back(norm.output);
      return all;
    };
    if (names(*f) != names(*other)) {
      s.note = "A and B have other layers or placements of norms: this is A.";
      other = nullptr;
    }
  }
  s.compute(*f, other, context.selection);
}

void NormsPanel::State::compute(const Frame& f, const Frame* b, const Selection& selection) {
  ++drawn;
  subtracted = b != nullptr;
  step = f.step;
  kind = f.options.norm;
  info.chapter = kind == "layernorm" ? "08_layernorm" : "12_rmsnorm";
  const auto rms = [&](const std::string& name) {
    RmsRange of_a = rms_range(f.tap("rms:" + name));
    if (!b) return of_a;
    const RmsRange of_b = rms_range(b->tap("rms:" + name));
    if (of_a.count == 0 || of_b.count == 0) return RmsRange{};
    of_a.bad += of_b.bad;
    of_a.min = of_a.max = of_a.mean = of_b.mean - of_a.mean;
    return of_a;
  };
  // B − A of whole values, where both have them in one shape
  std::vector<TapValue> differences;
  differences.reserve(model_norms(f).size() + 1);
  const auto tap = [&](const std::string& name) -> const TapValue* {
    const TapValue* of_a = f.tap(name);
    if (!b || !of_a) return of_a;
    const TapValue* of_b = b->tap(name);
    if (!of_b || of_b->rows != of_a->rows || of_b->cols != of_a->cols) return nullptr;
    TapValue& more = differences.emplace_back(*of_b);
    for (std::size_t i = 0; i < more.data.size(); ++i) more.data[i] -= of_a->data[i];
    return &more;
  };
  stream = stream_points(f);
  missing = 0;
  for (DepthRms& point : stream) {
    point.rms = rms(point.name);
    if (point.rms.count == 0) ++missing;
  }
  norms = model_norms(f);
  gain_labels.clear();
  gain_names.clear();
  gain_range.clear();
  gain_cols = 0;
  std::vector<const TapValue*> found;
  for (NormWork& norm : norms) {
    norm.before = rms(norm.input);
    norm.after = rms(norm.output);
    const TapValue* gain = tap(norm.gain);
    if (!gain || gain->data.empty()) continue;
    found.push_back(gain);
    gain_labels.push_back(norm.label);
    gain_names.push_back(norm.gain);
    gain_range.push_back(rms_range(gain));
    gain_cols = std::max(gain_cols, int(gain->data.size()));
  }
  gains.assign(found.size() * std::size_t(gain_cols), -std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t j = 0; j < found[i]->data.size(); ++j)
      gains[i * std::size_t(gain_cols) + j] =
          std::isfinite(found[i]->data[j]) ? found[i]->data[j] - (subtracted ? 0 : 1) : kNaN;
  if (found.empty()) {
    gain_map.clear();
  } else {
    gain_map.set({.data = gains.data(), .rows = int(found.size()), .cols = gain_cols}, drawn,
                 {Colormap::signed_, RangePolicy::percentile, {-1, 1}, true});
  }

  // The largest logit: what the softmax at the end starts from
  const auto largest_of = [](const Frame& frame) {
    float most = kNaN;
    if (const TapValue* logits = frame.tap("logits"))
      for (const float x : logits->data)
        if (std::isfinite(x) && !(x <= most)) most = x;
    return most;
  };
  largest = b ? largest_of(*b) - largest_of(f) : largest_of(f);

  value_name = chosen_value(f, selection);
  const TapValue* values_tap = tap(value_name);
  value_label.clear();
  for (const DepthRms& point : stream)
    if (point.name == value_name) value_label = point.label;
  values = {};
  value_rows = value_cols = 0;
  if (values_tap && !values_tap->data.empty()) {
    values = value_stats(values_tap->data);
    value_rows = values_tap->rows;
    value_cols = values_tap->cols;
    double sum = 0, squares = 0;
    for (const float x : values_tap->data) {
      if (!std::isfinite(x)) continue;
      sum += double(x);
      squares += double(x) * double(x);
    }
    const double n = double(std::max<std::int64_t>(1, values.finite));
    value_mean = sum / n;
    value_rms = std::sqrt(squares / n);
  }
}

// --- Drawing ---------------------------------------------------------------------------------------

namespace {

struct NormSource {
  const char *formula, *source;
};
NormSource norm_source(const std::string& kind) {
  if (kind == "layernorm")
    return {"y = (x − mean) / √(var + ε) ⊙ g + b",
            "chapters/08_layernorm/layernorm.cpp: layernorm"};
  if (kind == "scalenorm")
    return {"y = g · x / ‖x‖", "chapters/12_rmsnorm/scalenorm.cpp: scalenorm_forward"};
  return {"y = x / √(Σ_{D|d} x²/{D|D} + ε) ⊙ g",
          "chapters/12_rmsnorm/exercises/forward/reference.h: rmsnorm_forward"};
}

/// The numbers of a tap that are finite.
std::vector<double> finite_of(const TapValue& tap) {
  std::vector<double> out;
  for (const float x : tap.data)
    if (std::isfinite(x)) out.push_back(double(x));
  return out;
}
double sum_of(const std::vector<double>& terms) {
  double sum = 0;
  for (const double x : terms) sum += x;
  return sum;
}

}  // namespace

std::optional<Told> NormsPanel::State::tell_rms(const Frame& f, const std::string& name,
                                                bool of_norm) const {
  const TapValue* rms = f.tap("rms:" + name);
  if (!rms || rms->data.empty()) return {};
  const std::vector<double> rows = finite_of(*rms);
  const RmsRange range = rms_range(rms);
  Told told;
  told.name =
      "RMS of {*|" + name + "}, mean over {T|" + std::to_string(range.count) + "} positions";
  told.formula = "mean over {T|t} of √(Σ_{D|d} x[{T|t},{D|d}]² / {D|D})";
  if (of_norm) told.formula += ",  " + std::string(norm_source(f.options.norm).formula);
  told.value = double(range.mean);
  told.numbers = rows.empty() ? "NaN" + aside(" in every row")
                              : "(" + written_sum(rows) + ") / " + std::to_string(rows.size());
  if (range.bad > 0 && !rows.empty())
    told.numbers += aside(", and " + std::to_string(range.bad) + " rows that are not finite");
  told.note =
      ", from " + number_text(double(range.min), 3) + " to " + number_text(double(range.max), 3);
  told.why = of_norm
                 ? "Whatever size goes in, what comes out has the gain's: the next layer always "
                   "sees numbers of one size."
                 : "Each layer adds to this stream. One that adds little to a long stream changes "
                   "little.";
  told.source = of_norm ? norm_source(f.options.norm).source
                        : "chapters/08_layernorm/placement.h: residual_block";
  return told;
}

std::optional<Told> NormsPanel::State::tell_gain(const Frame& f, const std::string& name,
                                                 int feature) const {
  const TapValue* gain = f.tap(name);
  if (!gain || feature < 0 || feature >= int(gain->data.size())) return {};
  Told told;
  told.value = double(gain->data[std::size_t(feature)]);
  told.name = "{*|" + name + "}, feature {D|" + std::to_string(feature) + "}";
  told.formula = "g[{D|d}] = 1 + what was learned";
  told.numbers = "1 + " + in_sum(told.value - 1, 5);
  told.digits = 5;
  told.why =
      "Above 1 the layer listens to this feature more than to others; near 0 it is deaf to it.";
  told.source = norm_source(f.options.norm).source;
  return told;
}

std::optional<Told> NormsPanel::State::tell_mean_gain(const Frame& f,
                                                      const std::string& name) const {
  const TapValue* gain = f.tap(name);
  if (!gain || gain->data.empty()) return {};
  const std::vector<double> terms = finite_of(*gain);
  const RmsRange range = rms_range(gain);
  Told told;
  told.name = "Mean of {*|" + name + "}";
  told.formula = "Σ_{D|d} g[{D|d}] / {D|D}";
  told.numbers =
      terms.empty() ? "NaN" : "(" + written_sum(terms) + ") / " + std::to_string(terms.size());
  told.value = double(range.mean);
  told.note =
      ", from " + number_text(double(range.min), 3) + " to " + number_text(double(range.max), 3);
  told.why = "The size that this norm gives to its layer; it began at 1.";
  told.source = norm_source(f.options.norm).source;
  return told;
}

/// With two runs the values are B's less A's, and so are their sizes.
std::optional<Told> NormsPanel::State::tell_values(const ViewContext& context,
                                                   ValueWord word) const {
  const TapValue* tap = context.shown() ? context.shown()->tap(value_name) : nullptr;
  if (!tap || tap->data.empty()) return {};
  std::vector<double> terms = finite_of(*tap);
  if (subtracted) {
    const TapValue* of_b = context.b ? context.b->tap(value_name) : nullptr;
    if (!of_b || of_b->data.size() != tap->data.size()) return {};
    terms.clear();
    for (std::size_t i = 0; i < tap->data.size(); ++i)
      if (const float d = of_b->data[i] - tap->data[i]; std::isfinite(d))
        terms.push_back(double(d));
  }
  if (terms.empty()) return {};
  const std::string x = subtracted ? "(B − A)" : "x";
  std::vector<double> squares = terms;
  double most = 0;
  for (double& x : squares) {
    most = std::max(most, std::abs(x));
    x *= x;
  }
  const std::string count = whole_number((long long)(terms.size()));
  const double rms = std::sqrt(sum_of(squares) / double(terms.size()));
  Told told;
  told.source = "viewer/panels/norms_panel.cpp: tell_values";
  switch (word) {
    case ValueWord::rms:
      told.name = "RMS of {*|" + value_name + "}";
      told.formula = "√(Σ_{T|t} Σ_{D|d} " + x + "[{T|t},{D|d}]² / ({T|T}·{D|D}))";
      told.numbers = "√((" + written_sum(squares) + ") / " + count + ")";
      told.value = rms;
      told.why = "The size of a number of the stream. Near 1, every layer behind it learns well.";
      break;
    case ValueWord::mean:
      told.name = "Mean of {*|" + value_name + "}";
      told.formula = "Σ_{T|t} Σ_{D|d} " + x + "[{T|t},{D|d}] / ({T|T}·{D|D})";
      told.numbers = "(" + written_sum(terms) + ") / " + count;
      told.value = sum_of(terms) / double(terms.size());
      told.why = "LayerNorm takes it away, RMSNorm leaves it: it is small beside the RMS.";
      break;
    case ValueWord::largest:
      told.name = "Largest of {*|" + value_name + "}";
      told.formula = "max |" + x + "[{T|t},{D|d}]| / RMS";
      told.numbers = number_text(most, 5) + " / " + number_text(rms, 5);
      told.value = rms > 0 ? most / rms : kNaN;
      told.unit = "RMS";
      told.why =
          "A few features far outside the rest are usual in trained models; they are hard to "
          "round.";
      break;
  }
  return told;
}

/// Of the histogram that is shown: with two runs, of the differences.
Told NormsPanel::State::tell_bin(int bin) const {
  const double step_of =
      (double(values.max) - double(values.min)) / double(values.histogram.size());
  const double lo = double(values.min) + step_of * bin;
  const long long count = values.histogram[std::size_t(bin)];
  const long long all = (long long)(values.finite);
  Told told;
  told.name = "Values of {*|" + value_name + "} from " + number_text(lo, 3) + " to " +
              number_text(lo + step_of, 3);
  told.formula = "how many x[{T|t},{D|d}] lie there / {T|T}·{D|D}";
  told.numbers = whole_number(count) + " / " + whole_number(all);
  told.value = all > 0 ? double(count) / double(all) : kNaN;
  told.why = "The bars are logarithmic, so that a single stray value is seen.";
  told.source = "viewer/colormap.cpp: value_stats";
  return told;
}

std::optional<Told> NormsPanel::State::tell_logit(const Frame& f) const {
  const TapValue* logits = f.tap("logits");
  if (!logits || logits->data.empty()) return {};
  std::vector<float> sorted;
  for (const float x : logits->data)
    if (std::isfinite(x)) sorted.push_back(x);
  if (sorted.empty()) return {};
  const std::size_t count = std::min<std::size_t>(3, sorted.size());
  std::partial_sort(sorted.begin(), sorted.begin() + std::ptrdiff_t(count), sorted.end(),
                    std::greater<>());
  const auto at =
      std::find(logits->data.begin(), logits->data.end(), sorted[0]) - logits->data.begin();
  Told told;
  told.name = "Largest logit, at position {T|" + std::to_string(at / logits->cols) +
              "} for token {V|" + std::to_string(at % logits->cols) + "}";
  told.formula = "max over {T|t}, {V|v} of Σ_{D|d} x[{T|t},{D|d}]·" +
                 std::string(f.config.tied ? "E" : "U") + "[{V|v},{D|d}]";
  told.numbers = "max(";
  for (std::size_t i = 0; i < count; ++i)
    told.numbers += (i ? ", " : "") + number_text(double(sorted[i]), 5);
  told.numbers +=
      aside(", " + whole_number((long long)(logits->data.size() - count)) + " more") + ")";
  told.value = double(sorted[0]);
  told.why = "The last softmax starts from it. When it keeps growing, the softmax saturates.";
  told.source = "chapters/11_gpt/gpt.cpp: forward";
  return told;
}

namespace {

/// The frame of a small chart over places 0 … count − 1: numbers at the left, grid, labels below.
struct Chart {
  Rect plot;
  double lo = 0, hi = 1;
  int count = 1;

  float x(int i) const { return plot.x + (float(i) + 0.5f) / float(std::max(1, count)) * plot.w; }
  float y(double v) const {
    const double f = (v - lo) / (hi - lo);
    return plot.bottom() - float(std::clamp(f, -0.2, 1.2)) * plot.h;
  }
  int at(float px) const {
    return std::clamp(int((px - plot.x) / std::max(1.0f, plot.w) * float(count)), 0, count - 1);
  }
};

Chart begin_chart(Ui& ui, const Rect& r, std::span<const std::string> labels, double lo, double hi,
                  std::span<const int> block_starts) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  Chart c;
  c.count = int(labels.size());
  if (!(hi > lo)) hi = lo + 1;
  c.lo = lo > 0 && lo < 0.6 * hi ? 0 : lo - 0.08 * (hi - lo);
  if (lo >= 0) c.lo = std::max(0.0, c.lo);
  c.hi = hi + 0.08 * (hi - c.lo);
  const float line = t.font_size(Font::small);
  const std::vector<double> ticks =
      axis_ticks(c.lo, c.hi, std::clamp(int((r.h - line) / (2.4f * line)), 2, 6));
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 0;
  float left = 0;
  for (const double v : ticks)
    left = std::max(left, text_width(ui, Font::mono_small, axis_number(v, step)));
  left += t.px(6);
  c.plot = {r.x + left, r.y + t.px(2), std::max(8.0f, r.w - left),
            std::max(8.0f, r.h - line - t.px(7))};
  // Every second block on a ground of its own
  for (std::size_t b = 0; b < block_starts.size(); b += 2) {
    const int first = block_starts[b];
    const int last = b + 1 < block_starts.size() ? block_starts[b + 1] : first;
    const float w = c.plot.w / float(std::max(1, c.count));
    if (last > first)
      list->AddRectFilled(ImVec2(c.plot.x + float(first) * w, c.plot.y),
                          ImVec2(c.plot.x + float(last) * w, c.plot.bottom()),
                          with_alpha(p.raised, 110));
  }
  for (const double v : ticks) {
    const float y = std::floor(c.y(v));
    list->AddRectFilled(ImVec2(c.plot.x, y), ImVec2(c.plot.right(), y + 1), p.grid);
    put_text_right(ui, list, c.plot.x - t.px(5), std::floor(y - line / 2), p.muted,
                   axis_number(v, step), Font::mono_small);
  }
  // Labels, as many as do not touch
  float free_from = r.x;
  for (int i = 0; i < c.count; ++i) {
    const std::string& text = labels[std::size_t(i)];
    const float w = text_width(ui, Font::small, text);
    const float x = std::clamp(c.x(i) - w / 2, r.x, std::max(r.x, r.right() - w));
    if (x < free_from) continue;
    free_from = x + w + t.px(6);
    put_text(ui, list, std::floor(x), c.plot.bottom() + t.px(3), p.muted, text);
  }
  return c;
}

}  // namespace

void NormsPanel::State::draw_stream(ViewContext& context, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (missing == int(stream.size())) {
    put_note(context, r, "Waiting for the residual stream: it comes with the next frame.");
    return;
  }
  const float caption = t.font_size(Font::small) + t.px(4);
  const FontScope small(t, Font::small);
  put_text(
      context, list, r.x, r.y, p.muted,
      elide(subtracted ? "B − A: RMS of the residual stream by depth, mean over positions"
                       : "RMS of the residual stream by depth: mean over positions, band min – max",
            r.w));
  double lo = subtracted ? 0 : std::numeric_limits<double>::infinity(), hi = 0;
  std::vector<std::string> labels;
  std::vector<int> starts;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    const DepthRms& point = stream[i];
    labels.push_back(point.label);
    if (i % 2 == 1) starts.push_back(int(i));
    if (point.rms.count == 0 || !std::isfinite(point.rms.mean)) continue;
    lo = std::min(lo, double(point.rms.min));
    hi = std::max(hi, double(point.rms.max));
  }
  starts.push_back(int(stream.size()));
  const bool any = lo <= hi;
  const Rect area{r.x, r.y + caption, r.w, r.h - caption};
  const Chart c = begin_chart(context, area, labels, any ? lo : 0, any ? hi : 1, starts);

  const auto shown = [&](const RmsRange& v) { return v.count > 0 && std::isfinite(v.mean); };
  for (std::size_t i = 0; i + 1 < stream.size(); ++i) {
    const RmsRange &a = stream[i].rms, &b = stream[i + 1].rms;
    if (!shown(a) || !shown(b)) continue;
    const float xa = c.x(int(i)), xb = c.x(int(i) + 1);
    list->AddQuadFilled(ImVec2(xa, c.y(double(a.max))), ImVec2(xb, c.y(double(b.max))),
                        ImVec2(xb, c.y(double(b.min))), ImVec2(xa, c.y(double(a.min))),
                        with_alpha(colour(context), 60));
  }
  for (std::size_t i = 0; i + 1 < stream.size(); ++i) {
    const RmsRange &a = stream[i].rms, &b = stream[i + 1].rms;
    if (shown(a) && shown(b))
      list->AddLine(ImVec2(c.x(int(i)), c.y(double(a.mean))),
                    ImVec2(c.x(int(i) + 1), c.y(double(b.mean))), colour(context), t.px(2));
  }
  const std::optional<int> layer = context.selection.shown().layer;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    const RmsRange& v = stream[i].rms;
    const float x = c.x(int(i));
    if (v.bad > 0 || (v.count > 0 && !shown(v))) {
      const float y = shown(v) ? c.plot.y + t.px(8) : c.plot.y + c.plot.h / 2;
      put_text_middle(context, list, x, y, p.error, "NaN");
    }
    if (!shown(v)) continue;
    const bool marked = layer && i > 0 && int(i - 1) / 2 == *layer;
    list->AddCircleFilled(ImVec2(x, c.y(double(v.mean))), t.px(marked ? 5 : 3.5f),
                          marked ? p.lock_mark : colour(context), 16);
  }

  // Under the mouse
  ImGui::SetCursorScreenPos(ImVec2(c.plot.x, c.plot.y));
  const bool clicked = ImGui::InvisibleButton("norms/stream/plot", ImVec2(c.plot.w, c.plot.h));
  context.probe("norms/stream/plot");
  if (!ImGui::IsItemHovered()) return;
  const int i = c.at(ImGui::GetIO().MousePos.x);
  const DepthRms& point = stream[std::size_t(i)];
  if (i > 0) {
    context.selection.hover({.layer = (i - 1) / 2});
    if (clicked) context.selection.lock({.layer = (i - 1) / 2});
  }
  const float x = std::floor(c.x(i));
  list->AddRectFilled(ImVec2(x, c.plot.y), ImVec2(x + 1, c.plot.bottom()), with_alpha(p.text, 110));
  if (!tooltip_ready(context, "norms/stream/" + std::to_string(i)) || point.rms.count == 0) return;
  tell(
      context, [&](const Frame& f, const History*) { return tell_rms(f, point.name, false); },
      subtracted);
}

void NormsPanel::State::draw_norms(ViewContext& context, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const bool any_known =
      std::any_of(norms.begin(), norms.end(), [](const NormWork& n) { return n.before.count > 0; });
  if (!any_known) {
    put_note(context, r,
             "Waiting for the norms' inputs and outputs: they come with the next frame.");
    return;
  }
  // With two runs the colour says which, and the shape what
  const Rgba in = context.b ? colour(context) : p.run_a, out = context.b ? in : p.run_b;
  const float caption = t.font_size(Font::small) + t.px(4);
  const float line = t.font_size(Font::small);
  float x = r.x;
  x += put_text(context, list, x, r.y, p.muted,
                subtracted ? "B − A: RMS of each norm's" : "RMS of each norm's") +
       t.px(12);
  compat::add_polyline(list,
                       std::vector<ImVec2>{{x - t.px(4), r.y + line / 2},
                                           {x, r.y + line / 2 - t.px(4)},
                                           {x + t.px(4), r.y + line / 2},
                                           {x, r.y + line / 2 + t.px(4)}}
                           .data(),
                       4, in, true, t.px(1.5f));
  x += t.px(8);
  x += put_text(context, list, x, r.y, p.text, "input") + t.px(14);
  list->AddCircleFilled(ImVec2(x, r.y + line / 2), t.px(4), out, 16);
  x += t.px(8);
  x += put_text(context, list, x, r.y, p.text, "output") + t.px(14);
  put_text(context, list, x, r.y, p.muted, kind);

  double lo = std::numeric_limits<double>::infinity(), hi = 0;
  std::vector<std::string> labels;
  for (const NormWork& n : norms) {
    labels.push_back(n.label);
    for (const RmsRange& v : {n.before, n.after}) {
      if (v.count == 0 || !std::isfinite(v.mean)) continue;
      lo = std::min(lo, double(v.mean));
      hi = std::max(hi, double(v.mean));
    }
  }
  const bool any = lo <= hi;
  const Rect area{r.x, r.y + caption, r.w, r.h - caption};
  const Chart c = begin_chart(context, area, labels, any ? std::min(0.0, lo) : 0, any ? hi : 1, {});
  const auto shown = [](const RmsRange& v) { return v.count > 0 && std::isfinite(v.mean); };
  for (std::size_t i = 0; i < norms.size(); ++i) {
    const NormWork& n = norms[i];
    const float px = c.x(int(i));
    if (n.before.bad > 0 || n.after.bad > 0)
      put_text_middle(context, list, px, c.plot.y + t.px(4), p.error, "NaN");
    if (shown(n.before) && shown(n.after)) {
      const float ya = c.y(double(n.before.mean)), yb = c.y(double(n.after.mean));
      list->AddRectFilled(ImVec2(px - t.px(1), std::min(ya, yb)),
                          ImVec2(px + t.px(1), std::max(ya, yb)), with_alpha(p.muted, 130));
    }
    if (shown(n.after))
      list->AddCircleFilled(ImVec2(px, c.y(double(n.after.mean))), t.px(4), out, 16);
    if (shown(n.before)) {
      const float y = c.y(double(n.before.mean)), d = t.px(4);
      const ImVec2 corners[] = {{px - d, y}, {px, y - d}, {px + d, y}, {px, y + d}};
      list->AddQuadFilled(corners[0], corners[1], corners[2], corners[3], p.panel);
      compat::add_polyline(list, corners, 4, in, true, t.px(1.5f));
    }
  }
  ImGui::SetCursorScreenPos(ImVec2(c.plot.x, c.plot.y));
  const bool clicked = ImGui::InvisibleButton("norms/norms/plot", ImVec2(c.plot.w, c.plot.h));
  context.probe("norms/norms/plot");
  if (!ImGui::IsItemHovered()) return;
  const int i = c.at(ImGui::GetIO().MousePos.x);
  const NormWork& n = norms[std::size_t(i)];
  const Place place{.parameter = n.gain};
  context.selection.hover(place);
  if (clicked) context.selection.lock(place);
  // The input's or the output's, whichever is nearer to the mouse
  const float my = ImGui::GetIO().MousePos.y;
  const auto far = [&](const RmsRange& v) {
    return shown(v) ? std::abs(c.y(double(v.mean)) - my) : std::numeric_limits<float>::max();
  };
  const bool of_output = far(n.after) <= far(n.before);
  if (!tooltip_ready(context, "norms/norms/" + std::to_string(i) + (of_output ? "/out" : "/in")))
    return;
  tell(
      context,
      [&](const Frame& f, const History*) {
        return tell_rms(f, of_output ? n.output : n.input, of_output);
      },
      subtracted);
}

void NormsPanel::State::draw_gains(ViewContext& context, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (gain_map.empty()) {
    put_note(context, r, "Waiting for the gains: they come with the next frame.");
    return;
  }
  const float line = t.font_size(Font::small), caption = line + t.px(6);
  const FontScope small(t, Font::small);

  // The colours' meaning, in one line
  const float most = gain_map.range().hi;
  float x = r.x;
  x += put_text(context, list, x, r.y, p.muted,
                subtracted ? "gain by feature, B − A" : "gain − 1 by feature") +
       t.px(10);
  const std::string ends = number_text(double(most), 2);
  x += put_text(context, list, x, r.y, p.text, "−" + ends, Font::mono_small) + t.px(5);
  const std::array<Rgba, 256>& colours = colormap_table(Colormap::signed_);
  const float w = t.px(80), h = t.px(8), top = std::floor(r.y + (line - h) / 2) + t.px(1);
  const float colours_x = x;
  for (int k = 0; k < 32; ++k) {
    const Rgba ca = colours[std::size_t(k * 255 / 32)],
               cb = colours[std::size_t((k + 1) * 255 / 32)];
    list->AddRectFilledMultiColor(ImVec2(x + w * float(k) / 32, top),
                                  ImVec2(x + w * float(k + 1) / 32, top + h), ca, cb, cb, ca);
  }
  x += w + t.px(5);
  x += put_text(context, list, x, r.y, p.text, "+" + ends, Font::mono_small) + t.px(10);
  const std::string tail = "1 % – 99 %";
  const float range_w = std::min(t.px(150), r.w * 0.3f);
  if (x + text_width(context, Font::small, tail) < r.right() - range_w)
    put_text(context, list, x, r.y, p.muted, tail);

  // The strip, and each norm's mean and range at the right
  const float map_w = r.w - range_w - t.px(12);
  ImGui::SetCursorScreenPos(ImVec2(r.x, r.y + caption));
  const float title_h = t.font_size(Font::small) + t.px(4);
  HeatmapOptions o;
  o.size = ImVec2(map_w, r.h - caption);
  o.row_labels = gain_labels;
  o.col_title = gain_cols > 1 ? "feature" : "one gain for all features";
  o.col_dim = Dim::width;
  const std::optional<std::string> parameter = context.selection.shown().parameter;
  for (std::size_t i = 0; i < gain_names.size(); ++i)
    if (parameter == gain_names[i]) o.mark_row = int(i);
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2(0, 0));  // nothing comes below
  const HeatmapHit hit = gain_map.draw(context, "norms/gains/map", o);
  ImGui::PopStyleVar();
  const float map_top = r.y + caption + title_h;
  const float row = (r.bottom() - map_top) / float(std::max<std::size_t>(1, gain_range.size()));
  const double neutral = subtracted ? 0 : 1;
  double lo = neutral, hi = neutral;
  for (const RmsRange& g : gain_range) {
    if (!std::isfinite(g.mean)) continue;
    lo = std::min(lo, double(g.min));
    hi = std::max(hi, double(g.max));
  }
  if (!(hi > lo)) {
    lo -= 0.1;
    hi += 0.1;
  }
  const float x0 = r.right() - range_w, x1 = r.right();
  const auto place = [&](double v) { return x0 + float((v - lo) / (hi - lo)) * (x1 - x0); };
  put_text(context, list, x0, r.y, p.muted, "mean, min – max");
  put_text(context, list, x0, r.y + caption, p.muted, number_text(lo, 3), Font::mono_small);
  put_text_right(context, list, x1, r.y + caption, p.muted, number_text(hi, 3), Font::mono_small);
  const float one = std::floor(place(neutral));
  list->AddRectFilled(ImVec2(one, map_top), ImVec2(one + 1, r.bottom()), p.guide);
  for (std::size_t i = 0; i < gain_range.size(); ++i) {
    const RmsRange& g = gain_range[i];
    const float y = std::floor(map_top + (float(i) + 0.5f) * row);
    if (!std::isfinite(g.mean)) {
      put_text(context, list, x0, std::floor(y - line / 2), p.error, "NaN");
      continue;
    }
    list->AddRectFilled(ImVec2(place(double(g.min)), y - t.px(1)),
                        ImVec2(place(double(g.max)), y + t.px(1)),
                        with_alpha(colour(context), 150));
    list->AddCircleFilled(ImVec2(place(double(g.mean)), y), t.px(3.5f), colour(context), 12);
  }

  LegendSpec spec{Colormap::signed_, gain_map.range(), RangePolicy::percentile, nullptr,
                  subtracted ? "a gain, B − A" : "a gain − 1"};
  const float bar_x = colours_x;
  if (resting_on(context, "norms/gains/colours", {bar_x, r.y, w, line})) {
    const float u = std::clamp((ImGui::GetIO().MousePos.x - bar_x) / w, 0.0f, 1.0f);
    draw_tooltip(context, explanation_of(told_colour(spec, double(u))));
  }
  const Rect ranges{x0, map_top, range_w, r.bottom() - map_top};
  context.probes.record("norms/gains/means", ranges);
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  if (ImGui::IsWindowHovered() && ranges.contains(mouse.x, mouse.y) && !gain_names.empty()) {
    const int i = std::clamp(int((mouse.y - map_top) / row), 0, int(gain_names.size()) - 1);
    const std::string& name = gain_names[std::size_t(i)];
    context.selection.hover({.parameter = name});
    if (tooltip_ready(context, "norms/gains/means/" + std::to_string(i)))
      tell(
          context, [&](const Frame& f, const History*) { return tell_mean_gain(f, name); },
          subtracted);
  }
  if (!hit.hovered || hit.row >= int(gain_names.size())) return;
  const std::string& name = gain_names[std::size_t(hit.row)];
  context.selection.hover({.parameter = name});
  if (hit.clicked) context.selection.lock({.parameter = name});
  if (hit.masked || !tooltip_ready(context, "norms/gain/" + std::to_string(hit.row) + "/" +
                                                std::to_string(hit.col)))
    return;
  tell(
      context, [&](const Frame& f, const History*) { return tell_gain(f, name, hit.col); },
      subtracted);
}

void NormsPanel::State::draw_values(ViewContext& context, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (value_rows == 0) {
    put_note(context, r, "Waiting for the values of this layer: they come with the next frame.");
    return;
  }
  const FontScope small(t, Font::small);
  const float line = t.font_size(Font::small) + t.px(4);
  put_text(context, list, r.x, r.y, p.muted,
           elide((subtracted ? "B − A: " : "") + std::string("residual stream after ") +
                     value_label + ": " + std::to_string(value_rows) + " positions × " +
                     std::to_string(value_cols) + " features",
                 r.w));
  float x = r.x;
  const float y = r.y + line;
  const auto word = [&](const std::string& name, const std::string& value, Rgba colour,
                        const char* id = nullptr, ValueWord which = {}) {
    if (x + text_width(context, Font::small, name + value) + t.px(6) > r.right()) return;
    const float from = x;
    x += put_text(context, list, x, y, p.muted, name) + t.px(6);
    x += put_text(context, list, x, y, colour, value);
    if (id && resting_on(context, id, {from, y, x - from, line})) {
      if (const std::optional<Told> told = tell_values(context, which))
        tell_one(context, subtracted ? Compare::difference : context.compare, *told);
    }
    x += t.px(16);
  };
  const double extreme = std::max(std::fabs(double(values.min)), std::fabs(double(values.max)));
  word("RMS", number_text(value_rms, 3), p.text, "norms/values/rms", ValueWord::rms);
  word("mean", number_text(value_mean, 2), p.text, "norms/values/mean", ValueWord::mean);
  word("largest |x|", value_rms > 0 ? number_text(extreme / value_rms, 2) + " RMS" : "–",
       extreme > 20 * value_rms ? p.warning : p.text, "norms/values/largest", ValueWord::largest);
  if (values.nan > 0) word("NaN", std::to_string(values.nan), p.error);
  word("counts", "logarithmic", p.muted);
  ImGui::SetCursorScreenPos(ImVec2(r.x, y + line));
  const int bin = draw_histogram(context, "norms/values/plot", values.histogram,
                                 {.size = ImVec2(r.w, std::max(t.px(24), r.bottom() - y - line)),
                                  .lo = double(values.min),
                                  .hi = double(values.max),
                                  .log_counts = true});
  if (bin >= 0 && values.finite > 0 &&
      tooltip_ready(context, "norms/values/" + std::to_string(bin)))
    tell_one(context, subtracted ? Compare::difference : context.compare, tell_bin(bin));
}

void NormsPanel::State::draw_view(ViewContext& context, View which, const Rect& r) {
  switch (which) {
    case View::stream:
      return draw_stream(context, r);
    case View::norms:
      return draw_norms(context, r);
    case View::gains:
      return draw_gains(context, r);
    case View::values:
      return draw_values(context, r);
  }
}

void NormsPanel::draw(ViewContext& context) {
  State& s = *state_;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const Rect r = context.rect;
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (!s.known) {
    put_note(context, r,
             "The sizes of what flows through the model appear here when the run has begun.");
    return;
  }
  const float header = t.px(22), gap = t.px(6);

  // The largest logit is always in sight: it is what blows up first
  const std::string logit = std::isnan(s.largest) ? "–" : number_text(double(s.largest), 3);
  const float value_w = text_width(context, Font::small, logit);
  const float ty = std::floor(r.y + (header - t.font_size(Font::small)) / 2);
  put_text_right(context, list, r.right(), ty, p.text, logit);
  if (resting_on(context, "norms/logit",
                 {r.right() - value_w - t.px(80), r.y, value_w + t.px(80), header}))
    tell(
        context, [&](const Frame& f, const History*) { return s.tell_logit(f); }, s.subtracted);
  const std::string words = s.subtracted ? "largest logit, B − A" : "largest logit";
  const float words_w = text_width(context, Font::small, words);
  const bool large = r.w >= t.px(900) && r.h >= t.px(420);
  const Choice choices[] = {
      {"stream", "Stream"}, {"norms", "Norms"}, {"gains", "Gains"}, {"values", "Values"}};
  const float tabs_w = large ? 0 : choices_width(context, choices);
  if (tabs_w + words_w + value_w + t.px(20) < r.w)
    put_text_right(context, list, r.right() - value_w - t.px(6), ty, p.muted, words);

  Rect body{r.x, r.y + header + gap, r.w, std::max(1.0f, r.h - header - gap)};
  if (!s.note.empty()) {
    const float line = put_wrapped(context, list, body.x, body.y, body.w, p.warning, s.note);
    body.y += line + gap;
    body.h = std::max(1.0f, body.h - line - gap);
  }
  if (large) {
    // All four at once when there is room
    const float space = t.px(24), w = (body.w - space) / 2, h = (body.h - space) / 2;
    for (int i = 0; i < 4; ++i)
      s.draw_view(context, View(i),
                  {body.x + float(i % 2) * (w + space), body.y + float(i / 2) * (h + space), w, h});
    return;
  }
  const int chosen = put_choices(context, "norms/view", r.x, r.y, header, choices, int(s.view));
  if (chosen >= 0) s.view = View(chosen);
  s.draw_view(context, s.view, body);
}

std::string NormsPanel::explain() const {
  return "A layer learns well when the numbers that it sees have a size near 1. Stream: each layer "
         "adds its output to the residual stream, so its root-mean-square grows with depth; a norm "
         "in front of every layer makes that harmless. Norms: the same RMS before and after each "
         "norm. Gains: what the norms have learned, feature by feature; they start at 1. Values: "
         "the numbers themselves, after the layer that is locked; a few features far outside the "
         "rest are usual in trained models.\n\nThe largest logit is what the last softmax starts "
         "from. When it keeps growing, the softmax saturates and training may blow up.\n\nWith two "
         "runs, B − A subtracts A's sizes from B's.";
}

void NormsPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known || s.missing == int(s.stream.size())) return;
  out << "kind,name,rms_mean,rms_min,rms_max,rms_before,rms_after\n";
  for (const DepthRms& point : s.stream)
    out << "stream," << csv_field(point.name) << ',' << point.rms.mean << ',' << point.rms.min
        << ',' << point.rms.max << ",,\n";
  for (const NormWork& n : s.norms)
    out << "norm," << csv_field(n.output) << ",,,," << n.before.mean << ',' << n.after.mean << '\n';
  for (std::size_t i = 0; i < s.gain_names.size(); ++i)
    out << "gain," << csv_field(s.gain_names[i]) << ',' << s.gain_range[i].mean << ','
        << s.gain_range[i].min << ',' << s.gain_range[i].max << ",,\n";
}

std::string NormsPanel::settings() const { return kViews[int(state_->view)]; }
void NormsPanel::restore(const std::string& text) {
  for (int i = 0; i < 4; ++i)
    if (text == kViews[i]) state_->view = View(i);
}

}  // namespace tpp::viewer
