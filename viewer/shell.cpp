// Windows of slots, title bars, splitters.
#include "viewer/shell.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>

#include "viewer/compat.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

constexpr ImGuiWindowFlags kFixed =
    ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoResize | ImGuiWindowFlags_NoMove |
    ImGuiWindowFlags_NoCollapse | ImGuiWindowFlags_NoSavedSettings |
    ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoScrollbar |
    ImGuiWindowFlags_NoScrollWithMouse | ImGuiWindowFlags_NoNavFocus;

void begin_window(const std::string& name, const Rect& rect, ImVec2 padding, Rgba ground) {
  ImGui::SetNextWindowPos(ImVec2(rect.x, rect.y));
  ImGui::SetNextWindowSize(ImVec2(rect.w, rect.h));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, padding);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ground);
  ImGui::Begin(name.c_str(), nullptr, kFixed);
  ImGui::PopStyleColor();
  ImGui::PopStyleVar(3);
}

// A small flat button with a word or sign; true when clicked.
bool tool(Ui& ui, const std::string& id, const char* text, ImVec2 at, float height,
          const char* what, float* width = nullptr) {
  const Palette& p = ui.colours();
  const FontScope small(ui.theme, Font::small);
  const ImVec2 size = ImGui::CalcTextSize(text);
  const float w = std::max(height, size.x + ui.theme.px(10));
  if (width) *width = w;
  ImGui::SetCursorScreenPos(at);
  const bool clicked = ImGui::InvisibleButton(id.c_str(), ImVec2(w, height));
  ui.probe(id);
  const bool hovered = ImGui::IsItemHovered();
  ImDrawList* list = ImGui::GetWindowDrawList();
  if (hovered) {
    list->AddRectFilled(at, ImVec2(at.x + w, at.y + height), p.hovered, ui.theme.px(4));
  }
  list->AddText(
      ImVec2(std::floor(at.x + (w - size.x) / 2), std::floor(at.y + (height - size.y) / 2)),
      hovered ? p.text : p.muted, text);
  hint(ui, what);
  return clicked;
}

}  // namespace

void draw_background(Ui& ui) {
  const ImVec2 size = ImGui::GetIO().DisplaySize;
  ImGui::GetBackgroundDrawList()->AddRectFilled(ImVec2(0, 0), size, ui.colours().window);
}

