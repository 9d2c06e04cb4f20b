#include "viewer/panels/gradients_panel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <ostream>

#include "viewer/export.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/telling.h"
#include "viewer/view_context.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/heatmap.h"
#include "viewer/widgets/legend.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr float kNothing = -std::numeric_limits<float>::infinity();
constexpr double kLeastRatio = 1e-6, kMostRatio = 1e-1, kGuide = 1e-3;

/// The larger of two; what is not finite outdoes every number.
float worse(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  return std::max(a, b);
}

/// "block2/attn/wo" belongs to "2 attn", "embed/table" to "embed".
std::string group_of(const std::string& name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return name;
  if (!name.starts_with("block")) return name.substr(0, slash);
  const std::size_t second = name.find('/', slash + 1);
  return name.substr(5, slash - 5) + " " + name.substr(slash + 1, second - slash - 1);
}

}  // namespace

void MaxTable::clear(int width) {
  width_ = width;
  size_ = 0;
  levels_.clear();
}

void MaxTable::push(const std::vector<float>& row) {
  const auto w = std::size_t(width_);
  if (levels_.empty()) levels_.emplace_back();
  for (std::size_t i = 0; i < w; ++i) levels_[0].push_back(i < row.size() ? row[i] : kNothing);
  ++size_;

  // A block that has become whole becomes a row of the level above
  long rows = size_;
  for (std::size_t k = 0; rows % kFan == 0; ++k) {
    if (levels_.size() <= k + 1) levels_.emplace_back();
    const std::vector<float>& from = levels_[k];
    const std::size_t first = std::size_t(rows - kFan) * w;
    for (std::size_t i = 0; i < w; ++i) {
      float most = from[first + i];
      for (std::size_t j = 1; j < std::size_t(kFan); ++j)
        most = worse(most, from[first + j * w + i]);
      levels_[k + 1].push_back(most);
    }
    rows /= kFan;
  }
}

void MaxTable::largest(long begin, long end, std::vector<float>& out) const {
  out.assign(std::size_t(width_), kNothing);
  begin = std::max(0L, begin);
  end = std::min(end, size_);
  while (begin < end) {
    // The largest whole block that starts here and does not reach beyond
    std::size_t k = 0;
    long block = 1;
    while (k + 1 < levels_.size() && begin % (block * kFan) == 0 && begin + block * kFan <= end) {
      block *= kFan;
      ++k;
    }
    const float* row = levels_[k].data() + std::size_t(begin / block) * std::size_t(width_);
    for (std::size_t i = 0; i < std::size_t(width_); ++i) out[i] = worse(out[i], row[i]);
    begin += block;
  }
}

struct GradientsPanel::State {
  PanelInfo info{"gradients", "Gradients", "10_optimizer", Slot::gradients};

  struct Parameter {
    std::string name, group;
    Index rows = 0, cols = 0;
  };
  struct Group {
    std::string name;
    int first = 0, count = 0;
  };
  std::vector<Parameter> parameters;
  std::vector<Group> groups;

  // All steps
  const History* history = nullptr;
  unsigned long epoch = 0;
  long taken = 0, last_taken = -1;

  // Run B beside A, row by row and step by step, for B − A
  bool subtracted = false;
  MaxTable table_b;
  std::vector<int> in_b;  // (parameters) the same one in B; −1: B has none of that shape
  std::vector<std::string> names_b;
  unsigned long epoch_b = 0, anew = 0, anew_b = 0;
  long taken_b = 0;  // rows of table_b
  int not_shared = 0;
  std::vector<ParameterReport> reports_b;  // of step `at`, in A's order
  MaxTable table;                          // gradient norms
  std::vector<std::uint32_t> clips;        // how many steps before i were clipped: (taken + 1)
  std::vector<long> steps;                 // their numbers
  bool known = false;

  // The view: how many steps, and the one after the last; `span` 0 means all
  long span = 0;
  long end = -1;  // −1: follow the newest
  int map_width = 480;
  float grabbed_at = 0;  // where a drag began, and what was last in view then
  long grabbed_to = 0;
  bool grabbed = false, dragged = false;

  // What is shown
  long from = 0, to = 0, bucket = 1;
  Heatmap map;
  std::vector<float> cells;          // (parameters, columns) log₁₀
  std::vector<float> clipped_share;  // (columns)
  unsigned long drawn = 0;
  std::uint64_t shown_key[6] = {};
  long at = -1;                          // the step whose numbers stand at the right, by index
  long measured = -1;                    // the step whose ratios were measured, by index
  std::vector<ParameterReport> reports;  // of step `at`
  std::vector<double> ratio;
  double bars_lo = 1e-4, bars_hi = 1;
  StepScalars scalars;  // of step `at`, without its parameters

  void take_table(const Frame& f);
  void take_steps(const History& h);
  void take_b(const Frame& a, const Frame& b, const History& h);
  void compute_map();
  void compute_now(const ViewContext& context);
  int columns() const { return parameters.empty() ? 0 : int(cells.size() / parameters.size()); }
  long index_of(long step) const;

  void draw_header(ViewContext& context, const Rect& r) const;
  void draw_groups(ViewContext& context, const Rect& r, float top, float row) const;
  void draw_bars(ViewContext& context, const Rect& r, float row, int marked) const;
  bool move_view(const Rect& rect, bool over, bool pressed);  // true for a click that was no drag

