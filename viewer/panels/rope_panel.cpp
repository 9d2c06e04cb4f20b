#include "viewer/panels/rope_panel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <optional>
#include <ostream>

#include "chapters/07_position/relative_bias.h"
#include "chapters/07_position/sinusoidal.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/telling.h"
#include "viewer/view_context.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/dial.h"
#include "viewer/widgets/heatmap.h"
#include "viewer/widgets/legend.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::size_t at(int row, int col, int cols) {
  return std::size_t(row) * std::size_t(cols) + std::size_t(col);
}

std::string block_name(int layer, const char* what) {
  return "block" + std::to_string(layer) + "/attn/" + what;
}

/// One head's columns of a tap.
std::vector<float> head_columns(const TapValue& tap, int head, int K) {
  std::vector<float> out;
  out.reserve(std::size_t(tap.rows) * std::size_t(K));
  for (int t = 0; t < tap.rows; ++t)
    for (int i = 0; i < K; ++i) out.push_back(tap(t, head * K + i));
  return out;
}

/// Fast pairs at one end of the map, slow ones at the other; the ends that the ground would hide
/// are left out.
Rgba pair_colour(const Theme& theme, int pair, int pairs) {
  const float at = pairs > 1 ? float(pair) / float(pairs - 1) : 0;
  const float lo = theme.dark() ? 0.35f : 0.0f, hi = theme.dark() ? 1.0f : 0.72f;
  return colormap_colour(Colormap::viridis, hi + (lo - hi) * at, {0, 1});
}

std::string tokens(double count) {
  if (!(count < 1e6)) return formatted("%.1e", count);
  return count < 100 ? formatted("%.1f", count) : with_thousands((long long)(count + 0.5));
}

}  // namespace

std::string read_rope_head(const Frame& frame, int layer, int head, RopeHead& out) {
  out = {};
  const ModelConfig& c = frame.config;
  if (layer < 0 || layer >= c.layers || head < 0 || head >= c.H) return "There is no such head.";
  const TapValue* q = frame.tap(block_name(layer, "q"));
  const TapValue* k = frame.tap(block_name(layer, "k"));
  if (!q || !k) return "Waiting for this layer's queries and keys: they come with the next frame.";
  const int K = int(c.K()), G = std::max(1, int(c.G)), group = head / std::max(1, int(c.H) / G);
  if (K < 2 || K % 2 != 0 || q->cols != int(c.H) * K || k->cols != G * K || q->rows != k->rows)
    return "The recorded queries and keys do not have the shape of this model.";
  out.T = q->rows;
  out.K = K;
  out.pairing = frame.options.rope_pairing == "adjacent" ? Pairing::adjacent : Pairing::halves;
  out.q = head_columns(*q, head, K);
  out.k = head_columns(*k, group, K);
  return {};
}

RopeScore rope_score_by_distance(const RopeHead& head, double base) {
  if (head.pairs() < 1 || !(base > 0)) return {};
  return rope_score_by_distance(head, rope_frequencies(head.K, base), 1);
}

RopeScore rope_score_by_distance(const RopeHead& head, std::span<const double> theta,
                                 double magnitude) {
  RopeScore out;
  const int T = head.T, pairs = head.pairs();
  if (T < 1 || pairs < 1 || int(theta.size()) != pairs) return out;
  out.T = T;
  out.pairs = pairs;
  out.score.assign(std::size_t(T), 0);
  out.part.assign(std::size_t(pairs) * std::size_t(T), 0);
  std::vector<double> total(std::size_t(T), 0.0);
  for (int p = 0; p < pairs; ++p) {
    const int a = head.first(p), b = head.second(p);
    for (int d = 0; d < T; ++d) {
      // Turning q by t·θ and k by s·θ turns their product by the distance alone
      std::complex<double> sum = 0;
      for (int t = d; t < T; ++t) {
        const std::size_t qt = at(t, 0, head.K), ks = at(t - d, 0, head.K);
        const std::complex<double> q(double(head.q[qt + std::size_t(a)]),
                                     double(head.q[qt + std::size_t(b)]));
        const std::complex<double> k(double(head.k[ks + std::size_t(a)]),
                                     double(head.k[ks + std::size_t(b)]));
        sum += std::complex<double>(q.real() * k.real() + q.imag() * k.imag(),
                                    q.imag() * k.real() - q.real() * k.imag());
      }
      const double angle = double(d) * theta[std::size_t(p)];
      const double part = magnitude * magnitude *
                          (sum.real() * std::cos(angle) - sum.imag() * std::sin(angle)) /
                          (double(T - d) * std::sqrt(double(head.K)));
      out.part[at(p, d, T)] = float(part);
      total[std::size_t(d)] += part;
    }
  }
  for (int d = 0; d < T; ++d) out.score[std::size_t(d)] = float(total[std::size_t(d)]);
  return out;
}

// --- The panel -------------------------------------------------------------------------

struct RopePanel::State {
  PanelInfo info{"rope", "Position", "13_rope", Slot::position};

  const Frame *frame = nullptr, *second = nullptr;
  unsigned long frame_version = 0, second_version = 0, selection_version = 0, drawn = 0;
  Compare compare = Compare::a;
  bool subtracted = false;  // scores are B − A; the dials show both
  std::string note;         // why they are not

  bool known = false;
  std::string scheme;  // "rope", "alibi", …
  int L = 0, H = 0, G = 0, K = 0, T = 0, D = 0;
  double init = 0.02;
  long step = 0;
  std::vector<std::string> labels;
  std::string missing;
  std::string chapter;

  // RoPE
  int layer = 0, head = 0;
  bool locked = false;        // the head is the selection's
  RopeHead points, points_b;  // B's only where it is subtracted
  double base = 10000;
  std::string scaling;     // "yarn of factor 4"; empty: none
  double what_if = 0;      // 0: none
  RopeScore score, other;  // at the model's base, and at the other one
  double difference = 0;
  double off_here = 0, off_run = 0;  // the two that differ most, and at which distance
  int off_at = 0;
  std::vector<double> theta;          // (K/2) of the base that is shown
  std::vector<double> model_theta;    // (K/2) of the model's own
  std::vector<double> theta_b;        // (K/2) of B's
  std::vector<float> before, after;   // (K/2, 2) of the query
  std::vector<float> after_b;         // (K/2, 2) of B's
  std::vector<float> units, units_b;  // (K/2) what they are drawn with
  float longest = 0;
  Heatmap parts;
  int chosen_position = -1;  // by the slider; −1: the last token
  int position = 0;
  bool dirty = false;  // a slider moved

  // Biases by distance, and tables
  std::vector<float> bias;  // (H, T) by distance
  Heatmap table;
  std::string table_text;

  // Between a slider's move and the next update() there is nothing to show yet
  bool asks() const { return what_if > 0 && other.T == T && T > 0; }
  double shown_base() const { return what_if > 0 ? what_if : base; }
  int pairs() const { return int(theta.size()); }

  void compute_rope(const Frame& f, const Frame* b);
  void compute_position();
  void compute_bias(const Frame& f);
  void compute_table(const Frame& f);

  void draw_rope(ViewContext& context);
  void draw_dials(ViewContext& context, const Rect& rect);
  void draw_scores(ViewContext& context, const Rect& rect);
  void draw_bias(ViewContext& context);
  void draw_table(ViewContext& context);
  void draw_none(ViewContext& context);

  // Numbers of one run, told
  struct Scores {
    RopeHead points;
    std::vector<double> theta;
    double magnitude = 1;
    RopeScore score;
  };
  std::optional<Scores> scores_of(const Frame& f) const;
  std::string if_base() const;
  std::string written_base() const;
  Told tell_angle(int p) const;
  Told tell_wave(int p) const;
  std::optional<Told> tell_score(const Frame& f, int distance) const;
  std::optional<Told> tell_part(const Frame& f, int p, int distance) const;
  Told tell_off() const;
  Told tell_bias(int h, int distance, bool slope) const;
  Told tell_position(int row, int col, double value) const;
  /// Whose the dials, biases and tables are: with B − A they are A's.
  static Compare shown_run(const ViewContext& context) {
    return context.compare == Compare::b ? Compare::b : Compare::a;
  }
};

