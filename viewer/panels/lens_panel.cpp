#include "viewer/panels/lens_panel.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <ostream>

#include "viewer/colormap.h"
#include "viewer/compat.h"
#include "viewer/export.h"
#include "viewer/panels/controls.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/locked_head.h"
#include "viewer/panels/telling.h"
#include "viewer/view_context.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/dial.h"
#include "viewer/widgets/rich_text.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kHead =
    "chapters/06_attention/exercises/one_head/reference.h: attention_head_forward";
constexpr const char* kRotate = "chapters/13_rope/rope.cpp: rotate";
constexpr const char* kSoftmax =
    "chapters/05_softmax/exercises/forward/reference.h: softmax_forward";

/// −180 … 180.
double degrees(double radians) {
  if (!std::isfinite(radians)) return kNaN;
  const double turned = std::remainder(radians, kTurn) * 360 / kTurn;
  return turned == 0 ? 0 : turned;
}
std::string degree_text(double radians) {
  const double d = degrees(radians);
  if (!std::isfinite(d)) return "NaN";
  const long whole = std::lround(d);
  return (whole < 0 ? "−" : "") + std::to_string(std::labs(whole)) + "°";
}

std::string signed_number(double x, int digits) {
  return (x > 0 ? "+" : "") + number_text(x, digits);
}

std::string percent_text(double share) {
  if (!std::isfinite(share)) return "NaN";
  return formatted(share < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * share);
}

Rgba query_colour(const Theme& theme) { return theme.series(2); }
Rgba key_colour(const Theme& theme) { return theme.series(3); }

/// For bars: the ends of the signed map, as far as they stand out from the ground.
Rgba signed_colour(double value) {
  return colormap_colour(Colormap::signed_, value < 0 ? 0.14f : 0.86f, {0, 1});
}

struct Arrow {
  float x = 0, y = 0;
};

/// What stands left of the columns: names and axis numbers.
float gutter_width(const Ui& ui) { return text_width(ui, Font::small, "−0.00") + ui.theme.px(6); }

std::string whole(int n) { return (n < 0 ? "−" : "") + std::to_string(std::abs(n)); }

}  // namespace

struct LensPanel::State {
  PanelInfo info{"lens", "Lens", "13_rope", Slot::position};

  const Frame* frame = nullptr;
  const Frame* other = nullptr;
  unsigned long frame_version = 0, other_version = 0, selection_version = 0;
  Compare compare = Compare::a;
  bool dirty = false;  // the reader moved the distance

  bool known = false;   // there is a frame with sizes
  bool chosen = false;  // a head is locked
  std::string missing;
  std::string position;
  long step = 0;
  int L = 0, H = 0, G = 0, T = 0;
  std::vector<std::string> labels;  // (T)
  bool full_mask = false;           // keys after the query can be seen

  // The cell
  int layer = -1, head = -1, query = -1, key = -1;
  Lens lens;
  std::optional<int> asked;  // what if the distance were this

  // For the distance that is shown: the true one, or the one that is asked about
  int distance = 0;
  std::vector<double> truth, shown;  // (P) shares
  std::vector<LensStep> true_steps, steps;
  std::vector<Arrow> q_before, q_after, k_before, k_after;  // (P), the longest reaches the circle
  std::vector<double> q_angle, k_angle;                     // (P) radians, after the rotation
  std::vector<float> q_turned;                              // (K)
  float q_range = 1, k_range = 1;                           // largest feature of each, in size
  double weight_off = 0;                                    // from the run's own; NaN: not recorded
  std::vector<float> weights;                               // (T) of the row

  // The same cell of run B, beside A's
  std::optional<Lens> b;
  std::string b_missing;
  std::vector<double> b_shown;  // (P) shares; empty when its parts are others
  std::vector<LensStep> b_steps;
  std::vector<float> b_curve;

  // By distance
  int first = 0;
  std::vector<float> curve;      // logits
  std::vector<float> part_line;  // of the chosen part, over √K
  int part = -1;                 // chosen: hovered, locked, or the largest
  bool part_by_reader = false;

  bool ready() const { return chosen && missing.empty() && !lens.parts.empty(); }
  int parts() const { return int(lens.parts.size()); }
  int last() const { return first + int(curve.size()) - 1; }
  std::string token(int t) const {
    const bool there = t >= 0 && t < int(labels.size());
    return std::to_string(t) + " “" + (there ? labels[std::size_t(t)] : std::string("?")) + "”";
  }

  void read_sizes(const Frame& f);
  bool choose_cell(const ViewContext& context);
  void compute();
  void compute_b();
  void compute_part(const Selection& selection);

  void draw_title(ViewContext& context, const Rect& rect);
  void draw_parts(ViewContext& context, const Rect& rect);
  float draw_dials(ViewContext& context, const Rect& rect);
  void draw_features(ViewContext& context, const Rect& rect, float cell, bool two);
  void draw_shares(ViewContext& context, const Rect& rect, const std::string& title);
  void draw_steps(ViewContext& context, const Rect& rect);
  void draw_distances(ViewContext& context, const Rect& rect);
  void draw_row(ViewContext& context, const Rect& rect);
  void point_at(ViewContext& context, int p, bool clicked, const std::string& key_of_tip);

  // Numbers of one run, told
  const Lens* lens_of(const Frame& f) const {
    return &f == frame ? &lens : &f == other && b ? &*b : nullptr;
  }
  std::string cell_name(int s) const;
  std::optional<Told> tell_part(const Frame& f, int p) const;
  std::optional<Told> tell_feature(const Frame& f, int i, bool of_key, bool turned) const;
  std::optional<Told> tell_step(const Frame& f, LensStep::Kind kind) const;
  std::optional<Told> tell_distance(const Frame& f, int d) const;
  std::optional<Told> tell_weight(const Frame& f, int s) const;
  std::optional<Told> tell_residual(const Frame& f) const;
  std::optional<Told> tell_logit_off(const Frame& f) const;
};

LensPanel::LensPanel() : state_(std::make_unique<State>()) {}
LensPanel::~LensPanel() = default;
const PanelInfo& LensPanel::info() const { return state_->info; }
const Lens* LensPanel::lens() const { return state_->ready() ? &state_->lens : nullptr; }
const Lens* LensPanel::lens_of_b() const { return lens() && state_->b ? &*state_->b : nullptr; }
std::optional<int> LensPanel::what_if() const { return state_->asked; }
const std::vector<float>& LensPanel::curve() const { return state_->curve; }
int LensPanel::first_distance() const { return state_->first; }
int LensPanel::chosen_part() const { return state_->part; }

// --- What is looked at -----------------------------------------------------------------

std::vector<std::string> LensPanel::taps(const ViewContext& context) const {
  const Frame* frame = context.shown();
  int layer = 0, head = 0;
  if (!frame || !locked_head(context.selection, frame->config, layer, head)) return {};
  std::vector<std::string> names = lens_taps(*frame, layer);
  if (context.compare == Compare::difference && context.b) {
    for (std::string& name : lens_taps(*context.b, layer))
      if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(std::move(name));
  }
  return names;
}

void LensPanel::State::read_sizes(const Frame& f) {
  L = int(f.config.layers);
  H = int(f.config.H);
  G = std::max(1, int(f.config.G));
  T = int(f.probe_tokens.size());
  step = f.step;
  position = f.options.position;
  full_mask = f.config.mask.kind != Mask::Kind::causal;
  labels = f.probe_labels;
  labels.resize(std::size_t(T), "?");
  info.chapter = position == "rope" ? "13_rope" : "06_attention";
}

/// The locked cell; else the hovered one of the locked head; else the last query's largest weight.
bool LensPanel::State::choose_cell(const ViewContext& context) {
  const Place place = context.selection.pinned();
  const auto within = [&](const std::optional<int>& i) { return i && *i >= 0 && *i < T; };
  const int was[] = {layer, head, query, key};
  chosen = locked_head(context.selection, frame->config, layer, head);
  if (!chosen) {
    layer = head = query = key = -1;
    return was[0] >= 0;
  }
  query = within(place.query) ? *place.query : T - 1;
  if (within(place.key)) {
    key = *place.key;
  } else {
    key = 0;
    const TapValue* probs = frame->tap("block" + std::to_string(layer) + "/attn/probs");
    if (probs && probs->cols == T && probs->rows == H * T) {
      for (int s = 1; s <= query; ++s)
        if ((*probs)(head * T + query, s) > (*probs)(head * T + query, key)) key = s;
    }
  }
  return was[0] != layer || was[1] != head || was[2] != query || was[3] != key;
}

