#include "viewer/panels/loss_panel.h"

#include <cmath>
#include <limits>
#include <optional>
#include <ostream>

#include "viewer/panels/controls.h"
#include "viewer/panels/telling.h"
#include "viewer/panels/told_rate.h"
#include "viewer/view_context.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {
namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
}

double Smoother::push(double x) {
  if (std::isfinite(x)) {
    mean_ = beta_ * mean_ + (1 - beta_) * x;
    weight_ = beta_ * weight_ + (1 - beta_);
  }
  return value();
}
double Smoother::value() const { return weight_ > 0 ? mean_ / weight_ : kNaN; }

struct LossPanel::State {
  PanelInfo info{"loss", "Loss", "11_gpt", Slot::loss};

  // One set of curves for each kind of step axis
  struct Curves {
    Pyramid train, smoothed, validation, rate;
    void clear() {
      for (Pyramid* p : {&train, &smoothed, &validation, &rate}) p->clear();
    }
  };
  struct Track {  // of one run
    Curves linear, logarithmic;
    Pyramid tokens;  // a second
    Smoother smoother;
    const History* history = nullptr;
    unsigned long epoch = 0;
    std::size_t taken = 0;
    long last_taken = -1;
    std::size_t shared = 0;  // losses of A's that B's smoothing began with
    void take(const StepScalars& s);
    /// True when it began anew. Smoothing goes on from the losses that the run shares with `stem`.
    bool take_all(const History* h, const Track* stem = nullptr);
    [[nodiscard]] Readout readout(long step) const;
  };
  Track a, b;
  Pyramid more_linear, more_logarithmic;  // B − A, of the smoothed losses
  bool both = false;                      // there is a run B
  Compare compare = Compare::a;

  bool log_steps = false;
  std::vector<Guide> guides;
  double peak = 0;  // largest learning rate so far
  bool per_byte = false;
  bool known = false;
  std::optional<long> shown;  // the selected step
  double tokens_per_second = kNaN;
  CurvePlot plot, rate_plot;

  Curves& curves(Track& t) const { return log_steps ? t.logarithmic : t.linear; }
  const Track& shown_track() const { return compare == Compare::b && both ? b : a; }
  void subtract();
  double place(double step) const { return log_steps ? std::log10(std::max(1.0, step)) : step; }
  double step_at(double x) const { return log_steps ? std::pow(10.0, x) : x; }
  void draw_header(ViewContext& context, const Rect& r);
  void draw_log_axis(ViewContext& context, const CurveHit& hit) const;
  void draw_readout(ViewContext& context, const Rect& r, const Readout& now, const Readout& other,
                    bool aside) const;

  // Numbers of one run, told
  enum class Number { train, smoothed, validation, perplexity, bits, rate, tokens };
  std::optional<Told> tell_number(const Track& track, const Frame& f, Number number,
                                  long step) const;
  Told tell_guide(const Frame& f, const Baseline& baseline) const;
  /// What the mouse rests nearest to in the plot of losses; true if a tooltip is there.
  bool tell_plot(ViewContext& context, const CurveHit& hit, const Readout& now,
                 const Readout& now_b) const;
  void tell_word(ViewContext& context, Number number, Compare compare, long step) const;
};

LossPanel::LossPanel() : state_(std::make_unique<State>()) {}
LossPanel::~LossPanel() = default;
const PanelInfo& LossPanel::info() const { return state_->info; }
bool LossPanel::log_steps() const { return state_->log_steps; }

void LossPanel::State::Track::take(const StepScalars& s) {
  const double smooth = smoother.push(double(s.loss));
  const double x = double(s.step), lx = std::log10(std::max(1.0, x));
  linear.train.push(x, s.loss);
  linear.smoothed.push(x, float(smooth));
  linear.rate.push(x, s.learning_rate);
  logarithmic.train.push(lx, s.loss);
  logarithmic.smoothed.push(lx, float(smooth));
  logarithmic.rate.push(lx, s.learning_rate);
  if (std::isfinite(s.validation)) {
    linear.validation.push(x, s.validation);
    logarithmic.validation.push(lx, s.validation);
  }
  tokens.push(x, s.tokens_per_second);
  last_taken = s.step;
}

