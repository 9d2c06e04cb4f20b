#include "viewer/panels/transport_panel.h"

#include <cmath>
#include <optional>
#include <ostream>
#include <span>

#include "chapters/01_tensor/errors.h"
#include "chapters/10_optimizer/schedule.h"
#include "chapters/11_gpt/sampling.h"
#include "viewer/break/break_it.h"
#include "viewer/hidden.h"
#include "viewer/panels/controls.h"
#include "viewer/panels/telling.h"
#include "viewer/panels/told_rate.h"
#include "viewer/run/lockstep.h"
#include "viewer/run/run_control.h"
#include "viewer/view_context.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {
namespace {

constexpr double kLeastRate = 1e-5, kMostRate = 1e-1;  // learning rates
constexpr double kMostSpeed = 1000;                    // steps a second; beyond: no limit
constexpr float kFullSpeed = 0.97f;                    // the track's end means as fast as it goes

/// Are these the parts of a recipe? Its name then; sizes may differ.
std::string recipe_name(const RunOptions& options) {
  for (const RecipeInfo& recipe : recipes()) {
    RunOptions other = options;
    apply_recipe(other, recipe.name);
    if (other.norm == options.norm && other.placement == options.placement &&
        other.position == options.position && other.attention == options.attention &&
        other.ffn == options.ffn && other.bias == options.bias && other.tied == options.tied)
      return recipe.name;
  }
  return "own recipe";
}

std::string recipe_line(const RunOptions& o) {
  return recipe_name(o) + " · " + o.norm + " " + o.placement + " · " + o.position + " · " +
         o.attention + " · " + o.ffn + " · " + std::to_string(o.layers) + " × " +
         std::to_string(o.width);
}

bool hides(const ViewContext& context, std::string_view control) {
  return context.hidden && context.hidden->hides(control);
}

std::string first_sentence(const std::string& text) {
  return text.substr(0, std::min(text.find(". "), text.find_first_of("\n")));
}

}  // namespace

struct TransportPanel::State {
  PanelInfo info{"transport", "Run", "11_gpt", Slot::transport};

  bool known = false;
  long step = 0, steps = 0;
  Phase phase = Phase::update;
  std::string error, recipe, source;
  std::string swapped;  // what B has otherwise; empty without a B
  double steps_per_second = 0, tokens_per_second = 0;
  int batch = 0, length = 0;
  double peak = 0;           // of the frame's options
  double now = 0;            // the schedule's rate at the next step
  double asked = 0;          // by the slider, until a frame has it; 0: nothing
  double asked_at = 0;       // seconds
  std::optional<long> held;  // the step that is looked at, when it is not the newest

  void draw_buttons(ViewContext& context, float& x, const Rect& r);
  void draw_phases(ViewContext& context, float& x, const Rect& r, bool playing);
  void draw_sliders(ViewContext& context, float& x, const Rect& r);
  void draw_error(ViewContext& context, const Rect& r);
  void draw_numbers(ViewContext& context, float x, const Rect& r);
  float draw_following(ViewContext& context, const Rect& r, bool playing);
  float draw_compare(ViewContext& context, const Rect& r);
  float draw_badge(ViewContext& context, const Rect& r, float least);
  void set_rate(ViewContext& context, double rate);
};

TransportPanel::TransportPanel() : state_(std::make_unique<State>()) {}
TransportPanel::~TransportPanel() = default;
const PanelInfo& TransportPanel::info() const { return state_->info; }