void LensPanel::update(const ViewContext& context) {
  State& s = *state_;
  const Frame* frame = context.shown();
  if (!frame || frame->config.layers < 1 || frame->config.H < 1 || frame->config.D < 1 ||
      frame->probe_tokens.empty()) {
    s.known = false;
    s.frame = nullptr;
    return;
  }
  const Frame* other = context.compare == Compare::difference ? context.b : nullptr;
  const bool new_other = context.compare != s.compare || other != s.other ||
                         (other && other->version != s.other_version);
  const bool new_frame =
      !s.known || frame != s.frame || frame->version != s.frame_version || new_other;
  const bool new_place = new_frame || context.selection.version() != s.selection_version;
  if (!new_place && !s.dirty) return;
  s.compare = context.compare;
  s.other = other;
  s.other_version = other ? other->version : 0;
  s.frame = frame;
  s.frame_version = frame->version;
  s.selection_version = context.selection.version();
  s.known = true;
  if (new_frame) s.read_sizes(*frame);

  // Another cell is asked nothing yet
  const bool had_cell = s.layer >= 0;
  const bool new_cell = s.choose_cell(context);
  if (new_cell && had_cell) s.asked.reset();
  if (!s.chosen) {
    s.lens = {};
    s.missing.clear();
  } else if (new_frame || new_cell || s.dirty) {
    s.missing = read_lens(*frame, s.layer, s.head, s.query, s.key, s.lens);
    s.b.reset();
    s.b_missing.clear();
    if (other && s.missing.empty()) {
      s.b_missing = read_lens(*other, s.layer, s.head, s.query, s.key, s.b.emplace());
      if (!s.b_missing.empty()) s.b.reset();
    }
    if (s.ready()) s.compute();
    if (s.ready()) s.compute_b();
  }
  if (s.ready()) s.compute_part(context.selection);
  s.dirty = false;
}

void LensPanel::State::compute() {
  const std::size_t P = lens.parts.size();
  first = full_mask || lens.distance() < 0 ? 1 - T : 0;
  curve.assign(std::size_t(T - first), 0);
  for (std::size_t i = 0; i < curve.size(); ++i) curve[i] = float(lens.logit(first + int(i)));
  if (asked && (*asked < first || *asked > last() || *asked == lens.distance())) asked.reset();
  distance = asked.value_or(lens.distance());

  truth.resize(P);
  shown.resize(P);
  for (std::size_t p = 0; p < P; ++p) {
    truth[p] = lens.share(int(p), lens.distance());
    shown[p] = lens.share(int(p), distance);
  }
  true_steps = lens.steps(lens.distance());
  steps = lens.steps(distance);

  // The query as it would stand at that distance; the key stays
  q_turned.assign(lens.qr.begin(), lens.qr.end());
  if (lens.turns && asked) {
    for (const LensPart& part : lens.parts) {
      const double angle = double(key + distance) * part.theta;
      const auto a = std::size_t(part.a), b = std::size_t(part.b);
      q_turned[a] =
          float(lens.magnitude * (lens.q[a] * std::cos(angle) - lens.q[b] * std::sin(angle)));
      q_turned[b] =
          float(lens.magnitude * (lens.q[a] * std::sin(angle) + lens.q[b] * std::cos(angle)));
    }
  }
  const auto range = [](const std::vector<double>& before, const std::vector<double>& after) {
    double most = 1e-30;
    for (const auto* vector : {&before, &after})
      for (const double x : *vector)
        if (std::isfinite(x)) most = std::max(most, std::abs(x));
    return float(most);
  };
  q_range = range(lens.q, lens.qr);
  k_range = range(lens.k, lens.kr);

  // Arrows: the longest pair reaches the circle; square roots, so that the short ones are seen too
  for (auto* arrows : {&q_before, &q_after, &k_before, &k_after}) arrows->assign(P, {});
  q_angle.assign(P, 0);
  k_angle.assign(P, 0);
  if (lens.turns) {
    double q_longest = 0, k_longest = 0;
    const auto length = [](double a, double b) { return std::hypot(a, b); };
    for (const LensPart& part : lens.parts) {
      const auto a = std::size_t(part.a), b = std::size_t(part.b);
      const double nq = length(lens.q[a], lens.q[b]), nk = length(lens.k[a], lens.k[b]);
      if (std::isfinite(nq)) q_longest = std::max(q_longest, nq);
      if (std::isfinite(nk)) k_longest = std::max(k_longest, nk);
    }
    const auto arrow = [&](double a, double b, double longest) {
      const double n = length(a, b);
      const double unit = n > 0 ? std::sqrt(std::min(1.0, n / std::max(longest, 1e-30))) / n : 1;
      return Arrow{float(a * unit), float(b * unit)};
    };
    for (std::size_t p = 0; p < P; ++p) {
      const auto a = std::size_t(lens.parts[p].a), b = std::size_t(lens.parts[p].b);
      q_before[p] = arrow(lens.q[a], lens.q[b], q_longest);
      k_before[p] = arrow(lens.k[a], lens.k[b], k_longest);
      q_after[p] = arrow(double(q_turned[a]), double(q_turned[b]), q_longest * lens.magnitude);
      k_after[p] = arrow(lens.kr[a], lens.kr[b], k_longest * lens.magnitude);
      q_angle[p] = std::atan2(double(q_turned[b]), double(q_turned[a]));
      k_angle[p] = std::atan2(lens.kr[b], lens.kr[a]);
    }
  }

  // The row, as the run has it
  weights.assign(std::size_t(T), 0);
  for (int s = 0; s < lens.visible; ++s) {
    const auto i = std::size_t(s);
    weights[i] = lens.recorded.empty() ? float(std::exp(lens.row[i] - lens.row_max) / lens.row_sum)
                                       : float(lens.recorded[i]);
  }
  weight_off = lens.recorded.empty()
                   ? kNaN
                   : std::abs(lens.weight(lens.distance()) - lens.recorded[std::size_t(key)]);
}

/// B's numbers at the distance that is shown.
void LensPanel::State::compute_b() {
  b_shown.clear();
  b_steps.clear();
  b_curve.clear();
  if (!b) return;
  if (b->parts.size() == lens.parts.size() && b->turns == lens.turns) {
    for (int p = 0; p < parts(); ++p) b_shown.push_back(b->share(p, distance));
  }
  b_steps = b->steps(distance);
  for (int d = first; d <= last(); ++d) b_curve.push_back(float(b->logit(d)));
}

void LensPanel::State::compute_part(const Selection& selection) {
  // Features have no place in the shared selection: only pairs are known elsewhere
  const Place place = selection.shown();
  part_by_reader = lens.turns && place.pair && *place.pair >= 0 && *place.pair < parts();
  part = 0;
  for (int p = 1; p < parts(); ++p)
    if (std::abs(shown[std::size_t(p)]) > std::abs(shown[std::size_t(part)])) part = p;
  if (part_by_reader) part = *place.pair;
  part_line.clear();
  if (!lens.turns || !part_by_reader) return;
  for (int d = first; d <= last(); ++d)
    part_line.push_back(float(lens.share(part, d) / std::sqrt(double(lens.K))));
}

// --- The whole panel -------------------------------------------------------------------

void LensPanel::draw(ViewContext& context) {
  State& s = *state_;
  if (!s.known) {
    return put_note(context, context.rect,
                    context.shown()
                        ? "No probe sequence yet. It is passed through the model after each step."
                        : "No run yet. The lens needs its queries and keys.");
  }
  if (!s.chosen) {
    return put_note(context, context.rect,
                    "Click a map in the attention panel, then a cell of it: one query, one key. "
                    "The lens shows how their number was made.");
  }
  if (!s.missing.empty()) return put_note(context, context.rect, s.missing);

  const Theme& theme = context.theme;
  const Rect r = context.rect;
  const float title = theme.font_size(Font::body) + theme.px(8);
  const float line = theme.font_size(Font::small) + theme.px(3);
  s.draw_title(context, {r.x, r.y, r.w, title});
  const Rect body{r.x, r.y + title, r.w, r.h - title};
  if (body.h < line) return;
  const std::size_t steps = std::max(s.steps.size(), s.b_steps.size());
  const bool headed = s.asked || s.other;
  const float steps_height = line * float(steps + (headed ? 3 : 2)) + theme.px(8);

  // Too narrow for two columns: the steps first, then what there is room for
  if (r.w < theme.px(400)) {
    const float top = std::min(body.h, steps_height);
    s.draw_steps(context, {body.x, body.y, body.w, top});
    const float rest = body.h - top - theme.px(8);
    const float y = body.y + top + theme.px(8);
    if (rest < theme.px(80)) return;
    const float low = rest > theme.px(240) ? std::min(theme.px(140), 0.4f * rest) : 0;
    s.draw_parts(context,
                 {body.x, y, body.w - theme.px(8), rest - low - (low > 0 ? theme.px(8) : 0)});
    if (low > 0) s.draw_distances(context, {body.x, body.bottom() - low, body.w, low});
    return;
  }
  const float side = std::clamp(0.34f * r.w, theme.px(168), theme.px(320));
  const float left = r.w - side - theme.grid(2), x = r.right() - side;
  const float low =
      body.h < theme.px(190) ? 0 : std::clamp(0.29f * body.h, theme.px(72), theme.px(240));
  s.draw_parts(context, {body.x, body.y, left, body.h - low - (low > 0 ? theme.px(8) : 0)});
  if (low > 0) s.draw_distances(context, {body.x, body.bottom() - low, left, low});
  const float top = std::min(body.h, steps_height);
  s.draw_steps(context, {x, body.y, side, top});
  const float rest = body.h - top - theme.px(8);
  if (rest > theme.px(56)) s.draw_row(context, {x, body.bottom() - rest, side, rest});
}