void LossPanel::update(const ViewContext& context) {
  State& s = *state_;
  const Frame* f = context.shown();
  s.known = f != nullptr;
  s.shown = context.selection.shown().step;
  s.guides.clear();
  if (f) {
    for (const Baseline& b : f->baselines) {
      std::string name = b.name;
      if (name == "uniform") name = "uniform: ln " + std::to_string(f->config.V);
      s.guides.push_back({b.loss, name + "  " + number_text(b.loss, 3), 0, !s.plot.view()});
    }
    s.per_byte = f->options.tokenizer == "bytes" && f->config.V == 256;
    s.tokens_per_second = f->tokens_per_second;
  }

  s.both = context.b != nullptr;
  s.compare = context.compare;
  const bool anew = s.a.take_all(context.history);
  if (anew) s.plot.reset_view();
  if (anew) s.b.history = nullptr;  // its stem is another
  if (s.b.take_all(s.both ? context.history_b : nullptr, &s.a) || anew) {
    s.more_linear.clear();
    s.more_logarithmic.clear();
  }
  s.subtract();
  s.peak = 0;
  for (const State::Track* track : {&s.a, &s.b}) {
    const Pyramid& rate = track->linear.rate;
    const Pyramid::Extent all = rate.extent(0, rate.size());
    if (all.finite > 0) s.peak = std::max(s.peak, double(all.max));
  }
}

bool LossPanel::State::Track::take_all(const History* h, const Track* stem) {
  // The steps that are new; all of them when the past has changed
  static const std::vector<StepScalars> kNone;
  const std::vector<StepScalars>& steps = h ? h->steps : kNone;
  const bool anew = h != history || (h && h->epoch != epoch) || steps.size() < taken ||
                    (taken > 0 && steps[taken - 1].step != last_taken);
  if (anew) {
    linear.clear();
    logarithmic.clear();
    tokens.clear();
    smoother = Smoother();
    taken = shared = 0;
    last_taken = -1;
  }
  history = h;
  epoch = h ? h->epoch : 0;
  if (stem && taken == 0 && !steps.empty()) {
    const Pyramid& before = stem->linear.train;
    const std::size_t end = before.lower_bound(double(steps[0].step));
    shared = std::min<std::size_t>(end, 200);
    for (std::size_t i = end - shared; i < end; ++i) {
      smoother.push(double(before.y(i)));
    }
  }
  for (; taken < steps.size(); ++taken) take(steps[taken]);
  return anew;
}

void LossPanel::State::subtract() {
  const Pyramid &of_a = a.linear.smoothed, &of_b = b.linear.smoothed;
  for (std::size_t i = more_linear.size(); i < of_b.size() && !of_a.empty(); ++i) {
    const std::size_t j = of_a.lower_bound(of_b.x(i));
    if (j >= of_a.size()) break;  // A's number of that step has not come yet
    const bool same = of_a.x(j) == of_b.x(i);
    const float more = same ? of_b.y(i) - of_a.y(j) : std::numeric_limits<float>::quiet_NaN();
    more_linear.push(of_b.x(i), more);
    more_logarithmic.push(b.logarithmic.smoothed.x(i), more);
  }
}

LossPanel::Readout LossPanel::readout(long step) const {
  return state_->shown_track().readout(step);
}
LossPanel::Readout LossPanel::readout_b(long step) const { return state_->b.readout(step); }
double LossPanel::more(long step) const {
  const Pyramid& p = state_->more_linear;
  if (p.empty()) return kNaN;
  const std::size_t i = p.nearest(double(step));
  return std::lround(p.x(i)) == step ? double(p.y(i)) : kNaN;
}

LossPanel::Readout LossPanel::State::Track::readout(long step) const {
  const Track& s = *this;
  Readout out;
  const Curves& c = s.linear;
  if (c.train.empty()) return out;
  const std::size_t i = c.train.nearest(double(step));
  out.step = std::lround(c.train.x(i));
  out.train = double(c.train.y(i));
  out.smoothed = double(c.smoothed.y(i));
  out.learning_rate = double(c.rate.y(i));
  out.tokens_per_second = double(s.tokens.y(i));
  out.perplexity = std::exp(out.train);
  out.bits = out.train / std::log(2.0);

  // The last validation until then
  out.validation = kNaN;
  std::size_t v = c.validation.lower_bound(double(out.step) + 0.5);
  if (v > 0) out.validation = double(c.validation.y(v - 1));
  return out;
}