  // Numbers of one run, told. Steps by their numbers: the two runs may have begun at different ones
  std::optional<Told> tell_gradient(const Frame& f, const History& h, int parameter, long first,
                                    long last) const;
  std::optional<Told> tell_update(const Frame& f, const History& h, int parameter, long step) const;
  std::optional<Told> tell_clip(const Frame& f, const History& h, long first, long last) const;
  void tell_gradients(ViewContext& context, int parameter, long first, long last) const;
};

GradientsPanel::GradientsPanel() : state_(std::make_unique<State>()) {}
GradientsPanel::~GradientsPanel() = default;
const PanelInfo& GradientsPanel::info() const { return state_->info; }
int GradientsPanel::columns() const { return state_->columns(); }
long GradientsPanel::first_step() const {
  const State& s = *state_;
  return s.from < s.to ? s.steps[std::size_t(s.from)] : -1;
}
long GradientsPanel::last_step() const {
  const State& s = *state_;
  return s.from < s.to ? s.steps[std::size_t(s.to - 1)] : -1;
}
float GradientsPanel::cell(int row, int column) const {
  const State& s = *state_;
  return s.cells[std::size_t(row) * std::size_t(s.columns()) + std::size_t(column)];
}
const std::vector<double>& GradientsPanel::ratios() const { return state_->ratio; }

void GradientsPanel::State::take_table(const Frame& f) {
  const bool same = parameters.size() == f.parameters.size() &&
                    std::equal(parameters.begin(), parameters.end(), f.parameters.begin(),
                               [](const Parameter& a, const ParameterInfo& b) {
                                 return a.name == b.name && a.rows == b.rows && a.cols == b.cols;
                               });
  if (same) return;
  parameters.clear();
  groups.clear();
  for (const ParameterInfo& p : f.parameters) {
    parameters.push_back({p.name, group_of(p.name), p.rows, p.cols});
    if (groups.empty() || groups.back().name != parameters.back().group)
      groups.push_back({parameters.back().group, int(parameters.size()) - 1, 0});
    ++groups.back().count;
  }
  taken = -1;  // take all steps again
}

void GradientsPanel::State::take_steps(const History& h) {
  const bool other = &h != history;  // a look at the other run keeps what is in view
  const bool begin = taken < 0 || other || h.epoch != epoch || long(h.steps.size()) < taken ||
                     (taken > 0 && h.steps[std::size_t(taken - 1)].step != last_taken);
  history = &h;
  if (begin) {
    ++anew;
    table.clear(int(parameters.size()));
    clips.assign(1, 0);
    steps.clear();
    taken = 0;
    last_taken = -1;
    if (!other) {
      span = 0;
      end = -1;
    }
  }
  epoch = h.epoch;
  std::vector<float> row(parameters.size());
  for (; taken < long(h.steps.size()); ++taken) {
    const StepScalars& s = h.steps[std::size_t(taken)];
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double g = i < s.parameters.size() ? s.parameters[i].gradient_norm : 0;
      row[i] = i < s.parameters.size() ? float(g) : kNothing;
      if (std::isinf(g)) row[i] = std::numeric_limits<float>::quiet_NaN();
    }
    table.push(row);
    clips.push_back(clips.back() + (s.clip_scale < 1 ? 1u : 0u));
    steps.push_back(s.step);
    last_taken = s.step;
  }
}

/// B's steps, so that row i is the same step as A's row i, and column p the same parameter.
void GradientsPanel::State::take_b(const Frame& a, const Frame& b, const History& h) {
  std::vector<std::string> names;
  for (const ParameterInfo& p : b.parameters)
    names.push_back(p.name + " " + std::to_string(p.rows) + " " + std::to_string(p.cols));
  const bool begin = names != names_b || h.epoch != epoch_b || anew != anew_b || taken_b > taken;
  epoch_b = h.epoch;
  anew_b = anew;
  if (begin) {
    names_b = names;
    in_b.clear();
    not_shared = 0;
    for (const ParameterInfo& p : a.parameters) {
      const auto it =
          std::find(names.begin(), names.end(),
                    p.name + " " + std::to_string(p.rows) + " " + std::to_string(p.cols));
      in_b.push_back(it == names.end() ? -1 : int(it - names.begin()));
      not_shared += it == names.end();
    }
    table_b.clear(int(parameters.size()));
    taken_b = 0;
    std::fill(std::begin(shown_key), std::end(shown_key), 0);
  }
  std::vector<float> row(parameters.size());
  for (; taken_b < taken; ++taken_b) {
    const long step = steps[std::size_t(taken_b)];
    const long k = h.steps.empty() ? -1 : step - h.steps[0].step;
    if (k >= long(h.steps.size())) break;  // B's has not come yet
    row.assign(parameters.size(), kNothing);
    for (std::size_t i = 0; k >= 0 && i < row.size() && i < in_b.size(); ++i) {
      const std::vector<ParameterReport>& reports_of = h.steps[std::size_t(k)].parameters;
      const int j = in_b[i];
      if (j < 0 || j >= int(reports_of.size())) continue;
      const double g = reports_of[std::size_t(j)].gradient_norm;
      row[i] = std::isinf(g) ? std::numeric_limits<float>::quiet_NaN() : float(g);
    }
    table_b.push(row);
  }
}