void LensPanel::State::draw_title(ViewContext& context, const Rect& rect) {
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const int back = lens.distance();
  const std::string where = "{T|" + token(query) + "} → {T|" + token(key) + "}";
  const std::string far =
      back == 0 ? "itself" : std::to_string(std::abs(back)) + (back > 0 ? " back" : " ahead");
  const float used = add_rich(context, list, ImVec2(rect.x, rect.y),
                              "Query " + where + "{-|,  " + far + "}", colours.text);
  std::string whose = "layer " + std::to_string(layer) + " · head " + std::to_string(head);
  const std::string shared = whose + " · key head " + std::to_string(lens.key_head);
  const float room = rect.w - used - context.theme.grid(2);
  if (G < H && text_width(context, Font::small, shared) <= room) whose = shared;
  if (text_width(context, Font::small, whose) > room) return;
  put_text_right(context, list, rect.right(), rect.y + context.theme.px(2), colours.muted, whose);
}

// --- Pair by pair ----------------------------------------------------------------------

/// The mouse is on a part: everywhere its pair lights up, and its arithmetic is written.
void LensPanel::State::point_at(ViewContext& context, int p, bool clicked,
                                const std::string& key_of_tip) {
  if (lens.turns) context.selection.hover({.pair = p});
  if (clicked && lens.turns) context.selection.lock({.pair = p});
  if (tooltip_ready(context, key_of_tip + std::to_string(distance)))
    tell(context, [&](const Frame& f, const History*) { return tell_part(f, p); });
}

void LensPanel::State::draw_parts(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = theme.font_size(Font::small) + theme.px(2);
  const float gutter = gutter_width(context);
  const bool tight = rect.h < theme.px(220);  // then the words stand where the title would
  const Rect body{rect.x + gutter, rect.y, rect.w - gutter, rect.h - (tight ? 0 : line)};
  if (body.w < theme.px(60) || body.h < theme.px(40)) return;

  // Dials above, features below them, and the shares below those, all in the same columns
  float y = body.y;
  if (lens.turns && body.h > theme.px(110))
    y += draw_dials(context, {body.x, y, body.w, 0.42f * body.h}) + theme.px(4);
  const float cells = lens.turns ? 8 : 2, gaps = theme.px(lens.turns ? 12 : 8);
  const float cell =
      std::floor(std::clamp((0.27f * body.h - gaps) / cells, theme.px(4), theme.px(14)));
  if (body.h > theme.px(80)) {
    const float height = cell * cells + gaps;
    draw_features(context, {body.x, y, body.w, height}, cell, lens.turns);
    y += height + theme.px(2);
  }
  // The chosen part in words
  const auto p = std::size_t(part);
  std::string words;
  if (lens.turns) {
    const std::string apart = degree_text(std::abs(std::remainder(q_angle[p] - k_angle[p], kTurn)));
    words =
        "pair " + std::to_string(part) + ": " +
        (tight ? ""
               : "q at " + degree_text(q_angle[p]) + ", k at " + degree_text(k_angle[p]) + ", ") +
        apart + " apart, " + signed_number(shown[p], 3);
  } else {
    const auto i = std::size_t(lens.parts[p].a);
    words = "feature " + std::to_string(part) + ": " + number_text(lens.q[i], 3) + " · " +
            number_text(lens.k[i], 3) + " = " + number_text(shown[p], 3);
  }
  draw_shares(context, {body.x, y, body.w, body.bottom() - y},
              tight && part_by_reader ? words : "");
  if (tight) return;
  const FontScope small(theme, Font::small);
  put_text(context, list, rect.x, rect.bottom() - line + theme.px(1),
           part_by_reader ? colours.text : colours.muted, elide(words, rect.w));
}

/// A plane a pair, in as many rows as let them be largest. Returns the height that it took.
float LensPanel::State::draw_dials(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float column = rect.w / float(parts());
  // Circles keep a small distance of their own, so their squares may overlap by as much
  const float overlap = theme.px(3), line = theme.font_size(Font::small) + theme.px(2);
  float side = 0, pitch = 0;
  int rows = 1;
  bool captions = false;
  for (int n = 1; n <= 4; ++n) {
    const float wide = std::min(float(n) * column + overlap, theme.px(110));
    float fits = std::floor(std::min(wide, rect.h / float(n) + overlap));
    const float with_caption = std::floor(std::min(wide, rect.h / float(n) - line));
    const bool named = with_caption >= theme.px(48);
    if (named) fits = with_caption;
    if (fits <= 1.1f * side) continue;
    side = fits;
    pitch = named ? fits + line : fits - overlap;
    rows = n;
    captions = named;
  }
  side = std::max(side, theme.px(16));
  const int every = std::max(1, int(std::ceil((side - overlap) / (float(rows) * column) - 0.02f)));
  const float height = float(rows) * pitch;

  const float label = std::min(rect.x - theme.px(6), rect.x + 0.5f * (column - side) - theme.px(1));
  put_text_right(context, list, label, rect.y + theme.px(1), query_colour(theme), "q →");
  put_text_right(context, list, label, rect.y + theme.px(1) + line, key_colour(theme), "k →");
  const bool room_for_before = side >= theme.px(44);
  for (int p = 0; p < parts(); p += every) {
    const auto i = std::size_t(p);
    const int row = p / every % rows;
    const float x = rect.x + (float(p) + 0.5f) * column - 0.5f * side;
    std::array<DialArrow, 4> arrows{
        DialArrow{q_before[i].x, q_before[i].y, with_alpha(query_colour(theme), 120), true, "q"},
        DialArrow{k_before[i].x, k_before[i].y, with_alpha(key_colour(theme), 120), true, "k"},
        DialArrow{q_after[i].x, q_after[i].y, query_colour(theme), false, "q turned"},
        DialArrow{k_after[i].x, k_after[i].y, key_colour(theme), false, "k turned"}};
    // From the key to the query, the shorter way round
    const float from = float(k_angle[i]);
    const std::array<DialArc, 1> arc{
        DialArc{from, from + float(std::remainder(q_angle[i] - k_angle[i], kTurn)),
                with_alpha(colours.text, 150)}};
    DialOptions options;
    options.size = side;
    options.selected = context.selection.is_locked({.pair = p});
    options.hovered_elsewhere = part_by_reader && part == p;
    options.arcs = arc;
    if (captions)
      options.caption = degree_text(std::abs(std::remainder(q_angle[i] - k_angle[i], kTurn)));
    const std::string id = "lens/pair/" + std::to_string(p);
    ImGui::SetCursorScreenPos(ImVec2(std::floor(x), std::floor(rect.y + float(row) * pitch)));
    const DialHit hit =
        draw_dial(context, id.c_str(),
                  std::span<const DialArrow>(arrows).subspan(room_for_before ? 0 : 2), options);
    if (hit.hovered) point_at(context, p, hit.clicked, id + "/");
  }
  return height;
}