// --- Told, number by number --------------------------------------------------------------------------

std::optional<Told> LossPanel::State::tell_number(const Track& track, const Frame& f, Number number,
                                                  long step) const {
  const Curves& c = track.linear;
  if (c.train.empty()) return {};
  const std::size_t i = c.train.nearest(double(step));
  const long at = std::lround(c.train.x(i));
  const double loss = double(c.train.y(i)), smooth = double(c.smoothed.y(i));
  const std::string where = ", step " + with_thousands(at);
  const long long targets = (long long)(f.options.batch) * f.options.length;
  constexpr const char* kLoss = "chapters/05_softmax/cross_entropy.cpp: cross_entropy_forward";
  Told told;
  switch (number) {
    case Number::train:
      told.name = "Loss of the batch" + where;
      told.formula = "−(1/N)·Σ ln p[target],  N = {*|" + whole_number(targets) + "} targets";
      told.numbers =
          "−ln " + number_text(std::exp(-loss), 5) + aside(", the geometric mean of those p");
      told.value = loss;
      told.unit = "nats";
      told.why = "The surprise at the right token. Each step has a batch of its own: it jumps.";
      told.source = kLoss;
      return told;
    case Number::smoothed: {
      // m ← β·m + (1 − β)·loss, over the weight that the losses so far have in it
      constexpr double kStays = 0.9;
      told.name = "Smoothed loss" + where;
      told.formula = "(0.9·s′·w′ + 0.1·loss) / w,  w = 1 − 0.9ⁿ";
      told.value = smooth;
      told.unit = "nats";
      told.why = "What a batch adds by chance averages out: the course can be seen.";
      told.source = "viewer/panels/loss_panel.cpp: push";
      const double n = double(i + 1 + track.shared);
      const double w = 1 - std::pow(kStays, n), before = 1 - std::pow(kStays, n - 1);
      const bool first = n < 1.5;
      if (!std::isfinite(loss)) {
        told.numbers = number_text(smooth, 5) + aside(": this step's loss is none, and left out");
      } else if (first) {
        told.numbers = number_text(loss, 5) + aside(": it is the first");
      } else if (i == 0) {
        told.numbers = number_text(smooth, 5) + aside(": A's until then, and this step's loss");
      } else {
        const std::string last = number_text(double(c.smoothed.y(i - 1)), 5);
        const std::string now = number_text(loss, 5);
        told.numbers = w > 0.99999 ? "(9 · " + last + " + " + now + ") / 10"
                                   : "(9 · " + last + " · " + number_text(before, 5) + " + " + now +
                                         ") / (10 · " + number_text(w, 5) + ")";
      }
      return told;
    }
    case Number::validation: {
      const std::size_t v = c.validation.lower_bound(double(at) + 0.5);
      if (v == 0) return {};
      told.value = double(c.validation.y(v - 1));
      told.name = "Validation loss, step " + with_thousands(std::lround(c.validation.x(v - 1)));
      told.formula = "−(1/N)·Σ ln p[target],  over text that is never trained on";
      told.numbers =
          "−ln " + number_text(std::exp(-told.value), 5) + aside(", the geometric mean of those p");
      told.unit = "nats";
      told.why = "When it rises while the smoothed loss falls, the model learns by heart.";
      told.source = "chapters/11_gpt/trainer.cpp: evaluate";
      return told;
    }
    case Number::perplexity:
      told.name = "Perplexity" + where;
      told.formula = "e^loss,  of the smoothed loss";
      told.numbers = "e^" + number_text(smooth, 5);
      told.value = std::exp(smooth);
      told.unit = "tokens";
      told.why = "Among so many equally likely tokens the model still hesitates.";
      told.source = "chapters/05_softmax/cross_entropy.cpp: perplexity";
      return told;
    case Number::bits:
      told.name = std::string(per_byte ? "Bits per byte" : "Bits per token") + where;
      told.formula = "loss / ln 2,  of the smoothed loss";
      told.numbers = number_text(smooth, 5) + " / ln 2";
      told.value = smooth / std::log(2.0);
      told.unit = "bits";
      told.why = "So long a file would be that an ideal coder makes with this model.";
      told.source = "viewer/panels/loss_panel.cpp: readout";
      return told;
    case Number::rate:
      return told_rate(f.options, at - 1, double(c.rate.y(i)));
    case Number::tokens: {
      const double speed = double(track.tokens.y(i));
      told.name = "Tokens a second" + where;
      told.formula = "B·{T|T} / seconds of the step";
      told.numbers = std::to_string(f.options.batch) + " · " + std::to_string(f.options.length) +
                     " / " + number_text(double(targets) / speed, 5);
      told.value = speed;
      told.unit = "tokens/s";
      told.digits = 6;
      told.why = "How fast this step trained; on a busy machine it jumps.";
      told.source = "viewer/run/run_thread.cpp: tokens_per_second";
      return told;
    }
  }
  return {};
}