void GradientsPanel::State::compute_map() {
  // What is in view
  const long shown = span > 0 ? std::min(span, taken) : taken;
  to = end < 0 ? taken : std::clamp(end, shown, taken);
  from = to - shown;

  // Steps of a column: a power of two, so that columns keep their steps while the run goes on
  bucket = 1;
  while ((shown + bucket - 1) / bucket > std::max(8, map_width)) bucket *= 2;
  const long first = from / bucket, last = (to + bucket - 1) / bucket;
  const std::size_t P = parameters.size(), C = std::size_t(std::max(0L, last - first));
  const std::uint64_t key[6] = {std::uint64_t(from),
                                std::uint64_t(to),
                                std::uint64_t(bucket),
                                P,
                                subtracted ? std::uint64_t(taken_b) + 1 : 0,
                                std::uint64_t(anew)};
  if (std::equal(std::begin(key), std::end(key), std::begin(shown_key)) && cells.size() == P * C &&
      !map.empty())
    return;
  std::copy(std::begin(key), std::end(key), std::begin(shown_key));
  cells.assign(P * C, 0);
  clipped_share.assign(C, 0);
  std::vector<float> most, most_b;
  const auto log10_of = [](float g) {
    return std::isnan(g) ? g : g > 0 ? std::log10(g) : kNothing;
  };
  for (std::size_t c = 0; c < C; ++c) {
    const long b = std::max(from, (first + long(c)) * bucket);
    const long e = std::min(to, (first + long(c) + 1) * bucket);
    table.largest(b, e, most);
    for (std::size_t i = 0; i < P; ++i) cells[i * C + c] = log10_of(most[i]);
    if (subtracted) {
      // How many times longer B's are, as a logarithm; nothing where only one of the runs has one
      table_b.largest(b, e, most_b);
      for (std::size_t i = 0; i < P; ++i) {
        const float of_b = log10_of(most_b[i]);
        float& cell = cells[i * C + c];
        cell = of_b == kNothing || cell == kNothing ? kNothing : of_b - cell;
      }
    }
    clipped_share[c] =
        float(clips[std::size_t(e)] - clips[std::size_t(b)]) / float(std::max(1L, e - b));
  }
  if (P == 0 || C == 0) {
    map.clear();
    return;
  }
  map.set({.data = cells.data(), .rows = int(P), .cols = int(C)}, ++drawn,
          subtracted ? HeatmapStyle{Colormap::signed_, RangePolicy::percentile, {-1, 1}, true}
                     : HeatmapStyle{Colormap::viridis, RangePolicy::percentile, {-4, 0}, false});
}

long GradientsPanel::State::index_of(long step) const {
  if (steps.empty()) return -1;
  const auto it = std::lower_bound(steps.begin(), steps.end(), step);
  return it == steps.end() ? long(steps.size()) - 1 : long(it - steps.begin());
}

void GradientsPanel::State::compute_now(const ViewContext& context) {
  ratio.assign(parameters.size(), kNaN);
  reports.clear();
  at = measured = -1;
  reports_b.clear();
  const History* h = context.shown_history();
  if (!h || taken == 0) return;
  const std::optional<long> chosen = context.selection.shown().step;
  at = chosen ? index_of(*chosen) : taken - 1;
  const StepScalars& s = h->steps[std::size_t(at)];
  reports = s.parameters;
  if (subtracted && context.history_b && !context.history_b->steps.empty()) {
    const std::vector<StepScalars>& of_b = context.history_b->steps;
    const long k = s.step - of_b[0].step;
    if (k >= 0 && k < long(of_b.size())) {
      for (const int j : in_b)
        reports_b.push_back(j >= 0 && j < int(of_b[std::size_t(k)].parameters.size())
                                ? of_b[std::size_t(k)].parameters[std::size_t(j)]
                                : ParameterReport{0, 0, 0});
    }
  }
  scalars = {};
  scalars.step = s.step;
  scalars.gradient_norm = s.gradient_norm;
  scalars.clip_scale = s.clip_scale;

  // Sizes are not measured at every step: go back to the last that has them
  for (long i = at; i >= std::max(0L, at - 1000); --i) {
    const std::vector<ParameterReport>& p = h->steps[std::size_t(i)].parameters;
    const bool any = std::any_of(p.begin(), p.end(), [](const ParameterReport& r) {
      return std::isfinite(r.update_norm) && r.weight_norm > 0;
    });
    if (!any) continue;
    measured = i;
    for (std::size_t k = 0; k < ratio.size() && k < p.size(); ++k)
      ratio[k] = p[k].weight_norm > 0 ? p[k].update_norm / p[k].weight_norm : kNaN;
    break;
  }

  // The bars' axis: whole decades around the gradients of this step
  double lo = std::numeric_limits<double>::infinity(), hi = 0;
  for (const auto* both : {&reports, &reports_b}) {
    for (const ParameterReport& r : *both) {
      if (!(r.gradient_norm > 0) || !std::isfinite(r.gradient_norm)) continue;
      lo = std::min(lo, r.gradient_norm);
      hi = std::max(hi, r.gradient_norm);
    }
  }
  if (hi > 0) {
    bars_lo = std::pow(10.0, std::floor(std::log10(lo) - 0.2));
    bars_hi = std::pow(10.0, std::ceil(std::log10(hi)));
    if (!(bars_hi > bars_lo)) bars_hi = bars_lo * 10;
  }
}