/// The numbers themselves: each column a part; q before and after its rotation, then k.
void LensPanel::State::draw_features(ViewContext& context, const Rect& rect, float cell, bool two) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float column = rect.w / float(parts());
  const float rim = column > theme.px(6) ? theme.px(1) : 0;
  const float font = theme.font_size(Font::small);
  const float strip_height = cell * (two ? 2.0f : 1.0f);
  const bool all_named = strip_height >= font - theme.px(1);
  float y = rect.y;
  const auto name = [&](const char* words, Rgba ink, float top, float height) {
    put_text_right(context, list, rect.x - theme.px(6),
                   std::floor(top + 0.5f * (height - font) - theme.px(1)), ink, words);
  };
  std::vector<float> tops;  // of the strips
  const auto strip = [&](float range, auto value) {
    tops.push_back(y);
    for (int p = 0; p < parts(); ++p) {
      const LensPart& part_here = lens.parts[std::size_t(p)];
      const float x = rect.x + float(p) * column;
      for (int half = 0; half < (two ? 2 : 1); ++half) {
        const float v = float(value(half ? part_here.b : part_here.a));
        const Rgba ground = std::isfinite(v)
                                ? colormap_colour(Colormap::signed_, v, {-range, range})
                                : rgba(255, 0, 255);
        const float top = y + float(half) * cell;
        list->AddRectFilled(ImVec2(x, top), ImVec2(x + column - rim, top + cell), ground);
      }
    }
    y += strip_height;
  };
  const auto vector = [&](const char* words, Rgba ink, float range, auto before, auto after) {
    const float top = y, inner = theme.px(all_named ? 2 : 1);
    strip(range, before);
    if (two) {
      y += inner;
      if (all_named) name("↻", ink, y, strip_height);
      strip(range, after);
    }
    name(words, ink, top, two && !all_named ? y - top : strip_height);
    y += theme.px(4);
  };
  vector(
      "q", query_colour(theme), q_range, [&](int i) { return lens.q[std::size_t(i)]; },
      [&](int i) { return q_turned[std::size_t(i)]; });
  vector(
      "k", key_colour(theme), k_range, [&](int i) { return lens.k[std::size_t(i)]; },
      [&](int i) { return lens.kr[std::size_t(i)]; });
  if (part_by_reader) {
    const float x0 = rect.x + float(part) * column, x1 = x0 + column - rim;
    compat::add_rect(list, ImVec2(x0 - theme.px(1), rect.y - theme.px(1)),
                     ImVec2(x1 + theme.px(1), y - theme.px(3)), colours.hover_mark, theme.px(2));
  }

  ImGui::SetCursorScreenPos(ImVec2(rect.x, rect.y));
  ImGui::InvisibleButton("lens/features", ImVec2(rect.w, std::max(1.0f, rect.h)));
  const bool clicked = ImGui::IsItemClicked();
  context.probe("lens/features");
  if (!ImGui::IsItemHovered()) return;
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const int p = std::clamp(int((mouse.x - rect.x) / column), 0, parts() - 1);
  if (lens.turns) context.selection.hover({.pair = p});
  if (clicked && lens.turns) context.selection.lock({.pair = p});

  // Which of the strips, and which of the pair's two features
  int strip_at = 0;
  while (strip_at + 1 < int(tops.size()) && mouse.y >= tops[std::size_t(strip_at) + 1]) ++strip_at;
  const bool turned = two && strip_at % 2 == 1, of_key = strip_at >= (two ? 2 : 1);
  const LensPart& part_here = lens.parts[std::size_t(p)];
  const bool second = two && mouse.y >= tops[std::size_t(strip_at)] + cell;
  const int i = second ? part_here.b : part_here.a;
  if (tooltip_ready(context, formatted("lens/features/%d/%d/%d", strip_at, i, distance)))
    tell(context,
         [&](const Frame& f, const History*) { return tell_feature(f, i, of_key, turned); });
}

void LensPanel::State::draw_shares(ViewContext& context, const Rect& rect,
                                   const std::string& title) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = theme.font_size(Font::small) + theme.px(2);
  const float label = gutter_width(context);
  if (rect.h < line + theme.px(12)) return;
  const double sum = steps.empty() ? 0 : steps[0].value;
  const std::string total = "Σ = " + number_text(sum, 4);
  {
    const FontScope small(theme, Font::small);
    const std::string words = !title.empty() ? title
                              : lens.turns   ? "share of q·k, pair by pair"
                                             : "q·k, feature by feature";
    const float room = rect.w + label - text_width(context, Font::small, total) - theme.px(8);
    put_text(context, list, rect.x - label, rect.y, colours.text, elide(words, room));
  }
  put_text_right(context, list, rect.right(), rect.y,
                 !std::isfinite(sum) ? colours.error
                 : asked             ? colours.warning
                                     : colours.text,
                 total);
  const Rect plot{rect.x, rect.y + line, rect.w, rect.h - line - theme.px(2)};

  // Zero is where it lets both signs use the height
  double low = 0, high = 0;
  for (const auto* shares : {&truth, &shown, &b_shown}) {
    for (const double x : *shares) {
      if (!std::isfinite(x)) continue;
      low = std::min(low, x);
      high = std::max(high, x);
    }
  }
  if (high - low < 1e-12) high = low + 1;
  const auto y_of = [&](double v) {
    return std::floor(plot.bottom() - float((v - low) / (high - low)) * plot.h);
  };
  const float zero = y_of(0);
  const float font = theme.font_size(Font::small);
  std::vector<float> taken;
  for (const double tick : {high > -low ? high : low, 0.0, high > -low ? low : high}) {
    const float y = std::clamp(y_of(tick) - 0.5f * font, plot.y - theme.px(3),
                               plot.bottom() - font + theme.px(1));
    bool free = true;
    for (const float other : taken) free = free && std::abs(y - other) >= font;
    if (!free) continue;
    put_text_right(context, list, rect.x - theme.px(6), y, colours.muted, number_text(tick, 2));
    taken.push_back(y);
  }
  list->AddRectFilled(ImVec2(plot.x, zero), ImVec2(plot.right(), zero + 1), colours.guide);

  const float column = plot.w / float(parts());
  const float rim = column > theme.px(6) ? theme.px(1) : 0;
  for (int p = 0; p < parts(); ++p) {
    const auto i = std::size_t(p);
    const float x0 = plot.x + float(p) * column, x1 = std::max(x0 + 1, x0 + column - rim);
    context.probes.record("lens/share/" + std::to_string(p), {x0, plot.y, x1 - x0, plot.h});
    if (part_by_reader && part == p) {
      list->AddRectFilled(ImVec2(x0, plot.y), ImVec2(x1, plot.bottom()),
                          with_alpha(colours.hovered, 200));
    }
    if (!std::isfinite(shown[i])) {
      list->AddRectFilled(ImVec2(x0, plot.y), ImVec2(x1, plot.bottom()),
                          with_alpha(colours.error, 90));
      continue;
    }
    const float y = y_of(shown[i]);
    const float least = shown[i] != 0 && y == zero ? 1.0f : 0.0f;
    list->AddRectFilled(ImVec2(x0, std::min(y, zero)), ImVec2(x1, std::max(y, zero) + least),
                        b ? colours.run_a : signed_colour(shown[i]));
    // Where B's ends; or the truth, while another distance is asked about
    const bool of_b = !b_shown.empty();
    const double there = of_b ? b_shown[i] : asked ? truth[i] : kNaN;
    if (std::isfinite(there)) {
      const float t = y_of(there);
      list->AddRectFilled(ImVec2(x0, t), ImVec2(x1, t + std::max(1.0f, theme.px(of_b ? 2 : 1))),
                          of_b ? colours.run_b : colours.text);
    }
  }

  ImGui::SetCursorScreenPos(ImVec2(plot.x, plot.y));
  ImGui::InvisibleButton("lens/shares", ImVec2(plot.w, std::max(1.0f, plot.h)));
  const bool clicked = ImGui::IsItemClicked();
  context.probe("lens/shares");
  if (!ImGui::IsItemHovered()) return;
  const int p = std::clamp(int((ImGui::GetIO().MousePos.x - plot.x) / column), 0, parts() - 1);
  point_at(context, p, clicked, "lens/share/" + std::to_string(p) + "/");
}

// --- From the product to the weight ----------------------------------------------------

namespace {

const char* step_id(LensStep::Kind kind) {
  constexpr const char* kIds[] = {"product", "scaled", "biased", "masked", "exponential", "weight"};
  return kIds[int(kind)];
}

}  // namespace