RopePanel::RopePanel() : state_(std::make_unique<State>()) {}
RopePanel::~RopePanel() = default;
const PanelInfo& RopePanel::info() const { return state_->info; }
const RopeScore& RopePanel::score() const { return state_->score; }
const RopeScore& RopePanel::what_if() const { return state_->other; }
double RopePanel::what_if_base() const { return state_->what_if; }
int RopePanel::position() const { return state_->position; }
double RopePanel::difference() const { return state_->difference; }

namespace {

/// The layer and head that are locked, else the first.
void chosen_head(const Selection& selection, const ModelConfig& c, int& layer, int& head) {
  const Place& place = selection.locked();
  layer = place.layer.value_or(0);
  head = place.head.value_or(0);
  if (layer < 0 || layer >= c.layers) layer = 0;
  if (head < 0 || head >= c.H) head = 0;
}

}  // namespace

std::vector<std::string> RopePanel::taps(const ViewContext& context) const {
  const Frame* frame = context.shown();
  if (!frame) return {};
  const std::string& scheme = frame->options.position;
  if (scheme == "t5") return {"position/t5"};
  if (scheme == "learned") return {"position/table"};
  if (scheme != "rope") return {};
  int layer = 0, head = 0;
  chosen_head(context.selection, frame->config, layer, head);
  return {block_name(layer, "q"), block_name(layer, "k"), block_name(layer, "q_rotated"),
          block_name(layer, "k_rotated")};
}

void RopePanel::update(const ViewContext& context) {
  State& s = *state_;
  const Frame* frame = context.shown();
  if (!frame || frame->config.layers < 1 || frame->config.H < 1 || frame->config.D < 1 ||
      frame->probe_tokens.empty()) {
    s.known = false;
    s.frame = nullptr;
    return;
  }
  const Frame* second = context.compare == Compare::difference ? context.b : nullptr;
  const bool new_frame = !s.known || frame != s.frame || frame->version != s.frame_version ||
                         second != s.second || (second && second->version != s.second_version) ||
                         context.compare != s.compare;
  s.second = second;
  s.second_version = second ? second->version : 0;
  s.compare = context.compare;
  const bool new_place = new_frame || context.selection.version() != s.selection_version;
  s.frame = frame;
  s.frame_version = frame->version;
  s.selection_version = context.selection.version();
  if (!new_place && !s.dirty) return;

  int layer = 0, head = 0;
  chosen_head(context.selection, frame->config, layer, head);
  const bool new_head = new_frame || layer != s.layer || head != s.head;
  s.known = true;
  s.layer = layer;
  s.head = head;
  s.locked = context.selection.locked().head.has_value();
  if (new_frame) {
    s.scheme = frame->options.position;
    s.L = int(frame->config.layers);
    s.H = int(frame->config.H);
    s.G = std::max(1, int(frame->config.G));
    s.K = int(frame->config.K());
    s.D = int(frame->config.D);
    s.init = double(frame->config.init);
    s.T = int(frame->probe_tokens.size());
    s.step = frame->step;
    s.labels = frame->probe_labels;
    s.labels.resize(std::size_t(s.T), "?");
    s.missing.clear();
    s.subtracted = false;
    s.note = second && s.scheme != "rope" ? "B − A is of rotations; these are A's own." : "";
    s.info.chapter = s.scheme == "rope" ? "13_rope" : "07_position";
  }
  ++s.drawn;
  if (s.scheme == "rope") {
    if (new_head || s.dirty) s.compute_rope(*frame, second);
    const Place place = context.selection.shown();
    s.position = place.query ? *place.query : s.chosen_position >= 0 ? s.chosen_position : s.T - 1;
    s.position = std::clamp(s.position, 0, s.T - 1);
    s.compute_position();
  } else if (new_frame && (s.scheme == "alibi" || s.scheme == "t5")) {
    s.compute_bias(*frame);
  } else if (new_frame) {
    s.compute_table(*frame);
  }
  s.dirty = false;
}

void RopePanel::State::compute_rope(const Frame& f, const Frame* b) {
  subtracted = false;
  points_b = {};
  note.clear();
  base = f.options.rope_base;
  // The model's scaling stays, whatever the base
  RopeConfig config = rope_config(f.options);
  const auto frequencies = [&](double of_base) {
    config.base = of_base;
    return K >= 2 && K % 2 == 0 && of_base > 0 ? rope_frequencies(K, config, f.config.T)
                                               : std::vector<double>{};
  };
  const double magnitude = rope_magnitude(config.scaling);
  scaling = f.options.rope_scaling == "none"
                ? ""
                : f.options.rope_scaling + " of factor " + number_text(f.options.rope_factor);
  model_theta = frequencies(base);
  theta = frequencies(shown_base());
  missing = read_rope_head(f, layer, head, points);
  if (missing.empty() && points.T != T) missing = "The probe's length has just changed.";
  if (!missing.empty()) {
    points = {};
    score = other = {};
    parts.clear();
    return;
  }
  score = rope_score_by_distance(points, model_theta, magnitude);
  other = what_if > 0 ? rope_score_by_distance(points, theta, magnitude) : RopeScore{};
  if (b) {
    // Each run's scores by its own rotations, then B's less A's
    const bool same = b->options.position == "rope" && layer < b->config.layers &&
                      head < b->config.H && read_rope_head(*b, layer, head, points_b).empty() &&
                      points_b.T == T;
    if (same) {
      RopeConfig of_b = rope_config(b->options);
      const int K_b = points_b.K;
      const auto less = [&](RopeScore& a, double base_of_b) {
        of_b.base = base_of_b;
        const RopeScore s = rope_score_by_distance(
            points_b, rope_frequencies(K_b, of_b, b->config.T), rope_magnitude(of_b.scaling));
        for (std::size_t i = 0; i < a.score.size(); ++i) a.score[i] = s.score[i] - a.score[i];
        for (std::size_t i = 0; i < a.part.size() && i < s.part.size(); ++i)
          a.part[i] = s.part[i] - a.part[i];
      };
      subtracted = points_b.K == K;
      if (subtracted) {
        of_b.base = what_if > 0 ? what_if : b->options.rope_base;
        theta_b = rope_frequencies(K_b, of_b, b->config.T);
        less(score, b->options.rope_base);
        if (what_if > 0) less(other, what_if);
      }
    }
    if (!subtracted)
      note = b->options.position != "rope" ? "B has " + b->options.position + " instead: this is A."
                                           : "B has no such head of this width: this is A.";
  }
  const RopeScore& shown = what_if > 0 ? other : score;
  const HeatmapStyle style{Colormap::signed_, RangePolicy::percentile, {-1, 1}, true};
  parts.set({.data = shown.part.data(), .rows = shown.pairs, .cols = shown.T}, drawn, style);

  // Hold the model's base against the rotation that the run computed
  difference = subtracted ? kNaN : 0;
  if (subtracted) return;
  const TapValue* qr = f.tap(block_name(layer, "q_rotated"));
  const TapValue* kr = f.tap(block_name(layer, "k_rotated"));
  const int group = head / std::max(1, H / G);
  if (!qr || !kr || qr->rows != T || kr->rows != T || qr->cols != H * K || kr->cols != G * K) {
    difference = kNaN;
    return;
  }
  for (int d = 0; d < T; ++d) {
    double sum = 0;
    for (int t = d; t < T; ++t)
      for (int i = 0; i < K; ++i)
        sum += double((*qr)(t, head * K + i)) * double((*kr)(t - d, group * K + i));
    const double mean = sum / (double(T - d) * std::sqrt(double(K)));
    const double off = std::abs(mean - double(score.score[std::size_t(d)]));
    if (!(off <= difference)) {
      difference = off;
      off_here = double(score.score[std::size_t(d)]);
      off_run = mean;
      off_at = d;
    }
  }
}