Told LossPanel::State::tell_guide(const Frame& f, const Baseline& baseline) const {
  Told told;
  told.name = "The guesser \"" + baseline.name + "\"";
  told.value = baseline.loss;
  told.unit = "nats";
  if (baseline.name == "uniform") {
    told.formula = "ln {V|V}";
    told.numbers = "ln " + std::to_string(f.config.V);
    told.why = "Gives every token the same chance. A loss above it is worse than knowing nothing.";
    told.source = "chapters/03_tokens/dataset.cpp: baselines";
    return told;
  }
  told.numbers =
      "−ln " + number_text(std::exp(-told.value), 5) + aside(", the geometric mean of p");
  if (baseline.name == "unigram") {
    told.formula = "−Σ_{V|v} p[{V|v}]·ln p[{V|v}],  p how often each token comes";
    told.why = "Knows how often each token comes, and nothing of the text before.";
    told.source = "chapters/03_tokens/baselines.cpp: unigram_entropy";
  } else if (baseline.name == "bigram") {
    told.formula = "−Σ p[u,v]·ln p[v | u],  p how often token v follows u";
    told.why = "Knows one token of context. Below it, the model uses more.";
    told.source = "chapters/03_tokens/baselines.cpp: bigram_entropy";
  } else {
    told.formula = "−(1/N)·Σ ln p[target]";
    told.why = "What is known of this task by its rules; no model can do better than the best.";
    told.source = "chapters/03_tokens/batch.h: Baseline";
  }
  return told;
}

void LossPanel::State::tell_word(ViewContext& context, Number number, Compare compare,
                                 long step) const {
  if (!context.a) return;
  const auto of_a = tell_number(a, *context.a, number, step);
  const auto of_b = both && context.b ? tell_number(b, *context.b, number, step) : std::nullopt;
  if (compare == Compare::difference) {
    if (!of_a || !of_b) return;
    Explanation e = difference_of(*of_a, *of_b);
    e.name = whose(context, compare) + e.name;
    return draw_tooltip(context, e);
  }
  if (const auto& told = compare == Compare::b ? of_b : of_a) tell_one(context, compare, *told);
}

bool LossPanel::State::tell_plot(ViewContext& context, const CurveHit& hit, const Readout& now,
                                 const Readout& now_b) const {
  struct Near {
    Number number = Number::train;
    Compare compare = Compare::a;
    int guide = -1;
  } nearest;
  double best = std::numeric_limits<double>::infinity();
  const auto look = [&](double y, Near what) {
    if (!(std::abs(y - hit.y) < best)) return;
    best = std::abs(y - hit.y);
    nearest = what;
  };
  look(now.smoothed, {Number::smoothed, Compare::a, -1});
  look(now.train, {Number::train, Compare::a, -1});
  look(now.validation, {Number::validation, Compare::a, -1});
  if (both && now_b.step == now.step) {
    look(now_b.smoothed, {Number::smoothed, Compare::b, -1});
    look(now_b.train, {Number::train, Compare::b, -1});
    look(now_b.validation, {Number::validation, Compare::b, -1});
  }
  const Frame* f = context.shown();
  for (std::size_t i = 0; f && i < f->baselines.size(); ++i)
    look(f->baselines[i].loss, {Number::train, Compare::a, int(i)});
  const std::string key = formatted("loss/plot/%d/%d/%d/%ld", int(nearest.number),
                                    int(nearest.compare), nearest.guide, now.step);
  if (!std::isfinite(best) || !tooltip_ready(context, key)) return false;
  if (nearest.guide >= 0)
    draw_tooltip(context, explanation_of(tell_guide(*f, f->baselines[std::size_t(nearest.guide)])));
  else
    tell_word(context, nearest.number, nearest.compare, now.step);
  return true;
}

