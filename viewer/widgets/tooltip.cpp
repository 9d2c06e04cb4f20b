// The explain tooltip and one-line hints.
#include "viewer/widgets/tooltip.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "viewer/panels/drawing.h"
#include "viewer/widgets/rich_text.h"

namespace tpp::viewer {
namespace {

void begin_tip(const Ui& ui) {
  const Theme& t = ui.theme;
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(t.px(10), t.px(8)));
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2(t.px(8), t.px(3)));
  ImGui::BeginTooltip();
}
void end_tip() {
  ImGui::EndTooltip();
  ImGui::PopStyleVar(2);
}

/// How wide the text may be: narrow, unless that would make more than seven lines.
float wrap_for(const Ui& ui, const Explanation& e, const std::string& source) {
  const Theme& t = ui.theme;
  const float most = ImGui::GetIO().DisplaySize.x - t.px(48);
  const auto width = [&](Font font, const std::string& text, const char* before) {
    return text.empty() ? 0 : text_width(ui, font, before + plain_text(text));
  };
  const float widths[] = {width(Font::body, e.name, ""),      width(Font::mono, e.formula, ""),
                          width(Font::mono, e.numbers, "= "), width(Font::mono, e.result, "= "),
                          width(Font::small, e.why, ""),      width(Font::small, source, "")};
  float wrap = t.px(440);
  for (; wrap < most; wrap += t.px(40)) {
    int lines = 0;  // a word that does not fit leaves a gap at its line's end
    for (const float w : widths)
      if (w > 0) lines += w <= wrap ? 1 : int(std::ceil(w / (wrap - t.px(56))));
    if (lines <= 7) break;
  }
  return std::min(wrap, most);
}

}  // namespace

bool tooltip_ready(Ui& ui, std::string_view key) { return ui.hover.rested(key, ImGui::GetTime()); }

void draw_tooltip(Ui& ui, const Explanation& e) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  std::string source = e.source;
  if (ui.code && !source.empty()) {
    const CodePlace& place = ui.code->find(source);
    if (place.line > 0) ui.code->show(place);
    source = place.text();
  }
  const std::pair<const char*, const std::string&> parts[] = {
      {"tooltip/name", e.name},     {"tooltip/formula", e.formula}, {"tooltip/numbers", e.numbers},
      {"tooltip/result", e.result}, {"tooltip/why", e.why},         {"tooltip/source", source}};
  for (const auto& [name, words] : parts) ui.probes.note(name, words);

  const float wrap = wrap_for(ui, e, source);
  begin_tip(ui);
  {
    const FontScope body(t, Font::body);
    if (!e.name.empty()) draw_rich(ui, e.name, wrap);
  }
  {
    const FontScope mono(t, Font::mono);
    if (!e.formula.empty()) draw_rich(ui, e.formula, wrap);
    if (!e.numbers.empty()) draw_rich(ui, "= " + e.numbers, wrap);
    if (!e.result.empty()) {
      ImGui::PushStyleColor(ImGuiCol_Text, p.accent);
      draw_rich(ui, "= " + e.result, wrap);
      ImGui::PopStyleColor();
    }
  }
  // The fonts' scopes end before the tooltip's window does
  {
    const FontScope small(t, Font::small);
    if (!e.why.empty()) draw_rich(ui, e.why, wrap);
    if (!source.empty()) {
      ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
      draw_rich(ui, source, wrap);
      ImGui::PopStyleColor();
    }
  }
  const ImVec2 at = ImGui::GetWindowPos(), size = ImGui::GetWindowSize();
  ui.probes.record("tooltip", {at.x, at.y, size.x, size.y});
  end_tip();
}

void hint(Ui& ui, std::string_view text, std::string_view shortcut) {
  if (!ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled) || ImGui::IsItemActive()) return;
  if (!tooltip_ready(ui, text)) return;
  const FontScope small(ui.theme, Font::small);
  begin_tip(ui);
  std::string all(text);
  if (!shortcut.empty()) all += "   {-|" + std::string(shortcut) + "}";
  draw_rich(ui, all, 0);
  end_tip();
}

}  // namespace tpp::viewer