/// The gradient under the mouse, to add up its squares.
std::vector<std::string> GradientsPanel::taps(const ViewContext& context) const {
  const std::optional<std::string>& parameter = context.selection.hovered().parameter;
  if (!parameter) return {};
  return {"grad:" + *parameter};
}

void GradientsPanel::update(const ViewContext& context) {
  State& s = *state_;
  const Frame* f = context.shown();
  s.known = f != nullptr && !f->parameters.empty();
  if (!s.known) return;
  s.take_table(*f);
  static const History kNone;
  const History* h = context.shown_history();
  s.take_steps(h ? *h : kNone);
  s.subtracted = context.compare == Compare::difference && context.b && context.history_b;
  if (s.subtracted) s.take_b(*context.a, *context.b, *context.history_b);
  s.compute_map();
  s.compute_now(context);
}

// --- Drawing ---------------------------------------------------------------------------------------

void GradientsPanel::State::draw_header(ViewContext& context, const Rect& r) const {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float y = std::floor(r.y + (r.h - t.font_size(Font::small)) / 2);
  float x = r.x;
  x += put_text(context, list, x, y, p.muted,
                subtracted ? "‖g‖ of B, times that of A" : "gradient norm ‖g‖") +
       t.px(8);

  // A small colour bar with its ends: the range of what is in view
  const ValueRange range = map.range();
  const auto power = [](float v) { return number_text(std::pow(10.0, double(v)), 2); };
  if (!map.empty() && map.stats().finite > 0) {
    x += put_text(context, list, x, y, p.text, power(range.lo), Font::mono_small) + t.px(6);
    const std::array<Rgba, 256>& colours =
        colormap_table(subtracted ? Colormap::signed_ : Colormap::viridis);
    const float w = t.px(96), h = t.px(8), top = std::floor(r.y + (r.h - h) / 2);
    const float bar_x = x, bar_w = w;
    for (int i = 0; i < 32; ++i) {
      const float a = x + w * float(i) / 32, b = x + w * float(i + 1) / 32;
      const Rgba ca = colours[std::size_t(i * 255 / 32)],
                 cb = colours[std::size_t((i + 1) * 255 / 32)];
      list->AddRectFilledMultiColor(ImVec2(a, top), ImVec2(b, top + h), ca, cb, cb, ca);
    }
    x += w + t.px(6);
    x += put_text(context, list, x, y, p.text, power(range.hi), Font::mono_small) + t.px(12);
    context.probes.record("gradients/legend", {r.x, r.y, x - r.x, r.h});
    if (resting_on(context, "gradients/colours", {bar_x, r.y, bar_w, r.h})) {
      const float u = std::clamp((ImGui::GetIO().MousePos.x - bar_x) / bar_w, 0.0f, 1.0f);
      const LegendSpec spec{subtracted ? Colormap::signed_ : Colormap::viridis, range,
                            RangePolicy::percentile, nullptr,
                            subtracted ? "B's ‖g‖ over A's" : "a gradient norm ‖g‖"};
      draw_tooltip(context, explanation_of(told_colour(spec, double(u), true)));
    }
  }
  const auto word = [&](const std::string& text, Rgba colour) {
    const float w = text_width(context, Font::small, text);
    if (x + w > r.right()) return;
    put_text(context, list, x, y, colour, text);
    x += w + t.px(12);
  };
  if (subtracted && not_shared > 0) word("hatched: not in both", p.warning);
  word("1 % – 99 % of what is in view", p.muted);
  if (map.stats().nan > 0) word(std::to_string(map.stats().nan) + " NaN", p.error);
  if (bucket > 1) word("columns: largest of " + std::to_string(bucket) + " steps", p.muted);
}

void GradientsPanel::State::draw_groups(ViewContext& context, const Rect& r, float top,
                                        float row) const {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = t.font_size(Font::small);
  float free_from = top - line;
  const FontScope small(t, Font::small);
  for (const Group& g : groups) {
    const float y0 = top + float(g.first) * row, y1 = top + float(g.first + g.count) * row;
    // A bracket beside its rows, and the name if it does not touch the one before
    const float x = r.right() - t.px(4);
    list->AddRectFilled(ImVec2(x, std::floor(y0) + 1), ImVec2(x + t.px(2), std::floor(y1) - 1),
                        p.border);
    const float y = std::floor((y0 + y1 - line) / 2);
    if (y < free_from - t.px(1)) continue;
    free_from = y + line;
    put_text_right(context, list, x - t.px(4), y, p.muted, elide(g.name, r.w - t.px(10)));
  }
}