void LossPanel::State::draw_header(ViewContext& context, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const Choice choices[] = {{"linear", "linear"}, {"log", "log"}};
  const float w = choices_width(context, choices);
  const float x = r.right() - w;
  const int chosen = put_choices(context, "loss/axis", x, r.y, r.h, choices, log_steps ? 1 : 0);
  if (chosen >= 0 && (chosen == 1) != log_steps) {
    log_steps = chosen == 1;
    plot.reset_view();
  }
  put_text_right(context, list, x - t.px(6), std::floor(r.y + (r.h - t.font_size(Font::small)) / 2),
                 p.muted, "steps");
}

void LossPanel::State::draw_log_axis(ViewContext& context, const CurveHit& hit) const {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 a = hit.plot_min, b = hit.plot_max;
  const double lo = std::pow(10.0, hit.view_min), hi = std::pow(10.0, hit.view_max);
  const float title = text_width(context, Font::small, "step");
  put_text_right(context, list, b.x, b.y + t.px(2), p.muted, "step");
  float free_from = a.x - 1;
  for (const double v : axis_ticks(lo, hi, 8, true)) {
    const double f = (std::log10(v) - hit.view_min) / (hit.view_max - hit.view_min);
    const float x = std::floor(a.x + float(f) * (b.x - a.x));
    list->AddRectFilled(ImVec2(x, a.y), ImVec2(x + 1, b.y), p.grid);
    const std::string text = axis_number(v);
    const float w = text_width(context, Font::mono_small, text);
    const float tx = std::clamp(x - w / 2, a.x, std::max(a.x, b.x - w));
    if (tx < free_from || tx + w > b.x - title - t.px(10)) continue;
    free_from = tx + w + t.px(8);
    put_text(context, list, std::floor(tx), b.y + t.px(3), p.muted, text, Font::mono_small);
  }
}

