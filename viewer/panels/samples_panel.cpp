#include "viewer/panels/samples_panel.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ostream>

#include "chapters/11_gpt/sampling.h"
#include "viewer/export.h"
#include "viewer/panels/controls.h"
#include "viewer/panels/telling.h"
#include "viewer/run/run_control.h"
#include "viewer/view_context.h"
#include "viewer/widgets/bars.h"
#include "viewer/widgets/curve.h"

namespace tpp::viewer {
namespace {

constexpr double kMostTemperature = 2;
constexpr std::size_t kMostText = 8192;  // bytes that are shown

/// Bytes of the UTF-8 character that starts here, at least 1.
std::size_t character_size(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end - at;
}

/// The field has one line: a line's end in the prompt is "⏎" there.
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}
std::string on_one_line(const std::string& prompt) { return replaced(prompt, "\n", "⏎"); }
std::string with_line_ends(const std::string& field) { return replaced(field, "⏎", "\n"); }

}  // namespace

struct SamplesPanel::State {
  PanelInfo info{"samples", "Samples", "11_gpt", Slot::loss};

  bool known = false;
  std::string prompt, text, error;
  long sample_step = -1, step = 0;
  bool whole = true;
  bool both = false;  // there is a run B: what it wrote, too
  std::string text_b;
  long sample_step_b = -1;
  bool whole_b = true;
  std::vector<NextToken> next_b;
  std::vector<NextToken> next;
  std::vector<Bar> bars;
  double bits = 0;  // how surprised one is on average: the entropy of what is listed
  double listed = 0;
  double temperature = SamplingConfig{}.temperature;
  bool send_temperature = false;  // it came from a session file
  char field[512] = "";
  bool editing = false;

  void draw_text(ViewContext& context, const char* id, const Rect& r, const std::string& written,
                 bool complete) const;
};

SamplesPanel::SamplesPanel() : state_(std::make_unique<State>()) {}
SamplesPanel::~SamplesPanel() = default;
const PanelInfo& SamplesPanel::info() const { return state_->info; }

void SamplesPanel::update(const ViewContext& context) {
  State& s = *state_;
  const Frame* f = context.a;
  s.known = f != nullptr;
  if (!f) return;
  s.prompt = f->sample_prompt;
  s.text = f->sample_text.substr(0, kMostText);
  s.sample_step = f->sample_step;
  s.whole = f->sample_whole;
  s.step = f->step;
  s.next = f->next_tokens;
  if (s.next.size() > 10) s.next.resize(10);
  s.both = context.b != nullptr;
  s.text_b.clear();
  s.next_b.clear();
  if (s.both) {
    s.text_b = context.b->sample_text.substr(0, kMostText);
    s.sample_step_b = context.b->sample_step;
    s.whole_b = context.b->sample_whole;
    s.next_b = context.b->next_tokens;
  }
  if (!s.editing) {
    const std::string shown = on_one_line(s.prompt);
    std::size_t count = 0;  // whole characters that find room
    while (count < shown.size() && count + character_size(shown, count) < sizeof s.field) {
      count += character_size(shown, count);
    }
    std::memcpy(s.field, shown.data(), count);
    s.field[count] = 0;
  }
  s.bars.clear();
  s.listed = 0;
  for (const NextToken& token : s.next) {
    const double p = double(token.probability);
    s.bars.push_back({.label = token.label,
                      .value = p,
                      .text = std::isfinite(p) ? formatted("%.1f %%", 100 * p) : "NaN"});
    for (const NextToken& of_b : s.next_b)
      if (of_b.label == token.label) s.bars.back().other = double(of_b.probability);
    s.listed += double(token.probability);
  }
  if (s.send_temperature && context.control) {
    context.control->set_temperature(s.temperature);
    s.send_temperature = false;
  }
}

