#include "viewer/panels/attention_panel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <ostream>

#include "chapters/07_position/relative_bias.h"
#include "viewer/export.h"
#include "viewer/panels/controls.h"
#include "viewer/panels/drawing.h"
#include "viewer/panels/locked_head.h"
#include "viewer/panels/telling.h"
#include "viewer/view_context.h"
#include "viewer/widgets/bars.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/heatmap.h"
#include "viewer/widgets/legend.h"
#include "viewer/widgets/rich_text.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Where the steps of a head are computed
constexpr const char* kHead =
    "chapters/06_attention/exercises/one_head/reference.h: attention_head_forward";
constexpr const char* kSoftmax =
    "chapters/05_softmax/exercises/forward/reference.h: softmax_forward";
constexpr const char* kMask = "chapters/06_attention/mask.h: visible";
constexpr const char* kScale = "chapters/06_attention/attention.cpp: attention_with_heads";
constexpr const char* kAlibi = "chapters/07_position/exercises/alibi/reference.h: alibi_bias";
constexpr const char* kT5 = "chapters/07_position/relative_bias.cpp: t5_bias_forward";

std::size_t at(int row, int col, int cols) {
  return std::size_t(row) * std::size_t(cols) + std::size_t(col);
}

std::string block_name(int layer, const char* what) {
  return "block" + std::to_string(layer) + "/attn/" + what;
}

bool position_adds(const Frame& frame) {
  return frame.options.position == "alibi" || frame.options.position == "t5";
}
bool rotates(const Frame& frame) { return frame.options.position == "rope"; }
const char* query_name(const Frame& frame) { return rotates(frame) ? "q_rotated" : "q"; }
const char* key_name(const Frame& frame) { return rotates(frame) ? "k_rotated" : "k"; }

/// A head of the probs tap, if the tap has the shape that the configuration says.
const float* head_probs(const Frame& frame, int layer, int head, int& T) {
  const TapValue* tap = frame.tap(block_name(layer, "probs"));
  if (!tap || tap->cols < 1 || tap->rows != int(frame.config.H) * tap->cols) return nullptr;
  if (tap->data.size() != std::size_t(tap->rows) * std::size_t(tap->cols)) return nullptr;
  T = tap->cols;
  return tap->data.data() + at(head * T, 0, T);
}

/// The smallest round number that at least covers `x`: ranges that do not flicker.
float round_range(float x) {
  for (const float r : {0.02f, 0.05f, 0.1f, 0.2f, 0.5f})
    if (x <= r) return r;
  return 1;
}

std::string percent(double share) {
  if (!std::isfinite(share)) return "NaN";
  const double size = std::abs(share);
  return (share < 0 ? "−" : "") + formatted(size < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * size);
}
std::string bits(double x) {
  if (!std::isfinite(x)) return "NaN";
  return (x < 0 ? "−" : "") + formatted("%.2f", std::abs(x));
}

}  // namespace

const std::vector<float>& HeadStages::map(AttentionStage stage) const {
  switch (stage) {
    case AttentionStage::product:
      return product;
    case AttentionStage::scaled:
      return scaled;
    case AttentionStage::biased:
      return has_bias ? biased : scaled;
    case AttentionStage::masked:
      return masked;
    case AttentionStage::softmax:
      break;
  }
  return probs;
}

std::vector<float> head_bias(const Frame& frame, int head, int T) {
  const Index H = frame.config.H;
  if (T < 1 || head < 0 || head >= H) return {};
  Mat<float> bias;  // (H, 2T − 1)
  if (frame.options.position == "alibi") {
    bias = alibi_bias<float>(H, T);
  } else if (frame.options.position == "t5") {
    const TapValue* table = frame.tap("position/t5");
    if (!table || table->cols != H || table->rows < 2) return {};
    const bool both = frame.config.mask.kind != Mask::Kind::causal;
    const Mat<float> values =
        Eigen::Map<const Mat<float>>(table->data.data(), table->rows, table->cols);
    bias.resize(H, 2 * T - 1);
    t5_bias_forward<float>(values, both, bias);
  } else {
    return {};
  }
  const float* row = bias.data() + Index(head) * bias.cols();
  return std::vector<float>(row, row + bias.cols());
}

std::string compute_head_stages(const Frame& frame, int layer, int head, HeadStages& out) {
  out = {};
  const ModelConfig& c = frame.config;
  if (layer < 0 || layer >= c.layers || head < 0 || head >= c.H) return "There is no such head.";
  const TapValue* q = frame.tap(block_name(layer, query_name(frame)));
  const TapValue* k = frame.tap(block_name(layer, key_name(frame)));
  if (!q || !k) return "Waiting for this layer's queries and keys: they come with the next frame.";
  const int K = int(c.K()), G = int(c.G), group = head / std::max(1, int(c.H) / std::max(1, G));
  if (K < 1 || q->cols != int(c.H) * K || k->cols != G * K || q->rows != k->rows || q->rows < 1)
    return "The recorded queries and keys do not have the shape of this model.";
  if (frame.options.position == "t5" && !frame.tap("position/t5"))
    return "Waiting for the bias by distance: it comes with the next frame.";

  // Compare every query with every key, in double, so that what differs is the run's rounding
  const int T = q->rows;
  const std::vector<float> bias = head_bias(frame, head, T);
  out.T = T;
  out.K = K;
  out.has_bias = !bias.empty();
  out.scale = 1 / std::sqrt(float(K));
  const std::size_t cells = std::size_t(T) * std::size_t(T);
  out.product.resize(cells);
  out.scaled.resize(cells);
  if (out.has_bias) out.biased.resize(cells);
  out.masked.assign(cells, -kInfinity);
  out.probs.assign(cells, 0);
  for (int t = 0; t < T; ++t) {
    const int visible = int(c.mask.visible(t, T));
    double largest = -std::numeric_limits<double>::infinity();
    bool finite = true;
    for (int s = 0; s < T; ++s) {
      double product = 0;
      const float* qt = q->data.data() + at(t, head * K, q->cols);
      const float* ks = k->data.data() + at(s, group * K, k->cols);
      for (int i = 0; i < K; ++i) product += double(qt[i]) * double(ks[i]);
      const double scaled = product / std::sqrt(double(K));
      const double biased =
          out.has_bias ? scaled + double(bias[std::size_t(s - t + T - 1)]) : scaled;
      out.product[at(t, s, T)] = float(product);
      out.scaled[at(t, s, T)] = float(scaled);
      if (out.has_bias) out.biased[at(t, s, T)] = float(biased);
      if (s >= visible) continue;
      out.masked[at(t, s, T)] = float(biased);
      largest = std::max(largest, double(out.masked[at(t, s, T)]));
      finite = finite && std::isfinite(biased);
    }

    // Turn the row into weights. A row that is not finite is none
    double sum = 0;
    for (int s = 0; s < visible; ++s) sum += std::exp(double(out.masked[at(t, s, T)]) - largest);
    for (int s = 0; s < visible; ++s) {
      const double weight = std::exp(double(out.masked[at(t, s, T)]) - largest) / sum;
      out.probs[at(t, s, T)] = finite ? float(weight) : kNaN;
    }
    out.visible.push_back(visible);
    out.row_max.push_back(finite ? largest : double(kNaN));
    out.row_sum.push_back(finite ? sum : double(kNaN));
  }

  // Hold it against what the run computed
  int recorded_T = 0;
  if (const float* probs = head_probs(frame, layer, head, recorded_T); probs && recorded_T == T) {
    out.recorded.assign(probs, probs + cells);
    for (std::size_t i = 0; i < cells; ++i) {
      const double d = std::abs(double(out.probs[i]) - double(out.recorded[i]));
      if (!(d <= out.difference)) out.difference = d;
      if (std::isnan(d)) break;
    }
  }
  return {};
}

double row_entropy(const float* weights, int count) {
  double entropy = 0;
  for (int s = 0; s < count; ++s) {
    const double p = double(weights[s]);
    if (p != 0) entropy -= p * std::log2(p);
  }
  return entropy == 0 ? 0 : entropy;  // never −0
}

HeadSummary summarise_head(const TapValue& probs, int head, const Mask& mask) {
  HeadSummary sum;
  const int T = probs.cols;
  int queries = 0;
  for (int t = 0; t < T; ++t) {
    const int visible = int(mask.visible(t, T));
    if (visible < 2) continue;
    const float* row = probs.data.data() + at(head * T + t, 0, T);
    sum.entropy += row_entropy(row, visible);
    sum.uniform += std::log2(double(visible));
    sum.sink += double(row[0]);
    ++queries;
  }
  if (queries == 0) return {};
  sum.entropy /= queries;
  sum.uniform /= queries;
  sum.sink /= queries;
  return sum;
}

