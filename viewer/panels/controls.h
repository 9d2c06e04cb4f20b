// Controls that panels draw themselves: a slider with its words above the track, a small button.
#pragma once

#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "viewer/panels/drawing.h"
#include "viewer/ui.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {

/// What a slider shows: its name at the left, its value at the right, the track below.
struct SliderLook {
  std::string name = {}, value = {};
  float mark = -1;   // a second place on the track, 0 … 1; −1: none
  float reset = -1;  // where a double click sets it; −1: nowhere
  std::string hint = {};
};

/// Draw into `rect`. Dragging or clicking changes `at`, 0 … 1; true when it did. Probe: the id.
inline bool put_slider(Ui& ui, const std::string& id, const Rect& rect, float& at,
                       const SliderLook& look) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  ImGui::SetCursorScreenPos(ImVec2(rect.x, rect.y));
  ImGui::InvisibleButton(id.c_str(), ImVec2(std::max(1.0f, rect.w), std::max(1.0f, rect.h)));
  ui.probe(id);
  const bool hovered = ImGui::IsItemHovered(), active = ImGui::IsItemActive();

  // Where the knob's middle can go
  const float knob = t.px(5), x0 = rect.x + knob, x1 = std::max(x0 + 1, rect.right() - knob);
  bool changed = false;
  if (active) {
    const float wanted = std::clamp((ImGui::GetIO().MousePos.x - x0) / (x1 - x0), 0.0f, 1.0f);
    changed = wanted != at;
    at = wanted;
  }
  if (hovered && look.reset >= 0 && ImGui::IsMouseDoubleClicked(0)) {
    at = look.reset;
    changed = true;
  }

  put_text(ui, list, rect.x, rect.y, p.muted, look.name);
  put_text_right(ui, list, rect.right(), rect.y, p.text, look.value);
  const float y = std::floor(rect.bottom() - knob - t.px(1)), half = t.px(2);
  const float x = x0 + std::clamp(at, 0.0f, 1.0f) * (x1 - x0);
  list->AddRectFilled(ImVec2(rect.x, y - half), ImVec2(rect.right(), y + half), p.raised, half);
  list->AddRectFilled(ImVec2(rect.x, y - half), ImVec2(x, y + half), with_alpha(p.accent, 150),
                      half);
  if (look.mark >= 0) {
    const float m = std::floor(x0 + std::clamp(look.mark, 0.0f, 1.0f) * (x1 - x0));
    list->AddRectFilled(ImVec2(m - t.px(1), y - knob), ImVec2(m + t.px(1), y + knob), p.text);
  }
  list->AddCircleFilled(ImVec2(x, y), active || hovered ? knob + t.px(1) : knob, p.accent, 16);
  if (!look.hint.empty()) hint(ui, look.hint);
  return changed;
}

/// A flat button with words; true when clicked. Probe: the id.
inline bool put_button(Ui& ui, const std::string& id, const Rect& rect, std::string_view words,
                       Rgba ground, Rgba ink) {
  const Theme& t = ui.theme;
  ImGui::SetCursorScreenPos(ImVec2(rect.x, rect.y));
  const bool clicked =
      ImGui::InvisibleButton(id.c_str(), ImVec2(std::max(1.0f, rect.w), std::max(1.0f, rect.h)));
  ui.probe(id);
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(ImVec2(rect.x, rect.y), ImVec2(rect.right(), rect.bottom()),
                      ImGui::IsItemHovered() ? mix(ground, ink, 0.15f) : ground, t.px(4));
  put_text_middle(ui, list, std::floor(rect.x + rect.w / 2),
                  std::floor(rect.y + (rect.h - t.font_size(Font::small)) / 2), ink, words);
  return clicked;
}

/// A place on a logarithmic track, and back.
inline float log_place(double value, double lo, double hi) {
  if (!(value > 0)) return 0;
  return std::clamp(float((std::log(value) - std::log(lo)) / (std::log(hi) - std::log(lo))), 0.0f,
                    1.0f);
}
inline double log_value(float at, double lo, double hi) {
  return std::exp(std::log(lo) + double(at) * (std::log(hi) - std::log(lo)));
}

/// To so many significant digits: what is written beside a slider is what is set.
inline double rounded(double value, int digits) {
  if (!(std::abs(value) > 0) || !std::isfinite(value)) return value;
  const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))) - (digits - 1));
  return std::round(value / unit) * unit;
}

}  // namespace tpp::viewer