void RopePanel::State::compute_position() {
  before.assign(2 * theta.size(), 0);
  after.assign(2 * theta.size(), 0);
  after_b.assign(2 * theta.size(), 0);
  units.assign(theta.size(), 1);
  units_b.assign(theta.size(), 1);
  longest = 0;
  if (points.T == 0) return;
  const bool both = subtracted && points_b.T == points.T;
  const auto pair_of = [&](const RopeHead& head, int p) {
    return std::complex<double>(double(head.q[at(position, head.first(p), K)]),
                                double(head.q[at(position, head.second(p), K)]));
  };
  for (const RopeHead* head : {&points, both ? &points_b : &points}) {
    for (int p = 0; p < pairs(); ++p) {
      const auto length = float(std::abs(pair_of(*head, p)));
      if (std::isfinite(length)) longest = std::max(longest, length);
    }
  }
  // The longest pair reaches the circle. Square roots, so that the short ones are seen too
  const auto turn = [&](std::complex<double> q, double of_theta, int p, std::vector<float>& turned,
                        std::vector<float>& of_units) {
    const double length = std::abs(q), angle = double(position) * of_theta;
    of_units[std::size_t(p)] =
        length > 0 ? float(std::sqrt(length / std::max(double(longest), 1e-30)) / length) : 1;
    turned[at(p, 0, 2)] = float(q.real() * std::cos(angle) - q.imag() * std::sin(angle));
    turned[at(p, 1, 2)] = float(q.real() * std::sin(angle) + q.imag() * std::cos(angle));
  };
  for (int p = 0; p < pairs(); ++p) {
    const std::complex<double> q = pair_of(points, p);
    before[at(p, 0, 2)] = float(q.real());
    before[at(p, 1, 2)] = float(q.imag());
    turn(q, theta[std::size_t(p)], p, after, units);
    if (both) turn(pair_of(points_b, p), theta_b[std::size_t(p)], p, after_b, units_b);
  }
}

void RopePanel::State::compute_bias(const Frame& f) {
  bias.clear();
  Mat<float> all;  // (H, 2T − 1)
  if (scheme == "alibi") {
    all = alibi_bias<float>(H, T);
  } else {
    const TapValue* t5 = f.tap("position/t5");
    if (!t5 || t5->cols != H || t5->rows < 2) {
      missing = "Waiting for the bias by distance: it comes with the next frame.";
      return;
    }
    const Mat<float> values = Eigen::Map<const Mat<float>>(t5->data.data(), t5->rows, t5->cols);
    all.resize(H, 2 * T - 1);
    t5_bias_forward<float>(values, f.config.mask.kind != Mask::Kind::causal, all);
  }
  missing.clear();
  bias.resize(std::size_t(H) * std::size_t(T));
  for (int h = 0; h < H; ++h)
    for (int d = 0; d < T; ++d) bias[at(h, d, T)] = all(h, T - 1 - d);
}

void RopePanel::State::compute_table(const Frame& f) {
  const HeatmapStyle style{Colormap::signed_, RangePolicy::percentile, {-1, 1}, true};
  if (scheme == "sinusoidal") {
    const Mat<float> values = sinusoidal_table<float>(T, D) * float(f.config.init);
    table.set({.data = values.data(), .rows = T, .cols = D}, drawn, style);
    missing.clear();
  } else if (scheme == "learned") {
    const TapValue* learned = f.tap("position/table");
    if (!learned || learned->rows < 1 || learned->cols != D) {
      missing = "Waiting for the table of positions: it comes with the next frame.";
      return;
    }
    missing.clear();
    table.set({.data = learned->data.data(), .rows = learned->rows, .cols = D}, drawn, style);
  }
}

void RopePanel::draw(ViewContext& context) {
  State& s = *state_;
  if (!s.known) {
    put_note(context, context.rect,
             context.shown()
                 ? "No probe sequence yet. It is passed through the model after each step."
                 : "No run yet. Positions appear with the first step.");
    return;
  }
  if (s.scheme == "rope") return s.draw_rope(context);
  if (!s.missing.empty()) return put_note(context, context.rect, s.missing);
  if (s.scheme == "alibi" || s.scheme == "t5") return s.draw_bias(context);
  if (s.scheme == "sinusoidal" || s.scheme == "learned") return s.draw_table(context);
  s.draw_none(context);
}

// --- RoPE ------------------------------------------------------------------------------

void RopePanel::State::draw_rope(ViewContext& context) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Rect r = context.rect;
  const float control = theme.px(20);

  // Sliders: where the query stands, and what if the base were another
  {
    const FontScope small(theme, Font::small);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(theme.px(6), theme.px(2)));
    const float slider = std::min(theme.px(88), 0.18f * r.w), text_y = r.y + theme.px(2);
    float x = r.x;
    ImGui::SetCursorScreenPos(ImVec2(x, r.y));
    ImGui::SetNextItemWidth(slider);
    int value = position;
    if (ImGui::SliderInt("##position", &value, 0, T - 1, "")) {
      chosen_position = std::clamp(value, 0, T - 1);
      if (context.selection.locked().query) context.selection.set({.query = chosen_position});
      dirty = true;
    }
    context.probe("rope/position");
    hint(context, "The token whose query the dials show");
    x += slider + theme.px(6);
    x += std::max(theme.px(76), put_text(context, list, x, text_y, colours.dim_time,
                                         "t = " + std::to_string(position) + " “" +
                                             labels[std::size_t(position)] + "”"));
    x += theme.grid(1);
    ImGui::SetCursorScreenPos(ImVec2(x, r.y));
    ImGui::SetNextItemWidth(slider);
    float b = float(shown_base());
    if (ImGui::SliderFloat("##base", &b, 10, 1e6f, "", ImGuiSliderFlags_Logarithmic)) {
      if (b >= 2) what_if = std::round(double(b));
      dirty = true;
    }
    context.probe("rope/base");
    hint(context, "What if the base were another? The model is unchanged");
    x += slider + theme.px(6);
    x += put_text(context, list, x, text_y, what_if > 0 ? colours.warning : colours.text,
                  "base " + with_thousands((long long)shown_base()));
    if (what_if > 0) {
      ImGui::SetCursorScreenPos(ImVec2(x + theme.px(6), r.y));
      if (ImGui::SmallButton("×")) {
        what_if = 0;
        dirty = true;
      }
      context.probe("rope/reset");
      hint(context, "Back to the model's own base");
    }
    ImGui::PopStyleVar();
  }
  std::string whose = "layer " + std::to_string(layer) + " · head " + std::to_string(head);
  if (subtracted) {
    // In the place of whose they are: what the arrows are
    const float b_w = text_width(context, Font::small, "B dashed"),
                a_w = text_width(context, Font::small, "A solid, ");
    const float legend = r.right() - b_w - a_w;
    put_text(context, list, legend, r.y + theme.px(2), colours.run_a, "A solid,");
    put_text(context, list, legend + a_w, r.y + theme.px(2), colours.run_b, "B dashed");
    whose.clear();
  }
  put_text_right(context, list, r.right(), r.y + theme.px(2), locked ? colours.text : colours.muted,
                 whose);
  if (asks()) {
    const float line = theme.font_size(Font::small) + theme.px(2);
    const std::string note = "What if: recorded q and k, turned with base " +
                             with_thousands((long long)what_if) + ". The model keeps its own, " +
                             with_thousands((long long)base) + ".";
    put_text(context, list, r.x, r.y + control + theme.px(4), colours.warning, note);
    const float top = r.y + control + theme.px(6) + line;
    const float dials = std::min(theme.px(150), 0.32f * r.h);
    draw_dials(context, {r.x, top, r.w, dials});
    draw_scores(context, {r.x, top + dials, r.w, r.bottom() - top - dials});
    return;
  }
  const float top = r.y + control + theme.px(8);
  const float dials = std::min(theme.px(150), 0.32f * r.h);
  draw_dials(context, {r.x, top, r.w, dials});
  draw_scores(context, {r.x, top + dials, r.w, r.bottom() - top - dials});
}