void SamplesPanel::State::draw_text(ViewContext& context, const char* id, const Rect& r,
                                    const std::string& written, bool complete) const {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const FontScope mono(t, Font::mono);  // before the child: its end checks what it found pushed
  ImGui::SetCursorScreenPos(ImVec2(r.x, r.y));
  compat::begin_child(id, ImVec2(r.w, r.h), false);
  const float cell = std::max(1.0f, ImGui::CalcTextSize("M").x);
  const float line = std::floor(ImGui::GetFontSize() * 1.35f);
  const int width = std::max(8, int((r.w - t.px(12)) / cell));
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 start = ImGui::GetCursorScreenPos();

  // Words go to the next line whole; a line's end in the text is one here
  const std::string all = prompt + written;
  const std::size_t prompt_end = prompt.size();
  int column = 0, row = 0;
  const auto put = [&](std::size_t from, std::size_t to) {
    if (to <= from) return;
    list->AddText(ImVec2(start.x + float(column) * cell, start.y + float(row) * line),
                  from < prompt_end ? p.accent : p.text, all.data() + from, all.data() + to);
  };
  std::size_t i = 0;
  while (i < all.size()) {
    if (all[i] == '\n') {
      ++row;
      column = 0;
      ++i;
      continue;
    }
    if (all[i] == ' ' || all[i] == '\t') {
      ++column;
      ++i;
      continue;
    }
    std::size_t end = i;
    int length = 0;
    while (end < all.size() && all[end] != ' ' && all[end] != '\n' && all[end] != '\t') {
      end += character_size(all, end);
      ++length;
    }
    if (column > 0 && column + length > width) {
      ++row;
      column = 0;
    }
    // A word may begin in the prompt and end in the text, and may be wider than a line
    while (i < end) {
      std::size_t to = i;
      int taken = 0;
      while (to < end && column + taken < std::max(width, column + 1) &&
             (to == i || to != prompt_end)) {
        to += character_size(all, to);
        ++taken;
      }
      put(i, to);
      column += taken;
      i = to;
      if (i < end && column >= width) {
        ++row;
        column = 0;
      }
    }
  }
  // Where it is still being written
  if (!complete)
    list->AddRectFilled(ImVec2(start.x + float(column) * cell, start.y + float(row) * line),
                        ImVec2(start.x + float(column + 1) * cell,
                               start.y + float(row) * line + ImGui::GetFontSize()),
                        with_alpha(p.accent, 160));
  ImGui::Dummy(ImVec2(std::max(1.0f, r.w - t.px(16)), float(row + 1) * line));
  ImGui::EndChild();
  context.probes.record(id, r);
}

namespace {

/// How likely this token is to come next; empty where it is not among what a run lists.
std::optional<Told> tell_next(const Frame& f, const std::string& label) {
  for (const NextToken& token : f.next_tokens) {
    if (token.label != label) continue;
    Told told;
    told.name = "Next token {V|“" + label + "”} after the prompt";
    told.formula = "p[{V|v}] = e^logit[{V|v}] / Σ_{V|v} e^logit = e^(logit − ln Σ)";
    told.value = double(token.probability);
    told.numbers =
        "e^(" + number_text(double(token.logit), 6) + " − " + in_sum(token.log_sum, 6) + ")";
    told.note = ", a surprise of −log₂ p = " + number_text(-std::log2(told.value), 3) + " bits";
    told.why = "What the loss charges if this token comes: a bit for each halving of p.";
    told.source = "chapters/11_gpt/sampling.cpp: sampling_distribution";
    return told;
  }
  return {};
}

Told tell_listed(const Frame& f, std::size_t count) {
  std::vector<double> each;
  double sum = 0;
  for (std::size_t i = 0; i < std::min(count, f.next_tokens.size()); ++i) {
    each.push_back(double(f.next_tokens[i].probability));
    sum += each.back();
  }
  Told told;
  told.name = "What these " + std::to_string(each.size()) + " tokens have together";
  told.formula = "Σ p[{V|v}] over the tokens that are listed";
  told.numbers = written_sum(each);
  told.value = sum;
  told.note = ", of 1 for all " + std::to_string(f.config.V);
  told.why = "Near 1: the model is nearly sure that one of them comes.";
  told.source = "viewer/run/probe.cpp: next";
  return told;
}

}  // namespace