void LensPanel::State::draw_steps(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = theme.font_size(Font::small) + theme.px(3);
  const bool two = asked.has_value() || b.has_value();
  const float number = text_width(context, Font::mono_small, two ? "0.00000" : "−00.0000");
  const int digits = two ? 3 : 4;
  float y = rect.y;
  const auto column = [&](double value, float right, Rgba ink) {
    put_text_right(context, list, right, y + theme.px(1), ink, number_text(value, digits),
                   Font::mono_small);
  };
  const float left_column = rect.right() - number - theme.px(8);

  // Whose the columns are: the truth and what is asked, or run A and run B
  if (b) {
    if (asked) {
      put_text(context, list, rect.x, y, colours.warning, "if " + std::to_string(distance));
    }
    put_text_right(context, list, left_column, y, colours.run_a, "A");
    put_text_right(context, list, rect.right(), y, colours.run_b, "B");
    y += line;
  } else if (asked) {
    put_text_right(context, list, left_column, y, colours.muted, "true");
    put_text_right(context, list, rect.right(), y, colours.warning,
                   "if " + std::to_string(distance));
    y += line;
  } else if (!b_missing.empty()) {
    put_text(context, list, rect.x, y, colours.muted, "only A has this cell");
    y += line;
  }

  using Kind = LensStep::Kind;
  const auto find = [](const std::vector<LensStep>& all, Kind kind) {
    const auto it = std::find_if(all.begin(), all.end(),
                                 [&](const LensStep& step_here) { return step_here.kind == kind; });
    return it == all.end() ? nullptr : &*it;
  };
  for (const Kind kind :
       {Kind::product, Kind::scaled, Kind::biased, Kind::masked, Kind::exponential, Kind::weight}) {
    const LensStep* here = find(steps, kind);
    const LensStep* beside = b ? find(b_steps, kind) : asked ? find(true_steps, kind) : nullptr;
    if (!here && !beside) continue;
    if (y + line > rect.bottom() + theme.px(2)) break;
    std::string name;
    switch (kind) {
      case Kind::product:
        name = "q·k";
        if (!two) name += ", " + std::to_string(parts()) + (lens.turns ? " pairs" : " products");
        break;
      case Kind::scaled:
        name = "÷ √" + (b && b->K != lens.K ? "K" : std::to_string(lens.K));
        break;
      case Kind::biased:
        name = b ? "+ bias" : position == "alibi" ? "+ ALiBi" : "+ T5's bias";
        if (!two) name += ", " + number_text(lens.bias_at(distance), 3);
        break;
      case Kind::masked:
        name = lens.seen() ? "mask: seen" : "mask: not seen";
        break;
      case Kind::exponential:
        name = "e^(· − " + (two ? std::string("max") : number_text(lens.row_max, 3)) + ")";
        break;
      case Kind::weight:
        name = two ? "÷ Σ, weight" : "÷ Σ = " + number_text(lens.row_sum, 3) + ", weight";
        break;
    }
    const std::string id = std::string("lens/step/") + step_id(kind);
    ImGui::SetCursorScreenPos(ImVec2(rect.x, y));
    ImGui::InvisibleButton(id.c_str(), ImVec2(std::max(1.0f, rect.w), line));
    context.probe(id);
    const bool over = ImGui::IsItemHovered();
    if (over) {
      list->AddRectFilled(ImVec2(rect.x - theme.px(4), y - theme.px(1)),
                          ImVec2(rect.right(), y + line - theme.px(1)),
                          with_alpha(colours.hovered, 160), theme.px(3));
    }
    {
      const FontScope small(theme, Font::small);
      const float columns = two ? 2 * number + theme.px(8) : number;
      put_text(context, list, rect.x, y, colours.muted,
               elide(name, rect.w - columns - theme.px(8)));
    }
    const auto ink = [&](const LensStep& step_here, Rgba colour) {
      const bool hidden = kind == Kind::masked && !lens.seen();
      return std::isfinite(step_here.value) || hidden ? colour : colours.error;
    };
    const Rgba plain = kind == Kind::weight ? colours.accent : colours.text;
    if (b) {
      if (here) column(here->value, left_column, ink(*here, plain));
      if (beside) column(beside->value, rect.right(), ink(*beside, plain));
    } else {
      if (beside) column(beside->value, left_column, ink(*beside, colours.muted));
      column(here->value, rect.right(), ink(*here, asked ? colours.warning : plain));
    }
    y += line;
    if (over && here && tooltip_ready(context, id))
      tell(
          context, [&](const Frame& f, const History*) { return tell_step(f, kind); },
          kind != Kind::masked);
  }

  // Held against what the run recorded
  y += theme.px(2);
  if (y + line > rect.bottom() + theme.px(2)) return;
  list->AddLine(ImVec2(rect.x, y), ImVec2(rect.right(), y), colours.border);
  y += theme.px(3);
  const auto check = [&](const std::string& id, const std::string& words, double off, double most,
                         auto tell_of) {
    if (y + line > rect.bottom() + theme.px(2)) return;
    ImGui::SetCursorScreenPos(ImVec2(rect.x, y));
    ImGui::InvisibleButton(id.c_str(), ImVec2(std::max(1.0f, rect.w), line));
    context.probe(id);
    if (ImGui::IsItemHovered() && tooltip_ready(context, id)) tell(context, tell_of, false);
    const bool good = off <= most;
    const FontScope small(theme, Font::small);
    put_text(context, list, rect.x, y, colours.muted, elide(words, rect.w - number));
    put_text_right(context, list, rect.right(), y + theme.px(1),
                   good ? colours.good : colours.error, number_text(off, 2), Font::mono_small);
    y += line;
  };
  if (lens.turns) {
    check("lens/off/product", "off the tape's q·k by",
          b && b->turns ? std::max(lens.residual(), b->residual()) : lens.residual(),
          b && b->turns ? std::max(lens.rounding(), b->rounding()) : lens.rounding(),
          [&](const Frame& f, const History*) { return tell_residual(f); });
  }
  if (lens.recorded.empty()) return;
  const double recorded = lens.recorded[std::size_t(key)];
  const double logit = lens.recorded_logit();
  const auto told_off = [&](const Frame& f, const History*) { return tell_logit_off(f); };
  if (recorded > 0 || std::isnan(recorded)) {
    check("lens/off/logit", "off the run's logit by", std::abs(lens.logit(lens.distance()) - logit),
          lens.logit_rounding(), told_off);
  } else {
    check("lens/off/logit", "off the run's weight by", weight_off, 1e-6, told_off);
  }
}

// --- What if ---------------------------------------------------------------------------