std::string RopePanel::State::written_base() const {
  const double b = shown_base();
  return b == std::floor(b) ? with_thousands((long long)(b)) : number_text(b, 6);
}
std::string RopePanel::State::if_base() const {
  return what_if > 0 ? ", if the base were " + written_base() : "";
}

Told RopePanel::State::tell_angle(int p) const {
  const double th = theta[std::size_t(p)], angle = double(position) * th, wavelength = kTurn / th;
  Told told;
  told.name = "Angle of {P|pair " + std::to_string(p) + "} of " + std::to_string(pairs()) +
              " at position {T|" + std::to_string(position) + "}" + if_base();
  told.formula = "{T|t}·θ,   θ = base^(−2{P|p}/{D|K})" +
                 std::string(scaling.empty() ? "" : ", slowed by " + scaling);
  told.numbers = std::to_string(position) + " · " +
                 (scaling.empty() ? written_base() + "^(−2 · " + std::to_string(p) + " / " +
                                        std::to_string(K) + ")"
                                  : number_text(th, 6));
  told.value = angle;
  told.unit = "rad";
  told.note = formatted(" = %.0f°", std::fmod(angle, kTurn) * 360 / kTurn);
  if (points.T > 0) {
    told.note += ": (" + number_text(double(before[at(p, 0, 2)]), 3) + ", " +
                 number_text(double(before[at(p, 1, 2)]), 3) + ") → (" +
                 number_text(double(after[at(p, 0, 2)]), 3) + ", " +
                 number_text(double(after[at(p, 1, 2)]), 3) + ")";
    if (subtracted)
      told.note += " in A, (" + number_text(double(after_b[at(p, 0, 2)]), 3) + ", " +
                   number_text(double(after_b[at(p, 1, 2)]), 3) + ") in B";
  }
  told.why = "A whole turn takes λ = " + tokens(wavelength) + " tokens: " +
             (wavelength > double(T)
                  ? "never within these " + std::to_string(T) + ", so it tells far from near."
                  : formatted("%.1f turns", double(T) / wavelength) + " within these " +
                        std::to_string(T) + ", so it tells neighbours apart.");
  told.source = "chapters/13_rope/rope.cpp: rope_table";
  return told;
}

Told RopePanel::State::tell_wave(int p) const {
  const double th = theta[std::size_t(p)];
  Told told;
  told.name =
      "Wavelength of {P|pair " + std::to_string(p) + "} of " + std::to_string(pairs()) + if_base();
  told.formula = scaling.empty() ? "λ = 2π / θ = 2π · base^(2{P|p}/{D|K})" : "λ = 2π / θ";
  told.numbers = scaling.empty() ? "2 · π · " + written_base() + "^(2 · " + std::to_string(p) +
                                       " / " + std::to_string(K) + ")"
                                 : "2 · π / " + number_text(th, 6);
  told.value = kTurn / th;
  told.unit = "tokens";
  told.note = formatted(", %.2f turns in this context", double(T) * th / kTurn);
  told.why = "A pair that completes no turn in the context tells far from near, the others repeat.";
  told.source = "chapters/13_rope/rope.cpp: rope_frequencies";
  return told;
}

/// Computed again for a tooltip: the frame's queries and keys, turned with the base that is shown.
std::optional<RopePanel::State::Scores> RopePanel::State::scores_of(const Frame& f) const {
  Scores out;
  if (f.options.position != "rope" || layer >= f.config.layers || head >= f.config.H) return {};
  if (!read_rope_head(f, layer, head, out.points).empty() || out.points.T != T) return {};
  RopeConfig config = rope_config(f.options);
  if (what_if > 0) config.base = what_if;
  out.theta = rope_frequencies(out.points.K, config, f.config.T);
  out.magnitude = rope_magnitude(config.scaling);
  out.score = rope_score_by_distance(out.points, out.theta, out.magnitude);
  return out;
}

std::optional<Told> RopePanel::State::tell_score(const Frame& f, int distance) const {
  const std::optional<Scores> of = scores_of(f);
  if (!of || distance < 0 || distance >= T) return {};
  std::vector<double> parts_here;
  for (int p = 0; p < of->score.pairs; ++p)
    parts_here.push_back(double(of->score.part[at(p, distance, T)]));
  Told told;
  told.name = "Mean score at distance {T|" + std::to_string(distance) + "}, layer " +
              std::to_string(layer) + ", {H|head " + std::to_string(head) + "}" + if_base();
  told.formula = "mean over {T|t} of q[{T|t}]·k[{T|t} − d] / √{D|K} = Σ_{P|p} of the pairs below";
  told.numbers = written_sum(std::move(parts_here), 4);
  told.value = double(of->score.score[std::size_t(distance)]);
  told.note =
      ", mean of " + std::to_string(T - distance) + (T - distance == 1 ? " query" : " queries");
  told.why = "How much a head likes this distance, whatever the tokens are.";
  told.source = "viewer/panels/rope_panel.cpp: rope_score_by_distance";
  return told;
}

std::optional<Told> RopePanel::State::tell_part(const Frame& f, int p, int distance) const {
  const std::optional<Scores> of = scores_of(f);
  if (!of || distance < 0 || distance >= T || p < 0 || p >= of->score.pairs) return {};
  const RopeHead& head_here = of->points;
  const double angle = double(distance) * of->theta[std::size_t(p)];
  const auto value = [&](const std::vector<float>& of_tokens, int t, int i) {
    return double(of_tokens[at(t, i, head_here.K)]);
  };
  std::vector<double> each;
  for (int t = distance; t < T; ++t) {
    const int a = head_here.first(p), b = head_here.second(p), s = t - distance;
    const double qa = value(head_here.q, t, a), qb = value(head_here.q, t, b);
    const double ka = value(head_here.k, s, a), kb = value(head_here.k, s, b);
    each.push_back(of->magnitude * of->magnitude *
                   ((qa * ka + qb * kb) * std::cos(angle) - (qb * ka - qa * kb) * std::sin(angle)));
  }
  const std::size_t n = each.size();
  Told told;
  told.name = "Part of {P|pair " + std::to_string(p) + "} at distance {T|" +
              std::to_string(distance) + "}" + if_base();
  told.formula = "mean over {T|t} of |q|·|k|·cos(φq − φk + d·θ[{P|p}]) / √{D|K}";
  told.numbers = "(" + written_sum(std::move(each)) + ") / " + std::to_string(n) + " / √" +
                 std::to_string(head_here.K);
  told.value = double(of->score.part[at(p, distance, T)]);
  told.note = ", turned by " + number_text(angle, 3) + " rad";
  told.why = "The column adds up to the curve above: " +
             number_text(double(of->score.score[std::size_t(distance)])) + ".";
  told.source = "viewer/panels/rope_panel.cpp: rope_score_by_distance";
  return told;
}

Told RopePanel::State::tell_off() const {
  Told told;
  told.name = "Off the run's own, most at distance {T|" + std::to_string(off_at) + "}";
  told.formula = "|mean score from q and k before the rotation − from the run's rotated ones|";
  told.numbers = "|" + to_places(off_here, 12) + " − " + to_places(off_run, 12) + "|";
  told.value = std::abs(off_here - off_run);
  told.digits = 2;
  told.why = "The same turn twice: what differs is the rounding of floats.";
  told.source = "viewer/panels/rope_panel.cpp: compute_rope";
  return told;
}

