// Break it: the question, the way, the reveal; below, all that can be broken.
#include "viewer/panels/break_panel.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "viewer/break/break_it.h"
#include "viewer/compat.h"
#include "viewer/hidden.h"
#include "viewer/panels/controls.h"
#include "viewer/view_context.h"
#include "viewer/widgets/rich_text.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {
namespace {

/// Text in a colour, wrapped, at the cursor.
void draw_words(ViewContext& context, const std::string& words, Rgba colour, float width,
                Font font = Font::body) {
  const FontScope scope(context.theme, font);
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  draw_rich(context, words, width);
  ImGui::PopStyleColor();
}

/// A button at the cursor, as wide as its words; the cursor goes to its right.
bool draw_button(ViewContext& context, const std::string& id, const std::string& words,
                 bool strong = false) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float w = text_width(context, Font::small, words) + t.px(18), h = t.px(26);
  const bool clicked = put_button(context, id, {at.x, at.y, w, h}, words,
                                  strong ? p.accent : p.hovered, strong ? p.on_accent : p.text);
  ImGui::SetCursorScreenPos(ImVec2(at.x + w + t.px(6), at.y));
  return clicked;
}
void end_buttons(ViewContext& context, float left) {
  const Theme& t = context.theme;
  ImGui::SetCursorScreenPos(ImVec2(left, ImGui::GetCursorScreenPos().y));
  ImGui::Dummy(ImVec2(1, t.px(30)));
}

void draw_progress(ViewContext& context, float share, const std::string& words, float width) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float h = t.px(6);
  list->AddRectFilled(at, ImVec2(at.x + width, at.y + h), p.hovered, h / 2);
  list->AddRectFilled(at, ImVec2(at.x + std::max(h, width * share), at.y + h), p.accent, h / 2);
  context.probes.record("break/progress", {at.x, at.y, width, h});
  ImGui::Dummy(ImVec2(width, h + t.px(2)));
  draw_words(context, words, p.muted, width, Font::small);
}

/// What was measured: a row for each number, A and B in their colours.
void draw_numbers(ViewContext& context, const Trial& trial, float width) {
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float line = t.font_size(Font::small) + t.px(5);
  const float b = at.x + width, a = b - t.px(86);
  float y = at.y;
  put_text(context, list, at.x, y, p.muted,
           "measured in " + with_thousands(trial.until) + " steps");
  put_text_right(context, list, a, y, p.run_a, "A");
  put_text_right(context, list, b, y, p.run_b, "B");
  y += line;
  for (const Measured& m : trial.numbers) {
    const MeasureInfo& info = info_of(m.measure);
    list->AddLine(ImVec2(at.x, y - t.px(2)), ImVec2(b, y - t.px(2)), p.border);
    put_text(context, list, at.x, y, p.text, info.name);
    put_text_right(context, list, a, y, p.text, text_of(m.measure, m.a));
    put_text_right(context, list, b, y, p.text, text_of(m.measure, m.b));
    const Rect row{at.x, y, width, line};
    const std::string id = "break/measured/" + std::string(info.id);
    context.probes.record(id, row);
    if (ImGui::IsMouseHoveringRect(ImVec2(row.x, row.y), ImVec2(row.right(), row.bottom())) &&
        tooltip_ready(context, id))
      draw_tooltip(context,
                   {.name = std::string(info.name), .why = std::string(info.detail) + "."});
    y += line;
  }
  ImGui::Dummy(ImVec2(width, y - at.y + t.px(4)));
}

void draw_trial(ViewContext& context, const Trial& trial, float width) {
  BreakIt& breaks = *context.breaks;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const float left = ImGui::GetCursorScreenPos().x;
  const Breakage& what = trial.what;
  const bool of_session = trial.number > 0;
  const bool playing = context.control && context.control->playing();
  using Stage = Trial::Stage;

  {
    const FontScope title(t, Font::title);
    ImGui::TextUnformatted(of_session ? ("Question " + std::to_string(trial.number) + " of " +
                                         std::to_string(breaks.asks()))
                                            .c_str()
                                      : what.title.c_str());
  }
  if (!what.what.empty()) draw_words(context, what.what, p.muted, width, Font::small);
  ImGui::Dummy(ImVec2(1, t.px(2)));
  const bool open = trial.stage == Stage::asked;
  const int clicked = draw_question(context, "question", what.question, trial.answer, width);
  if (open && clicked >= 0) breaks.predict(clicked);
  ImGui::Dummy(ImVec2(1, t.px(2)));

  switch (trial.stage) {
    case Stage::asked: {
      const bool runs = !what.swaps.empty() || !what.wrong.empty();
      if (draw_button(context, "break/show", "Just show me")) breaks.predict(-1);
      if (!of_session && draw_button(context, "break/leave", "Not now")) breaks.leave();
      end_buttons(context, left);
      if (runs)
        draw_words(context,
                   "Then {A|A} and {B|B} go " + std::to_string(what.steps) +
                       " steps from the start. Only {B|B} is broken.",
                   p.muted, width, Font::small);
      break;
    }
    case Stage::building:
      draw_progress(context, 0, "Building the wrong answer: half a minute the first time …", width);
      break;
    case Stage::starting:
      draw_progress(context, 0, "Both runs go to the start …", width);
      break;
    case Stage::running:
      draw_progress(context, breaks.progress(),
                    "step " + std::to_string(context.a ? context.a->step : 0) + " of " +
                        std::to_string(trial.until) + (playing ? "" : ", paused"),
                    width);
      if (!playing && draw_button(context, "break/go", "Go on", true)) breaks.go_on();
      if (!of_session && draw_button(context, "break/leave", "Stop asking")) breaks.leave();
      end_buttons(context, left);
      break;
    case Stage::revealed:
      if (!trial.stopped.empty()) draw_words(context, trial.stopped, p.error, width, Font::small);
      if (!trial.numbers.empty()) draw_numbers(context, trial, width);
      if (trial.otherwise)
        draw_words(context,
                   "In this run the numbers say otherwise: the answer is of the default model, on "
                   "the fables.",
                   p.warning, width, Font::small);
      if (!what.look.empty()) draw_words(context, what.look, p.text, width, Font::small);
      ImGui::Dummy(ImVec2(1, t.px(2)));
      if (of_session) {
        if (breaks.has_next()) {
          if (draw_button(context, "break/next", "Next question", true)) breaks.next();
        } else {
          draw_words(context, "That was the last question.", p.good, width);
        }
      } else {
        if (draw_button(context, "break/leave", "Done", true)) breaks.leave();
        if (breaks.is_on(what.id, true) && draw_button(context, "break/mend", "Mend"))
          breaks.mend(what.id);
      }
      end_buttons(context, left);
      break;
  }
}