void LossPanel::State::draw_readout(ViewContext& context, const Rect& r, const Readout& now,
                                    const Readout& other, bool aside) const {
  if (now.step < 0) return;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  // With two runs, those of both stand side by side
  const bool two = both && other.step == now.step;
  struct Row {
    std::string name, how, value;
    Rgba colour;
    std::string second = {};
  };
  const auto number = [](double v, int digits) {
    return std::isnan(v) ? std::string("–") : number_text(v, digits);
  };
  const std::string loss = number_text(now.train, 4);
  const auto tone = [&](double v, Rgba colour) { return std::isfinite(v) ? colour : p.error; };
  const Row rows[] = {
      {"step", "", with_thousands(now.step), p.text},
      {"train", "nats per token", loss, tone(now.train, p.run_a), number_text(other.train, 4)},
      {"smoothed", "", number_text(now.smoothed, 4), tone(now.smoothed, p.run_a),
       number_text(other.smoothed, 4)},
      {"validation", "", number(now.validation, 4), both ? p.run_a : p.dim_head,
       number(other.validation, 4)},
      {"perplexity", "e^" + loss, number_text(now.perplexity, 4),
       tone(now.perplexity, both ? p.run_a : p.text), number_text(other.perplexity, 4)},
      {per_byte ? "bits per byte" : "bits per token", loss + " / ln 2", number_text(now.bits, 4),
       tone(now.bits, both ? p.run_a : p.text), number_text(other.bits, 4)},
      {"learning rate", "", number_text(now.learning_rate, 3),
       tone(now.learning_rate, both ? p.run_a : p.dim_time), number_text(other.learning_rate, 3)},
      {"tokens/s", "",
       with_thousands(std::isfinite(now.tokens_per_second) ? std::llround(now.tokens_per_second)
                                                           : 0),
       p.text},
  };
  float name_w = 0, how_w = 0, value_w = 0, second_w = 0;
  for (const Row& row : rows) {
    name_w = std::max(name_w, text_width(context, Font::small, row.name));
    how_w = std::max(how_w, text_width(context, Font::small, row.how));
    value_w = std::max(value_w, text_width(context, Font::mono_small, row.value));
    if (two) second_w = std::max(second_w, text_width(context, Font::mono_small, row.second));
  }
  if (two) second_w += t.px(12);
  const float line = t.font_size(Font::small) + t.px(2);
  const float w = name_w + how_w + value_w + second_w + t.px(36), h = line * 8 + t.px(12);
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  float x = mouse.x + t.px(14);
  // A tooltip stands at the right, below the mouse
  if (x + w > r.right() || aside) x = mouse.x - t.px(14) - w;
  float wanted = mouse.y - h / 2;
  if (aside && x < r.x) wanted = mouse.y - h - t.px(8);
  x = std::floor(std::max(r.x, x));
  const float y = std::floor(std::clamp(wanted, r.y, std::max(r.y, r.bottom() - h)));
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(ImVec2(x, y), ImVec2(x + w, y + h), p.raised, t.px(4));
  compat::add_rect(list, ImVec2(x, y), ImVec2(x + w, y + h), p.border, t.px(4));
  float row_y = y + t.px(6);
  for (const Row& row : rows) {
    put_text(context, list, x + t.px(8), row_y, p.muted, row.name);
    put_text(context, list, x + t.px(18) + name_w, row_y, p.muted, row.how);
    put_text_right(context, list, x + w - t.px(8) - second_w, row_y, row.colour, row.value,
                   Font::mono_small);
    if (two)
      put_text_right(context, list, x + w - t.px(8), row_y, p.run_b, row.second, Font::mono_small);
    row_y += line;
  }
  context.probes.record("loss/readout", {x, y, w, h});
}