void GradientsPanel::State::draw_bars(ViewContext& context, const Rect& r, float row,
                                      int marked) const {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float gap = t.px(16), w = std::floor((r.w - gap) / 2);
  const float line = t.font_size(Font::small);
  const auto column = [&](float x, double lo, double hi, const char* title, auto&& value,
                          auto&& colour, double guide, auto&& second) {
    const auto place = [&](double v) {
      return x +
             float(std::clamp((std::log10(v) - std::log10(lo)) / (std::log10(hi) - std::log10(lo)),
                              0.0, 1.0)) *
                 w;
    };
    put_text(context, list, x, r.y - line - t.px(4), p.muted, title);
    list->AddRectFilled(ImVec2(x, r.y), ImVec2(x + w, r.bottom()), with_alpha(p.raised, 90));
    // Decades, every second one when they are many
    const int decades = int(std::lround(std::log10(hi / lo)));
    const int every = decades > 4 ? 2 : 1;
    for (int k = 0; k <= decades; k += every) {
      const double v = lo * std::pow(10.0, k);
      const float gx = std::floor(place(v));
      list->AddRectFilled(ImVec2(gx, r.y), ImVec2(gx + 1, r.bottom()), p.grid);
      if (guide > 0) continue;
      const std::string text = number_text(v, 1);
      const float tw = text_width(context, Font::mono_small, text);
      if (k == 0 || k + every > decades)
        put_text(context, list, std::clamp(gx - tw / 2, x, x + w - tw), r.bottom() + t.px(3),
                 p.muted, text, Font::mono_small);
    }
    for (int i = 0; i < int(parameters.size()); ++i) {
      const float y0 = r.y + float(i) * row;
      const float pad = row >= 4 ? std::max(1.0f, row * 0.15f) : 0;
      if (i == marked)
        list->AddRectFilled(ImVec2(x, y0), ImVec2(x + w, y0 + std::max(1.0f, row)), p.hovered);
      const double v = value(i);
      if (std::isfinite(v) && v > 0) {
        list->AddRectFilled(ImVec2(x, y0 + pad), ImVec2(std::max(x + 1, place(v)), y0 + row - pad),
                            colour(v));
      } else if (!std::isfinite(v) && i < int(reports.size())) {
        list->AddRectFilled(ImVec2(x, y0 + pad), ImVec2(x + t.px(6), y0 + row - pad), p.error);
      }
      const double v2 = second(i);  // B's, as a mark on A's bar
      if (std::isfinite(v2) && v2 > 0) {
        const float bx = std::floor(place(v2));
        list->AddRectFilled(ImVec2(bx - t.px(1), y0),
                            ImVec2(bx + t.px(1), y0 + std::max(1.0f, row)), p.run_b);
      }
    }
    if (guide > 0) {
      const float gx = std::floor(place(guide));
      list->AddRectFilled(ImVec2(gx, r.y - t.px(2)), ImVec2(gx + t.px(1), r.bottom() + t.px(2)),
                          p.text);
      const float tw = text_width(context, Font::small, "10⁻³");
      put_text(context, list, std::floor(gx - tw / 2), r.bottom() + t.px(3), p.text, "10⁻³");
      put_text(context, list, x, r.bottom() + t.px(3), p.muted, "10⁻⁶");
      put_text_right(context, list, x + w, r.bottom() + t.px(3), p.muted, "10⁻¹");
    }
  };
  const std::string title =
      at >= 0 && at < taken - 1 ? "‖g‖ at " + with_thousands(scalars.step) : std::string("‖g‖ now");
  column(
      r.x, bars_lo, bars_hi, title.c_str(),
      [&](int i) { return i < int(reports.size()) ? reports[std::size_t(i)].gradient_norm : 0.0; },
      [&](double) { return context.run_colour(); }, 0,
      [&](int i) {
        return i < int(reports_b.size()) ? reports_b[std::size_t(i)].gradient_norm : 0.0;
      });
  column(
      r.x + w + gap, kLeastRatio, kMostRatio, "update ÷ weight",
      [&](int i) { return measured >= 0 ? ratio[std::size_t(i)] : 0.0; },
      [&](double v) { return v > 1e-2 || v < 1e-5 ? p.warning : p.good; }, kGuide,
      [&](int i) {
        if (i >= int(reports_b.size())) return 0.0;
        const ParameterReport& r = reports_b[std::size_t(i)];
        return r.weight_norm > 0 ? r.update_norm / r.weight_norm : 0.0;
      });
  context.probes.record("gradients/bars", {r.x, r.y, w, r.h});
  context.probes.record("gradients/ratios", {r.x + w + gap, r.y, w, r.h});
}

bool GradientsPanel::State::move_view(const Rect& rect, bool over, bool pressed) {
  const ImGuiIO& io = ImGui::GetIO();
  const long shown = to - from;
  if (shown < 1 || rect.w < 1) return false;
  if (over && io.MouseWheel != 0) {
    // The step under the mouse keeps its place; near the right end the newest does
    const double f = std::clamp(double((io.MousePos.x - rect.x) / rect.w), 0.0, 1.0);
    const double anchor = double(from) + f * double(shown);
    const long next = std::clamp(std::lround(double(shown) * std::pow(0.8, double(io.MouseWheel))),
                                 std::min(8L, taken), taken);
    const long last = std::max(std::lround(anchor + (1 - f) * double(next)), next);
    end = next >= taken || (end < 0 && f > 0.9) || last >= taken ? -1 : last;
    span = next >= taken ? 0 : next;
  }
  if (pressed) {
    grabbed = true;
    grabbed_at = io.MousePos.x;
    grabbed_to = to;
    dragged = false;
  }
  if (grabbed && std::fabs(io.MousePos.x - grabbed_at) > 4) dragged = true;
  if (grabbed && dragged && span > 0) {
    const double moved = double((grabbed_at - io.MousePos.x) / rect.w) * double(shown);
    const long last = std::clamp(grabbed_to + std::lround(moved), shown, taken);
    end = last >= taken ? -1 : last;
  }
  if (over && ImGui::IsMouseDoubleClicked(0)) {
    span = 0;
    end = -1;
  }
  if (!grabbed || ImGui::IsMouseDown(0)) return false;
  grabbed = false;
  return over && !dragged;
}