void TransportPanel::update(const ViewContext& context) {
  State& s = *state_;
  const Frame* f = context.shown();
  s.held = context.selection.locked().step;
  s.known = f != nullptr;
  if (!f) return;
  s.step = f->step;
  s.steps = f->options.steps;
  s.batch = f->options.batch;
  s.length = f->options.length;
  s.phase = f->phase;
  s.error = f->error;
  s.recipe = recipe_line(f->options);
  s.swapped.clear();
  if (context.a && context.b) {
    s.swapped = describe(swaps_between(context.a->options, context.b->options));
    s.recipe = (context.compare == Compare::b ? "B: " : "A: ") + s.recipe;
  }
  s.source = first_sentence(f->source.empty() ? f->options.text : f->source);
  s.steps_per_second = f->steps_per_second;
  s.tokens_per_second = f->tokens_per_second;
  s.peak = f->options.learning_rate;
  if (s.asked > 0 && (s.peak == s.asked || context.time > s.asked_at + 2)) s.asked = 0;

  // What the schedule makes of the peak
  RunOptions options = f->options;
  if (s.asked > 0) options.learning_rate = s.asked;
  try {
    s.now = learning_rate(train_config(options).schedule, std::max(0L, s.step));
  } catch (const std::exception&) {
    s.now = std::numeric_limits<double>::quiet_NaN();  // options that cannot be
  }
}

void TransportPanel::State::set_rate(ViewContext& context, double rate) {
  asked = rate;
  asked_at = context.time;
  context.control->set_learning_rate(rate);
}

void TransportPanel::State::draw_buttons(ViewContext& context, float& x, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  RunControl* control = context.control;
  const bool playing = control && control->playing();
  const bool stopped = !error.empty();

  const auto button = [&](const char* name, const char* what, const char* keys, bool enabled,
                          bool strong, auto&& sign) {
    const float w = t.px(strong ? 40 : 34);
    if (hides(context, std::string("transport.") + name)) return false;
    const std::string id = std::string("transport/") + name;
    ImGui::SetCursorScreenPos(ImVec2(x, r.y));
    const bool clicked = ImGui::InvisibleButton(id.c_str(), ImVec2(w, r.h)) && enabled;
    context.probe(id);
    const bool hovered = ImGui::IsItemHovered() && enabled;
    const Rgba ground = strong && enabled ? (hovered ? mix(p.accent, p.text, 0.2f) : p.accent)
                        : hovered         ? p.hovered
                                          : p.raised;
    const Rgba ink = !enabled ? with_alpha(p.muted, 110) : strong ? p.on_accent : p.text;
    list->AddRectFilled(ImVec2(x, r.y), ImVec2(x + w, r.bottom()), ground, t.px(4));
    sign(ImVec2(std::floor(x + w / 2), std::floor(r.y + r.h / 2)), ink);
    std::string shortcut = keys;
    if (const Command* command = context.commands.find(std::string("transport.") + name))
      shortcut = command->shortcut.text();
    hint(context, what, shortcut);
    x += w + t.px(4);
    return clicked;
  };
  const float u = t.px(1);
  const auto triangle = [&](ImVec2 c, Rgba ink, float h) {
    list->AddTriangleFilled(ImVec2(c.x - 0.6f * h, c.y - h), ImVec2(c.x - 0.6f * h, c.y + h),
                            ImVec2(c.x + h, c.y), ink);
  };

  const bool able = control != nullptr;
  const char* play_words = playing ? "Pause" : stopped ? "Stopped: see the red bar" : "Play";
  if (button("play", play_words, "Space", able && (playing || !stopped), true,
             [&](ImVec2 c, Rgba ink) {
               if (playing) {
                 list->AddRectFilled(ImVec2(c.x - 6 * u, c.y - 7 * u),
                                     ImVec2(c.x - 2 * u, c.y + 7 * u), ink);
                 list->AddRectFilled(ImVec2(c.x + 2 * u, c.y - 7 * u),
                                     ImVec2(c.x + 6 * u, c.y + 7 * u), ink);
               } else {
                 triangle(c, ink, 8 * u);
               }
             })) {
    if (playing) {
      control->pause();
    } else {
      control->play();
    }
  }
  if (button("step", "One whole step, then pause", ".", able && !stopped, false,
             [&](ImVec2 c, Rgba ink) {
               triangle(ImVec2(c.x - 2 * u, c.y), ink, 6 * u);
               list->AddRectFilled(ImVec2(c.x + 5 * u, c.y - 6 * u),
                                   ImVec2(c.x + 8 * u, c.y + 6 * u), ink);
             }))
    control->step();
  if (button("reset", "Start again at step 0, same seed", "Shift+R", able, false,
             [&](ImVec2 c, Rgba ink) {
               list->AddRectFilled(ImVec2(c.x - 8 * u, c.y - 6 * u),
                                   ImVec2(c.x - 5 * u, c.y + 6 * u), ink);
               list->AddTriangleFilled(ImVec2(c.x + 5 * u, c.y - 6 * u), ImVec2(c.x - 4 * u, c.y),
                                       ImVec2(c.x + 5 * u, c.y + 6 * u), ink);
             }))
    control->reset();
  x += t.px(4);
}