void LossPanel::draw(ViewContext& context) {
  State& s = *state_;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const Rect r = context.rect;
  if (!s.known) {
    put_note(context, r, "The loss appears here when the run has begun.");
    return;
  }
  State::Curves &c = s.curves(s.a), &cb = s.curves(s.b);
  const bool subtracted = s.both && s.compare == Compare::difference;
  const float header = t.px(20), gap = t.px(2);
  const float room = r.h - header - gap;
  const bool two = room > t.px(120);
  const float low_h = two ? std::floor(std::clamp(room * 0.3f, t.px(56), t.px(120))) : 0;
  const float top_h = room - low_h;
  const float axis_h = t.font_size(Font::small) + t.px(4);
  s.draw_header(context, {r.x, r.y, r.w, header});

  // The numbers of the step that is shown, in words
  const long asked = s.shown ? *s.shown : std::numeric_limits<long>::max() / 2;
  const Readout now = s.a.readout(asked), now_b = s.b.readout(asked);
  if (now.step >= 0) {
    ImDrawList* list = ImGui::GetWindowDrawList();
    const float y = std::floor(r.y + (header - t.font_size(Font::small)) / 2);
    const float right = r.right() - t.px(160);
    float x = r.x;
    using Number = State::Number;
    const auto word = [&](const std::string& name, const std::string& value, Rgba colour,
                          const char* id = nullptr, Number number = Number::train,
                          Compare compare = Compare::a) {
      const float w = text_width(context, Font::small, name) + t.px(5) +
                      text_width(context, Font::small, value);
      if (x + w > right) return;
      if (id && resting_on(context, std::string("loss/") + id, {x, r.y, w, header}))
        s.tell_word(context, number, compare, now.step);
      x += put_text(context, list, x, y, p.muted, name) + t.px(5);
      x += put_text(context, list, x, y, colour, value) + t.px(14);
    };
    const auto tone = [&](double v, Rgba colour) { return std::isfinite(v) ? colour : p.error; };
    word("step", with_thousands(now.step), p.text);
    if (s.both && now_b.step == now.step) {
      word("smoothed  A", number_text(now.smoothed, 4), tone(now.smoothed, p.run_a), "smoothed",
           Number::smoothed);
      word("B", number_text(now_b.smoothed, 4), tone(now_b.smoothed, p.run_b), "smoothed_b",
           Number::smoothed, Compare::b);
      const double more_now = more(now.step);
      word("B − A", (more_now >= 0 ? "+" : "") + number_text(more_now, 3), tone(more_now, p.text),
           "smoothed_more", Number::smoothed, Compare::difference);
      if (!std::isnan(now.validation) && !std::isnan(now_b.validation)) {
        word("validation  A", number_text(now.validation, 4), p.run_a, "validation",
             Number::validation);
        word("B", number_text(now_b.validation, 4), p.run_b, "validation_b", Number::validation,
             Compare::b);
      }
    } else {
      word("smoothed", number_text(now.smoothed, 3), tone(now.smoothed, p.run_a), "smoothed",
           Number::smoothed);
      if (!std::isnan(now.validation))
        word("validation", number_text(now.validation, 3), p.dim_head, "validation",
             Number::validation);
      word("perplexity", number_text(std::exp(now.smoothed), 3), tone(now.smoothed, p.text),
           "perplexity", Number::perplexity);
      word(s.per_byte ? "bits per byte" : "bits per token",
           number_text(now.smoothed / std::log(2.0), 3), tone(now.smoothed, p.text), "bits",
           Number::bits);
      if (std::isfinite(now.tokens_per_second))
        word("", with_thousands(std::llround(rounded(now.tokens_per_second, 3))) + " tokens/s",
             p.text, "tokens", Number::tokens);
    }
  }

  // Loss
  std::vector<Series> series = {
      {"train", &c.train, with_alpha(p.run_a, 110), LineStyle::solid, 1.0f},
      {"smoothed", &c.smoothed, p.run_a, LineStyle::solid, 2.2f},
      {"", &c.validation, with_alpha(p.dim_head, 170), LineStyle::solid, 1.0f},
      {"validation", &c.validation, p.dim_head, LineStyle::dots, 1.5f},
  };
  if (s.both) {
    series = {
        {"", &c.train, with_alpha(p.run_a, 80), LineStyle::solid, 1.0f},
        {"", &cb.train, with_alpha(p.run_b, 80), LineStyle::solid, 1.0f},
        {"A, smoothed", &c.smoothed, p.run_a, LineStyle::solid, 2.2f},
        {"B, smoothed", &cb.smoothed, p.run_b, LineStyle::dashed, 2.2f},
        {"A, validation", &c.validation, p.run_a, LineStyle::dots, 2.6f},
        {"B, validation", &cb.validation, p.run_b, LineStyle::dots, 1.3f},
    };
  }
  CurveOptions o;
  o.size = ImVec2(r.w, top_h - (s.log_steps && !two ? axis_h : 0));
  o.x_title = "step";
  o.y_title = "loss, nats per token";
  o.readout = false;
  o.show_x_axis = !two && !s.log_steps;
  if (s.shown) o.cursor = s.place(double(*s.shown));
  ImGui::SetCursorScreenPos(ImVec2(r.x, r.y + header + gap));
  const CurveHit hit = s.plot.draw(context, "loss/plot", series, o, {}, s.guides);

  // The learning rate on the same axis
  CurveHit low_hit;
  if (two) {
    std::vector<Series> rates = {{"", &c.rate, p.dim_time, LineStyle::solid, 1.6f}};
    std::vector<Guide> zero;
    if (s.both) {
      rates = {{"", &c.rate, p.run_a, LineStyle::solid, 1.6f},
               {"", &cb.rate, p.run_b, LineStyle::dashed, 1.6f}};
    }
    CurveOptions l;
    l.size = ImVec2(r.w, low_h - (s.log_steps ? axis_h : 0));
    l.y_title = "learning rate";
    if (s.peak > 0) l.y_title += ", largest so far " + number_text(s.peak, 2);
    l.legend = false;
    l.readout = false;
    l.x_min = hit.view_min;
    l.x_max = hit.view_max;
    l.y_min = 0;
    l.y_max = s.peak > 0 ? std::optional<double>(s.peak * 1.1) : std::nullopt;
    l.cursor = o.cursor;
    l.show_x_axis = !s.log_steps;
    if (subtracted) {
      // Instead of the rates: how much more B's loss is
      rates = {
          {"", s.log_steps ? &s.more_logarithmic : &s.more_linear, p.text, LineStyle::solid, 1.6f}};
      zero.push_back({0, "as A"});
      l.y_title = "B − A, smoothed loss: below 0, B guesses better";
      l.y_min = l.y_max = std::nullopt;
    }
    ImGui::SetCursorScreenPos(ImVec2(r.x, r.y + header + gap + top_h));
    low_hit = s.rate_plot.draw(context, subtracted ? "loss/more" : "loss/rate", rates, l, {}, zero);
  }
  if (s.log_steps && !c.train.empty()) s.draw_log_axis(context, two ? low_hit : hit);

  // What the mouse is on
  const CurveHit& over = hit.hovered ? hit : low_hit;
  if (over.hovered && !c.train.empty()) {
    const Readout there = s.a.readout(std::lround(s.step_at(over.x)));
    context.selection.hover({.step = there.step});
    if (over.clicked) context.selection.lock({.step = there.step});
    const Readout there_b = s.b.readout(there.step);
    bool told = false;
    if (hit.hovered) {
      told = s.tell_plot(context, hit, there, there_b);
    } else if (tooltip_ready(context, "loss/low/" + std::to_string(there.step))) {
      // Below: the rates, or how much more B's loss is
      const bool of_b = s.both && s.compare == Compare::b;
      s.tell_word(context, subtracted ? State::Number::smoothed : State::Number::rate,
                  subtracted ? Compare::difference
                  : of_b     ? Compare::b
                             : Compare::a,
                  there.step);
      told = true;
    }
    s.draw_readout(context, r, there, there_b, told);
  }
}