namespace {

/// The step of this number; null where the run does not have it.
const StepScalars* find_step(const History& h, long step) {
  if (h.steps.empty()) return nullptr;
  const long i = step - h.steps.front().step;
  return i >= 0 && i < long(h.steps.size()) ? &h.steps[std::size_t(i)] : nullptr;
}
/// The parameter of this name and shape, by its index; −1 for none.
int find_parameter(const Frame& f, const std::string& name, Index rows, Index cols) {
  for (int i = 0; i < int(f.parameters.size()); ++i) {
    const ParameterInfo& p = f.parameters[std::size_t(i)];
    if (p.name == name && p.rows == rows && p.cols == cols) return i;
  }
  return -1;
}

}  // namespace

/// The longest gradient of the parameter among these steps.
std::optional<Told> GradientsPanel::State::tell_gradient(const Frame& f, const History& h,
                                                         int parameter, long first,
                                                         long last) const {
  const Parameter& p = parameters[std::size_t(parameter)];
  const int i = find_parameter(f, p.name, p.rows, p.cols);
  const StepScalars* most = nullptr;
  for (long step = first; i >= 0 && step <= last; ++step) {
    const StepScalars* s = find_step(h, step);
    if (!s || i >= int(s->parameters.size())) continue;
    if (!most || !(s->parameters[std::size_t(i)].gradient_norm <=
                   most->parameters[std::size_t(i)].gradient_norm))
      most = s;
    if (std::isnan(most->parameters[std::size_t(i)].gradient_norm)) break;
  }
  if (!most) return {};
  const double norm = most->parameters[std::size_t(i)].gradient_norm;
  const double size = std::max(1.0, double(p.rows) * double(p.cols));
  const std::string count = whole_number((long long)(size));
  Told told;
  told.name = "Gradient of {*|" + p.name + "} (" + std::to_string(p.rows) + ", " +
              std::to_string(p.cols) + "), step " + with_thousands(most->step);
  if (first < last)
    told.name += ", the longest of " + with_thousands(first) + " – " + with_thousands(last);
  told.formula = "‖g‖ = √(Σ g²)";
  told.value = norm;

  // The gradient itself is there for the newest step alone
  const TapValue* g = most->step == f.step ? f.tap("grad:" + p.name) : nullptr;
  std::vector<double> squares;
  double sum = 0;
  for (std::size_t k = 0; g && k < g->data.size(); ++k) {
    squares.push_back(double(g->data[k]) * double(g->data[k]));
    sum += squares.back();
  }
  if (g && std::abs(std::sqrt(sum) - norm) <= 1e-3 * norm) {
    told.numbers = "√(" + written_sum(squares) + ")";
  } else {
    told.formula += " = √n · rms(g)";
    told.numbers = "√" + count + " · " + number_text(norm / std::sqrt(size), 5) +
                   aside(", the rms of " + count + " numbers");
  }
  if (most->clip_scale < 1)
    told.note = ", then clipped: × " + number_text(double(most->clip_scale), 3);
  told.why =
      "How steep the loss is along this parameter. It fades with depth when gradients vanish.";
  told.source = "chapters/10_optimizer/clip.cpp: sum_of_squares";
  return told;
}

void GradientsPanel::State::tell_gradients(ViewContext& context, int parameter, long first,
                                           long last) const {
  const auto of = [&](const Frame* f, const History* h) {
    return f && h ? tell_gradient(*f, *h, parameter, first, last) : std::nullopt;
  };
  if (!subtracted) {
    if (const auto told = of(context.shown(), context.shown_history()))
      tell_one(context, context.compare, *told);
    return;
  }
  // On a logarithmic scale the difference is how many times longer B's is
  const auto a = of(context.a, context.history), b = of(context.b, context.history_b);
  if (!a || !b) {
    if (a) tell_one(context, Compare::a, *a);
    return;
  }
  Explanation e = ratio_of(*a, *b);
  e.name = "{B|B} / {A|A}  " + e.name;
  draw_tooltip(context, e);
}

std::optional<Told> GradientsPanel::State::tell_update(const Frame& f, const History& h,
                                                       int parameter, long step) const {
  const Parameter& p = parameters[std::size_t(parameter)];
  const int i = find_parameter(f, p.name, p.rows, p.cols);
  const StepScalars* s = find_step(h, step);
  if (i < 0 || !s || i >= int(s->parameters.size())) return {};
  const ParameterReport& r = s->parameters[std::size_t(i)];
  if (!std::isfinite(r.update_norm) || !(r.weight_norm > 0)) return {};
  Told told;
  told.name = "Update over weight of {*|" + p.name + "}, step " + with_thousands(s->step);
  told.formula = "‖w′ − w‖ / ‖w‖";
  told.numbers = number_text(r.update_norm, 5) + " / " + number_text(r.weight_norm, 5);
  told.value = r.update_norm / r.weight_norm;
  told.why = told.value > 1e-2   ? "Far above 10⁻³: each step changes much of what was learned."
             : told.value < 1e-5 ? "Far below 10⁻³: these weights hardly move."
                                 : "Around 10⁻³, weights move, yet keep what they have learned.";
  told.source = "chapters/11_gpt/trainer.cpp: update_norm";
  return told;
}