void LensPanel::State::draw_distances(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float font = theme.font_size(Font::small), line = font + theme.px(2);
  const float gutter = gutter_width(context);
  const Rect plot{rect.x + gutter, rect.y + line + theme.px(2), rect.w - gutter,
                  rect.h - 2 * line - theme.px(3)};
  if (plot.w < theme.px(60) || plot.h < theme.px(16) || curve.empty()) return;

  // The range of the lines, with zero in it
  float low = 0, high = 0;
  bool any = false;
  for (const auto* values : {&curve, &part_line, &b_curve}) {
    for (const float v : *values) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
      any = true;
    }
  }
  if (high - low < 1e-6f) high = low + 1;
  const float room = 0.08f * (high - low);
  if (low < 0) low -= room;
  high += room;
  const auto y_of = [&](float v) { return plot.bottom() - (v - low) / (high - low) * plot.h; };
  const float cell = plot.w / float(std::max<std::size_t>(1, curve.size()));
  const auto x_of = [&](int d) { return plot.x + (float(d - first) + 0.5f) * cell; };

  // The mouse asks
  ImGui::SetCursorScreenPos(ImVec2(plot.x, plot.y));
  ImGui::InvisibleButton("lens/distance", ImVec2(plot.w, plot.h));
  context.probe("lens/distance");
  const bool over = ImGui::IsItemHovered();
  const float mouse = (ImGui::GetIO().MousePos.x - plot.x) / cell;  // may be far away: no mouse
  const int at_mouse = first + int(std::clamp(mouse, 0.0f, float(curve.size() - 1)));
  if (ImGui::IsItemActive() && at_mouse != distance) {
    asked = at_mouse;
    dirty = true;
  }

  list->AddRectFilled(ImVec2(plot.x, plot.y), ImVec2(plot.right(), plot.bottom()),
                      with_alpha(colours.grid, 90));
  float label_at = 1e9f;
  for (const double tick : axis_ticks(double(low), double(high), 4)) {
    const float y = y_of(float(tick));
    if (y < plot.y - 1 || y > plot.bottom() + 1) continue;
    list->AddLine(ImVec2(plot.x, y), ImVec2(plot.right(), y),
                  tick == 0 ? colours.guide : colours.grid);
    if (y > label_at - font) continue;
    label_at = y;
    put_text_right(context, list, plot.x - theme.px(4), y - 0.5f * font, colours.muted,
                   axis_number(tick, 0));
  }
  const auto polyline = [&](const std::vector<float>& values, Rgba colour, float thickness,
                            bool dashed = false) {
    const int stride = std::max(1, int(1 / std::max(cell, 1e-3f)));
    std::vector<ImVec2> stretch;
    const auto draw_stretch = [&] {
      if (stretch.size() > 1)
        compat::add_polyline(list, stretch.data(), int(stretch.size()), colour, false, thickness);
      stretch.clear();
    };
    for (int i = 0; i < int(values.size()); i += stride) {
      const float v = values[std::size_t(i)];
      if (std::isfinite(v)) stretch.push_back(ImVec2(x_of(first + i), y_of(v)));
      if (!std::isfinite(v) || (dashed && i / stride % 4 == 2)) draw_stretch();
      if (dashed && i / stride % 4 == 3) stretch.clear();
    }
    draw_stretch();
  };
  list->PushClipRect(ImVec2(plot.x, plot.y), ImVec2(plot.right(), plot.bottom()), true);
  polyline(part_line, with_alpha(colours.dim_pair, 200), theme.px(1.5f));
  polyline(b_curve, colours.run_b, theme.px(1.75f), true);
  polyline(curve, b ? colours.run_a : colours.text, theme.px(1.75f));
  list->PopClipRect();
  if (!any) {
    put_text_middle(context, list, plot.x + 0.5f * plot.w, plot.y + theme.px(2), colours.error,
                    "queries and keys are not finite");
  }

  // The truth, and what is asked
  const auto mark = [&](int d, Rgba colour) {
    const float x = std::floor(x_of(d));
    list->AddRectFilled(ImVec2(x, plot.y), ImVec2(x + std::max(1.0f, theme.px(1)), plot.bottom()),
                        with_alpha(colour, 170));
    const float v = curve[std::size_t(d - first)];
    if (std::isfinite(v)) list->AddCircleFilled(ImVec2(x, y_of(v)), theme.px(4), colour, 16);
  };
  if (over) {
    const float x = x_of(at_mouse);
    list->AddLine(ImVec2(x, plot.y), ImVec2(x, plot.bottom()), with_alpha(colours.hover_mark, 110));
  }
  if (lens.distance() >= first && lens.distance() <= last())
    mark(lens.distance(), colours.lock_mark);
  if (asked && distance >= first && distance <= last()) mark(distance, colours.warning);

  // Above: the question and its answer; below: distances
  const auto logit_text = [&](int d) {
    return number_text(double(curve[std::size_t(d - first)]), 3);
  };
  std::string title = "logit at other distances";
  if (!lens.turns)
    title = lens.bias.empty() ? "no rotation, no bias: the same logit everywhere"
                              : "q·k/√K + bias by distance";
  float right = rect.right();
  if (asked) {
    const float width = text_width(context, Font::small, "back") + theme.px(12);
    if (put_button(context, "lens/back",
                   {right - width, rect.y - theme.px(2), width, line + theme.px(2)}, "back",
                   colours.raised, colours.text)) {
      asked.reset();
      dirty = true;
    }
    hint(context, "Back to the true distance, " + std::to_string(lens.distance()));
    right -= width + theme.px(6);
    title = "what if " + std::to_string(distance) + " apart: " + logit_text(distance) + ", not " +
            logit_text(lens.distance());
  } else if (over && lens.turns) {
    title = "drag: " + std::to_string(at_mouse) + " apart, " + logit_text(at_mouse);
  } else if (lens.turns) {
    const std::string longer = title + ", same q and k: drag";
    if (text_width(context, Font::small, longer) < right - rect.x) title = longer;
  }
  {
    const FontScope small(theme, Font::small);
    put_text(context, list, rect.x, rect.y, asked ? colours.warning : colours.text,
             elide(title, right - rect.x));
  }
  if (over && !ImGui::IsItemActive() &&
      tooltip_ready(context, "lens/distance/" + whole(at_mouse))) {
    tell(context, [&](const Frame& f, const History*) { return tell_distance(f, at_mouse); });
  }
  const std::string axis_name = "t − s";
  put_text(context, list, rect.x, plot.bottom() + theme.px(1), colours.muted, axis_name);
  float free_from = plot.x - theme.px(2);
  for (const double tick : axis_ticks(double(first), double(last()), 6)) {
    const int d = int(std::lround(tick));
    if (d < first || d > last() || std::abs(tick - double(d)) > 1e-6) continue;
    const std::string text = whole(d);
    const float half = 0.5f * text_width(context, Font::small, text);
    const float x = std::clamp(x_of(d), plot.x + half, plot.right() - half);
    if (x - half < free_from) continue;
    put_text_middle(context, list, x, plot.bottom() + theme.px(1), colours.muted, text);
    free_from = x + half + theme.px(8);
  }
}

// --- The row ---------------------------------------------------------------------------

void LensPanel::State::draw_row(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float font = theme.font_size(Font::small), line = font + theme.px(2);
  const Rect plot{rect.x, rect.y + line + theme.px(2), rect.w, rect.h - 2 * line - theme.px(3)};
  if (plot.h < theme.px(16)) return;
  const double mine = steps.back().value;
  put_text(context, list, rect.x, rect.y, colours.text,
           (b ? "" : "the row: ") + std::to_string(lens.visible) +
               (lens.visible == 1 ? " key" : " keys"));
  put_text_right(context, list, rect.right(), rect.y,
                 !std::isfinite(mine) ? colours.error
                 : asked              ? colours.warning
                                      : colours.accent,
                 (b ? "A " : "weight ") + percent_text(mine) +
                     (b && !b_steps.empty() ? ", B " + percent_text(b_steps.back().value) : ""));

  float most = 0;
  for (const float w : weights)
    if (std::isfinite(w)) most = std::max(most, w);
  if (asked && std::isfinite(mine)) most = std::max(most, float(mine));
  if (!(most > 0)) most = 1;
  list->AddRectFilled(ImVec2(plot.x, plot.y), ImVec2(plot.right(), plot.bottom()),
                      with_alpha(colours.grid, 90));
  const float column = plot.w / float(std::max(1, T));
  const float rim = column > theme.px(4) ? theme.px(1) : 0;
  const auto bar = [&](int s, double w, Rgba colour) {
    const float x0 = plot.x + float(s) * column, x1 = std::max(x0 + 1, x0 + column - rim);
    if (!std::isfinite(w)) {
      list->AddRectFilled(ImVec2(x0, plot.y), ImVec2(x1, plot.bottom()),
                          with_alpha(colours.error, 90));
    } else if (w > 0) {
      const float h = std::max(1.0f, plot.h * std::min(1.0f, float(w) / most));
      list->AddRectFilled(ImVec2(x0, plot.bottom() - h), ImVec2(x1, plot.bottom()), colour);
    }
  };
  // With another weight for this key, the others share what is left
  const double was = true_steps.back().value;
  const double rest = asked && 1 - was > 1e-9 ? (1 - mine) / (1 - was) : 1;
  for (int s = 0; s < lens.visible; ++s)
    if (s != key) bar(s, rest * double(weights[std::size_t(s)]), with_alpha(colours.accent, 130));
  if (lens.seen())
    bar(key, asked ? mine : double(weights[std::size_t(key)]),
        asked ? colours.warning : colours.lock_mark);
  if (lens.visible < T) {
    const float x = plot.x + float(lens.visible) * column;
    list->AddRectFilled(ImVec2(x, plot.y), ImVec2(plot.right(), plot.bottom()),
                        with_alpha(colours.hatch, 90));
  }

  // A small mark below this key, and the axis
  const float kx = plot.x + (float(key) + 0.5f) * column;
  list->AddTriangleFilled(ImVec2(kx, plot.bottom() + theme.px(1)),
                          ImVec2(kx - theme.px(3), plot.bottom() + theme.px(6)),
                          ImVec2(kx + theme.px(3), plot.bottom() + theme.px(6)), colours.lock_mark);
  const std::string left = "key 0", right = std::to_string(T - 1);
  const float text_y = plot.bottom() + theme.px(2);
  if (kx - theme.px(6) > rect.x + text_width(context, Font::small, left))
    put_text(context, list, rect.x, text_y, colours.muted, left);
  if (kx + theme.px(6) < rect.right() - text_width(context, Font::small, right))
    put_text_right(context, list, rect.right(), text_y, colours.muted, right);

  ImGui::SetCursorScreenPos(ImVec2(plot.x, plot.y));
  ImGui::InvisibleButton("lens/row", ImVec2(std::max(1.0f, plot.w), plot.h));
  const bool clicked = ImGui::IsItemClicked();
  context.probe("lens/row");
  if (!ImGui::IsItemHovered()) return;
  const int s = std::clamp(int((ImGui::GetIO().MousePos.x - plot.x) / column), 0, T - 1);
  context.selection.hover({.layer = layer, .head = head, .query = query, .key = s});
  if (clicked) context.selection.set({.query = query, .key = s});
  if (!tooltip_ready(context, "lens/row/" + std::to_string(s))) return;
  tell(context, [&](const Frame& f, const History*) { return tell_weight(f, s); });
}