std::string LossPanel::explain() const {
  return "The loss is the mean surprise at the right token, −ln p, in nats. The thin line is each "
         "step's own batch, the thick one its smoothed course, and the dots are text that is never "
         "trained on: when they rise while the thick line falls, the model learns by heart.\n\nThe "
         "dashed lines are simple guessers: uniform gives every token the same chance, ln V; "
         "unigram knows how often each token comes; bigram also knows the token before. Below "
         "bigram, the model uses more than one token of context. Perplexity e^loss is the number "
         "of tokens among which it still hesitates. The learning rate stands below, on the same "
         "axis. With two runs A is the solid line, B the dashed one, and B − A stands below where "
         "it "
         "is asked for. Wheel zooms, drag pans, double click shows all.";
}

void LossPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  const State::Curves &a = s.a.linear, &b = s.b.linear;
  if (a.train.empty()) return;
  const auto validation_at = [](const Pyramid& p, double x) {
    const std::size_t i = p.lower_bound(x);
    return i < p.size() && p.x(i) == x ? formatted("%g", double(p.y(i))) : std::string();
  };
  out << "step,train,smoothed,validation,learning_rate,tokens_per_second";
  out << (s.both ? ",train_b,smoothed_b,validation_b,learning_rate_b\n" : "\n");
  for (std::size_t i = 0; i < a.train.size(); ++i) {
    const double x = a.train.x(i);
    out << std::lround(x) << ',' << a.train.y(i) << ',' << a.smoothed.y(i) << ','
        << validation_at(a.validation, x) << ',' << a.rate.y(i) << ',' << s.a.tokens.y(i);
    if (s.both) {
      const std::size_t k = b.train.lower_bound(x);
      if (k < b.train.size() && b.train.x(k) == x) {
        out << ',' << b.train.y(k) << ',' << b.smoothed.y(k) << ','
            << validation_at(b.validation, x) << ',' << b.rate.y(k);
      } else {
        out << ",,,,";
      }
    }
    out << '\n';
  }
}

std::string LossPanel::settings() const { return state_->log_steps ? "log" : "linear"; }
void LossPanel::restore(const std::string& text) {
  if (text == "log" || text == "linear") state_->log_steps = text == "log";
}

}  // namespace tpp::viewer