std::optional<Told> GradientsPanel::State::tell_clip(const Frame& f, const History& h, long first,
                                                     long last) const {
  long long clipped = 0, all = 0;
  const StepScalars* one = nullptr;
  for (long step = first; step <= last; ++step) {
    const StepScalars* s = find_step(h, step);
    if (!s) continue;
    one = s;
    ++all;
    clipped += s->clip_scale < 1;
  }
  if (!one) return {};
  Told told;
  told.source = "chapters/10_optimizer/exercises/clip/reference.h: clip_scale";
  const std::string limit = number_text(f.options.clip, 5);
  if (all == 1) {
    told.name = "Clipping at step " + with_thousands(one->step);
    told.formula = "limit / max(limit, ‖g‖),  ‖g‖ of all parameters together";
    const std::string norm = number_text(double(one->gradient_norm), 5);
    told.numbers = f.options.clip > 0 ? limit + " / max(" + limit + ", " + norm + ")"
                                      : "1" + aside(": nothing is clipped, ‖g‖ = " + norm);
    told.value = double(one->clip_scale);
  } else {
    told.name = "Clipped among steps " + with_thousands(first) + " – " + with_thousands(last);
    told.formula = "steps with ‖g‖ > " + limit + " / steps";
    told.numbers = whole_number(clipped) + " / " + whole_number(all);
    told.value = double(clipped) / double(all);
  }
  told.why =
      "Where the whole gradient is longer than the limit it is shortened; its direction stays.";
  return told;
}

void GradientsPanel::draw(ViewContext& context) {
  State& s = *state_;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const Rect r = context.rect;
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (!s.known || s.taken == 0) {
    put_note(context, r,
             "Gradients appear here with the first step: press Space, or . for one step.");
    return;
  }

  // Header, ticks of clipped steps, map, axis
  const float header = t.px(20), lane = t.px(7), axis = t.font_size(Font::small) + t.px(5);
  const float label_w = r.w >= t.px(360) ? t.px(64) : 0;
  const float bars_w = r.w >= t.px(520) ? std::floor(std::min(t.px(240), r.w * 0.3f)) : 0;
  const Rect map_rect{r.x + label_w, r.y + header + lane + t.px(2),
                      std::max(t.px(40), r.w - label_w - (bars_w > 0 ? bars_w + t.px(16) : 0)),
                      std::max(t.px(16), r.h - header - lane - axis - t.px(2))};
  s.map_width = int(map_rect.w);
  s.draw_header(context, {r.x, r.y, map_rect.right() - r.x, header});
  const int P = int(s.parameters.size()), C = s.columns();
  const float row = map_rect.h / float(std::max(1, P));
  if (label_w > 0) s.draw_groups(context, {r.x, map_rect.y, label_w, map_rect.h}, map_rect.y, row);

  // A column's place: the first and last may hold fewer steps
  const long first = s.from / s.bucket;
  const auto column_of = [&](long index) { return int(index / s.bucket - first); };
  const auto x_of = [&](double column) {
    return map_rect.x + float(column) / float(std::max(1, C)) * map_rect.w;
  };

  // What was clipped: stronger where it was every step
  for (int c = 0; c < C; ++c) {
    const float share = s.clipped_share[std::size_t(c)];
    if (share <= 0) continue;
    const float x0 = std::floor(x_of(c)), x1 = std::max(x0 + 1, std::floor(x_of(c + 1)));
    list->AddRectFilled(ImVec2(x0, r.y + header), ImVec2(x1, r.y + header + lane - t.px(1)),
                        with_alpha(p.event, 90 + int(165 * share)));
  }
  const Rect lane_rect{map_rect.x, r.y + header, map_rect.w, lane};
  context.probes.record("gradients/clips", lane_rect);
  // The steps of a column
  const auto steps_of = [&](int c) {
    const long b = std::clamp((first + c) * s.bucket, s.from, s.to - 1);
    const long e = std::clamp((first + c + 1) * s.bucket - 1, b, s.to - 1);
    return std::pair<long, long>(s.steps[std::size_t(b)], s.steps[std::size_t(e)]);
  };
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  if (ImGui::IsWindowHovered() && lane_rect.contains(mouse.x, mouse.y) && C > 0) {
    const int c =
        std::clamp(int((mouse.x - map_rect.x) / map_rect.w * float(C)), 0, std::max(0, C - 1));
    if (tooltip_ready(context, "gradients/clips/" + std::to_string(c))) {
      const std::pair<long, long> steps = steps_of(c);
      tell(
          context,
          [&](const Frame& f, const History* h) {
            return h ? s.tell_clip(f, *h, steps.first, steps.second) : std::nullopt;
          },
          false);
    }
  }

  // The map
  const Place place = context.selection.shown();
  int marked_row = -1;
  if (place.parameter)
    for (int i = 0; i < P; ++i)
      if (s.parameters[std::size_t(i)].name == *place.parameter) marked_row = i;
  int marked_col = -1;
  if (place.step) {
    const long i = s.index_of(*place.step);
    if (i >= s.from && i < s.to) marked_col = column_of(i);
  }
  HeatmapOptions o;
  o.size = ImVec2(map_rect.w, map_rect.h);
  o.mark_row = marked_row;
  o.mark_col = marked_col;
  ImGui::SetCursorScreenPos(ImVec2(map_rect.x, map_rect.y));
  const HeatmapHit hit = s.map.draw(context, "gradients/map", o);

  // The mouse on the map moves the view, or locks a step
  const bool clicked = s.move_view(map_rect, hit.hovered, hit.clicked);
  int hovered = -1;
  if (hit.hovered && C > 0 && hit.row < P) {
    hovered = hit.row;
    const long begin = (first + hit.col) * s.bucket;
    const long index = std::clamp(begin, s.from, s.to - 1);
    const Place there{.step = s.steps[std::size_t(index)],
                      .parameter = s.parameters[std::size_t(hit.row)].name};
    context.selection.hover(there);
    if (clicked) context.selection.lock(there);
    const std::string key = "gradients/" + std::to_string(hit.row) + "/" + std::to_string(index);
    if (tooltip_ready(context, key)) {
      const std::pair<long, long> steps = steps_of(hit.col);
      s.tell_gradients(context, hit.row, steps.first, steps.second);
    }
  }

  // Steps below
  if (s.from < s.to) {
    const float y = map_rect.bottom() + t.px(3);
    const double lo = double(s.steps[std::size_t(s.from)]),
                 hi = double(s.steps[std::size_t(s.to - 1)]);
    const float title = text_width(context, Font::small, "step") + t.px(10);
    put_text_right(context, list, map_rect.right(), y - t.px(1), p.muted, "step");
    const std::vector<double> ticks =
        axis_ticks(lo, hi, std::clamp(int(map_rect.w / t.px(90)), 1, 10));
    const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 0;
    for (const double v : ticks) {
      const double index = double(s.index_of(std::lround(v)));
      const float x = x_of((index + 0.5) / double(s.bucket) - double(first));
      const std::string text = axis_number(v, step);
      const float w = text_width(context, Font::mono_small, text);
      const float tx = std::clamp(x - w / 2, map_rect.x, map_rect.right() - w);
      if (tx + w > map_rect.right() - title) continue;
      list->AddRectFilled(ImVec2(std::floor(x), map_rect.bottom()),
                          ImVec2(std::floor(x) + 1, map_rect.bottom() + t.px(3)), p.muted);
      put_text(context, list, std::floor(tx), y, p.muted, text, Font::mono_small);
    }
  }

  // Now, and how far the step moved each parameter
  if (bars_w <= 0) return;
  const Rect bars{map_rect.right() + t.px(16), map_rect.y, bars_w, map_rect.h};
  const int marked = hovered >= 0 ? hovered : marked_row;
  s.draw_bars(context, bars, row, marked);
  ImGui::SetCursorScreenPos(ImVec2(bars.x, bars.y));
  const bool pressed_bar = ImGui::InvisibleButton("gradients/now", ImVec2(bars.w, bars.h));
  context.probe("gradients/now");
  if (ImGui::IsItemHovered() && P > 0 && s.at >= 0) {
    const int i = std::clamp(int((ImGui::GetIO().MousePos.y - bars.y) / row), 0, P - 1);
    const Place there{.parameter = s.parameters[std::size_t(i)].name};
    context.selection.hover(there);
    if (pressed_bar) context.selection.lock(there);
    const bool right = mouse.x > bars.x + bars.w / 2;
    if (tooltip_ready(context,
                      "gradients/now/" + std::to_string(i) + (right ? "/ratio" : "/norm"))) {
      if (!right) {
        const long step = s.steps[std::size_t(s.at)];
        s.tell_gradients(context, i, step, step);
      } else if (s.measured >= 0) {
        const long step = s.steps[std::size_t(s.measured)];
        tell(context, [&](const Frame& f, const History* h) {
          return h ? s.tell_update(f, *h, i, step) : std::nullopt;
        });
      }
    }
  }
}