void SamplesPanel::draw(ViewContext& context) {
  State& s = *state_;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const Rect r = context.rect;
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (!s.known) {
    put_note(context, r, "Text appears here when the run has begun.");
    return;
  }
  const bool wide = r.w >= t.px(520);
  const float bars_w = wide ? std::min(t.px(280), std::floor(r.w * 0.36f)) : 0;
  const float left_w = r.w - (wide ? bars_w + t.px(24) : 0);

  // Prompt and temperature
  const float control_h = t.px(32), slider_w = std::min(t.px(150), left_w * 0.35f);
  const float label_w = text_width(context, Font::small, "prompt") + t.px(8);
  const float field_h = t.font_size(Font::body) + t.px(8);
  put_text(context, list, r.x, std::floor(r.y + (control_h - t.font_size(Font::small)) / 2),
           p.muted, "prompt");
  ImGui::SetCursorScreenPos(ImVec2(r.x + label_w, std::floor(r.y + (control_h - field_h) / 2)));
  ImGui::SetNextItemWidth(std::max(t.px(40), left_w - label_w - slider_w - t.px(20)));
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(t.px(6), t.px(4)));
  const bool entered =
      ImGui::InputText("##prompt", s.field, sizeof s.field, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::PopStyleVar();
  context.probe("samples/prompt");
  const bool left_it = ImGui::IsItemDeactivatedAfterEdit();
  s.editing = ImGui::IsItemActive();
  const std::string typed = with_line_ends(s.field);
  if ((entered || left_it) && context.control && s.prompt != typed) {
    context.control->set_prompt(typed);
  }
  if (!s.editing) hint(context, "What the text goes on from: type, then Enter");

  float at = float(s.temperature / kMostTemperature);
  if (put_slider(context, "samples/temperature",
                 {r.x + left_w - slider_w, r.y, slider_w, control_h}, at,
                 {.name = "temperature",
                  .value = s.temperature > 0 ? formatted("%.2f", s.temperature) : "likeliest",
                  .reset = float(SamplingConfig{}.temperature / kMostTemperature),
                  .hint = "Logits are divided by it: 0 always takes the likeliest, 1 draws as the "
                          "model says"})) {
    s.temperature = std::round(double(at) * kMostTemperature * 20) / 20;
    if (context.control) context.control->set_temperature(s.temperature);
  }

  // The text, and of which step it is
  float y = r.y + control_h + t.px(6);
  const float caption = t.font_size(Font::small) + t.px(4);
  const auto told = [](long step, bool complete) {
    return step < 0
               ? "nothing written yet"
               : "written at step " + with_thousands(step) + (complete ? "" : ", still going on");
  };
  if (s.both) {
    // Two columns, or two halves where there is no room for columns
    const bool beside = left_w >= t.px(420);
    const float gap = t.px(16), high = r.bottom() - y;
    const float w = beside ? std::floor((left_w - gap) / 2) : left_w;
    const float h = beside ? high : std::floor((high - t.px(6)) / 2);
    const auto column = [&](float x0, float y0, const char* run, const char* id, Rgba colour,
                            long step, bool complete, const std::string& text) {
      const float wide = put_text(context, list, x0, y0, colour, run) + t.px(8);
      put_text(context, list, x0 + wide, y0, p.muted, told(step, complete));
      s.draw_text(context, id, {x0, y0 + caption, w, std::max(1.0f, h - caption)}, text, complete);
    };
    column(r.x, y, "A", "samples/text", p.run_a, s.sample_step, s.whole, s.text);
    column(beside ? r.x + w + gap : r.x, beside ? y : y + h + t.px(6), "B", "samples/text_b",
           p.run_b, s.sample_step_b, s.whole_b, s.text_b);
  } else {
    const std::string words = told(s.sample_step, s.whole);
    put_text(context, list, r.x, y, p.muted, words);
    const float prompt_x = r.x + text_width(context, Font::small, words) + t.px(16);
    if (s.sample_step >= 0) {
      const float w = put_text(context, list, prompt_x, y, p.accent, "prompt");
      put_text(context, list, prompt_x + w + t.px(10), y, p.text, "what the model wrote");
    }
    y += caption;
    s.draw_text(context, "samples/text", {r.x, y, left_w, std::max(1.0f, r.bottom() - y)}, s.text,
                s.whole);
  }

  // What may come next
  if (!wide) return;
  const float x = r.right() - bars_w;
  if (context.a && context.a->options.objective == "masked") {
    put_note(context, {x, r.y, bars_w, r.h},
             "A model of hidden tokens has no next token. It fills a row of the validation data.");
    return;
  }
  list->AddRectFilled(ImVec2(x - t.px(12), r.y), ImVec2(x - t.px(11), r.bottom()), p.border);
  put_text(context, list, x, r.y, p.text, "next token after the prompt");
  put_text(context, list, x, r.y + t.font_size(Font::small) + t.px(2), p.muted,
           s.next.empty() ? std::string("probability")
                          : "these " + std::to_string(s.next.size()) + " have " +
                                formatted("%.0f %%", 100 * s.listed) + ", at temperature 1");
  if (context.a && !s.next.empty() &&
      resting_on(context, "samples/listed",
                 {x, r.y + t.font_size(Font::small) + t.px(2), bars_w, t.font_size(Font::small)}))
    tell_one(context, Compare::a, tell_listed(*context.a, s.next.size()));
  const float top = r.y + 2 * t.font_size(Font::small) + t.px(8);
  ImGui::SetCursorScreenPos(ImVec2(x, top));
  const float room = r.bottom() - top;
  const int fit = std::max(1, int(room / bars_height(context, 1)));
  const std::size_t count = std::min(s.bars.size(), std::size_t(fit));
  const BarsHit hit = draw_bars(
      context, "samples/next", std::span(s.bars).first(count),
      {.size = ImVec2(bars_w, std::min(room, bars_height(context, std::max(1, int(count))))),
       .lo = 0,
       .hi = 1,
       .two = s.both,
       .label_width = t.px(36)});
  if (hit.hovered >= 0 && tooltip_ready(context, "samples/next/" + std::to_string(hit.hovered))) {
    const std::string& label = s.next[std::size_t(hit.hovered)].label;
    const auto told_a = tell_next(*context.a, label);
    const auto told_b = context.b ? tell_next(*context.b, label) : std::nullopt;
    if (told_b && context.compare == Compare::b) {
      tell_one(context, Compare::b, *told_b);
    } else if (told_a && told_b && context.compare == Compare::difference) {
      Explanation e = difference_of(*told_a, *told_b);
      e.name = whose(context, Compare::difference) + e.name;
      draw_tooltip(context, e);
    } else if (told_a) {
      tell_one(context, Compare::a, *told_a);
    }
  }
}