// --- The panel -------------------------------------------------------------------------

enum class WeightRange { shared, full, per_row };

struct AttentionPanel::State {
  PanelInfo info{"attention", "Attention", "06_attention", Slot::attention};

  // What was computed last, to compute only what is new
  const Frame* frame = nullptr;
  const Frame* other = nullptr;
  unsigned long frame_version = 0, other_version = 0, selection_version = 0;
  Compare compare = Compare::a;
  unsigned long drawn = 0;  // version of what is given to the heat maps

  // The frame, as far as drawing needs it
  bool known = false;  // there is a frame with sizes
  int L = 0, H = 0, G = 0, T = 0, K = 0;
  long step = 0;
  std::string position;
  std::vector<std::string> labels;  // (T)
  bool difference = false;          // B − A is shown
  std::string note;                 // why there is less to see than was asked for

  // The grid
  struct Thumb {
    Heatmap map;
    HeadSummary summary;
    bool present = false;
  };
  std::vector<Thumb> thumbs;  // (L, H)
  int pool = 1;               // a texel stands for pool × pool cells
  std::vector<std::uint8_t> pooled_mask;
  float shared_range = 1;
  WeightRange range = WeightRange::shared;
  bool range_changed = false;

  // One head, large
  int layer = -1, head = -1;
  HeadStages stages;
  std::string missing;
  AttentionStage stage = AttentionStage::softmax;
  bool stage_changed = false;
  std::vector<std::uint8_t> mask;  // (T, T)
  std::vector<float> shown;        // (T, T) of the stage, or B − A of it
  Heatmap large;
  HeadSummary head_summary;
  bool has_head_summary = false;
  int query = -1, key = -1;  // whose arithmetic is written out
  double query_entropy = 0;
  std::vector<float> row;  // (T) the query's weights, or B − A of them
  std::vector<Bar> bars;   // the largest
  std::vector<int> bar_keys;
  bool sorted_by_size = false;

  // The hovered cell of the grid
  int hover_layer = -1, hover_head = -1;
  HeadStages hover_stages, hover_stages_b;

  bool locked() const { return layer >= 0; }
  std::string label(int t) const {
    return t >= 0 && t < int(labels.size()) ? labels[std::size_t(t)] : std::string("?");
  }
  std::string token(int t) const { return std::to_string(t) + " “" + label(t) + "”"; }

  void read_sizes(const Frame& f);
  void compute_grid(const Frame& f, const Frame* b);
  void compute_head(const Frame& f, const Frame* b);
  void compute_shown();
  void compute_cell(const Place& place);
  HeatmapStyle weight_style() const;

  void draw_grid(ViewContext& context);
  void draw_captions(ViewContext& context, int l, int h, float x, float y, float width,
                     float height, bool beside);
  void draw_head(ViewContext& context);
  void draw_row(ViewContext& context, const HeatmapHit& hit, const Rect& rect);
  void draw_side(ViewContext& context, const Rect& rect);
  float draw_arithmetic(ViewContext& context, const Rect& rect);
  void move_by_keys(ViewContext& context);

  // Numbers of one run, told. The stages are those of the hovered or locked head, of that run
  const HeadStages& stages_of(const Frame& f, int l, int h) const;
  std::string cell_name(int l, int h, int q, int k) const;
  std::optional<Told> tell_cell(const Frame& f, AttentionStage which, int l, int h, int q,
                                int k) const;
  std::optional<Told> tell_entropy(const Frame& f, int l, int h) const;
  std::optional<Told> tell_sink(const Frame& f, int l, int h) const;
  std::optional<Told> tell_query_entropy(const Frame& f, int l, int h, int q) const;
  std::optional<Told> tell_off(const Frame& f) const;
  std::pair<int, int> loudest(const ViewContext& context, int l, int h, int q, int k) const;
  void tell_summaries(ViewContext& context, const std::string& id, int l, int h,
                      const Rect& entropy, const Rect& sink) const;

  HeadStages stages_b;
};

AttentionPanel::AttentionPanel() : state_(std::make_unique<State>()) {}
AttentionPanel::~AttentionPanel() = default;
const PanelInfo& AttentionPanel::info() const { return state_->info; }
const HeadStages& AttentionPanel::stages() const { return state_->stages; }
AttentionStage AttentionPanel::stage() const { return state_->stage; }
HeadSummary AttentionPanel::summary(int layer, int head) const {
  return state_->thumbs.at(at(layer, head, state_->H)).summary;
}

std::vector<std::string> AttentionPanel::taps(const ViewContext& context) const {
  std::vector<std::string> names;
  const Frame* frame = context.shown();
  if (!frame) return names;
  const auto products = [&](int layer) {
    for (const Frame* of : {frame, context.compare == Compare::difference ? context.b : nullptr}) {
      if (!of) continue;
      names.push_back(block_name(layer, query_name(*of)));
      names.push_back(block_name(layer, key_name(*of)));
      if (of->options.position == "t5") names.push_back("position/t5");
    }
  };
  int layer = 0, head = 0;
  if (locked_head(context.selection, frame->config, layer, head)) {
    names.push_back(block_name(layer, "probs"));
    products(layer);
    return names;
  }
  for (int l = 0; l < int(frame->config.layers); ++l) names.push_back(block_name(l, "probs"));
  const Place& hovered = context.selection.hovered();
  if (hovered.head && hovered.layer && *hovered.layer >= 0 &&
      *hovered.layer < int(frame->config.layers)) {
    products(*hovered.layer);
  }
  return names;
}

void AttentionPanel::update(const ViewContext& context) {
  State& s = *state_;
  const Frame* frame = context.shown();
  const Frame* other = context.compare == Compare::difference ? context.b : nullptr;
  if (!frame || frame->config.layers < 1 || frame->config.H < 1 || frame->config.D < 1 ||
      frame->probe_tokens.empty()) {
    s.known = false;
    s.frame = nullptr;
    return;
  }

  // What is new?
  const bool new_frame = !s.known || frame != s.frame || frame->version != s.frame_version ||
                         other != s.other || (other && other->version != s.other_version) ||
                         context.compare != s.compare;
  const bool new_place = new_frame || context.selection.version() != s.selection_version;
  s.frame = frame;
  s.frame_version = frame->version;
  s.other = other;
  s.other_version = other ? other->version : 0;
  s.compare = context.compare;
  s.selection_version = context.selection.version();
  if (!new_place && !s.range_changed && !s.stage_changed) return;

  // Two runs can be subtracted when their maps have the same sizes
  const auto same = [&](const Frame& a, const Frame& b) {
    return a.config.layers == b.config.layers && a.config.H == b.config.H &&
           a.probe_tokens.size() == b.probe_tokens.size();
  };
  s.note.clear();
  if (context.compare == Compare::difference) {
    if (!other)
      s.note = "There is no run B: this is run A.";
    else if (!same(*frame, *other))
      s.note = "A and B differ in layers, heads or length: this is run A.";
  }
  s.difference = other && same(*frame, *other);
  s.known = true;
  if (new_frame) s.read_sizes(*frame);

  // The locked head large, or all of them small
  int layer = -1, head = -1;
  const bool locked = locked_head(context.selection, frame->config, layer, head);
  const bool new_head = new_frame || layer != s.layer || head != s.head;
  s.layer = locked ? layer : -1;
  s.head = locked ? head : -1;
  ++s.drawn;
  if (locked) {
    if (new_head) s.compute_head(*frame, s.difference ? other : nullptr);
    if (new_head || s.stage_changed || s.range_changed) s.compute_shown();
    s.compute_cell(context.selection.shown());
  } else {
    s.stages = {};
    if (new_head || s.range_changed) s.compute_grid(*frame, s.difference ? other : nullptr);
    const Place& hovered = context.selection.hovered();
    const bool over = hovered.layer && hovered.head;
    const bool new_hover =
        over && (new_frame || *hovered.layer != s.hover_layer || *hovered.head != s.hover_head);
    if (!over) s.hover_layer = s.hover_head = -1;  // what was computed is out of date soon
    if (new_hover) {
      s.hover_layer = *hovered.layer;
      s.hover_head = *hovered.head;
      compute_head_stages(*frame, s.hover_layer, s.hover_head, s.hover_stages);
      s.hover_stages_b = {};
      if (s.difference) compute_head_stages(*other, s.hover_layer, s.hover_head, s.hover_stages_b);
    }
  }
  s.range_changed = s.stage_changed = false;
}