// --- In words, and as a file -----------------------------------------------------------

std::string LensPanel::State::cell_name(int s) const {
  return "layer " + std::to_string(layer) + ", {H|head " + std::to_string(head) + "}, query {T|" +
         token(query) + "} → key {T|" + token(s) + "}" +
         (asked ? ", if " + whole(distance) + " apart" : std::string());
}

std::optional<Told> LensPanel::State::tell_part(const Frame& f, int p) const {
  const Lens* of = lens_of(f);
  if (!of || of->turns != lens.turns || p < 0 || p >= int(of->parts.size())) return {};
  const LensPart& part_here = of->parts[std::size_t(p)];
  Told told;
  told.value = of->share(p, distance);
  told.note = " of q·k = " + number_text(of->product(distance));
  if (!of->turns) {
    const auto i = std::size_t(part_here.a);
    told.name = "Share of {D|feature " + std::to_string(p) + "}, " + cell_name(key);
    told.formula = "q[{T|t}, {D|i}] · k[{T|s}, {D|i}]";
    told.numbers = in_sum(of->q[i], 5) + " · " + in_sum(of->k[i], 5);
    told.why = "Nothing turns here: the product is the same at every distance.";
    told.source = kHead;
    return told;
  }
  const auto a = std::size_t(part_here.a), c = std::size_t(part_here.b);
  const double apart =
      (std::atan2(of->q[c], of->q[a]) - std::atan2(of->k[c], of->k[a])) * 360 / kTurn;
  const bool longer = of->magnitude != 1;
  told.name = "Share of {P|pair " + std::to_string(p) + "}, " + cell_name(key);
  told.formula =
      std::string(longer ? "m²·" : "") + "|q|·|k|·cos(φq − φk + ({T|t} − {T|s})·θ[{P|p}])";
  told.numbers = (longer ? number_text(of->magnitude * of->magnitude, 5) + " · " : std::string()) +
                 number_text(std::hypot(of->q[a], of->q[c]), 5) + " · " +
                 number_text(std::hypot(of->k[a], of->k[c]), 5) + " · cos(" +
                 number_text(apart, 6) + "° + " +
                 (distance < 0 ? "(" + whole(distance) + ")" : whole(distance)) + " · " +
                 number_text(part_here.theta * 360 / kTurn, 7) + "°)";
  told.why =
      "Turning changes angles, never lengths, so only the distance enters. A whole turn takes " +
      number_text(kTurn / part_here.theta, 3) + " tokens.";
  told.source = kRotate;
  return told;
}

/// A feature of the query or the key, as it was projected, or as it stands after the rotation.
std::optional<Told> LensPanel::State::tell_feature(const Frame& f, int i, bool of_key,
                                                   bool turned) const {
  const Lens* of = lens_of(f);
  if (!of || i < 0 || i >= of->K) return {};
  const std::vector<double>& vector = of_key ? of->k : of->q;
  const std::string letter = of_key ? "k" : "q", place = of_key ? "{T|s}" : "{T|t}";
  Told told;
  told.source = kRotate;
  if (!turned) {
    told.name = std::string(of_key ? "Key" : "Query") + " {T|" + token(of_key ? key : query) +
                "}, {D|feature " + std::to_string(i) + "} of its head";
    told.formula =
        letter + "[" + place + ", {D|i}] = Σ_{D|d} x[" + place + ",{D|d}]·w[{D|i},{D|d}]";
    told.value = vector[std::size_t(i)];
    told.numbers = number_text(told.value, 6) + aside(", as the tape has it");
    told.why =
        of_key ? "What the key offers in this feature." : "What the query asks of this feature.";
    told.source = "chapters/11_gpt/parts.cpp: wqkv";
    return told;
  }
  for (const LensPart& part_here : of->parts) {
    if (part_here.a != i && part_here.b != i) continue;
    const int at = of_key ? key : key + distance;
    const double x = vector[std::size_t(part_here.a)], y = vector[std::size_t(part_here.b)];
    const double angle = double(at) * part_here.theta;
    const bool first = part_here.a == i;
    const std::string turn = "(" + whole(at) + " · " + number_text(part_here.theta, 7) + ")";
    told.name = std::string(of_key ? "Key" : "Query") + " at {T|" + whole(at) + "}, {D|feature " +
                std::to_string(i) + "}, turned";
    told.formula = first ? "a·cos({T|t}θ) − b·sin({T|t}θ)" : "a·sin({T|t}θ) + b·cos({T|t}θ)";
    const std::string m = of->magnitude == 1 ? "" : number_text(of->magnitude, 5) + " · (";
    told.numbers = m + in_sum(x, 5) + " · " + (first ? "cos" : "sin") + turn +
                   (first ? " − " : " + ") + in_sum(y, 5) + " · " + (first ? "sin" : "cos") + turn +
                   (m.empty() ? "" : ")");
    told.value = of->magnitude * (first ? x * std::cos(angle) - y * std::sin(angle)
                                        : x * std::sin(angle) + y * std::cos(angle));
    told.why = "a and b turn together, as the two numbers of a point in a plane.";
    return told;
  }
  return {};
}

std::optional<Told> LensPanel::State::tell_step(const Frame& f, LensStep::Kind kind) const {
  using Kind = LensStep::Kind;
  const Lens* of = lens_of(f);
  if (!of) return {};
  const std::vector<LensStep> all = of->steps(distance);
  const auto value = [&](Kind wanted) {
    for (const LensStep& step_here : all)
      if (step_here.kind == wanted) return step_here.value;
    return kNaN;
  };
  const std::string root = "√" + std::to_string(of->K);
  const bool has_bias = !of->bias.empty();
  const double logit = has_bias ? value(Kind::biased) : value(Kind::scaled);
  constexpr const char* kNames[] = {
      "Product",     "Scaled product",  "Logit with its bias", "Logit under the mask",
      "Exponential", "Attention weight"};
  Told told;
  told.name = std::string(kNames[int(kind)]) + ", " + cell_name(key);
  told.value = value(kind);
  told.digits = 5;
  told.source = kHead;
  switch (kind) {
    case Kind::product: {
      std::vector<double> shares;
      for (int p = 0; p < int(of->parts.size()); ++p) shares.push_back(of->share(p, distance));
      told.formula = of->turns ? "Σ_{P|p} |q|·|k|·cos(angle between them)"
                               : "q[{T|t}]·k[{T|s}] = Σ_{D|i} q[{T|t},{D|i}]·k[{T|s},{D|i}]";
      told.numbers = written_sum(std::move(shares), 4, 5);
      told.why = "How alike the query's question and the key's answer are.";
      if (G < H)
        told.why += " Query head " + std::to_string(head) + " reads key head " +
                    std::to_string(of->key_head) + ".";
      break;
    }
    case Kind::scaled:
      told.formula = "q·k / √{D|K}";
      told.numbers = number_text(value(Kind::product), 6) + " / " + root;
      told.why = "A sum of K products grows like √K. Divided by it, the softmax starts soft.";
      told.source = "chapters/06_attention/attention.cpp: attention_with_heads";
      break;
    case Kind::biased: {
      if (!has_bias) return {};
      const bool alibi = f.options.position == "alibi";
      told.formula = alibi ? "q·k/√{D|K} − m[{H|h}]·({T|t} − {T|s})"
                           : "q·k/√{D|K} + table[bucket({T|t} − {T|s}), {H|h}]";
      told.numbers = number_text(value(Kind::scaled), 6) + " + " + in_sum(of->bias_at(distance), 6);
      told.why = "The distance is all that this number knows: no token takes part in it.";
      told.source = alibi ? "chapters/07_position/exercises/alibi/reference.h: alibi_bias"
                          : "chapters/07_position/relative_bias.cpp: t5_bias_forward";
      break;
    }
    case Kind::masked: {
      const std::string which = std::to_string(key) + (of->seen() ? " < " : " ≥ ") + "visible(" +
                                std::to_string(query) + ") = " + std::to_string(of->visible);
      told.formula = of->seen() ? "the logit, since {T|s} < visible({T|t})"
                                : "−∞, since {T|s} ≥ visible({T|t})";
      told.numbers =
          (of->seen() ? number_text(logit, 6) : std::string("−∞")) + aside(",  " + which);
      told.value = of->seen() ? logit : -std::numeric_limits<double>::infinity();
      told.why = of->seen() ? "So the logit stays." : "So the weight is 0, whatever the product.";
      told.source = "chapters/06_attention/mask.h: visible";
      break;
    }
    case Kind::exponential:
      told.formula = "e^(logit − the row's largest)";
      told.numbers = "e^(" + (of->seen() ? number_text(logit, 6) : std::string("−∞")) + " − " +
                     in_sum(of->row_max, 6) + ")";
      told.why = "Taking off the largest changes no weight, and nothing can overflow.";
      told.source = kSoftmax;
      break;
    case Kind::weight: {
      // With another distance the row's sum is another: its own term has moved
      const double e = value(Kind::exponential);
      told.formula = "e^(logit − largest) / Σ over the keys that are seen";
      told.numbers = of->seen()
                         ? number_text(e, 6) + " / " + number_text(e / value(Kind::weight), 6)
                         : "0 / " + number_text(of->row_sum, 6);
      told.why = asked ? "The other keys' logits stay; only this one is moved."
                       : "How much of this key's value the query takes.";
      told.source = kSoftmax;
      break;
    }
  }
  return told;
}