Told RopePanel::State::tell_bias(int h, int distance, bool slope) const {
  const double value = double(bias[at(h, distance, T)]);
  const bool even = (H & (H - 1)) == 0;  // the plain rule is for powers of two
  Told told;
  told.value = value;
  if (scheme == "alibi") {
    const double m = slope ? 0 : value / std::max(1, distance);
    const std::string written =
        even ? "2^(−8 · " + std::to_string(h + 1) + " / " + std::to_string(H) + ")"
             : number_text(slope ? -value : -m, 6);
    told.name = slope ? "Slope m of {H|head " + std::to_string(h) + "}"
                      : "ALiBi's bias of {H|head " + std::to_string(h) + "} at distance {T|" +
                            std::to_string(distance) + "}";
    told.formula = slope ? "m[{H|h}] = 2^(−8({H|h} + 1) / {H|H})"
                         : "b = −m[{H|h}]·({T|t} − {T|s}),  m = 2^(−8({H|h} + 1) / {H|H})";
    told.numbers = slope ? written : "−" + written + " · " + std::to_string(distance);
    if (slope) told.value = -value;
    told.why = "Steep heads look near, flat ones far. Nothing is learned.";
    told.source = "chapters/07_position/exercises/alibi/reference.h: alibi_slopes";
  } else {
    told.name = "T5's bias of {H|head " + std::to_string(h) + "} at distance {T|" +
                std::to_string(distance) + "}";
    told.formula = "b = table[bucket({T|t} − {T|s}), {H|h}],  learned";
    told.numbers =
        number_text(value, 5) + aside(", bucket " + std::to_string(t5_bucket(-distance, false)));
    told.why = "Near distances have a bucket each, far ones share.";
    told.source = "chapters/07_position/relative_bias.cpp: t5_bucket";
  }
  return told;
}

Told RopePanel::State::tell_position(int row, int col, double value) const {
  Told told;
  told.name = "Position {T|" + std::to_string(row) + "}, {D|feature " + std::to_string(col) + "}";
  told.value = value;
  if (scheme == "sinusoidal") {
    const std::string wave = col % 2 ? "cos" : "sin";
    told.formula = wave + "({T|t} / 10000^(2i/{D|D})) · init,  2i = " + std::to_string(col / 2 * 2);
    told.numbers = wave + "(" + std::to_string(row) + " / 10,000^(" + std::to_string(col / 2 * 2) +
                   " / " + std::to_string(D) + ")) · " + number_text(init, 5);
    told.source = "chapters/07_position/exercises/sinusoidal/reference.h: sinusoidal_table";
  } else {
    told.formula = "a parameter: position/table[{T|t}, {D|d}]";
    told.numbers = number_text(value, 5);
    told.source = "chapters/07_position/sinusoidal.cpp: add_positions_forward";
  }
  told.why = "It is added to the token's embedding, so where and what share one vector.";
  return told;
}

void RopePanel::State::draw_dials(ViewContext& context, const Rect& rect) {
  if (theta.empty()) return;
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();

  // The wavelength of a whole turn, on a logarithmic axis. Dials stand over their own wavelengths,
  // which the formula spaces evenly
  const double model_longest = kTurn / model_theta.back();
  const double longest_wave = std::max({kTurn / theta.back(), model_longest, double(T)});
  const double lo = std::log(kTurn), hi = std::log(std::max(longest_wave, kTurn * 1.5));
  const float line = theme.font_size(Font::small);
  const float axis_y = rect.bottom() - line - theme.px(10);
  const float dial_room = axis_y - rect.y - theme.px(8);
  const double spacing_log =
      pairs() > 1 ? (std::log(kTurn / theta.back()) - lo) / (pairs() - 1) : 0;
  // One row of dials, or a zigzag of two, whichever lets them be larger
  float side = 0, inner = rect.w, spacing = rect.w;
  bool zigzag = false;
  for (int pass = 0; pass < 3; ++pass) {  // the side takes room from the axis, so again
    spacing = pairs() > 1 ? float(spacing_log / (hi - lo)) * inner : inner;
    const float row = std::min({dial_room, spacing - theme.px(2), theme.px(72)});
    float two = std::min({dial_room, 2 * spacing - theme.px(4), theme.px(72)});
    while (two > row && std::hypot(spacing, dial_room - two) < two + theme.px(2)) two -= 1;
    zigzag = pairs() > 1 && two > 1.15f * row;
    side = std::max({zigzag ? two : row, std::min(dial_room, theme.px(24)), theme.px(8)});
    inner = std::max(1.0f, rect.w - side);
  }
  spacing = pairs() > 1 ? float(spacing_log / (hi - lo)) * inner : inner;
  const auto x_of = [&](double wave) {
    return rect.x + 0.5f * side + inner * float((std::log(wave) - lo) / (hi - lo));
  };
  const float need = zigzag ? 0.5f * side : side;
  const int every = std::max(1, int(std::ceil(need / std::max(0.01f, spacing) - 0.05f)));

  // Beyond the context no pair completes a turn
  const float x_context = x_of(double(T));
  const bool inside = x_context < rect.right();
  if (inside) {
    list->AddRectFilled(ImVec2(x_context, rect.y), ImVec2(rect.right(), axis_y),
                        with_alpha(colours.dim_time, 26));
  }

  // Axis and decades
  list->AddLine(ImVec2(rect.x, axis_y), ImVec2(rect.right(), axis_y), colours.muted);
  int never = 0;
  for (const double th : theta) never += kTurn / th > double(T);
  std::string context_text = "T = " + std::to_string(T);
  const std::string longer =
      context_text + ": " + std::to_string(never) + " of " + std::to_string(pairs()) +
      (never == 1 ? " pairs never completes a turn" : " pairs never complete a turn");
  if (never > 0 && x_context + text_width(context, Font::small, longer) < rect.right())
    context_text = longer;
  const float context_width = text_width(context, Font::small, context_text);
  const float context_x = std::min(x_context + theme.px(6), rect.right() - context_width);
  float free_from = rect.x + theme.px(14);
  for (double decade = 10; decade <= longest_wave * 1.0001; decade *= 10) {
    const float x = x_of(decade);
    list->AddLine(ImVec2(x, axis_y), ImVec2(x, axis_y + theme.px(3)), colours.muted);
    const std::string text = axis_number(decade);
    const float half = 0.5f * text_width(context, Font::small, text);
    if (x - half < free_from || x + half > rect.right()) continue;
    if (x + half + theme.px(6) > context_x && x - half - theme.px(6) < context_x + context_width)
      continue;
    put_text_middle(context, list, x, axis_y + theme.px(3), colours.muted, text);
    free_from = x + half + theme.px(8);
  }
  put_text(context, list, rect.x, axis_y + theme.px(3), colours.muted, "λ");
  list->AddLine(ImVec2(x_context, rect.y), ImVec2(x_context, axis_y + theme.px(4)),
                colours.dim_time, theme.px(1.5f));
  put_text(context, list, context_x, axis_y + theme.px(3), colours.dim_time, context_text);

  // On the axis: the wavelength of the nearest pair
  const Rect axis_rect{rect.x, axis_y - theme.px(2), rect.w, rect.bottom() - axis_y + theme.px(2)};
  context.probes.record("rope/waves", axis_rect);
  const ImVec2 at_mouse = ImGui::GetIO().MousePos;
  if (ImGui::IsWindowHovered() && axis_rect.contains(at_mouse.x, at_mouse.y)) {
    int nearest = 0;
    for (int p = 1; p < pairs(); ++p)
      if (std::abs(x_of(kTurn / theta[std::size_t(p)]) - at_mouse.x) <
          std::abs(x_of(kTurn / theta[std::size_t(nearest)]) - at_mouse.x))
        nearest = p;
    context.selection.hover({.pair = nearest});
    if (tooltip_ready(context, "rope/waves/" + std::to_string(nearest)))
      tell_one(context, shown_run(context), tell_wave(nearest));
  }

  // A dial a pair: the query before (dashed) and after the turn
  const Place place = context.selection.shown();
  for (int p = 0; p < pairs(); ++p) {
    const float x = x_of(kTurn / theta[std::size_t(p)]);
    const Rgba colour = pair_colour(theme, p, pairs());
    const bool selected = context.selection.is_locked({.pair = p});
    const bool up = zigzag && p / every % 2 == 1 && p % every == 0;
    const float foot = up ? axis_y - theme.px(7) - (dial_room - side) : axis_y - theme.px(5);
    list->AddLine(ImVec2(x, std::max(rect.y, foot)), ImVec2(x, axis_y), colour,
                  theme.px(selected || place.pair == p ? 3.0f : 1.5f));
    if (p % every != 0) continue;
    const float unit = units[std::size_t(p)], unit_b = units_b[std::size_t(p)];
    std::array<DialArrow, 2> arrows{
        DialArrow{before[at(p, 0, 2)] * unit, before[at(p, 1, 2)] * unit,
                  with_alpha(colours.muted, 200), true, "q"},
        DialArrow{after[at(p, 0, 2)] * unit, after[at(p, 1, 2)] * unit, colour, false, "q turned"}};
    if (subtracted) {  // both queries, each turned
      arrows = {DialArrow{after[at(p, 0, 2)] * unit, after[at(p, 1, 2)] * unit, colours.run_a,
                          false, "A"},
                DialArrow{after_b[at(p, 0, 2)] * unit_b, after_b[at(p, 1, 2)] * unit_b,
                          colours.run_b, true, "B"}};
    }
    DialOptions options;
    options.size = side;
    options.selected = selected;
    options.hovered_elsewhere = place.pair == p;
    const std::string id = "rope/pair/" + std::to_string(p);
    const float lift = up ? dial_room - side : 0;
    ImGui::SetCursorScreenPos(ImVec2(x - 0.5f * side, axis_y - theme.px(7) - side - lift));
    const DialHit hit = points.T > 0 ? draw_dial(context, id.c_str(), arrows, options)
                                     : draw_dial(context, id.c_str(), {}, options);
    if (hit.hovered) {
      context.selection.hover({.pair = p});
      if (tooltip_ready(context, id + "/" + std::to_string(position)))
        tell_one(context, shown_run(context), tell_angle(p));
    }
    if (hit.clicked) context.selection.lock({.pair = p});
  }
}