void AttentionPanel::State::read_sizes(const Frame& f) {
  L = int(f.config.layers);
  H = int(f.config.H);
  G = std::max(1, int(f.config.G));
  K = int(f.config.K());
  T = int(f.probe_tokens.size());
  step = f.step;
  position = f.options.position;
  labels = f.probe_labels;
  labels.resize(std::size_t(T), "?");
  mask.assign(std::size_t(T) * std::size_t(T), 0);
  for (int t = 0; t < T; ++t)
    for (int s = int(f.config.mask.visible(t, T)); s < T; ++s) mask[at(t, s, T)] = 1;
}

HeatmapStyle AttentionPanel::State::weight_style() const {
  if (difference)
    return {Colormap::signed_, RangePolicy::fixed, {-shared_range, shared_range}, true};
  if (range == WeightRange::per_row)
    return {Colormap::viridis, RangePolicy::per_row, {0, 1}, false};
  return {Colormap::viridis,
          RangePolicy::fixed,
          {0, range == WeightRange::full ? 1.0f : shared_range},
          false};
}

void AttentionPanel::State::compute_grid(const Frame& f, const Frame* b) {
  if (thumbs.size() != std::size_t(L) * std::size_t(H))
    thumbs = std::vector<Thumb>(std::size_t(L) * std::size_t(H));

  // Many heads over long sequences are more cells than a screen has: keep the largest of each
  // square
  const double cells = double(L) * double(H) * double(T) * double(T);
  pool = std::max(1, int(std::ceil(std::sqrt(cells / 3e6))));
  const int side = (T + pool - 1) / pool;
  pooled_mask.assign(std::size_t(side) * std::size_t(side), 1);
  for (int t = 0; t < T; ++t)
    for (int s = 0; s < T; ++s)
      if (!mask[at(t, s, T)]) pooled_mask[at(t / pool, s / pool, side)] = 0;

  // Values, and the range that fits all heads together: 98 of 100 weights of the later queries
  std::vector<std::vector<float>> values(thumbs.size());
  std::vector<float> sample;
  const std::size_t stride = std::max<std::size_t>(1, std::size_t(cells / 40000));
  for (int l = 0; l < L; ++l) {
    for (int h = 0; h < H; ++h) {
      Thumb& thumb = thumbs[at(l, h, H)];
      int width = 0, width_b = 0;
      const float* probs = head_probs(f, l, h, width);
      const float* probs_b = b ? head_probs(*b, l, h, width_b) : nullptr;
      thumb.present = probs && width == T && (!b || (probs_b && width_b == T));
      if (!thumb.present) {
        thumb.map.clear();
        continue;
      }
      thumb.summary = summarise_head(*f.tap(block_name(l, "probs")), h, f.config.mask);
      if (b) {
        const HeadSummary of_b = summarise_head(*b->tap(block_name(l, "probs")), h, b->config.mask);
        thumb.summary.entropy = of_b.entropy - thumb.summary.entropy;
        thumb.summary.sink = of_b.sink - thumb.summary.sink;
      }
      std::vector<float>& out = values[at(l, h, H)];
      out.assign(std::size_t(side) * std::size_t(side), 0);
      for (int t = 0; t < T; ++t) {
        for (int s = 0; s < T; ++s) {
          const std::size_t i = at(t, s, T);
          if (mask[i]) continue;
          const float value = probs_b ? probs_b[i] - probs[i] : probs[i];
          float& cell = out[at(t / pool, s / pool, side)];
          if (std::isnan(value) || std::abs(value) > std::abs(cell)) cell = value;
          if (t >= T / 4 && i % stride == 0 && std::isfinite(value))
            sample.push_back(std::abs(value));
        }
      }
    }
  }
  shared_range = 1;
  if (!sample.empty()) {
    const auto nth = sample.begin() + std::ptrdiff_t(0.98 * double(sample.size() - 1));
    std::nth_element(sample.begin(), nth, sample.end());
    shared_range = round_range(*nth);
  }
  const HeatmapStyle style = weight_style();
  for (std::size_t i = 0; i < thumbs.size(); ++i) {
    if (!thumbs[i].present) continue;
    MatrixView view{.data = values[i].data(), .rows = side, .cols = side};
    view.mask = pooled_mask.data();
    thumbs[i].map.set(view, drawn, style);
  }
}

void AttentionPanel::State::compute_head(const Frame& f, const Frame* b) {
  missing = compute_head_stages(f, layer, head, stages);
  if (missing.empty() && stages.T != T) missing = "The probe's length has just changed.";
  if (missing.empty() && b) missing = compute_head_stages(*b, layer, head, stages_b);
  has_head_summary = false;
  int width = 0;
  if (head_probs(f, layer, head, width)) {
    head_summary = summarise_head(*f.tap(block_name(layer, "probs")), head, f.config.mask);
    has_head_summary = true;
    if (b && head_probs(*b, layer, head, width)) {
      const HeadSummary of_b =
          summarise_head(*b->tap(block_name(layer, "probs")), head, b->config.mask);
      head_summary.entropy = of_b.entropy - head_summary.entropy;
      head_summary.sink = of_b.sink - head_summary.sink;
    }
  }
  if (!missing.empty()) {
    stages = {};
    large.clear();
  }
}

void AttentionPanel::State::compute_shown() {
  if (!missing.empty() || stages.T == 0) return;
  if (stage == AttentionStage::biased && !stages.has_bias) stage = AttentionStage::masked;

  // The map of this stage, or its difference
  shown = stages.map(stage);
  if (difference) {
    const std::vector<float>& of_b = stages_b.map(stage);
    for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = mask[i] ? 0 : of_b[i] - shown[i];
  }
  const bool weights = stage == AttentionStage::softmax;
  HeatmapStyle style{Colormap::signed_, RangePolicy::percentile, {-1, 1}, true};
  if (weights) {
    // As in the grid: round, and large enough for 98 of 100
    std::vector<float> sample;
    for (int t = T / 4; t < T; ++t)
      for (int s = 0; s < stages.visible[std::size_t(t)]; ++s)
        if (std::isfinite(shown[at(t, s, T)])) sample.push_back(std::abs(shown[at(t, s, T)]));
    shared_range = 1;
    if (!sample.empty()) {
      const auto nth = sample.begin() + std::ptrdiff_t(0.98 * double(sample.size() - 1));
      std::nth_element(sample.begin(), nth, sample.end());
      shared_range = round_range(*nth);
    }
    style = weight_style();
  }
  MatrixView view{.data = shown.data(), .rows = T, .cols = T};
  if (weights || difference || stage == AttentionStage::masked) view.mask = mask.data();
  large.set(view, drawn, style);
}

void AttentionPanel::State::compute_cell(const Place& place) {
  bars.clear();
  bar_keys.clear();
  query = key = -1;
  if (!missing.empty() || stages.T != T || T == 0) return;
  query = place.query && *place.query >= 0 && *place.query < T ? *place.query : T - 1;

  // The query's weights, largest first
  row.assign(std::size_t(T), 0);
  for (int s = 0; s < T; ++s) {
    row[std::size_t(s)] = stages.probs[at(query, s, T)];
    if (difference) row[std::size_t(s)] = stages_b.probs[at(query, s, T)] - row[std::size_t(s)];
  }
  const int visible = stages.visible[std::size_t(query)];
  query_entropy = row_entropy(stages.probs.data() + at(query, 0, T), visible);
  std::vector<int> order(static_cast<std::size_t>(visible));
  for (int s = 0; s < visible; ++s) order[std::size_t(s)] = s;
  const int count = std::min(visible, 6);
  const auto size = [&](int s) {
    const float w = std::abs(row[std::size_t(s)]);
    return std::isnan(w) ? kInfinity : w;
  };
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](int a, int b) { return size(a) != size(b) ? size(a) > size(b) : a < b; });
  key = place.key && *place.key >= 0 && *place.key < T ? *place.key : order[0];
  for (int i = 0; i < count; ++i) {
    const int s = order[std::size_t(i)];
    Bar bar;
    bar.label = token(s);
    bar.value = double(row[std::size_t(s)]);
    bar.selected = s == key;
    bars.push_back(std::move(bar));
    bar_keys.push_back(s);
  }
}

