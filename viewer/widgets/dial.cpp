// A unit circle with arrows.
#include "viewer/widgets/dial.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "viewer/compat.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {

float dial_height(const Ui& ui, float side, bool caption, bool detail) {
  const float line = ui.theme.font_size(Font::small) + ui.theme.px(2);
  return side + (caption ? line : 0) + (detail ? line : 0);
}

DialHit draw_dial(Ui& ui, const char* id, std::span<const DialArrow> arrows, const DialOptions& o) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float side = std::max(t.px(16), o.size > 0 ? o.size : ImGui::GetContentRegionAvail().x);
  const ImVec2 start = ImGui::GetCursorScreenPos();
  const float height = dial_height(ui, side, !o.caption.empty(), !o.detail.empty());
  DialHit hit;
  hit.clicked = ImGui::InvisibleButton(id, ImVec2(side, height));
  ui.probe(id);
  hit.hovered = ImGui::IsItemHovered();

  const ImVec2 centre(std::floor(start.x + side / 2) + 0.5f, std::floor(start.y + side / 2) + 0.5f);
  const float radius = std::floor(side / 2 - t.px(3));
  const bool bright = hit.hovered || o.hovered_elsewhere;
  if (bright || o.selected) {
    list->AddRectFilled(start, ImVec2(start.x + side, start.y + height),
                        with_alpha(o.selected ? p.accent : p.hovered, o.selected ? 36 : 160),
                        t.px(4));
  }
  list->AddCircleFilled(centre, radius, p.raised, 48);
  list->AddCircle(centre, radius,
                  o.selected ? p.accent
                  : bright   ? p.text
                             : p.guide,
                  48, std::max(1.0f, t.px(1)));
  const float tick = std::max(1.0f, radius * 0.1f);
  list->AddRectFilled(ImVec2(centre.x + radius - tick, centre.y - 0.5f),
                      ImVec2(centre.x + radius, centre.y + 0.5f), p.guide);
  list->AddCircleFilled(centre, t.px(1.5f), p.guide, 8);

  // Arcs: how far it turned, near the centre so that arrows stay clear
  for (const DialArc& arc : o.arcs) {
    if (!std::isfinite(arc.from) || !std::isfinite(arc.to) || arc.from == arc.to) continue;
    const float turns = std::clamp((arc.to - arc.from) / 6.2831853f, -1.0f, 1.0f);
    const int pieces = std::max(2, static_cast<int>(std::fabs(turns) * 48));
    std::array<ImVec2, 64> points{};
    const float r = radius * 0.42f;
    for (int i = 0; i <= pieces; ++i) {
      const float angle =
          arc.from + turns * 6.2831853f * static_cast<float>(i) / static_cast<float>(pieces);
      points[static_cast<std::size_t>(i)] =
          ImVec2(centre.x + r * std::cos(angle), centre.y - r * std::sin(angle));
    }
    compat::add_polyline(list, points.data(), pieces + 1, arc.colour ? arc.colour : p.muted, false,
                         std::max(1.5f, t.px(2)));
  }

  for (const DialArrow& arrow : arrows) {
    const Rgba colour = arrow.colour ? arrow.colour : p.run_a;
    const float length = std::sqrt(arrow.x * arrow.x + arrow.y * arrow.y);
    if (!std::isfinite(length)) {
      // Not a direction: a loud cross
      const float r = radius * 0.5f;
      list->AddLine(ImVec2(centre.x - r, centre.y - r), ImVec2(centre.x + r, centre.y + r),
                    rgba(255, 0, 255), t.px(3));
      list->AddLine(ImVec2(centre.x - r, centre.y + r), ImVec2(centre.x + r, centre.y - r),
                    rgba(255, 0, 255), t.px(3));
      continue;
    }
    const float shown = std::min(1.0f, length);
    if (shown * radius < 1) {
      list->AddCircleFilled(centre, t.px(2), colour, 8);
      continue;
    }
    const float ux = arrow.x / length, uy = -arrow.y / length;  // on the screen y goes down
    const float thickness = std::max(1.5f, 1.75f * t.scale());
    const float head = std::min(t.px(7), radius * 0.35f);
    const ImVec2 tip(centre.x + ux * shown * radius, centre.y + uy * shown * radius);
    const float shaft = std::max(0.0f, shown * radius - head * 0.8f);
    const ImVec2 neck(centre.x + ux * shaft, centre.y + uy * shaft);
    if (arrow.dashed) {
      const float on = t.px(3), off = t.px(3);
      for (float at = 0; at < shaft; at += on + off) {
        const float to = std::min(shaft, at + on);
        list->AddLine(ImVec2(centre.x + ux * at, centre.y + uy * at),
                      ImVec2(centre.x + ux * to, centre.y + uy * to), colour, thickness);
      }
    } else {
      list->AddLine(centre, neck, colour, thickness);
    }
    if (length > 1.001f) {
      // Longer than the circle: a bar across its edge
      const float w = head * 0.6f;
      list->AddLine(ImVec2(tip.x - uy * w, tip.y + ux * w), ImVec2(tip.x + uy * w, tip.y - ux * w),
                    colour, thickness);
    }
    const float w = head * 0.45f;
    list->AddTriangleFilled(tip, ImVec2(tip.x - ux * head - uy * w, tip.y - uy * head + ux * w),
                            ImVec2(tip.x - ux * head + uy * w, tip.y - uy * head - ux * w), colour);
  }

  // Captions
  const FontScope small(t, Font::small);
  float y = start.y + side + t.px(1);
  for (const std::string* text : {&o.caption, &o.detail}) {
    if (text->empty()) continue;
    const std::string cut = elide(*text, side);
    const float w = ImGui::CalcTextSize(cut.c_str()).x;
    list->AddText(ImVec2(std::floor(start.x + (side - w) / 2), y),
                  text == &o.caption ? p.text : p.muted, cut.c_str());
    y += ImGui::GetFontSize() + t.px(2);
  }
  return hit;
}

}  // namespace tpp::viewer
