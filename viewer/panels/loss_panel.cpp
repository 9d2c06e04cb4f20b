#include "viewer/panels/loss_panel.h"

#include <cmath>
#include <limits>
#include <optional>
#include <ostream>

#include "viewer/panels/controls.h"
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
  Curves linear, logarithmic;
  Pyramid tokens;  // a second
  Smoother smoother;
  const History* history = nullptr;
  unsigned long epoch = 0;
  std::size_t taken = 0;
  long last_taken = -1;

  bool log_steps = false;
  std::vector<Guide> guides;
  double peak = 0;  // largest learning rate so far
  bool per_byte = false;
  bool known = false;
  std::optional<long> shown;  // the selected step
  double tokens_per_second = kNaN;
  CurvePlot plot, rate_plot;

  Curves& curves() { return log_steps ? logarithmic : linear; }
  double place(double step) const { return log_steps ? std::log10(std::max(1.0, step)) : step; }
  double step_at(double x) const { return log_steps ? std::pow(10.0, x) : x; }
  void take(const StepScalars& s);
  void draw_header(ViewContext& context, const Rect& r);
  void draw_log_axis(ViewContext& context, const CurveHit& hit) const;
  void draw_readout(ViewContext& context, const Rect& r, long step, const Readout& now) const;
};

LossPanel::LossPanel() : state_(std::make_unique<State>()) {}
LossPanel::~LossPanel() = default;
const PanelInfo& LossPanel::info() const { return state_->info; }
bool LossPanel::log_steps() const { return state_->log_steps; }

void LossPanel::State::take(const StepScalars& s) {
  const double smooth = smoother.push(double(s.loss));
  const double x = double(s.step), lx = std::log10(std::max(1.0, x));
  if (std::isfinite(s.learning_rate)) peak = std::max(peak, double(s.learning_rate));
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

  // Take the steps that are new; all of them when the past has changed
  const History* h = context.history;
  static const std::vector<StepScalars> kNone;
  const std::vector<StepScalars>& steps = h ? h->steps : kNone;
  const bool anew = h != s.history || (h && h->epoch != s.epoch) || steps.size() < s.taken ||
                    (s.taken > 0 && steps[s.taken - 1].step != s.last_taken);
  if (anew) {
    s.linear.clear();
    s.logarithmic.clear();
    s.tokens.clear();
    s.smoother = Smoother();
    s.taken = 0;
    s.last_taken = -1;
    s.peak = 0;
    s.plot.reset_view();
  }
  s.history = h;
  s.epoch = h ? h->epoch : 0;
  for (; s.taken < steps.size(); ++s.taken) s.take(steps[s.taken]);
}