void AttentionPanel::draw(ViewContext& context) {
  State& s = *state_;
  if (!s.known) {
    put_note(context, context.rect,
             context.shown()
                 ? "No probe sequence yet. It is passed through the model after each step."
                 : "No run yet. Attention appears with the first step.");
    return;
  }
  if (s.locked()) {
    s.draw_head(context);
    s.move_by_keys(context);
  } else {
    s.draw_grid(context);
  }
}

// --- All heads -------------------------------------------------------------------------

namespace {

std::array<Choice, 3> range_choices() {
  return {Choice{"shared", "shared"}, Choice{"full", "0 … 1"}, Choice{"row", "per row"}};
}

}  // namespace

void AttentionPanel::State::draw_grid(ViewContext& context) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Rect r = context.rect;
  const float line = theme.font_size(Font::small) + theme.px(4);

  // Above: what this is, the range, the legend
  const float legend = legend_height(context);
  const float header = std::max(2 * line + theme.px(2), legend);
  const float legend_width = std::min(theme.px(230), 0.36f * r.w);
  const auto choices = range_choices();
  const float choice_x = r.right() - legend_width - choices_width(context, choices) - theme.grid(2);
  put_text(context, list, r.x, r.y, colours.text,
           difference ? "B − A: weights of every head" : "Weights of every head", Font::body);
  const Place& over = context.selection.hovered();
  std::string hint = note.empty() ? "Beside each: entropy, and the weight on the first key." : note;
  if (pool > 1) hint = formatted("A texel is the largest of %d × %d weights.", pool, pool);
  if (note.empty() && over.layer && over.head && *over.layer < L && *over.head < H) {
    const HeadSummary& sum = thumbs[at(*over.layer, *over.head, H)].summary;
    hint = "Layer " + std::to_string(*over.layer) + " · head " + std::to_string(*over.head) + ": " +
           bits(sum.entropy) + (difference ? "" : " of " + bits(sum.uniform)) + " bits, sink " +
           percent(sum.sink) + ". Click to lock.";
  }
  const float hint_width = (difference ? r.right() - legend_width : choice_x) - r.x - theme.grid(1);
  put_wrapped(context, list, r.x, r.y + theme.font_size(Font::body) + theme.px(4), hint_width,
              note.empty() ? colours.muted : colours.warning, hint);
  if (!difference) {
    put_text(context, list, choice_x, r.y, colours.muted, "colour range");
    const int clicked = put_choices(context, "attention/range", choice_x, r.y + line - theme.px(2),
                                    theme.px(20), choices, int(range));
    if (clicked >= 0 && clicked != int(range)) {
      range = WeightRange(clicked);
      range_changed = true;
    }
  }
  LegendSpec spec;
  const HeatmapStyle style = weight_style();
  spec.map = style.map;
  spec.range = style.fixed;
  spec.policy = style.policy;
  spec.unit = difference ? "difference of weights" : "weight";
  ImGui::SetCursorScreenPos(ImVec2(r.right() - legend_width, r.y));
  draw_legend(context, "attention/grid", spec, legend_width);

  // The grid: as large as captions beside or under the maps let it be
  const float gap = theme.px(6);
  const float gutter = text_width(context, Font::small, "L00") + theme.px(6);
  const float top = r.y + header + theme.px(6);
  const float brackets = line + theme.px(6), heads_line = line;
  const Rect grid{r.x + gutter, top + brackets + heads_line, r.w - gutter,
                  r.bottom() - top - brackets - heads_line};
  if (grid.w < theme.px(8) || grid.h < theme.px(8)) return;
  const float column = grid.w / float(H), row_height = grid.h / float(L);
  const float caption_width = text_width(context, Font::small, "0.00 bits") + theme.px(6);
  const float caption_height = theme.font_size(Font::small) + theme.px(2);
  const float side_beside = std::min(row_height - gap, column - gap - caption_width);
  const float numbers_under = std::min(row_height - gap - caption_height, column - gap);
  const bool tiny =
      std::max(side_beside, numbers_under) < theme.px(40);  // then two bars, no numbers
  const float side_under = tiny ? std::min(row_height - theme.px(12), column - gap) : numbers_under;
  const bool beside = side_beside >= side_under;
  const float side = std::max(theme.px(4), std::floor(std::max(side_beside, side_under)));
  const float cell_width = beside ? side + caption_width + gap : column;
  const float x0 = grid.x, spread = beside ? std::max(column, cell_width) : column;

  // Heads that read the same keys and values stand under one bracket
  const Place shown_place = context.selection.shown();
  const int per_group = std::max(1, H / G);
  for (int g = 0; g < G; ++g) {
    const float left = x0 + spread * float(g * per_group);
    const float right = x0 + spread * float((g + 1) * per_group - 1) + side;
    const float y = top + line + theme.px(1);
    const std::string name =
        G == H ? "k/v " + std::to_string(g) : "key/value head " + std::to_string(g);
    const std::string brief = std::to_string(g);
    const bool fits = text_width(context, Font::small, name) <= right - left;
    put_text_middle(context, list, 0.5f * (left + right), top - theme.px(1), colours.dim_head,
                    fits ? name : brief);
    list->AddLine(ImVec2(left, y), ImVec2(right, y), colours.dim_head, theme.px(1));
    list->AddLine(ImVec2(left, y), ImVec2(left, y + theme.px(4)), colours.dim_head, theme.px(1));
    list->AddLine(ImVec2(right, y), ImVec2(right, y + theme.px(4)), colours.dim_head, theme.px(1));
  }
  for (int h = 0; h < H; ++h) {
    const std::string name = "head " + std::to_string(h), brief = std::to_string(h);
    const bool on = shown_place.head == h;
    const float x = x0 + spread * float(h) + 0.5f * side;
    const bool fits = text_width(context, Font::small, name) <= side;
    put_text_middle(context, list, x, top + brackets - theme.px(1),
                    on ? colours.text : colours.muted, fits ? name : brief);
  }

  // The maps
  for (int l = 0; l < L; ++l) {
    const float y = grid.y + row_height * float(l);
    const bool on = shown_place.layer == l;
    put_text(context, list, r.x, y + 0.5f * (side - theme.font_size(Font::small)),
             on ? colours.text : colours.muted, "L" + std::to_string(l));
    for (int h = 0; h < H; ++h) {
      Thumb& thumb = thumbs[at(l, h, H)];
      const float x = x0 + spread * float(h);
      const std::string id = "attention/head/" + std::to_string(l) + "/" + std::to_string(h);
      if (!thumb.present) {
        compat::add_rect(list, ImVec2(x, y), ImVec2(x + side, y + side), colours.border);
        continue;
      }
      HeatmapOptions options;
      options.size = ImVec2(side, side);
      options.crosshair = side >= theme.px(48);
      if (shown_place.query && *shown_place.query < T) options.mark_row = *shown_place.query / pool;
      if (shown_place.key && *shown_place.key < T) options.mark_col = *shown_place.key / pool;
      if (side < theme.px(48)) options.mark_row = options.mark_col = -1;
      ImGui::SetCursorScreenPos(ImVec2(x, y));
      const HeatmapHit hit = thumb.map.draw(context, id.c_str(), options);
      if (hit.hovered) {
        const int q = std::min(T - 1, hit.row * pool), k = std::min(T - 1, hit.col * pool);
        context.selection.hover({.layer = l, .head = h, .query = q, .key = k});
        compat::add_rect(list, ImVec2(x - 1, y - 1), ImVec2(x + side + 1, y + side + 1),
                         colours.hover_mark, theme.px(2));
        const std::string key_text = id + formatted("/%d/%d", q, k);
        if (tooltip_ready(context, key_text)) {
          // A texel may stand for many weights: the one that it shows is told
          const auto [qm, km] = loudest(context, l, h, q, k);
          tell(
              context,
              [&, qm = qm, km = km](const Frame& f, const History*) {
                return tell_cell(f, AttentionStage::softmax, l, h, qm, km);
              },
              difference);
        }
      }
      if (hit.clicked) context.selection.lock({.layer = l, .head = h});
      draw_captions(context, l, h, x, y, beside ? caption_width : column - gap, side, beside);
    }
  }
}