void TransportPanel::State::draw_phases(ViewContext& context, float& x, const Rect& r,
                                        bool playing) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  struct Box {
    Phase phase;
    const char* name;
  };
  static constexpr Box kBoxes[] = {
      {Phase::forward, "forward"}, {Phase::backward, "backward"}, {Phase::update, "update"}};

  // The three boxes together are the button that does the next one
  float width = t.px(12);
  for (const Box& box : kBoxes) width += text_width(context, Font::small, box.name) + t.px(26);
  width -= t.px(10);
  const bool able = context.control != nullptr && error.empty();
  ImGui::SetCursorScreenPos(ImVec2(x, r.y));
  const bool clicked = ImGui::InvisibleButton("transport/phase", ImVec2(width, r.h));
  context.probe("transport/phase");
  const bool hovered = ImGui::IsItemHovered() && able;
  list->AddRectFilled(ImVec2(x, r.y), ImVec2(x + width, r.bottom()), hovered ? p.hovered : p.raised,
                      t.px(4));
  std::string shortcut = ",";
  if (const Command* command = context.commands.find("transport.phase"))
    shortcut = command->shortcut.text();
  hint(context, "One phase of a step; the lit one was done last", shortcut);
  if (clicked && able) context.control->step_phase();

  const float h = t.px(20), y = std::floor(r.y + (r.h - h) / 2);
  float at = x + t.px(6);
  for (const Box& box : kBoxes) {
    const float w = text_width(context, Font::small, box.name) + t.px(12);
    const bool lit =
        known && !playing && box.phase == phase && (step > 0 || phase != Phase::update);
    if (lit) {
      list->AddRectFilled(ImVec2(at, y), ImVec2(at + w, y + h), p.accent, t.px(3));
    } else if (playing) {
      list->AddRectFilled(ImVec2(at, y), ImVec2(at + w, y + h), with_alpha(p.accent, 60), t.px(3));
    }
    put_text(context, list, at + t.px(6), std::floor(y + (h - t.font_size(Font::small)) / 2),
             lit ? p.on_accent : p.text, box.name);
    at += w;
    if (box.phase != Phase::update)
      put_text_middle(context, list, at + t.px(7),
                      std::floor(y + (h - t.font_size(Font::small)) / 2), p.muted, "→");
    at += t.px(14);
  }
  x = std::floor(x + width + t.px(12));
}

