// Small marks that several panels make: text at a place, a row of choices, a note in the middle.
#pragma once

#include <imgui.h>

#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "viewer/compat.h"
#include "viewer/geometry.h"
#include "viewer/ui.h"

namespace tpp::viewer {

inline float text_width(const Ui& ui, Font font, std::string_view text) {
  ImFont* f = ui.theme.font(font);
  if (!f) return ImGui::CalcTextSize(text.data(), text.data() + text.size()).x;
  return f->CalcTextSizeA(ui.theme.font_size(font), 1e9f, 0, text.data(), text.data() + text.size())
      .x;
}

/// Text with its top left at (x, y); returns its width.
inline float put_text(const Ui& ui, ImDrawList* list, float x, float y, Rgba colour,
                      std::string_view text, Font font = Font::small) {
  ImFont* f = ui.theme.font(font);
  list->AddText(f ? f : ImGui::GetFont(), ui.theme.font_size(font), ImVec2(x, y), colour,
                text.data(), text.data() + text.size());
  return text_width(ui, font, text);
}
/// The same, ending at x, or with its middle there.
inline void put_text_right(const Ui& ui, ImDrawList* list, float x, float y, Rgba colour,
                           std::string_view text, Font font = Font::small) {
  put_text(ui, list, x - text_width(ui, font, text), y, colour, text, font);
}
inline void put_text_middle(const Ui& ui, ImDrawList* list, float x, float y, Rgba colour,
                            std::string_view text, Font font = Font::small) {
  put_text(ui, list, x - 0.5f * text_width(ui, font, text), y, colour, text, font);
}

/// Text that is wrapped at `width`; returns the height that it took.
inline float put_wrapped(const Ui& ui, ImDrawList* list, float x, float y, float width, Rgba colour,
                         std::string_view text, Font font = Font::small) {
  ImFont* f = ui.theme.font(font);
  if (!f) f = ImGui::GetFont();
  const float size = ui.theme.font_size(font);
  const char* end = text.data() + text.size();
  list->AddText(f, size, ImVec2(x, y), colour, text.data(), end, width);
  return f->CalcTextSizeA(size, 1e9f, width, text.data(), end).y;
}

/// A sentence in the middle of a place where there is nothing to show: what is missing, and why.
inline void put_note(const Ui& ui, const Rect& rect, std::string_view text) {
  if (rect.empty()) return;
  ImFont* f = ui.theme.font(Font::body);
  if (!f) f = ImGui::GetFont();
  const float width = std::min(rect.w - ui.theme.grid(4), ui.theme.px(420));
  if (width <= 0) return;
  const char* end = text.data() + text.size();
  const ImVec2 size =
      f->CalcTextSizeA(ui.theme.font_size(Font::body), 1e9f, width, text.data(), end);
  put_wrapped(ui, ImGui::GetWindowDrawList(), rect.x + 0.5f * (rect.w - size.x),
              rect.y + 0.5f * (rect.h - size.y), width, ui.colours().muted, text, Font::body);
}

struct Choice {
  const char* id;     // the probe is "ID/" and this
  std::string label;  // as shown
  bool enabled = true;
};

inline float choices_width(const Ui& ui, std::span<const Choice> choices) {
  float width = 0;
  for (const Choice& c : choices)
    width += text_width(ui, Font::small, c.label) + 2 * ui.theme.px(8) + ui.theme.px(2);
  return width;
}

/// A row of exclusive choices at a place, the chosen one filled. Returns the index clicked, or −1.
inline int put_choices(Ui& ui, const std::string& id, float x, float y, float height,
                       std::span<const Choice> choices, int chosen) {
  const Palette& colours = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  int clicked = -1;
  for (int i = 0; i < int(choices.size()); ++i) {
    const Choice& c = choices[std::size_t(i)];
    const float width = text_width(ui, Font::small, c.label) + 2 * ui.theme.px(8);
    const std::string name = id + "/" + c.id;
    ImGui::SetCursorScreenPos(ImVec2(x, y));
    const bool pressed = ImGui::InvisibleButton(name.c_str(), ImVec2(width, height));
    ui.probe(name);
    const bool hovered = ImGui::IsItemHovered();
    if (pressed && c.enabled) clicked = i;
    const Rgba ground = i == chosen            ? colours.accent
                        : hovered && c.enabled ? colours.hovered
                                               : colours.raised;
    const Rgba ink = i == chosen ? colours.on_accent
                     : c.enabled ? colours.text
                                 : with_alpha(colours.muted, 110);
    list->AddRectFilled(ImVec2(x, y), ImVec2(x + width, y + height), ground, ui.theme.px(4));
    put_text(ui, list, x + ui.theme.px(8),
             y + 0.5f * (height - ui.theme.font_size(Font::small)) - ui.theme.px(1), ink, c.label);
    x += width + ui.theme.px(2);
  }
  return clicked;
}

/// printf into a string: for numbers of a fixed form.
template <class... Args>
[[nodiscard]] std::string formatted(const char* format, Args... args) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, format, args...);
  return buffer;
}

/// 1234567 as "1,234,567".
[[nodiscard]] inline std::string with_thousands(long long n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  for (int i = int(digits.size()) - 3; i > 0; i -= 3) digits.insert(std::size_t(i), ",");
  return n < 0 ? "−" + digits : digits;
}

}  // namespace tpp::viewer