void AttentionPanel::State::draw_captions(ViewContext& context, int l, int h, float x, float y,
                                          float width, float side, bool beside) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const HeadSummary& sum = thumbs[at(l, h, H)].summary;
  const bool finite = std::isfinite(sum.entropy) && std::isfinite(sum.sink);
  const Rgba ink = finite ? colours.text : colours.error;
  const auto sign = [&](double v) { return difference && v >= 0 ? "+" : ""; };
  const float line = theme.font_size(Font::small) + theme.px(1);

  // A bar: how much of it is there
  const auto bar = [&](float bx, float by, float bw, double share, Rgba colour) {
    const float h = theme.px(3);
    list->AddRectFilled(ImVec2(bx, by), ImVec2(bx + bw, by + h), colours.grid);
    if (share > 0) {
      const float w = bw * float(std::min(1.0, share));
      list->AddRectFilled(ImVec2(bx, by), ImVec2(bx + w, by + h), colour);
    }
  };
  const bool bars_mean = finite && !difference;
  const auto told = [&](const Rect& of_entropy, const Rect& of_sink) {
    tell_summaries(context, "attention/head/" + std::to_string(l) + "/" + std::to_string(h), l, h,
                   of_entropy, of_sink);
  };
  if (beside) {
    const float cx = x + side + theme.px(5), cw = width - theme.px(10);
    float cy = y + theme.px(2);
    const bool roomy = side >= 4 * line + theme.px(16);
    const float high = (roomy ? 2 : 1) * line + theme.px(8);
    told({cx, cy, cw, high}, {cx, cy + high + theme.px(1), cw, high});
    put_text(context, list, cx, cy, ink,
             sign(sum.entropy) + bits(sum.entropy) + (roomy ? "" : " b"));
    cy += line;
    if (roomy) {
      put_text(context, list, cx, cy, colours.muted, "bits");
      cy += line + theme.px(1);
    }
    if (bars_mean) bar(cx, cy, cw, sum.uniform > 0 ? sum.entropy / sum.uniform : 0, colours.run_a);
    cy += theme.px(10);
    put_text(context, list, cx, cy, ink, sign(sum.sink) + percent(sum.sink));
    cy += line;
    if (roomy) {
      put_text(context, list, cx, cy, colours.muted, "sink");
      cy += line + theme.px(1);
    }
    if (bars_mean) bar(cx, cy, cw, sum.sink, colours.warning);
    return;
  }
  const std::string entropy = sign(sum.entropy) + bits(sum.entropy);
  const std::string both = entropy + " b · " + percent(sum.sink);
  const bool fits = text_width(context, Font::small, both) <= width;
  const float entropy_width =
      std::max(theme.px(12), text_width(context, Font::small, entropy)) + theme.px(4);
  if (side >= theme.px(40)) {
    told({x, y + side, entropy_width, line},
         fits ? Rect{x + entropy_width, y + side, width - entropy_width, line} : Rect{});
    put_text(context, list, x, y + side, ink, fits ? both : entropy);
  } else if (bars_mean) {
    told({x, y + side + theme.px(1), side, theme.px(4)},
         {x, y + side + theme.px(5), side, theme.px(5)});
    bar(x, y + side + theme.px(2), side, sum.uniform > 0 ? sum.entropy / sum.uniform : 0,
        colours.run_a);
    bar(x, y + side + theme.px(6), side, sum.sink, colours.warning);
  } else {
    told({x, y + side - theme.px(2), entropy_width, line}, {});
    put_text(context, list, x, y + side - theme.px(2), ink, finite ? entropy : "NaN");
  }
}

// --- Told, number by number ------------------------------------------------------------

const HeadStages& AttentionPanel::State::stages_of(const Frame& f, int l, int h) const {
  static const HeadStages kNone;
  const bool second = difference && &f == other;
  if (l == layer && h == head) return second ? stages_b : stages;
  if (l == hover_layer && h == hover_head) return second ? hover_stages_b : hover_stages;
  return kNone;
}

std::string AttentionPanel::State::cell_name(int l, int h, int q, int k) const {
  return "layer " + std::to_string(l) + ", {H|head " + std::to_string(h) + "}, query {T|" +
         token(q) + "} → key {T|" + token(k) + "}";
}

std::optional<Told> AttentionPanel::State::tell_cell(const Frame& f, AttentionStage which, int l,
                                                     int h, int q, int k) const {
  const bool weight = which == AttentionStage::softmax;
  Told told;
  told.name = (weight                             ? "Attention weight, "
               : which == AttentionStage::product ? "Product, "
               : which == AttentionStage::scaled  ? "Scaled product, "
                                                  : "Logit, ") +
              cell_name(l, h, q, k);
  told.source = kHead;
  const int visible = int(f.config.mask.visible(q, T));
  if (k >= visible && int(which) >= int(AttentionStage::masked)) {
    told.formula = weight ? "p[{T|t},{T|s}] = 0 where {T|s} ≥ visible({T|t})"
                          : "logit[{T|t},{T|s}] = −∞ where {T|s} ≥ visible({T|t})";
    told.numbers =
        (weight ? "0" : "−∞") + aside(",  " + std::to_string(k) + " ≥ " + std::to_string(visible));
    told.value = weight ? 0 : -std::numeric_limits<double>::infinity();
    told.why = "A model that guesses the next token must not see it.";
    told.source = kMask;
    return told;
  }
  const HeadStages& s = stages_of(f, l, h);
  const bool known = s.T == T && T > 0 && q < T && k < T;
  const std::size_t i = at(q, k, T);
  const std::string bias = position_adds(f) ? " + b[{H|h}, {T|s} − {T|t}]" : "";
  switch (which) {
    case AttentionStage::product: {
      told.formula = "q[{T|t}]·k[{T|s}] = Σ_{D|i} q[{T|t},{D|i}]·k[{T|s},{D|i}]";
      told.why = "How well the key answers the query. It grows with √K, so it is scaled next.";
      if (!known) break;
      const TapValue* qs = f.tap(block_name(l, query_name(f)));
      const TapValue* ks = f.tap(block_name(l, key_name(f)));
      const int group = h / std::max(1, H / G);
      std::vector<double> terms;
      for (int j = 0; qs && ks && j < s.K; ++j)
        terms.push_back(double((*qs)(q, h * s.K + j)) * double((*ks)(k, group * s.K + j)));
      told.numbers = written_sum(std::move(terms), 4);
      told.value = double(s.product[i]);
      break;
    }
    case AttentionStage::scaled:
      told.formula = "q[{T|t}]·k[{T|s}] / √{D|K}";
      told.why = "A sum of K products grows like √K. Divided by it, the softmax starts soft.";
      told.source = kScale;
      if (!known) break;
      told.numbers = number_text(double(s.product[i]), 5) + " / √" + std::to_string(s.K);
      told.value = double(s.scaled[i]);
      break;
    case AttentionStage::biased:
    case AttentionStage::masked: {
      const bool adds = known && s.has_bias;
      told.formula = "q[{T|t}]·k[{T|s}] / √{D|K}" + bias;
      told.why = which == AttentionStage::masked && k < visible
                     ? "The mask lets it through. Only differences within a row count from here."
                     : "The distance is all that the bias knows: no token takes part in it.";
      if (adds) told.source = f.options.position == "alibi" ? kAlibi : kT5;
      if (!known) break;
      told.numbers = number_text(double(s.product[i]), 5) + " / √" + std::to_string(s.K);
      told.value = double(s.scaled[i]);
      if (!adds) break;
      told.numbers += " + " + in_sum(double(s.biased[i]) - double(s.scaled[i]), 5);
      told.value = double(s.biased[i]);
      break;
    }
    case AttentionStage::softmax: {
      told.formula = "p[{T|t},{T|s}] = e^(logit − largest) / Σ_{T|s} e^(logit − largest)";
      told.why = "So much of key " + std::to_string(k) + "'s value goes into query " +
                 std::to_string(q) + "'s output.";
      told.source = kSoftmax;
      int width = 0;
      if (const float* probs = head_probs(f, l, h, width); probs && width == T)
        told.value = double(probs[i]);
      if (!known) break;
      if (s.recorded.empty()) told.value = double(s.probs[i]);
      told.numbers = "e^(" + number_text(double(s.masked[i]), 5) + " − " +
                     in_sum(s.row_max[std::size_t(q)], 5) + ") / " +
                     number_text(s.row_sum[std::size_t(q)], 5);
      break;
    }
  }
  if (!known)
    told.numbers = aside("its queries and keys come with the next frame");
  else if (told.value >= 0 && weight)
    told.note = " (" + percent(told.value) + ")";
  return told;
}