void TransportPanel::State::draw_sliders(ViewContext& context, float& x, const Rect& r) {
  const Theme& t = context.theme;
  RunControl* control = context.control;
  const float w = t.px(152);

  // Speed: the end of the track means no limit
  const double speed = control ? control->speed() : 0;
  const bool shows_speed = !hides(context, "transport.speed");
  float at = speed > 0 ? kFullSpeed * log_place(speed, 1, kMostSpeed) : 1;
  const std::string words = !(speed > 0) ? "as fast as it goes"
                            : speed == 1 ? "1 step/s"
                                         : number_text(speed, speed < 10 ? 2 : 3) + " steps/s";
  if (shows_speed &&
      put_slider(context, "transport/speed", {x, r.y, w, r.h}, at,
                 {.name = "speed",
                  .value = words,
                  .reset = 1,
                  .hint = "How fast it trains. Double click: as fast as it goes"}) &&
      control) {
    control->set_speed(at > kFullSpeed ? 0 : rounded(log_value(at / kFullSpeed, 1, kMostSpeed), 2));
  }
  if (shows_speed) x += w + t.px(16);
  if (hides(context, "transport.rate")) return;

  // Learning rate: the knob is the peak, the tick is what the schedule makes of it now
  const double rate = asked > 0 ? asked : peak;
  const float wide = t.px(200);
  at = log_place(rate, kLeastRate, kMostRate);
  std::string value = "now " + number_text(now, 2) + " of " + number_text(rate, 2);
  if (!known) value = "–";
  if (put_slider(context, "transport/rate", {x, r.y, wide, r.h}, at,
                 {.name = "rate",
                  .value = value,
                  .mark = known && std::isfinite(now) ? log_place(now, kLeastRate, kMostRate) : -1,
                  .reset = -1}) &&
      control && known) {
    set_rate(context, rounded(log_value(at, kLeastRate, kMostRate), 2));
  }
  if (known && !ImGui::IsItemActive() && ImGui::IsItemHovered() &&
      tooltip_ready(context, "transport/rate"))
    tell(
        context,
        [&](const Frame& f, const History*) -> std::optional<Told> {
          RunOptions options = f.options;
          if (asked > 0) options.learning_rate = asked;
          Told told = told_rate(options, std::max(0L, step), now);
          told.name += ", the next";
          told.why = "The knob sets the peak, the tick is this rate. " + told.why;
          return told;
        },
        false);
  x += wide + t.px(16);
}

void TransportPanel::State::draw_error(ViewContext& context, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(ImVec2(r.x, r.y), ImVec2(r.right(), r.bottom()), with_alpha(p.error, 40),
                      t.px(4));
  compat::add_rect(list, ImVec2(r.x, r.y), ImVec2(r.right(), r.bottom()), p.error, t.px(4));
  list->AddRectFilled(ImVec2(r.x, r.y), ImVec2(r.x + t.px(4), r.bottom()), p.error);
  context.probes.record("transport/error", r);

  // What to do, as buttons at its end
  float right = r.right() - t.px(4);
  const float h = r.h - t.px(8), y = r.y + t.px(4);
  const double rate = asked > 0 ? asked : peak;
  const auto action = [&](const char* id, const std::string& words) {
    const float w = text_width(context, Font::small, words) + t.px(16);
    if (right - w < r.x + r.w * 0.4f) return false;
    right -= w;
    const bool clicked = put_button(context, id, {right, y, w, h}, words, p.raised, p.text);
    right -= t.px(4);
    return clicked && context.control;
  };
  if (action("transport/error/reset", "Reset")) context.control->reset();
  const double half = rounded(rate / 2, 2);
  if (rate > 0 && action("transport/error/halve", "Rate " + number_text(half, 2)))
    set_rate(context, half);

  // One line if it fits, else two small ones
  const float x = r.x + t.px(12), room = std::max(1.0f, right - x - t.px(8));
  const float line = t.font_size(Font::small);
  const FontScope small(t, Font::small);
  list->PushClipRect(ImVec2(x, r.y), ImVec2(x + room, r.bottom()), true);
  if (text_width(context, Font::small, error) <= room) {
    put_text(context, list, x, std::floor(r.y + (r.h - line) / 2), p.text, error);
  } else {
    put_wrapped(context, list, x, std::floor(r.y + (r.h - 2 * line) / 2), room, p.text, error);
  }
  list->PopClipRect();
  if (ImGui::IsMouseHoveringRect(ImVec2(r.x, r.y), ImVec2(x + room, r.bottom())) &&
      tooltip_ready(context, "transport/error"))
    draw_tooltip(context, {.name = "The run has stopped", .why = error});
}