std::string GradientsPanel::explain() const {
  return "Each row is a parameter, from the embedding at the top to the output at the bottom; each "
         "column is a step, the newest at the right. The colour is the length of the parameter's "
         "gradient, on a logarithmic scale that fits what is in view. Rows that fade with depth "
         "mean gradients that vanish; rows that glare mean gradients that explode. Marks along the "
         "top are steps whose whole gradient was longer than the limit and was clipped.\n\nAt the "
         "right: the gradient now, and the length of the last update over the length of the "
         "weight. "
         "About 10⁻³ a step is a good sign: above 10⁻² the weights are thrown about, below 10⁻⁵ "
         "they "
         "hardly learn. Wheel zooms in time, drag pans, double click shows all.";
}

void GradientsPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known || s.taken == 0) return;
  out << "first_step,last_step,parameter,largest_gradient_norm,weight_norm,update_norm,ratio\n";
  const long first = s.from / s.bucket;
  const int C = s.columns();
  for (int c = 0; c < C; ++c) {
    const long b = std::max(s.from, (first + c) * s.bucket);
    const long e = std::min(s.to, (first + c + 1) * s.bucket);
    for (std::size_t i = 0; i < s.parameters.size(); ++i) {
      const float cell_value = s.cells[i * std::size_t(C) + std::size_t(c)];
      out << s.steps[std::size_t(b)] << ',' << s.steps[std::size_t(e - 1)] << ','
          << csv_field(s.parameters[i].name) << ',' << std::pow(10.0, double(cell_value)) << ',';
      // Sizes of the step that stands at the right, where it is this one
      if (b <= s.at && s.at < e && s.measured == s.at && i < s.reports.size())
        out << s.reports[i].weight_norm << ',' << s.reports[i].update_norm << ',' << s.ratio[i];
      else
        out << ",,";
      out << '\n';
    }
  }
}

}  // namespace tpp::viewer