namespace {

/// The queries that can choose: those that see two keys or more.
template <class Of>
std::vector<double> of_queries(const Mask& mask, int T, const Of& of) {
  std::vector<double> out;
  for (int t = 0; t < T; ++t)
    if (const int visible = int(mask.visible(t, T)); visible > 1) out.push_back(of(t, visible));
  return out;
}

}  // namespace

std::optional<Told> AttentionPanel::State::tell_entropy(const Frame& f, int l, int h) const {
  int width = 0;
  const float* probs = head_probs(f, l, h, width);
  if (!probs || width != T) return {};
  const std::vector<double> each = of_queries(f.config.mask, T, [&](int t, int visible) {
    return row_entropy(probs + at(t, 0, T), visible);
  });
  if (each.empty()) return {};
  const HeadSummary sum = summarise_head(*f.tap(block_name(l, "probs")), h, f.config.mask);
  Told told;
  told.name = "Entropy of layer " + std::to_string(l) + ", {H|head " + std::to_string(h) +
              "}, mean of its queries";
  told.formula = "mean over {T|t} of −Σ_{T|s} p[{T|t},{T|s}]·log₂ p[{T|t},{T|s}]";
  told.numbers = "(" + written_sum(each) + ") / " + std::to_string(each.size());
  told.value = sum.entropy;
  told.unit = "bits";
  told.note = ", at most " + bits(sum.uniform);
  told.why = "0: each query picks one key. The most: it looks at all keys alike.";
  told.source = "viewer/panels/attention_panel.cpp: row_entropy";
  return told;
}

std::optional<Told> AttentionPanel::State::tell_sink(const Frame& f, int l, int h) const {
  int width = 0;
  const float* probs = head_probs(f, l, h, width);
  if (!probs || width != T) return {};
  const std::vector<double> each =
      of_queries(f.config.mask, T, [&](int t, int) { return double(probs[at(t, 0, T)]); });
  if (each.empty()) return {};
  Told told;
  told.name = "Sink of layer " + std::to_string(l) + ", {H|head " + std::to_string(h) +
              "}: the weight on the first key";
  told.formula = "mean over {T|t} of p[{T|t}, 0]";
  told.numbers = "(" + written_sum(each) + ") / " + std::to_string(each.size());
  told.value = summarise_head(*f.tap(block_name(l, "probs")), h, f.config.mask).sink;
  told.note = " (" + percent(told.value) + ")";
  told.why = "A row must add up to 1: heads put what they do not need on the first key.";
  told.source = "viewer/panels/attention_panel.cpp: summarise_head";
  return told;
}

std::optional<Told> AttentionPanel::State::tell_query_entropy(const Frame& f, int l, int h,
                                                              int q) const {
  const HeadStages& s = stages_of(f, l, h);
  if (s.T != T || q < 0 || q >= T) return {};
  const float* row = s.probs.data() + at(q, 0, T);
  const int visible = s.visible[std::size_t(q)];
  std::vector<double> weights(row, row + visible);
  std::sort(weights.begin(), weights.end(), std::greater<>());
  Told told;
  told.name = "Entropy of layer " + std::to_string(l) + ", {H|head " + std::to_string(h) +
              "}, query {T|" + token(q) + "}";
  told.formula = "−Σ_{T|s} p[{T|t},{T|s}]·log₂ p[{T|t},{T|s}]";
  double rest = row_entropy(row, visible);
  told.value = rest;
  int written = 0;
  for (const double p : weights) {
    if (written == 3 || p == 0) break;
    told.numbers += (written++ ? " − " : "−") + number_text(p) + "·log₂ " + number_text(p);
    rest += p * std::log2(p);
  }
  if (visible > written)
    told.numbers += (rest < 0 ? " − " : " + ") +
                    number_text(std::abs(rest) < 1e-9 ? 0 : std::abs(rest)) +
                    aside(" of " + std::to_string(visible - written) + " others");
  if (!std::isfinite(told.value)) told.numbers = "NaN" + aside(": a weight of this row is none");
  told.unit = "bits";
  told.note =
      ", at most log₂ " + std::to_string(visible) + " = " + bits(std::log2(double(visible)));
  told.why = "How many yes-or-no questions it takes to say where this query looks.";
  told.source = "viewer/panels/attention_panel.cpp: row_entropy";
  return told;
}

/// The cell that a texel of the grid shows: the largest weight of its square.
std::pair<int, int> AttentionPanel::State::loudest(const ViewContext& context, int l, int h, int q,
                                                   int k) const {
  int width = 0, width_b = 0;
  const float* probs = context.shown() ? head_probs(*context.shown(), l, h, width) : nullptr;
  const float* probs_b = difference && other ? head_probs(*other, l, h, width_b) : nullptr;
  std::pair<int, int> out{q, k};
  if (pool < 2 || !probs || width != T || (probs_b && width_b != T)) return out;
  float most = -1;
  for (int t = q; t < std::min(T, q + pool); ++t) {
    for (int s = k; s < std::min(T, k + pool); ++s) {
      if (mask[at(t, s, T)]) continue;
      const float size = std::abs(probs[at(t, s, T)] - (probs_b ? probs_b[at(t, s, T)] : 0));
      if (std::isnan(size)) return {t, s};
      if (!(size > most)) continue;
      most = size;
      out = {t, s};
    }
  }
  return out;
}

/// The cell where the weights that were computed again are farthest from the run's own.
std::optional<Told> AttentionPanel::State::tell_off(const Frame& f) const {
  const HeadStages& s = stages_of(f, layer, head);
  if (s.recorded.empty()) return {};
  std::size_t most = 0;
  const auto off = [&](std::size_t i) {
    return std::abs(double(s.probs[i]) - double(s.recorded[i]));
  };
  for (std::size_t i = 0; i < s.probs.size(); ++i) {
    if (!(off(i) <= off(most))) most = i;
    if (std::isnan(off(i))) break;
  }
  Told told;
  told.name = "Largest difference of layer " + std::to_string(layer) + ", {H|head " +
              std::to_string(head) + "}, at query " + std::to_string(int(most) / T) + " → key " +
              std::to_string(int(most) % T);
  told.formula = "max over {T|t}, {T|s} of |p of the doubles here − p of the run's floats|";
  told.numbers = "|" + to_places(double(s.probs[most]), 12) + " − " +
                 to_places(double(s.recorded[most]), 12) + "|";
  told.value = off(most);
  told.digits = 2;
  told.why = "A float has 7 digits. More than that would mean that this panel tells another story.";
  told.source = "viewer/panels/attention_panel.cpp: compute_head_stages";
  return told;
}

void AttentionPanel::State::tell_summaries(ViewContext& context, const std::string& id, int l,
                                           int h, const Rect& entropy, const Rect& sink) const {
  if (resting_on(context, id + "/entropy", entropy))
    tell(
        context, [&](const Frame& f, const History*) { return tell_entropy(f, l, h); }, difference);
  if (resting_on(context, id + "/sink", sink))
    tell(
        context, [&](const Frame& f, const History*) { return tell_sink(f, l, h); }, difference);
}

// --- One head --------------------------------------------------------------------------

void AttentionPanel::State::move_by_keys(ViewContext& context) {
  if (ImGui::GetIO().WantTextInput || context.commands.palette_open()) return;
  int dl = 0, dh = 0;
  if (pressed({.key = Key::left}, true)) dh = -1;
  if (pressed({.key = Key::right}, true)) dh = 1;
  if (pressed({.key = Key::up}, true)) dl = -1;
  if (pressed({.key = Key::down}, true)) dl = 1;
  if (dl == 0 && dh == 0) return;
  context.selection.set(
      {.layer = std::clamp(layer + dl, 0, L - 1), .head = std::clamp(head + dh, 0, H - 1)});
}