float TransportPanel::State::draw_following(ViewContext& context, const Rect& r, bool playing) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const bool looking = held.has_value() && *held < step;
  const std::string words = looking   ? "at step " + with_thousands(*held)
                            : playing ? "following"
                                      : "paused";
  const float w = text_width(context, Font::small, words) + t.px(32);
  const float x = r.right() - w, h = t.px(24), y = std::floor(r.y + (r.h - h) / 2);
  ImGui::SetCursorScreenPos(ImVec2(x, y));
  const bool clicked = ImGui::InvisibleButton("transport/following", ImVec2(w, h));
  context.probe("transport/following");
  const Rgba tone = looking ? p.warning : playing ? p.good : p.muted;
  list->AddRectFilled(ImVec2(x, y), ImVec2(x + w, y + h),
                      ImGui::IsItemHovered() ? p.hovered : p.raised, h / 2);
  list->AddCircleFilled(ImVec2(x + t.px(13), y + h / 2), t.px(4), tone, 16);
  put_text(context, list, x + t.px(23), std::floor(y + (h - t.font_size(Font::small)) / 2), p.text,
           words);
  hint(context,
       looking   ? "A past step is selected: click to follow the newest"
       : playing ? "The panels show the newest step"
                 : "Nothing trains; the panels show the newest step",
       looking ? "Escape" : "");
  if (clicked && looking) {
    Place rest = context.selection.locked();
    rest.step.reset();
    context.selection.release();
    context.selection.set(rest);
  }
  return x - t.px(12);
}

