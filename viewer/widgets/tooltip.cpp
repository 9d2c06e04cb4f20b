// The explain tooltip and one-line hints.
#include "viewer/widgets/tooltip.h"

#include <imgui.h>

#include <algorithm>

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

}  // namespace

bool tooltip_ready(Ui& ui, std::string_view key) { return ui.hover.rested(key, ImGui::GetTime()); }

void draw_tooltip(Ui& ui, const Explanation& e) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  const float wrap = std::min(t.px(440), ImGui::GetIO().DisplaySize.x - t.px(48));
  begin_tip(ui);
  if (!e.name.empty()) draw_rich(ui, e.name, wrap);
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
    if (!e.source.empty()) {
      ImGui::PushStyleColor(ImGuiCol_Text, p.muted);
      draw_rich(ui, e.source, wrap);
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