std::optional<Told> LensPanel::State::tell_distance(const Frame& f, int d) const {
  const Lens* of = lens_of(f);
  if (!of) return {};
  Told told;
  told.name = "Logit of this query and key, if they stood {T|" + whole(d) + "} apart";
  told.formula =
      of->turns ? "Σ_{P|p} |q|·|k|·cos(φq − φk + {T|d}·θ[{P|p}]) / √{D|K}" : "q·k / √{D|K}";
  told.numbers = number_text(of->product(d), 5) + " / √" + std::to_string(of->K);
  if (!of->bias.empty()) {
    told.formula += " + b[{H|h}, {T|d}]";
    told.numbers += " + " + in_sum(of->bias_at(d), 5);
  }
  told.value = of->logit(d);
  told.why = of->turns ? "Fast pairs make the waves, slow ones the slope. Drag to see the parts."
             : of->bias.empty()
                 ? (f.options.position == "none"
                        ? "Nothing tells this model how far apart they stand."
                        : "The positions were added to the tokens, before q and k were made.")
                 : "The tokens give the height, the distance gives the slope.";
  told.source = of->turns ? kRotate : kHead;
  return told;
}

std::optional<Told> LensPanel::State::tell_weight(const Frame& f, int s) const {
  const Lens* of = lens_of(f);
  if (!of || s < 0 || s >= of->T) return {};
  Told told;
  told.name = "Attention weight, layer " + std::to_string(layer) + ", {H|head " +
              std::to_string(head) + "}, query {T|" + token(query) + "} → key {T|" + token(s) + "}";
  told.source = kSoftmax;
  if (s >= of->visible) {
    told.formula = "0, since {T|s} ≥ visible({T|t})";
    told.numbers = "0" + aside(",  " + std::to_string(s) + " ≥ " + std::to_string(of->visible));
    told.value = 0;
    told.why = "The key stands after the query: the mask hides it.";
    told.source = "chapters/06_attention/mask.h: visible";
    return told;
  }
  const auto i = std::size_t(s);
  told.formula = "e^(logit − largest) / Σ";
  told.numbers = "e^(" + number_text(of->row[i], 5) + " − " + in_sum(of->row_max, 5) + ") / " +
                 number_text(of->row_sum, 5);
  told.value =
      of->recorded.empty() ? std::exp(of->row[i] - of->row_max) / of->row_sum : of->recorded[i];
  told.why = "Click to see how this one was made.";
  return told;
}

std::optional<Told> LensPanel::State::tell_residual(const Frame& f) const {
  const Lens* of = lens_of(f);
  if (!of || !of->turns) return {};
  Told told;
  told.name = "Off the tape's q·k, " + cell_name(key);
  told.formula = "|Σ_{P|p} of the shares − Σ_{D|i} q′·k′|,  q′, k′ rotated by the run";
  told.numbers = "|" + to_places(of->product(of->distance()), 14) + " − " +
                 to_places(of->recorded_product(), 14) + "|";
  told.value = of->residual();
  told.digits = 2;
  told.note = ", rounding explains " + number_text(of->rounding(), 2);
  told.why = "The shares come from q and k before the rotation, the tape has them after it too.";
  told.source = "viewer/panels/lens.cpp: residual";
  return told;
}

std::optional<Told> LensPanel::State::tell_logit_off(const Frame& f) const {
  const Lens* of = lens_of(f);
  if (!of || of->recorded.empty()) return {};
  const double recorded = of->recorded[std::size_t(key)];
  Told told;
  told.source = "viewer/panels/lens.cpp: recorded_logit";
  told.digits = 2;
  if (recorded > 0 || std::isnan(recorded)) {
    const double here = of->logit(of->distance()), run = of->recorded_logit();
    told.name = "Off the run's logit, " + cell_name(key);
    told.formula = "|logit − (ln weight + ln Σ + largest)|,  weight as the run has it";
    told.numbers = "|" + to_places(here, 12) + " − " + to_places(run, 12) + "|";
    told.value = std::abs(here - run);
    told.note = ", rounding explains " + number_text(of->logit_rounding(), 2);
    told.why = "The run keeps weights, no logits: this is the logit that its weight stands for.";
  } else {
    const double here = of->weight(of->distance());
    told.name = "Off the run's weight, " + cell_name(key);
    told.formula = "|weight − the run's|";
    told.numbers = "|" + to_places(here, 12) + " − " + to_places(recorded, 12) + "|";
    told.value = std::abs(here - recorded);
    told.why = "A key that the mask hides has a weight of 0 in both.";
  }
  return told;
}

std::string LensPanel::explain() const {
  std::string text =
      "The locked cell of an attention map, taken apart. The query and the key are shown as they "
      "are on the tape, a column a pair of features: the numbers before and after the rotation "
      "(orange above zero, blue below, each vector by its largest number), "
      "and above them each pair as a plane with both arrows: solid after the rotation and, where "
      "there is room, dashed before. The "
      "arc is the angle between them. Arrows are relative to the longest of their vector, by its "
      "root.\n"
      "The bars are each pair's share of q·k: long arrows that point the same way give much, "
      "opposite ones take away. They add up to the number on the right, and what rounding leaves "
      "over is printed. From there: the scale, a bias if the model has one, the mask, and the "
      "softmax of the row.\n"
      "Drag along the curve to ask what the logit would be at another distance, with the same two "
      "vectors. The thin marks are the true shares. Back returns to the truth.\n"
      "With two runs: A's shares are the bars, B's the orange marks; A's steps and B's stand side "
      "by "
      "side.";
  if (!state_->lens.turns && state_->ready())
    text +=
        "\nThis model does not rotate. So the products are shown feature by feature, and the "
        "distance enters by a bias or not at all.";
  return text;
}

void LensPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known || !s.ready()) return;
  out.precision(9);
  out << "step,layer,head,key_head,query,query_token,key,key_token,distance,part,feature_a,feature_"
         "b,"
         "q_a,q_b,k_a,k_b,q_turned_a,q_turned_b,k_turned_a,k_turned_b,share\n";
  const auto at = [](const std::vector<double>& v, int i) { return v[std::size_t(i)]; };
  for (int p = 0; p < s.parts(); ++p) {
    const LensPart& part = s.lens.parts[std::size_t(p)];
    const bool two = part.b >= 0;
    out << s.step << ',' << s.layer << ',' << s.head << ',' << s.lens.key_head << ',' << s.query
        << ',' << csv_field(s.labels[std::size_t(s.query)]) << ',' << s.key << ','
        << csv_field(s.labels[std::size_t(s.key)]) << ',' << s.lens.distance() << ',' << p << ','
        << part.a << ',';
    if (two) out << part.b;
    for (const auto* vector : {&s.lens.q, &s.lens.k, &s.lens.qr, &s.lens.kr}) {
      out << ',' << at(*vector, part.a) << ',';
      if (two) out << at(*vector, part.b);
    }
    out << ',' << s.truth[std::size_t(p)] << '\n';
  }
}

std::string LensPanel::settings() const {
  return state_->asked ? "distance " + std::to_string(*state_->asked) : "";
}

void LensPanel::restore(const std::string& settings) {
  constexpr std::string_view kWord = "distance ";
  if (!settings.starts_with(kWord)) return;
  int distance = 0;
  const char* end = settings.data() + settings.size();
  const auto [stopped, error] = std::from_chars(settings.data() + kWord.size(), end, distance);
  if (error != std::errc() || stopped != end || std::abs(distance) > 1 << 20) return;
  state_->asked = distance;
  state_->dirty = true;
}

}  // namespace tpp::viewer