void AttentionPanel::State::draw_head(ViewContext& context) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Rect r = context.rect;
  const float button = theme.px(22);

  // Which head this is
  const std::array<Choice, 1> back{Choice{"all", "← all heads"}};
  if (put_choices(context, "attention/back", r.x, r.y, button, back, -1) == 0)
    context.selection.lock({.layer = layer, .head = head});
  float x = r.x + choices_width(context, back) + theme.grid(1);
  x += put_text(context, list, x, r.y + theme.px(1), colours.text,
                "Layer " + std::to_string(layer) + " · head " + std::to_string(head), Font::body);
  const int per_group = std::max(1, H / G), group = head / per_group;
  std::string shares = "reads key/value head " + std::to_string(group);
  if (per_group > 1)
    shares += formatted(", as heads %d – %d do", group * per_group, (group + 1) * per_group - 1);
  put_text(context, list, x + theme.grid(1), r.y + theme.px(3), colours.muted, shares);
  if (has_head_summary) {
    const auto sign = [&](double v) { return difference && v >= 0 ? "+" : ""; };
    const std::string entropy = sign(head_summary.entropy) + bits(head_summary.entropy) +
                                (difference ? "" : " of " + bits(head_summary.uniform)) + " bits";
    const std::string sink = " · sink " + (sign(head_summary.sink) + percent(head_summary.sink));
    const float wide = text_width(context, Font::small, sink), y = r.y + theme.px(3);
    const float both = wide + text_width(context, Font::small, entropy), left = r.right() - both;
    put_text_right(context, list, r.right(), y,
                   std::isfinite(head_summary.entropy) ? colours.text : colours.error,
                   entropy + sink);
    const float high = theme.font_size(Font::small) + theme.px(3);
    tell_summaries(context, "attention/large", layer, head, {left, y, both - wide, high},
                   {r.right() - wide, y, wide, high});
  }
  const float below = r.y + button + theme.px(6);
  if (!missing.empty()) {
    put_note(context, {r.x, below, r.w, r.bottom() - below}, missing);
    return;
  }

  // The steps from product to weight
  std::vector<Choice> tabs{{"product", "q·k"}, {"scaled", "÷ √K"}};
  if (stages.has_bias) tabs.push_back({"biased", "+ bias"});
  tabs.push_back({"masked", "masked"});
  tabs.push_back({"softmax", "softmax"});
  const auto tab_of = [&](AttentionStage s) {
    const int i = int(s);
    return !stages.has_bias && i > int(AttentionStage::biased) ? i - 1 : i;
  };
  const int clicked =
      put_choices(context, "attention/tab", r.x, below, button, tabs, tab_of(stage));
  if (clicked >= 0) {
    const int index =
        !stages.has_bias && clicked >= int(AttentionStage::biased) ? clicked + 1 : clicked;
    if (AttentionStage(index) != stage) {
      stage = AttentionStage(index);
      stage_changed = true;
    }
  }
  const std::string check = stages.recorded.empty()
                                ? "recomputed here from q and k"
                                : "recomputed from q and k; the run's own differ by at most " +
                                      number_text(stages.difference, 2);
  const bool agrees = stages.difference <= 1e-4;
  put_text_right(context, list, r.right(), below + theme.px(3),
                 agrees ? colours.muted : colours.error, check);
  const float check_width = text_width(context, Font::small, check);
  if (resting_on(context, "attention/off", {r.right() - check_width, below, check_width, button}))
    tell(
        context, [&](const Frame& f, const History*) { return tell_off(f); }, false);

  // The map with its legend and the query's weights below, what they mean beside
  const float top = below + button + theme.px(6);
  const float weights = theme.px(54);
  const float side_width = std::max(theme.px(220), 0.36f * r.w);
  const float map_width = r.w - side_width - theme.grid(2);
  const float map_height = r.bottom() - top - weights - theme.px(6);
  if (map_width < theme.px(40) || map_height < theme.px(40)) return;
  const Place& hovered = context.selection.hovered();
  const Place& locked_place = context.selection.locked();
  HeatmapOptions options;
  options.size = ImVec2(map_width, map_height);
  options.square = true;
  options.zoomable = false;
  options.row_labels = labels;
  options.col_labels = labels;
  options.row_title = "query t";
  options.col_title = "key s";
  options.row_dim = options.col_dim = Dim::time;
  if (hovered.query) options.mark_row = *hovered.query;
  if (hovered.key) options.mark_col = *hovered.key;
  if (locked_place.query && *locked_place.query < T) options.lock_row = *locked_place.query;
  if (locked_place.key && *locked_place.key < T) options.lock_col = *locked_place.key;
  ImGui::SetCursorScreenPos(ImVec2(r.x, top));
  const HeatmapHit hit = large.draw(context, "attention/map", options);
  if (hit.hovered) {
    context.selection.hover({.layer = layer, .head = head, .query = hit.row, .key = hit.col});
    if (tooltip_ready(context, formatted("attention/map/%d/%d/%d", hit.row, hit.col, int(stage)))) {
      tell(
          context,
          [&](const Frame& f, const History*) {
            return tell_cell(f, stage, layer, head, hit.row, hit.col);
          },
          difference && !hit.masked);
    }
  }
  if (hit.clicked) context.selection.lock({.query = hit.row, .key = hit.col});
  draw_row(context, hit, {r.x, r.bottom() - weights, map_width, weights});
  draw_side(context, {r.right() - side_width, top, side_width, r.bottom() - top});
}

// The query's weights, each under its column.
void AttentionPanel::State::draw_row(ViewContext& context, const HeatmapHit& hit,
                                     const Rect& rect) {
  if (query < 0 || hit.map_max.x <= hit.map_min.x) return;
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float x0 = hit.map_min.x, width = hit.map_max.x - hit.map_min.x;
  const float bottom = rect.bottom() - theme.px(2), height = rect.h - theme.px(8);
  float largest = 0;
  for (const float w : row)
    if (std::isfinite(w)) largest = std::max(largest, std::abs(w));
  list->AddLine(ImVec2(x0, bottom), ImVec2(x0 + width, bottom), colours.border);
  const float step = width / float(T);
  for (int s = 0; s < T; ++s) {
    const float w = row[std::size_t(s)];
    const float left = x0 + step * float(s), gap = step > theme.px(4) ? theme.px(1) : 0;
    const bool on = s == key;
    if (!std::isfinite(w)) {
      list->AddRectFilled(ImVec2(left, bottom - height), ImVec2(left + step - gap, bottom),
                          with_alpha(colours.error, 90));
      continue;
    }
    if (w == 0 || largest == 0) continue;
    const float h = std::max(1.0f, height * std::abs(w) / largest);
    const Rgba colour = on ? colours.lock_mark : w < 0 ? colours.run_b : colours.run_a;
    list->AddRectFilled(ImVec2(left, bottom - h), ImVec2(left + std::max(1.0f, step - gap), bottom),
                        colour);
  }
  const Rect all{x0, rect.y, width, rect.h};
  context.probes.record("attention/row", all);
  const ImVec2 mouse = ImGui::GetIO().MousePos;  // far away while there is none
  if (!all.contains(mouse.x, mouse.y)) return;
  const int over = int(std::floor((mouse.x - x0) / std::max(step, 1e-3f)));
  if (over < 0 || over >= T) return;
  context.selection.hover({.layer = layer, .head = head, .key = over});
  if (resting_on(context, "attention/row/" + std::to_string(over), all))
    tell(
        context,
        [&](const Frame& f, const History*) {
          return tell_cell(f, AttentionStage::softmax, layer, head, query, over);
        },
        difference);
}