/// One run: a button that forks it. Two: which of them is shown, and the end of B.
float TransportPanel::State::draw_compare(ViewContext& context, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float h = t.px(24), y = std::floor(r.y + (r.h - h) / 2);
  const float text_y = std::floor(y + (h - t.font_size(Font::small)) / 2);
  if (!context.b) {
    const char* words = "Compare";
    const float w = text_width(context, Font::small, words) + t.px(30), x = r.right() - w;
    ImGui::SetCursorScreenPos(ImVec2(x, y));
    const bool clicked = ImGui::InvisibleButton("transport/compare", ImVec2(w, h));
    context.probe("transport/compare");
    list->AddRectFilled(ImVec2(x, y), ImVec2(x + w, y + h),
                        ImGui::IsItemHovered() ? p.hovered : p.raised, t.px(4));
    put_text(context, list, x + t.px(10), text_y, p.text, words);
    const float mx = x + w - t.px(12), my = y + h / 2;
    list->AddTriangleFilled(ImVec2(mx - t.px(3), my - t.px(1.5f)),
                            ImVec2(mx + t.px(3), my - t.px(1.5f)), ImVec2(mx, my + t.px(2.5f)),
                            p.muted);
    hint(context,
         "A second run, B, in lockstep with this one: same seed, same batches, one thing changed");
    if (clicked) ImGui::OpenPopup("compare");
    ImGui::SetNextWindowPos(ImVec2(x + w, y + h + t.px(4)), ImGuiCond_Always, ImVec2(1, 0));
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(t.px(10), t.px(8)));
    if (ImGui::BeginPopup("compare")) {
      const auto entry = [&](const char* id, const char* command, const char* title,
                             const char* detail) {
        const float wide = std::max(text_width(context, Font::small, detail),
                                    text_width(context, Font::body, title)) +
                           t.px(8);
        const float high = t.font_size(Font::body) + t.font_size(Font::small) + t.px(10);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        if (ImGui::Selectable((std::string("##") + id).c_str(), false, 0, ImVec2(wide, high))) {
          context.commands.run(command);
        }
        context.probe(std::string("transport/compare/") + id);
        ImDrawList* over = ImGui::GetWindowDrawList();
        put_text(context, over, at.x + t.px(4), at.y + t.px(2), p.text, title, Font::body);
        put_text(context, over, at.x + t.px(4), at.y + t.px(6) + t.font_size(Font::body), p.muted,
                 detail);
      };
      entry("here", "compare.here", "Fork here", "B takes A's weights at this step");
      entry("start", "compare.start", "Fork from the start",
            "A and B begin together at step 0, same seed");
      ImGui::EndPopup();
    }
    ImGui::PopStyleVar();
    return x - t.px(12);
  }

  // A, B, B − A, each in its colour; a cross closes B
  struct Side {
    Compare shows;
    const char *id, *command, *words;
    Rgba colour;
  };
  const Side sides[] = {{Compare::a, "a", "compare.a", "A", p.run_a},
                        {Compare::b, "b", "compare.b", "B", p.run_b},
                        {Compare::difference, "difference", "compare.difference", "B − A", p.text}};
  float width = h + t.px(4);
  for (const Side& side : sides)
    width += text_width(context, Font::small, side.words) + t.px(20) + t.px(2);
  float x = std::floor(r.right() - width);
  const float left = x;
  for (const Side& side : sides) {
    const float w = text_width(context, Font::small, side.words) + t.px(20);
    const std::string id = std::string("transport/compare/") + side.id;
    ImGui::SetCursorScreenPos(ImVec2(x, y));
    const bool clicked = ImGui::InvisibleButton(id.c_str(), ImVec2(w, h));
    context.probe(id);
    const bool on = context.compare == side.shows, over = ImGui::IsItemHovered();
    const ImVec2 a(x, y), b(x + w, y + h);
    list->AddRectFilled(a, b, on ? side.colour : over ? p.hovered : p.raised, t.px(4));
    if (!on) compat::add_rect(list, a, b, with_alpha(side.colour, 150), t.px(4));
    put_text(context, list, x + t.px(10), text_y, on ? p.panel : side.colour, side.words);
    hint(context,
         side.shows == Compare::a   ? "The panels show A"
         : side.shows == Compare::b ? "The panels show B, and switches change B"
                                    : "The panels show what B has more than A",
         "B: next");
    if (clicked) context.commands.run(side.command);
    x += w + t.px(2);
  }
  x += t.px(2);
  ImGui::SetCursorScreenPos(ImVec2(x, y));
  const bool closed = ImGui::InvisibleButton("transport/compare/close", ImVec2(h, h));
  context.probe("transport/compare/close");
  list->AddRectFilled(ImVec2(x, y), ImVec2(x + h, y + h),
                      ImGui::IsItemHovered() ? p.hovered : p.raised, t.px(4));
  const float cx = x + h / 2, cy = y + h / 2, d = t.px(4);
  list->AddLine(ImVec2(cx - d, cy - d), ImVec2(cx + d, cy + d), p.text, t.px(1.5f));
  list->AddLine(ImVec2(cx - d, cy + d), ImVec2(cx + d, cy - d), p.text, t.px(1.5f));
  hint(context, "Close B: its thread and memory are given back");
  if (closed) context.commands.run("compare.close");
  return left - t.px(12);
}