void RopePanel::State::draw_scores(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (!missing.empty() || score.T == 0) return put_note(context, rect, missing);
  const float line = theme.font_size(Font::small) + theme.px(2);
  const float gutter = text_width(context, Font::small, "−0.00") + theme.px(8);
  const Rect body{rect.x + gutter, rect.y + line + theme.px(6), rect.w - gutter - theme.px(4),
                  rect.h - 2 * line - theme.px(10)};
  if (body.w < theme.px(40) || body.h < theme.px(40)) return;
  const Rect plot{body.x, body.y, body.w, std::floor(0.46f * body.h)};
  const Rect map{body.x, plot.bottom() + theme.px(5), body.w, body.h - plot.h - theme.px(5)};
  const RopeScore& shown = asks() ? other : score;

  // The range of all lines, with zero in it
  float low = 0, high = 0;
  const auto widen = [&](const std::vector<float>& values) {
    for (const float v : values) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  };
  widen(score.score);
  if (asks()) widen(other.score);
  if (high - low < 1e-6f) high = low + 1;
  const float room = 0.06f * (high - low);
  low -= low < 0 ? room : 0;
  high += room;
  const auto y_of = [&](float v) { return plot.bottom() - (v - low) / (high - low) * plot.h; };
  const float cell = plot.w / float(T);
  const auto x_of = [&](int d) { return plot.x + (float(d) + 0.5f) * cell; };

  // Grid, numbers, title
  list->AddRectFilled(ImVec2(plot.x, plot.y), ImVec2(plot.right(), plot.bottom()),
                      with_alpha(colours.grid, 90));
  float label_at = 1e9f;  // numbers go upwards, as many as fit
  for (const double tick : axis_ticks(double(low), double(high), 5)) {
    const float y = y_of(float(tick));
    if (y < plot.y - 1 || y > plot.bottom() + 1) continue;
    list->AddLine(ImVec2(plot.x, y), ImVec2(plot.right(), y),
                  tick == 0 ? colours.guide : colours.grid);
    if (y > label_at - theme.font_size(Font::small)) continue;
    label_at = y;
    put_text_right(context, list, plot.x - theme.px(4), y - 0.5f * theme.font_size(Font::small),
                   colours.muted, axis_number(tick, 0));
  }
  const float title_y = rect.y + theme.px(2);
  put_text(
      context, list, rect.x, title_y, colours.text,
      subtracted ? "B − A: mean of q·k/√K at distance t − s" : "mean of q·k/√K at distance t − s");

  // Lines: the model's own base, the other one dashed, and the selected pair's part
  std::vector<ImVec2> points_;
  const auto polyline = [&](const float* values, Rgba colour, float thickness, bool dashed) {
    for (int d = 0; d + 1 < T; ++d) {
      const float a = values[d], b = values[d + 1];
      if (!std::isfinite(a) || !std::isfinite(b)) continue;
      if (dashed && d / 2 % 2 == 1) continue;
      list->AddLine(ImVec2(x_of(d), y_of(a)), ImVec2(x_of(d + 1), y_of(b)), colour, thickness);
    }
    if (T == 1 && std::isfinite(values[0]))
      list->AddCircleFilled(ImVec2(x_of(0), y_of(values[0])), theme.px(2), colour);
  };
  const Place place = context.selection.shown();
  if (place.pair && *place.pair >= 0 && *place.pair < shown.pairs) {
    list->PushClipRect(ImVec2(plot.x, plot.y), ImVec2(plot.right(), plot.bottom()), true);
    polyline(shown.part.data() + at(*place.pair, 0, T),
             pair_colour(theme, *place.pair, shown.pairs), theme.px(1.5f), false);
    list->PopClipRect();
  }
  polyline(score.score.data(),
           asks()       ? colours.muted
           : subtracted ? colours.text
                        : context.run_colour(),
           theme.px(2), false);
  if (asks()) polyline(other.score.data(), colours.warning, theme.px(2), true);
  bool any_finite = false;
  for (const float v : shown.score) any_finite = any_finite || std::isfinite(v);
  if (!any_finite)
    put_text_middle(context, list, plot.x + 0.5f * plot.w, plot.y + theme.px(4), colours.error,
                    "queries and keys are not finite");

  // Each pair's part, fast pairs on top, in the same columns
  HeatmapOptions options;
  options.size = ImVec2(map.w, map.h);
  options.border = false;
  if (place.pair) options.mark_row = *place.pair;
  if (context.selection.locked().pair) options.lock_row = *context.selection.locked().pair;
  ImGui::SetCursorScreenPos(ImVec2(map.x, map.y));
  const HeatmapHit hit = parts.draw(context, "rope/parts", options);
  const float row_height = map.h / float(std::max(1, shown.pairs));
  for (int p = 0; p < shown.pairs; ++p) {
    const float y = map.y + row_height * float(p);
    list->AddRectFilled(ImVec2(map.x - theme.px(6), y),
                        ImVec2(map.x - theme.px(2), y + std::max(1.0f, row_height - theme.px(1))),
                        pair_colour(theme, p, shown.pairs));
  }
  put_text(context, list, rect.x, map.y - theme.px(1), colours.dim_pair, "fast");
  put_text(context, list, rect.x, map.bottom() - theme.font_size(Font::small) - theme.px(1),
           colours.dim_pair, "slow");

  // The mouse, over either: a line through both
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  ImGui::SetCursorScreenPos(ImVec2(plot.x, plot.y));
  ImGui::InvisibleButton("rope/score", ImVec2(plot.w, plot.h));
  context.probe("rope/score");
  const bool over_plot = ImGui::IsItemHovered();
  int distance = -1;
  if (hit.hovered) distance = hit.col;
  if (over_plot) distance = std::clamp(int((mouse.x - plot.x) / cell), 0, T - 1);
  if (distance < 0 && place.query && place.key && *place.query >= *place.key && *place.query < T)
    distance = *place.query - *place.key;
  if (hit.hovered) {
    context.selection.hover({.pair = hit.row});
    if (tooltip_ready(context, formatted("rope/parts/%d/%d", hit.row, hit.col))) {
      tell(
          context, [&](const Frame& f, const History*) { return tell_part(f, hit.row, hit.col); },
          subtracted);
    }
    if (hit.clicked) context.selection.lock({.pair = hit.row});
  }
  if (over_plot && tooltip_ready(context, "rope/score/" + std::to_string(distance)))
    tell(
        context, [&](const Frame& f, const History*) { return tell_score(f, distance); },
        subtracted);
  std::string readout;
  if (distance >= 0) {
    const float x = x_of(distance);
    list->AddLine(ImVec2(x, plot.y), ImVec2(x, map.bottom()), with_alpha(colours.hover_mark, 150));
    readout = "distance " + std::to_string(distance) + ": " +
              number_text(double(score.score[std::size_t(distance)]), 3);
    if (asks()) readout += " → " + number_text(double(other.score[std::size_t(distance)]), 3);
    readout +=
        ", mean of " + std::to_string(T - distance) + (T - distance == 1 ? " query" : " queries");
    put_text_right(context, list, rect.right(), title_y, colours.text, readout);
  } else {
    readout = note.empty() ? "the sum of the pairs below" : note;
    if (std::isfinite(difference))
      readout += (note.empty() ? "; off the run's own by " : " Off the run's own by ") +
                 number_text(difference, 2);
    put_text_right(context, list, rect.right(), title_y,
                   note.empty() ? colours.muted : colours.warning, readout);
    const float wide = text_width(context, Font::small, readout);
    if (std::isfinite(difference) &&
        resting_on(context, "rope/off", {rect.right() - wide, title_y, wide, line}))
      tell_one(context, shown_run(context), tell_off());
  }

  // Distances, and what the colours mean
  const float axis = map.bottom() + theme.px(2);
  const ValueRange range = parts.range();
  const std::string left = number_text(double(range.lo), 2),
                    right = number_text(double(range.hi), 2);
  const float bar = theme.px(56), right_width = text_width(context, Font::small, right);
  const float bx = rect.right() - right_width - theme.px(4) - bar;
  const float free_until = bx - text_width(context, Font::small, left) - theme.px(12);
  for (const double tick : axis_ticks(0, double(T - 1), 6)) {
    const int d = int(std::lround(tick));
    if (d < 0 || d >= T || std::abs(tick - double(d)) > 1e-6) continue;
    const std::string text = std::to_string(d);
    if (x_of(d) + 0.5f * text_width(context, Font::small, text) > free_until) break;
    put_text_middle(context, list, x_of(d), axis, colours.muted, text);
  }
  put_text(context, list, bx + bar + theme.px(4), axis, colours.muted, right);
  put_text_right(context, list, bx - theme.px(4), axis, colours.muted, left);
  for (int i = 0; i < 28; ++i) {
    const float u = float(i) / 27.0f, w = bar / 28.0f;
    list->AddRectFilled(ImVec2(bx + w * float(i), axis + theme.px(3)),
                        ImVec2(bx + w * float(i + 1), axis + theme.px(11)),
                        colormap_colour(Colormap::signed_, u, {0, 1}));
  }
  if (resting_on(context, "rope/colours", {bx, axis, bar, theme.px(14)})) {
    const float u = std::clamp((mouse.x - bx) / bar, 0.0f, 1.0f);
    const LegendSpec spec{Colormap::signed_, range, RangePolicy::percentile, nullptr,
                          subtracted ? "a pair's part, B − A" : "a pair's part"};
    draw_tooltip(context, explanation_of(told_colour(spec, double(u))));
  }
}