LossPanel::Readout LossPanel::readout(long step) const {
  const State& s = *state_;
  Readout out;
  const State::Curves& c = s.linear;
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

void LossPanel::State::draw_readout(ViewContext& context, const Rect& r, long step,
                                    const Readout& now) const {
  if (now.step < 0) return;
  (void)step;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  struct Row {
    std::string name, how, value;
    Rgba colour;
  };
  const std::string loss = number_text(now.train, 4);
  const auto tone = [&](double v, Rgba colour) { return std::isfinite(v) ? colour : p.error; };
  const Row rows[] = {
      {"step", "", with_thousands(now.step), p.text},
      {"train", "nats per token", loss, tone(now.train, p.run_a)},
      {"smoothed", "", number_text(now.smoothed, 4), tone(now.smoothed, p.run_a)},
      {"validation", "", std::isnan(now.validation) ? "–" : number_text(now.validation, 4),
       p.dim_head},
      {"perplexity", "e^" + loss, number_text(now.perplexity, 4), tone(now.perplexity, p.text)},
      {per_byte ? "bits per byte" : "bits per token", loss + " / ln 2", number_text(now.bits, 4),
       tone(now.bits, p.text)},
      {"learning rate", "", number_text(now.learning_rate, 3), tone(now.learning_rate, p.dim_time)},
      {"tokens/s", "",
       with_thousands(std::isfinite(now.tokens_per_second) ? std::llround(now.tokens_per_second)
                                                           : 0),
       p.text},
  };
  float name_w = 0, how_w = 0, value_w = 0;
  for (const Row& row : rows) {
    name_w = std::max(name_w, text_width(context, Font::small, row.name));
    how_w = std::max(how_w, text_width(context, Font::small, row.how));
    value_w = std::max(value_w, text_width(context, Font::mono_small, row.value));
  }
  const float line = t.font_size(Font::small) + t.px(2);
  const float w = name_w + how_w + value_w + t.px(36), h = line * 8 + t.px(12);
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  float x = mouse.x + t.px(14);
  if (x + w > r.right()) x = mouse.x - t.px(14) - w;
  x = std::floor(std::max(r.x, x));
  const float y = std::floor(std::clamp(mouse.y - h / 2, r.y, std::max(r.y, r.bottom() - h)));
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(ImVec2(x, y), ImVec2(x + w, y + h), p.raised, t.px(4));
  compat::add_rect(list, ImVec2(x, y), ImVec2(x + w, y + h), p.border, t.px(4));
  float row_y = y + t.px(6);
  for (const Row& row : rows) {
    put_text(context, list, x + t.px(8), row_y, p.muted, row.name);
    put_text(context, list, x + t.px(18) + name_w, row_y, p.muted, row.how);
    put_text_right(context, list, x + w - t.px(8), row_y, row.colour, row.value, Font::mono_small);
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
  State::Curves& c = s.curves();
  const float header = t.px(20), gap = t.px(2);
  const float room = r.h - header - gap;
  const bool two = room > t.px(120);
  const float low_h = two ? std::floor(std::clamp(room * 0.3f, t.px(56), t.px(120))) : 0;
  const float top_h = room - low_h;
  const float axis_h = t.font_size(Font::small) + t.px(4);
  s.draw_header(context, {r.x, r.y, r.w, header});

  // The numbers of the step that is shown, in words
  const Readout now = readout(s.shown ? *s.shown : std::numeric_limits<long>::max() / 2);
  if (now.step >= 0) {
    ImDrawList* list = ImGui::GetWindowDrawList();
    const float y = std::floor(r.y + (header - t.font_size(Font::small)) / 2);
    const float right = r.right() - t.px(160);
    float x = r.x;
    const auto word = [&](const std::string& name, const std::string& value, Rgba colour) {
      const float w = text_width(context, Font::small, name) + t.px(5) +
                      text_width(context, Font::small, value);
      if (x + w > right) return;
      x += put_text(context, list, x, y, p.muted, name) + t.px(5);
      x += put_text(context, list, x, y, colour, value) + t.px(14);
    };
    const auto tone = [&](double v, Rgba colour) { return std::isfinite(v) ? colour : p.error; };
    word("step", with_thousands(now.step), p.text);
    word("smoothed", number_text(now.smoothed, 3), tone(now.smoothed, p.run_a));
    if (!std::isnan(now.validation)) word("validation", number_text(now.validation, 3), p.dim_head);
    word("perplexity", number_text(std::exp(now.smoothed), 3), tone(now.smoothed, p.text));
    word(s.per_byte ? "bits per byte" : "bits per token",
         number_text(now.smoothed / std::log(2.0), 3), tone(now.smoothed, p.text));
    if (std::isfinite(now.tokens_per_second))
      word("", with_thousands(std::llround(rounded(now.tokens_per_second, 3))) + " tokens/s",
           p.text);
  }

  // Loss
  const Series series[] = {
      {"train", &c.train, with_alpha(p.run_a, 110), LineStyle::solid, 1.0f},
      {"smoothed", &c.smoothed, p.run_a, LineStyle::solid, 2.2f},
      {"", &c.validation, with_alpha(p.dim_head, 170), LineStyle::solid, 1.0f},
      {"validation", &c.validation, p.dim_head, LineStyle::dots, 1.5f},
  };
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
    Pyramid& rate = c.rate;
    const Series rates[] = {{"", &rate, p.dim_time, LineStyle::solid, 1.6f}};
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
    ImGui::SetCursorScreenPos(ImVec2(r.x, r.y + header + gap + top_h));
    low_hit = s.rate_plot.draw(context, "loss/rate", rates, l);
  }
  if (s.log_steps && !c.train.empty()) s.draw_log_axis(context, two ? low_hit : hit);

  // What the mouse is on
  const CurveHit& over = hit.hovered ? hit : low_hit;
  if (over.hovered && !c.train.empty()) {
    const Readout there = readout(std::lround(s.step_at(over.x)));
    context.selection.hover({.step = there.step});
    if (over.clicked) context.selection.lock({.step = there.step});
    s.draw_readout(context, r, there.step, there);
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
         "axis. Wheel zooms, drag pans, double click shows all.";
}

void LossPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (s.linear.train.empty()) return;
  out << "step,train,smoothed,validation,learning_rate,tokens_per_second\n";
  std::size_t v = 0;
  const Pyramid& val = s.linear.validation;
  for (std::size_t i = 0; i < s.linear.train.size(); ++i) {
    const double x = s.linear.train.x(i);
    out << std::lround(x) << ',' << s.linear.train.y(i) << ',' << s.linear.smoothed.y(i) << ',';
    if (v < val.size() && val.x(v) == x) out << val.y(v++);
    out << ',' << s.linear.rate.y(i) << ',' << s.tokens.y(i) << '\n';
  }
}

std::string LossPanel::settings() const { return state_->log_steps ? "log" : "linear"; }
void LossPanel::restore(const std::string& text) {
  if (text == "log" || text == "linear") state_->log_steps = text == "log";
}

}  // namespace tpp::viewer