void AttentionPanel::State::draw_side(ViewContext& context, const Rect& rect) {
  if (query < 0) return;
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = theme.font_size(Font::small) + theme.px(4);
  float y = rect.y;

  // The query, and where it looks
  const int visible = stages.visible[std::size_t(query)];
  add_rich(context, list, ImVec2(rect.x, y), "Query {T|" + token(query) + "}", colours.text);
  y += theme.font_size(Font::body) + theme.px(4);
  const std::string spread = bits(query_entropy) + " of at most " +
                             bits(std::log2(double(visible))) + " bits over " +
                             std::to_string(visible) + (visible == 1 ? " key" : " keys");
  put_text(context, list, rect.x, y, std::isfinite(query_entropy) ? colours.muted : colours.error,
           spread);
  if (resting_on(context, "attention/query/entropy",
                 {rect.x, y, text_width(context, Font::small, spread), line}))
    tell(
        context,
        [&](const Frame& f, const History*) { return tell_query_entropy(f, layer, head, query); },
        false);
  y += line;
  const float bars_room = bars_height(context, int(bars.size()));
  if (y + bars_room < rect.bottom()) {
    BarsOptions options;
    options.size = ImVec2(rect.w, 0);
    options.label_width = theme.px(64);
    ImGui::SetCursorScreenPos(ImVec2(rect.x, y));
    const BarsHit hit = draw_bars(context, "attention/bars", bars, options);
    if (hit.hovered >= 0 && hit.hovered < int(bar_keys.size()) &&
        tooltip_ready(context, "attention/bars/" + std::to_string(hit.hovered)))
      tell(
          context,
          [&](const Frame& f, const History*) {
            return tell_cell(f, AttentionStage::softmax, layer, head, query,
                             bar_keys[std::size_t(hit.hovered)]);
          },
          difference);
    y += bars_room + theme.px(10);
  }
  y = draw_arithmetic(context, {rect.x, y, rect.w, rect.bottom() - y});

  // What the map's colours mean
  const float legend = legend_height(context);
  if (y + legend < rect.bottom()) {
    ImGui::SetCursorScreenPos(ImVec2(rect.x, y));
    draw_legend(context, "attention/map", large,
                stage == AttentionStage::softmax ? "weight" : "logit", rect.w);
    y += legend + theme.px(8);
  }

  // Where this head stands among the others
  const float square = std::min(
      {theme.px(16), (rect.w - theme.px(60)) / float(H), (rect.bottom() - y - line) / float(L)});
  if (square < theme.px(4)) return;
  const float top = rect.bottom() - square * float(L);
  put_text(context, list, rect.x, top - line, colours.muted, "layer ↓  head →   or the arrow keys");
  for (int l = 0; l < L; ++l) {
    for (int h = 0; h < H; ++h) {
      const ImVec2 a(rect.x + square * float(h), top + square * float(l));
      const ImVec2 b(a.x + square - theme.px(2), a.y + square - theme.px(2));
      const std::string id = "attention/go/" + std::to_string(l) + "/" + std::to_string(h);
      ImGui::SetCursorScreenPos(a);
      const bool go = ImGui::InvisibleButton(id.c_str(), ImVec2(square, square));
      context.probe(id);
      const bool over = ImGui::IsItemHovered();
      if (over) context.selection.hover({.layer = l, .head = h});
      if (go) context.selection.set({.layer = l, .head = h});
      const bool here = l == layer && h == head;
      list->AddRectFilled(a, b,
                          here   ? colours.lock_mark
                          : over ? colours.hovered
                                 : colours.raised,
                          theme.px(2));
      if (!here) compat::add_rect(list, a, b, colours.border, theme.px(2));
    }
  }
}

// The cell's way from product to weight, a line a step, the shown step marked.
float AttentionPanel::State::draw_arithmetic(ViewContext& context, const Rect& rect) {
  const Theme& theme = context.theme;
  const Palette& colours = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = theme.font_size(Font::small) + theme.px(4);
  const std::size_t i = at(query, key, T);
  const bool hidden = mask[i];
  float y = rect.y;
  int lines = 0;
  add_rich(context, list, ImVec2(rect.x, y), "→ key {T|" + token(key) + "}", colours.text);
  if (context.commands.find("panel.lens")) {
    const float width = text_width(context, Font::small, "Lens") + theme.px(16);
    const Rect button{rect.right() - width, y - theme.px(2), width, theme.px(20)};
    if (put_button(context, "attention/lens", button, "Lens", colours.raised, colours.text)) {
      context.selection.set({.layer = layer, .head = head, .query = query, .key = key});
      context.commands.run("panel.lens");
    }
    hint(context, "How this one number was made, pair by pair");
  }
  y += theme.font_size(Font::body) + theme.px(4);
  const auto write = [&](AttentionStage step, bool marked, const std::string& left,
                         const std::string& right, Rgba ink) {
    if (y + line > rect.bottom()) return;
    if (marked && step == stage) {
      list->AddRectFilled(ImVec2(rect.x - theme.px(4), y - theme.px(1)),
                          ImVec2(rect.right(), y + line - theme.px(2)),
                          with_alpha(colours.accent, 40), theme.px(3));
    }
    put_text(context, list, rect.x, y, colours.muted, left);
    put_text_right(context, list, rect.right() - theme.px(4), y, ink, right, Font::mono);
    if (resting_on(context, "attention/line/" + std::to_string(lines++), {rect.x, y, rect.w, line}))
      tell(
          context,
          [&](const Frame& f, const History*) {
            return tell_cell(f, step, layer, head, query, key);
          },
          false);
    y += line;
  };
  const auto number = [](double v) { return number_text(v, 4); };
  const auto ink = [&](double v) { return std::isfinite(v) ? colours.text : colours.error; };
  const double product = double(stages.product[i]), scaled = double(stages.scaled[i]);
  write(AttentionStage::product, true, "q·k, the sum of " + std::to_string(stages.K) + " products",
        number(product), ink(product));
  write(AttentionStage::scaled, true, "÷ √" + std::to_string(stages.K), number(scaled),
        ink(scaled));
  if (stages.has_bias) {
    const double bias = double(stages.biased[i]) - scaled;
    write(AttentionStage::biased, true,
          "+ bias for distance " + std::to_string(query - key) + ": " + number_text(bias, 3),
          number(double(stages.biased[i])), ink(double(stages.biased[i])));
  }
  if (hidden) {
    write(AttentionStage::masked, true, "the key comes after the query", "−∞", colours.text);
    write(AttentionStage::softmax, true, "so its weight is", "0", colours.text);
    return y + theme.px(8);
  }
  const double logit = double(stages.masked[i]), largest = stages.row_max[std::size_t(query)];
  const double sum = stages.row_sum[std::size_t(query)];
  write(AttentionStage::masked, true, "the mask shows it", number(logit), ink(logit));
  write(AttentionStage::softmax, false, "− the row's largest, " + number_text(largest, 3),
        number(logit - largest), ink(logit - largest));
  write(AttentionStage::softmax, false, "e to the power of it", number(std::exp(logit - largest)),
        ink(logit - largest));
  write(AttentionStage::softmax, true, "÷ the row's sum, " + number_text(sum, 3),
        number(double(stages.probs[i])), ink(double(stages.probs[i])));
  if (!stages.recorded.empty())
    write(AttentionStage::softmax, false, "the run's own", number(double(stages.recorded[i])),
          ink(double(stages.recorded[i])));
  if (difference)
    write(AttentionStage::softmax, false, "run B's", number(double(stages_b.probs[i])),
          ink(double(stages_b.probs[i])));
  return y + theme.px(8);
}

// --- In words, and as a file -----------------------------------------------------------

std::string AttentionPanel::explain() const {
  return "Each small map is one head of one layer. A row is a query, a token that looks; a column "
         "is a "
         "key, a token that is looked at; the colour is the weight, and a row adds up to one. "
         "Hatched "
         "keys stand after the query and cannot be seen.\n"
         "Beside each map stands the mean entropy of its rows in bits: 0 means that every query "
         "picks "
         "one key, and the bar is full when it looks at all keys alike. Sink is the mean weight on "
         "the "
         "first key, where heads put what they do not need. Both leave out queries that see one "
         "key "
         "only.\n"
         "Click a map to lock its head. Then the tabs show the way from products of queries and "
         "keys to "
         "weights, and each cell its arithmetic. Arrow keys move to other heads, Escape lets go.";
}

void AttentionPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known) return;
  out.precision(9);

  // A locked head: every cell with all its steps
  if (s.locked() && s.stages.T > 0) {
    out << "step,layer,head,query,query_token,key,key_token,product,scaled,"
        << (s.stages.has_bias ? "biased," : "") << "probability\n";
    for (int t = 0; t < s.T; ++t) {
      for (int k = 0; k < s.stages.visible[std::size_t(t)]; ++k) {
        const std::size_t i = at(t, k, s.T);
        out << s.step << ',' << s.layer << ',' << s.head << ',' << t << ',' << csv_field(s.label(t))
            << ',' << k << ',' << csv_field(s.label(k)) << ',' << s.stages.product[i] << ','
            << s.stages.scaled[i] << ',';
        if (s.stages.has_bias) out << s.stages.biased[i] << ',';
        out << s.stages.probs[i] << '\n';
      }
    }
    return;
  }
  if (s.locked()) return;

  // All heads: what stands beside the maps
  bool any = false;
  for (const State::Thumb& thumb : s.thumbs) any = any || thumb.present;
  if (!any) return;
  out << "step,layer,head,key_value_head,entropy_bits,uniform_bits,sink\n";
  for (int l = 0; l < s.L; ++l) {
    for (int h = 0; h < s.H; ++h) {
      const State::Thumb& thumb = s.thumbs[at(l, h, s.H)];
      if (!thumb.present) continue;
      out << s.step << ',' << l << ',' << h << ',' << h / std::max(1, s.H / s.G) << ','
          << thumb.summary.entropy << ',' << thumb.summary.uniform << ',' << thumb.summary.sink
          << '\n';
    }
  }
}

}  // namespace tpp::viewer