// --- Other schemes ---------------------------------------------------------------------

void RopePanel::State::draw_bias(ViewContext& context) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Rect r = context.rect;
  const float line = theme.font_size(Font::small) + theme.px(3);
  if (bias.empty()) return;

  // What it is, in two lines
  const bool is_alibi = scheme == "alibi";
  put_text(context, list, r.x, r.y, colours.text,
           is_alibi ? "ALiBi: each head takes off its slope times the distance"
                    : "T5: each head learns a bias for 32 buckets of distances",
           Font::body);
  const float text_y = r.y + theme.font_size(Font::body) + theme.px(4);
  put_wrapped(context, list, r.x, text_y, r.w, colours.muted,
              is_alibi
                  ? "logit + b,  b = −m·(t − s),  m = 2^(−8(h+1)/H). Nothing is learned."
                  : "logit + b[bucket(t − s)]. Near distances have a bucket each, far ones share.");

  // A line a head
  const float key_width = theme.px(96);
  const float gutter = text_width(context, Font::small, "−00.0") + theme.px(8);
  const Rect plot{r.x + gutter, text_y + 2 * line, r.w - gutter - key_width - theme.grid(1),
                  r.bottom() - text_y - 3 * line - theme.px(6)};
  if (plot.w < theme.px(40) || plot.h < theme.px(30)) return;
  float low = 0, high = 0;
  for (const float v : bias) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  if (high - low < 1e-6f) {
    low -= 1;
    high += 1;
  }
  const auto y_of = [&](float v) { return plot.bottom() - (v - low) / (high - low) * plot.h; };
  const float cell = plot.w / float(std::max(1, T - 1));
  for (const double tick : axis_ticks(double(low), double(high), 4)) {
    const float y = y_of(float(tick));
    if (y < plot.y - 1 || y > plot.bottom() + 1) continue;
    list->AddLine(ImVec2(plot.x, y), ImVec2(plot.right(), y),
                  tick == 0 ? colours.guide : colours.grid);
    put_text_right(context, list, plot.x - theme.px(4), y - 0.5f * theme.font_size(Font::small),
                   colours.muted, axis_number(tick, 0));
  }
  for (const double tick : axis_ticks(0, double(T - 1), 6)) {
    if (tick > double(T - 1)) continue;
    put_text_middle(context, list, plot.x + cell * float(tick), plot.bottom() + theme.px(3),
                    colours.muted, axis_number(tick, 0));
  }
  put_text_right(context, list, plot.right(), plot.y - line, colours.muted,
                 "distance t − s, tokens →");
  ImGui::SetCursorScreenPos(ImVec2(plot.x, plot.y));
  ImGui::InvisibleButton("rope/bias", ImVec2(plot.w, plot.h));
  context.probe("rope/bias");
  const bool over = ImGui::IsItemHovered();
  const int distance =
      over ? std::clamp(int(std::lround((ImGui::GetIO().MousePos.x - plot.x) / cell)), 0, T - 1)
           : -1;
  const Place place = context.selection.shown();
  for (int h = 0; h < H; ++h) {
    const bool dim = place.head && *place.head != h && *place.head < H;
    const Rgba colour = with_alpha(theme.series(h), dim ? 90 : 255);
    for (int d = 0; d + 1 < T; ++d) {
      const float a = bias[at(h, d, T)], b = bias[at(h, d + 1, T)];
      if (!std::isfinite(a) || !std::isfinite(b)) continue;
      list->AddLine(ImVec2(plot.x + cell * float(d), y_of(a)),
                    ImVec2(plot.x + cell * float(d + 1), y_of(b)), colour,
                    theme.px(place.head == h ? 2.5f : 1.5f));
    }
  }
  if (distance >= 0) {
    const float x = plot.x + cell * float(distance);
    list->AddLine(ImVec2(x, plot.y), ImVec2(x, plot.bottom()), with_alpha(colours.hover_mark, 150));
    put_text(context, list, plot.x, plot.y - line, colours.text,
             "at distance " + std::to_string(distance));
    int nearest = 0;
    const float my = ImGui::GetIO().MousePos.y;
    for (int h = 1; h < H; ++h)
      if (std::abs(y_of(bias[at(h, distance, T)]) - my) <
          std::abs(y_of(bias[at(nearest, distance, T)]) - my))
        nearest = h;
    if (tooltip_ready(context, formatted("rope/bias/%d/%d", nearest, distance)))
      tell_one(context, shown_run(context), tell_bias(nearest, distance, false));
  }

  // The heads by colour, with their number at the mouse or their slope
  float y = plot.y;
  const float key_x = plot.right() + theme.grid(1.5f);
  for (int h = 0; h < H; ++h) {
    if (y + line > r.bottom()) break;
    if (y + 2 * line > r.bottom() && h + 1 < H) {
      put_text(context, list, key_x, y, colours.muted, "… " + std::to_string(H - h) + " more");
      break;
    }
    const float value = distance >= 0 ? bias[at(h, distance, T)] : T > 1 ? bias[at(h, 1, T)] : 0;
    list->AddRectFilled(ImVec2(key_x, y + theme.px(6)),
                        ImVec2(key_x + theme.px(10), y + theme.px(9)), theme.series(h));
    const std::string text = "h" + std::to_string(h) + "  " +
                             (distance < 0 && is_alibi ? "m " + number_text(double(-value), 2)
                                                       : number_text(double(value), 2));
    put_text(
        context, list, key_x + theme.px(14), y,
        std::isfinite(value) ? (place.head == h ? colours.text : colours.muted) : colours.error,
        text);
    const std::string id = "rope/bias/" + std::to_string(h);
    ImGui::SetCursorScreenPos(ImVec2(key_x, y));
    ImGui::InvisibleButton(id.c_str(), ImVec2(key_width - theme.px(8), line));
    context.probe(id);
    if (ImGui::IsItemHovered()) {
      context.selection.hover({.head = h});
      if (T > 1 && tooltip_ready(context, id))
        tell_one(context, shown_run(context), tell_bias(h, 1, is_alibi));
    }
    y += line;
  }
}