Rect begin_slot(Ui& ui, Slot slot, const Rect& rect, const std::vector<SlotTab>& tabs, int& active,
                bool maximised, PanelAction* action) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  const std::string name = std::string("slot/") + slot_name(slot);

  // The ground leaves half a gap to each neighbour
  const float gap = t.px(2);
  const Rect box = rect.inset(gap);
  begin_window(name, box, ImVec2(0, 0), p.panel);
  ui.probes.record(name, box);
  ImDrawList* list = ImGui::GetWindowDrawList();
  compat::add_rect(list, ImVec2(box.x, box.y), ImVec2(box.right(), box.bottom()), p.border);

  // Tools at the right end of the title bar; those that find no room are left out
  const float bar = t.px(32), height = t.px(24);
  const float y = box.y + (bar - height) / 2;
  float right = box.right() - t.px(4);
  PanelAction done;
  const auto place = [&](const char* id, const char* text, const char* what) {
    float w = 0;
    {
      const FontScope small(t, Font::small);
      w = std::max(height, ImGui::CalcTextSize(text).x + t.px(10));
    }
    if (right - w < box.x + box.w * 0.4f) return false;
    right -= w;
    return tool(ui, name + "/" + id, text, ImVec2(right, y), height, what);
  };
  done.maximise = place("maximise", maximised ? "▣" : "□",
                        maximised ? "Restore (Escape)" : "Fill the window with this panel");
  done.explain = place("explain", "?", "What this panel shows");
  done.csv = place("csv", "CSV", "Save the numbers of this panel");
  done.png = place("png", "PNG", "Save a picture of this panel");

  // Title, or tabs
  if (active >= static_cast<int>(tabs.size())) active = 0;
  const bool several = tabs.size() > 1;
  float x = box.x + t.px(several ? 4 : 8);
  for (int i = 0; i < static_cast<int>(tabs.size()); ++i) {
    const SlotTab& tab = tabs[static_cast<std::size_t>(i)];
    const FontScope font(t, Font::body);
    const float room = right - x - t.px(8);
    if (room < t.px(24)) break;
    const std::string text = elide(tab.title, room - (several ? t.px(16) : 0));
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    const float w = size.x + (several ? t.px(16) : 0);
    ImGui::SetCursorScreenPos(ImVec2(x, box.y));
    ImGui::PushID(tab.id.c_str());
    if (ImGui::InvisibleButton("tab", ImVec2(std::max(1.0f, w), bar)) && several) active = i;
    ui.probe("tab/" + tab.id);
    const bool hovered = ImGui::IsItemHovered();
    if (hovered && ImGui::IsMouseDoubleClicked(0)) done.maximise = true;
    ImGui::PopID();
    const bool on = i == active;
    const Rgba colour = on || (hovered && several) ? p.text : p.muted;
    list->AddText(ImVec2(x + (several ? t.px(8) : 0), std::floor(box.y + (bar - size.y) / 2)),
                  colour, text.c_str());
    if (several && on) {
      list->AddRectFilled(ImVec2(x + t.px(8), box.y + bar - t.px(3)),
                          ImVec2(x + w - t.px(8), box.y + bar - t.px(1)), p.accent);
    }
    x += w;
  }

  // Which run it shows
  if (!tabs.empty() && !tabs[static_cast<std::size_t>(active)].badge.empty()) {
    const SlotTab& tab = tabs[static_cast<std::size_t>(active)];
    const FontScope small(t, Font::small);
    const ImVec2 size = ImGui::CalcTextSize(tab.badge.c_str());
    const float w = size.x + t.px(12);
    if (x + t.px(8) + w < right) {
      const ImVec2 at(x + t.px(8), box.y + (bar - t.px(20)) / 2), to(at.x + w, at.y + t.px(20));
      compat::add_rect(list, at, to, tab.badge_colour, t.px(4), t.px(1.5f));
      list->AddText(ImVec2(at.x + t.px(6), std::floor(at.y + (t.px(20) - size.y) / 2)),
                    tab.badge_colour, tab.badge.c_str());
      ui.probes.record(name + "/run", {at.x, at.y, w, t.px(20)});
      x = to.x;
    }
  }

  // The chapter's tag, where there is room
  if (!tabs.empty() && !tabs[static_cast<std::size_t>(active)].chapter.empty()) {
    const std::string& chapter = tabs[static_cast<std::size_t>(active)].chapter;
    const FontScope small(t, Font::small);
    const std::string text = "ch. " + chapter.substr(0, chapter.find('_'));
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    const float w = size.x + t.px(12);
    if (x + t.px(8) + w < right) {
      const ImVec2 at(x + t.px(8), box.y + (bar - t.px(20)) / 2);
      ImGui::SetCursorScreenPos(at);
      if (ImGui::InvisibleButton("chapter", ImVec2(w, t.px(20)))) done.chapter = true;
      ui.probe(name + "/chapter");
      const bool hovered = ImGui::IsItemHovered();
      list->AddRectFilled(at, ImVec2(at.x + w, at.y + t.px(20)), hovered ? p.hovered : p.raised,
                          t.px(4));
      list->AddText(ImVec2(at.x + t.px(6), std::floor(at.y + (t.px(20) - size.y) / 2)), p.muted,
                    text.c_str());
      hint(ui, "Read chapter " + chapter);
    }
  }
  if (action) *action = done;

  // The content scrolls when it must
  const Rect content{box.x + t.px(8), box.y + bar, std::max(1.0f, box.w - t.px(16)),
                     std::max(1.0f, box.h - bar - t.px(8))};
  ImGui::SetCursorScreenPos(ImVec2(content.x, content.y));
  compat::begin_child("content", ImVec2(content.w, content.h), false);
  return content;
}

void end_slot() {
  ImGui::EndChild();
  ImGui::End();
}

Rect begin_bar(Ui& ui, Slot slot, const Rect& rect) {
  const Theme& t = ui.theme;
  const std::string name = std::string("slot/") + slot_name(slot);
  const bool low = rect.h < t.px(32);
  const ImVec2 padding(t.px(8), low ? 0 : t.px(8));
  begin_window(name, rect, padding, ui.colours().window);
  ui.probes.record(name, rect);
  return {rect.x + padding.x, rect.y + padding.y, rect.w - 2 * padding.x, rect.h - 2 * padding.y};
}