/// What is broken on purpose, for as long as it is. At the bar's end, and never beyond `least`.
float TransportPanel::State::draw_badge(ViewContext& context, const Rect& r, float least) {
  if (!context.breaks || context.breaks->badge().empty()) return r.right();
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float h = t.px(24), y = std::floor(r.y + (r.h - h) / 2), pad = t.px(24);
  const std::string& all = context.breaks->badge();
  float w = std::min(text_width(context, Font::small, all) + pad + t.px(12), t.px(320));
  w = std::max(pad, std::min(w, r.right() - least));
  const FontScope small(t, Font::small);
  const std::string words = elide(all, w - pad - t.px(8));
  const float x = r.right() - w;
  ImGui::SetCursorScreenPos(ImVec2(x, y));
  const bool clicked = ImGui::InvisibleButton("transport/broken", ImVec2(w, h));
  context.probe("transport/broken");
  const Rgba ground = mix(p.panel, p.warning, ImGui::IsItemHovered() ? 0.35f : 0.2f);
  list->AddRectFilled(ImVec2(x, y), ImVec2(x + w, y + h), ground, t.px(4));
  compat::add_rect(list, ImVec2(x, y), ImVec2(x + w, y + h), p.warning, t.px(4));
  const float cx = x + t.px(12), cy = y + h / 2;  // a warning sign
  list->AddTriangleFilled(ImVec2(cx, cy - t.px(6)), ImVec2(cx - t.px(6), cy + t.px(5)),
                          ImVec2(cx + t.px(6), cy + t.px(5)), p.warning);
  list->AddRectFilled(ImVec2(cx - t.px(1), cy - t.px(2)), ImVec2(cx + t.px(1), cy + t.px(2)),
                      p.panel);
  if (w > pad + t.px(20))
    put_text(context, list, x + pad, std::floor(y + (h - t.font_size(Font::small)) / 2), p.text,
             words);
  hint(context, all + ". Click to mend it");
  if (clicked) context.commands.run("panel.break");
  return x - t.px(8);
}

void TransportPanel::State::draw_numbers(ViewContext& context, float x, const Rect& r) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float line = std::floor(r.h / 2), room = r.right() - x;
  const float low = r.y + line, pad = std::floor((line - t.font_size(Font::small)) / 2);

  // Step, of how many
  const std::string counter = with_thousands(step);
  const float counter_w = std::max(text_width(context, Font::title, counter), t.px(56));
  if (room < counter_w) return;
  put_text(context, list, x, r.y - t.px(2), p.text, counter, Font::title);
  put_text(context, list, x, low + pad + t.px(2), p.muted,
           steps > 0 ? "of " + with_thousands(steps) + " steps" : "steps");
  const double each = double(batch) * double(length);  // tokens of a step
  const std::string sizes = std::to_string(batch) + " · " + std::to_string(length);
  const auto told = [&](const char* id, const Rect& rect, const Told& what) {
    if (resting_on(context, id, rect))
      tell_one(context, context.compare == Compare::b ? Compare::b : Compare::a, what);
  };
  told("transport/counter", {x, r.y, counter_w, r.h},
       {.name = "Step " + counter + " of " + with_thousands(steps),
        .formula = "tokens seen = step · B·{T|T}",
        .numbers = counter + " · " + sizes,
        .value = double(step) * each,
        .unit = "tokens",
        .why = "Each step learns from a fresh batch: B sequences of T tokens.",
        .source = "chapters/11_gpt/trainer.cpp: step",
        .digits = 0});
  x += std::max(counter_w, text_width(context, Font::small, "of 10,000 steps")) + t.px(16);

  // How fast it really goes
  const std::string a = steps_per_second > 0 ? number_text(steps_per_second, 3) + " steps/s"
                                             : std::string("– steps/s");
  const std::string b =
      tokens_per_second > 0 && std::isfinite(tokens_per_second)
          ? with_thousands(std::llround(rounded(tokens_per_second, 3))) + " tokens/s"
          : std::string("– tokens/s");
  const float speeds = std::max(
      {text_width(context, Font::small, a), text_width(context, Font::small, b), t.px(100)});
  if (r.right() - x < speeds) return;
  put_text(context, list, x, r.y + pad, p.text, a);
  put_text(context, list, x, low + pad, p.text, b);
  if (steps_per_second > 0 && tokens_per_second > 0) {
    told("transport/steps", {x, r.y, speeds, line},
         {.name = "Steps a second, over the last half second",
          .formula = "tokens a second / (B·{T|T})",
          .numbers = number_text(tokens_per_second, 5) + " / (" + sizes + ")",
          .value = steps_per_second,
          .unit = "steps/s",
          .why = "The window's share is in the status line: watching and writing.",
          .source = "viewer/run/run_thread.cpp: measure_rate"});
    told("transport/tokens", {x, low, speeds, line},
         {.name = "Tokens a second, over the last half second",
          .formula = "steps a second · B·{T|T}",
          .numbers = number_text(steps_per_second, 5) + " · " + sizes,
          .value = tokens_per_second,
          .unit = "tokens/s",
          .why = "What a machine is compared by: it hardly depends on the batch.",
          .source = "viewer/run/run_thread.cpp: measure_rate",
          .digits = 6});
  }
  x += speeds + t.px(16);

  // What it is, and what it learns from
  const float rest = r.right() - x;
  if (rest < t.px(120)) return;
  const FontScope small(t, Font::small);
  put_text(context, list, x, r.y + pad, p.text, elide(recipe, rest));
  if (swapped.empty()) {
    put_text(context, list, x, low + pad, p.muted, elide("learns from " + source, rest));
  } else {
    put_text(context, list, x, low + pad, p.run_b, elide("B has " + swapped, rest));
  }
  context.probes.record("transport/recipe", {x, r.y, rest, r.h});
  if (ImGui::IsMouseHoveringRect(ImVec2(x, r.y), ImVec2(r.right(), r.bottom())) &&
      tooltip_ready(context, "transport/recipe"))
    draw_tooltip(context, {.name = recipe,
                           .why = "Learns from " + source + (source.ends_with(".") ? "" : ".")});
}