/// One that can be broken: its name, and what to do with it.
void draw_row(ViewContext& context, const Breakage& what, float width) {
  BreakIt& breaks = *context.breaks;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float h = t.px(28), gap = t.px(4), small = t.px(26);
  const std::string id = "break/" + what.id;
  const float ask = text_width(context, Font::small, "Predict") + t.px(14);
  float x = at.x + width;
  const float by = at.y + t.px(2), bh = h - t.px(4);

  // A and B: lit where it is broken
  const auto toggle = [&](const char* name, bool in_b, Rgba colour, const char* words) {
    x -= small;
    const bool on = breaks.is_on(what.id, in_b);
    const bool clicked = put_button(context, id + "/" + name, {x, by, small, bh}, in_b ? "B" : "A",
                                    on ? colour : p.raised, on ? p.panel : colour);
    hint(context, on ? "Mend it" : words);
    if (clicked) {
      if (on) {
        breaks.mend(what.id);
      } else {
        breaks.apply(what, in_b);
      }
    }
    x -= gap;
  };
  toggle("b", true, p.run_b, "Break B only: a second run beside this one, which stays right");
  toggle("a", false, p.run_a, "Break the run itself");
  x -= ask;
  if (put_button(context, id + "/ask", {x, by, ask, bh}, "Predict", p.raised, p.text))
    breaks.ask(what);
  hint(context, "Say what will happen, then see it");

  const bool on = breaks.is_on(what.id, true) || breaks.is_on(what.id, false);
  const bool building = breaks.is_building(what.id);
  const float room = x - gap - at.x;
  const FontScope body(t, Font::body);
  put_text(context, list, at.x, std::floor(at.y + (h - t.font_size(Font::body)) / 2),
           on ? p.warning : p.text, elide(building ? what.title + " …" : what.title, room),
           Font::body);
  context.probes.record(id, {at.x, at.y, room, h});
  if (ImGui::IsMouseHoveringRect(at, ImVec2(at.x + room, at.y + h)) && tooltip_ready(context, id)) {
    std::string done = what.wrong.empty() ? "" : "The wrong answer " + what.wrong + ".";
    for (const auto& [name, value] : what.swaps)
      done += (done.empty() ? "Set " : ", ") + name + " " + value;
    draw_tooltip(context, {.name = what.title, .why = what.what, .source = done});
  }
  ImGui::SetCursorScreenPos(at);
  ImGui::Dummy(ImVec2(width, h));
}

}  // namespace

void BreakPanel::draw(ViewContext& context) {
  if (!context.breaks) {
    put_note(context, context.rect, "There is no run here that could be broken.");
    return;
  }
  BreakIt& breaks = *context.breaks;
  const Theme& t = context.theme;
  const Palette& p = context.colours();
  const Rect& r = context.rect;
  ImGui::SetCursorScreenPos(ImVec2(r.x, r.y));
  compat::begin_child("break it", ImVec2(r.w, r.h), false);
  const float width = std::max(t.px(160), ImGui::GetContentRegionAvail().x - t.px(4));
  const float left = ImGui::GetCursorScreenPos().x;

  if (breaks.trial()) {
    const Trial trial = *breaks.trial();  // a click may end it
    draw_trial(context, trial, width);
    ImGui::Dummy(ImVec2(1, t.px(6)));
  }
  if (!(context.hidden && context.hidden->hides("break.list"))) {
    if (!breaks.trial())
      draw_words(context,
                 "Take something out of the model, or put something wrong in, and see what comes "
                 "of it. {B|B} is broken beside {A|A}, which stays right.",
                 p.muted, width, Font::small);
    if (!breaks.badge().empty()) {
      draw_words(context, breaks.badge(), p.warning, width, Font::small);
      if (draw_button(context, "break/mend-all", "Mend everything")) breaks.mend_all();
      end_buttons(context, left);
    }
    std::string chapter;
    for (const Breakage& what : breakages()) {
      if (what.chapter != chapter) {
        chapter = what.chapter;
        ImGui::Dummy(ImVec2(1, t.px(2)));
        draw_words(context, "chapter " + chapter.substr(0, 2), p.muted, width, Font::small);
      }
      draw_row(context, what, width);
    }
  }
  ImGui::EndChild();
}

std::string BreakPanel::explain() const {
  return "What a part is for shows when it is missing. Each line breaks one thing: an option set "
         "wrong, or a usual mistake of an exercise in the place of the book's function. B breaks a "
         "second run beside this one, on the same batches; A breaks the run itself. Click the lit "
         "letter to mend it.\n\nPredict asks first what will happen. Then both runs go from the "
         "start, and the answer stands beside the numbers that were measured. Some breakages do "
         "hardly any damage in a model this small: then that is the answer.";
}

}  // namespace tpp::viewer