void RopePanel::State::draw_table(ViewContext& context) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Rect r = context.rect;
  const bool fixed = scheme == "sinusoidal";
  put_text(context, list, r.x, r.y, colours.text,
           fixed ? "Sines and cosines are added to the embeddings"
                 : "A learned row for every position is added to the embeddings",
           Font::body);
  const float text_y = r.y + theme.font_size(Font::body) + theme.px(4);
  const float taken = put_wrapped(
      context, list, r.x, text_y, r.w, colours.muted,
      fixed ? "P[t, 2i] = sin(t / 10000^(2i/D)), P[t, 2i+1] = the cosine. Left columns turn fast, "
              "right "
              "ones slowly, so every row differs."
            : "The table starts as noise. Rows of neighbours grow alike where the model needs it; "
              "positions that it never saw stay noise.");
  const float top = text_y + taken + theme.px(6), legend = legend_height(context);
  if (r.bottom() - top - legend < theme.px(40)) return;
  HeatmapOptions options;
  options.size = ImVec2(r.w, r.bottom() - top - legend - theme.px(4));
  options.row_title = "position t";
  options.col_title = "feature d";
  options.row_dim = Dim::time;
  options.col_dim = Dim::width;
  options.zoomable = true;
  const Place place = context.selection.shown();
  if (place.query) options.mark_row = *place.query;
  ImGui::SetCursorScreenPos(ImVec2(r.x, top));
  const HeatmapHit hit = table.draw(context, "rope/table", options);
  ImGui::SetCursorScreenPos(ImVec2(r.x, r.bottom() - legend));
  draw_legend(context, "rope/table", table, "added to feature", std::min(r.w, theme.px(320)));
  if (!hit.hovered) return;
  context.selection.hover({.query = hit.row});
  if (!tooltip_ready(context, formatted("rope/table/%d/%d", hit.row, hit.col))) return;
  tell_one(context, shown_run(context), tell_position(hit.row, hit.col, double(hit.value)));
}

void RopePanel::State::draw_none(ViewContext& context) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Rect r = context.rect;
  float y = r.y;
  put_text(context, list, r.x, y, colours.text, "Nothing tells this model where a token stands",
           Font::body);
  y += theme.font_size(Font::body) + theme.px(8);
  y += put_wrapped(
      context, list, r.x, y, std::min(r.w, theme.px(480)), colours.muted,
      "There is no rotation, no bias and no table, so there is nothing to draw. Attention "
      "compares what tokens are, not where they are: swap two earlier tokens, and the sum "
      "over them stays the same.");
  y += theme.px(8);
  y += put_wrapped(
      context, list, r.x, y, std::min(r.w, theme.px(480)), colours.muted,
      "One thing leaks through. Under a causal mask query t averages over t + 1 keys, so "
      "later layers can tell early from late. Switch position to rope on the left, and "
      "compare the losses.");
}

// --- In words, and as a file -----------------------------------------------------------

std::string RopePanel::explain() const {
  const std::string& scheme = state_->scheme;
  if (scheme == "alibi" || scheme == "t5")
    return "What a head adds to the logit of a query and a key, by the distance between them. "
           "Steeper "
           "heads look near, flat ones far. Rest on the plot to read all heads at one distance.";
  if (scheme == "sinusoidal" || scheme == "learned")
    return "The table that is added to the embeddings: a row for each position, a column for each "
           "feature. Two positions can be told apart when their rows differ.";
  if (scheme == "none") return "This model has no positions; the panel says what that means.";
  return "RoPE turns each pair of features of a query or key by an angle that grows with its "
         "position: "
         "fast pairs by a radian a token, slow ones hardly at all. A dial shows one pair of the "
         "query at "
         "the chosen position, dashed before and solid after; lengths are relative to the longest "
         "pair. "
         "Each dial stands over its wavelength, the tokens of a whole turn. Pairs right of T never "
         "complete one in this context.\n"
         "Below: the mean score of queries and keys by their distance, for the locked head (else "
         "the "
         "first), and the part of each pair. The parts of a column add up to the curve.\n"
         "The base slider asks what if. It turns the recorded queries and keys again; the model "
         "itself "
         "was trained with its own base and is unchanged.";
}

void RopePanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known) return;
  out.precision(9);
  if (s.scheme == "rope" && s.score.T > 0) {
    out << "step,layer,head,base,distance,queries,score";
    for (int p = 0; p < s.score.pairs; ++p) out << ",pair_" << p;
    out << '\n';
    const auto write = [&](const RopeScore& score, double base) {
      for (int d = 0; d < score.T; ++d) {
        out << s.step << ',' << s.layer << ',' << s.head << ',' << base << ',' << d << ','
            << score.T - d << ',' << score.score[std::size_t(d)];
        for (int p = 0; p < score.pairs; ++p) out << ',' << score.part[at(p, d, score.T)];
        out << '\n';
      }
    };
    write(s.score, s.base);
    if (s.what_if > 0) write(s.other, s.what_if);
  } else if (!s.bias.empty() && (s.scheme == "alibi" || s.scheme == "t5")) {
    out << "step,distance";
    for (int h = 0; h < s.H; ++h) out << ",head_" << h;
    out << '\n';
    for (int d = 0; d < s.T; ++d) {
      out << s.step << ',' << d;
      for (int h = 0; h < s.H; ++h) out << ',' << s.bias[at(h, d, s.T)];
      out << '\n';
    }
  } else if (!s.table.empty() && (s.scheme == "sinusoidal" || s.scheme == "learned")) {
    out << "step,position";
    for (int d = 0; d < s.table.cols(); ++d) out << ",feature_" << d;
    out << '\n';
    for (int t = 0; t < s.table.rows(); ++t) {
      out << s.step << ',' << t;
      for (int d = 0; d < s.table.cols(); ++d) out << ',' << s.table.value(t, d);
      out << '\n';
    }
  }
}

}  // namespace tpp::viewer