std::string SamplesPanel::explain() const {
  return "A language model writes by guessing one token after another: it gives every token of the "
         "vocabulary a probability, one is drawn, and the text so far with it is the next "
         "question. The bars are those probabilities after the prompt.\n\nThe temperature divides "
         "the logits before the softmax. Near 0 the likeliest token always wins and the text "
         "repeats itself; above 1 rare tokens come more often and the text falls apart. Early in "
         "training the text is noise; then letters come as often as in the text, then words, then "
         "sentences.\n\nWith two runs both write, with the same random numbers.";
}

void SamplesPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known || s.sample_step < 0) return;
  out << "kind,step,text,probability\n";
  out << "prompt," << s.sample_step << ',' << csv_field(s.prompt) << ",\n";
  out << "text," << s.sample_step << ',' << csv_field(s.text) << ",\n";
  if (s.both) out << "text_b," << s.sample_step_b << ',' << csv_field(s.text_b) << ",\n";
  for (const NextToken& token : s.next)
    out << "next," << s.step << ',' << csv_field(token.label) << ',' << token.probability << '\n';
}

std::string SamplesPanel::settings() const { return formatted("%.2f", state_->temperature); }

void SamplesPanel::restore(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end || !(value >= 0 && value <= kMostTemperature)) return;
  state_->temperature = value;
  state_->send_temperature = true;
}

}  // namespace tpp::viewer