void end_bar() { ImGui::End(); }

void draw_splitters(Ui& ui, Layout& layout, const LayoutFrame& frame) {
  const ImVec2 display = ImGui::GetIO().DisplaySize;
  for (const LayoutFrame::Handle& h : frame.handles) {
    // A window of its own, above the slots, as thin as the grip
    const std::string name = "splitter/" + std::to_string(static_cast<int>(h.splitter));
    static constexpr const char* kNames[kSplitters] = {"left",         "right",         "bottom",
                                                       "right_middle", "bottom_middle", "reader"};
    ImGui::SetNextWindowPos(ImVec2(h.rect.x, h.rect.y));
    ImGui::SetNextWindowSize(ImVec2(h.rect.w, h.rect.h));
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
    ImGui::Begin(
        name.c_str(), nullptr,
        (kFixed & ~ImGuiWindowFlags_NoBringToFrontOnFocus) | ImGuiWindowFlags_NoBackground);
    ImGui::PopStyleVar(2);
    ImGui::InvisibleButton("grip", ImVec2(std::max(1.0f, h.rect.w), std::max(1.0f, h.rect.h)));
    ui.probe(std::string("splitter/") + kNames[static_cast<int>(h.splitter)]);
    const bool active = ImGui::IsItemActive(), hovered = ImGui::IsItemHovered();
    if (active || hovered) {
      ImGui::SetMouseCursor(h.vertical ? ImGuiMouseCursor_ResizeEW : ImGuiMouseCursor_ResizeNS);
      const float middle = h.vertical ? h.rect.x + h.rect.w / 2 : h.rect.y + h.rect.h / 2;
      const float half = ui.theme.px(1);
      ImGui::GetWindowDrawList()->AddRectFilled(
          h.vertical ? ImVec2(middle - half, h.rect.y) : ImVec2(h.rect.x, middle - half),
          h.vertical ? ImVec2(middle + half, h.rect.bottom())
                     : ImVec2(h.rect.right(), middle + half),
          ui.colours().accent);
    }
    if (active) {
      const ImVec2 delta = ImGui::GetIO().MouseDelta;
      const float move = h.vertical ? delta.x : delta.y;
      if (move != 0) layout.drag(h.splitter, move, display.x, display.y, ui.theme.scale());
    }
    ImGui::End();
  }
}

void draw_narrow_tabs(Ui& ui, Layout& layout, const LayoutFrame& frame) {
  if (!frame.tabbed || frame.tab_bar.empty()) return;
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  begin_window("narrow tabs", frame.tab_bar, ImVec2(t.px(4), 0), p.window);
  const float each = (frame.tab_bar.w - t.px(8)) / static_cast<float>(frame.tabs.size());
  float x = frame.tab_bar.x + t.px(4);
  for (const Slot s : frame.tabs) {
    std::string title = slot_name(s);
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
    const FontScope small(t, Font::small);
    const std::string text = elide(title, each - t.px(4));
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    ImGui::SetCursorScreenPos(ImVec2(x, frame.tab_bar.y));
    if (ImGui::InvisibleButton(slot_name(s), ImVec2(std::max(1.0f, each), frame.tab_bar.h))) {
      layout.set_tab(s);
    }
    ui.probe(std::string("tabs/") + slot_name(s));
    const bool on = layout.maximised().value_or(layout.tab()) == s,
               hovered = ImGui::IsItemHovered();
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->AddText(ImVec2(std::floor(x + (each - size.x) / 2),
                         std::floor(frame.tab_bar.y + (frame.tab_bar.h - size.y) / 2)),
                  on || hovered ? p.text : p.muted, text.c_str());
    if (on) {
      list->AddRectFilled(ImVec2(x + t.px(4), frame.tab_bar.bottom() - t.px(3)),
                          ImVec2(x + each - t.px(4), frame.tab_bar.bottom() - t.px(1)), p.accent);
    }
    x += each;
  }
  ImGui::End();
}

}  // namespace tpp::viewer