void TransportPanel::draw(ViewContext& context) {
  State& s = *state_;
  const Theme& t = context.theme;
  Rect r = context.rect;
  r.h = std::min(r.h, t.px(32));
  float x = r.x;
  const bool playing = context.control && context.control->playing();
  s.draw_buttons(context, x, r);
  if (!hides(context, "transport.phase")) s.draw_phases(context, x, r, playing);
  r.w = s.draw_badge(context, r, x) - r.x;
  if (r.right() - x > t.px(400)) s.draw_sliders(context, x, r);
  if (r.right() - x < t.px(60)) return;
  if (!s.known) {
    put_text(context, ImGui::GetWindowDrawList(), x,
             std::floor(r.y + (r.h - t.font_size(Font::small)) / 2), context.colours().muted,
             "The run is being set up …");
    return;
  }
  if (!s.error.empty()) {
    float right = r.right();
    if (context.b && right - x > t.px(420) && !hides(context, "compare"))
      right = s.draw_compare(context, r);
    s.draw_error(context, {x, r.y, right - x, r.h});
    return;
  }
  float right = r.right() - x > t.px(240) ? s.draw_following(context, r, playing) : r.right();
  if (context.control && right - x > t.px(220) && !hides(context, "compare")) {
    right = s.draw_compare(context, {r.x, r.y, right - r.x, r.h});
  }
  s.draw_numbers(context, x, {r.x, r.y, right - r.x, r.h});
}

std::string TransportPanel::explain() const {
  return "A step has three phases. Forward: the model guesses each next token of a batch, and the "
         "loss says how wrong it was. Backward: each weight learns how the loss would change with "
         "it. Update: the optimiser moves every weight a little. The middle button goes one phase "
         "at a "
         "time, and the lit box is the phase that was done last.\n\nThe learning rate is the "
         "length "
         "of that move. The knob sets its peak; the tick is the rate of the next step, since the "
         "schedule warms up and then decays. Too high, and the loss jumps or becomes NaN; too low, "
         "and little happens.\n\nCompare forks the run: a second one, B, takes its steps in turn "
         "with the first, on the same batches. Change one thing in B, and whatever then differs "
         "comes from that. Both pause, play and go back in time together.";
}

void TransportPanel::export_csv(std::ostream& out) const {
  const State& s = *state_;
  if (!s.known) return;
  out << "step,steps,learning_rate,peak_learning_rate,steps_per_second,tokens_per_second\n"
      << s.step << ',' << s.steps << ',' << s.now << ',' << s.peak << ',' << s.steps_per_second
      << ',' << s.tokens_per_second << '\n';
}

}  // namespace tpp::viewer
