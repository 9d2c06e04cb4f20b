// Boxes, arrows, the time strip, and text cut to a width.
#include "viewer/widgets/strip.h"

#include <algorithm>
#include <cmath>

#include "viewer/compat.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {

std::string elide(const std::string& text, float width) {
  if (ImGui::CalcTextSize(text.c_str()).x <= width) return text;
  // Cut whole UTF-8 characters until it fits with the dots
  std::string cut = text;
  while (!cut.empty()) {
    while (!cut.empty() && (static_cast<unsigned char>(cut.back()) & 0xC0u) == 0x80u)
      cut.pop_back();
    if (!cut.empty()) cut.pop_back();
    while (!cut.empty() && cut.back() == ' ') cut.pop_back();
    const std::string with_dots = cut + "…";
    if (ImGui::CalcTextSize(with_dots.c_str()).x <= width) return with_dots;
  }
  return {};
}

BoxHit draw_box(Ui& ui, const char* id, const Rect& r, const BoxSpec& s) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  BoxHit hit;
  if (r.empty()) return hit;
  ImGui::SetCursorScreenPos(ImVec2(r.x, r.y));
  hit.clicked = ImGui::InvisibleButton(id, ImVec2(r.w, r.h));
  ui.probe(id);
  hit.hovered = ImGui::IsItemHovered();

  const ImVec2 a(r.x, r.y), b(r.right(), r.bottom());
  const Rgba ground = s.selected    ? mix(p.raised, p.accent, 0.22f)
                      : hit.hovered ? p.hovered
                                    : p.raised;
  const int strength = s.enabled ? 255 : 110;
  list->AddRectFilled(a, b, with_alpha(ground, strength), t.px(4));
  if (s.dim != Dim::none) {
    list->AddRectFilled(a, ImVec2(a.x + t.px(4), b.y), with_alpha(t.dim(s.dim), strength), t.px(4),
                        ImDrawFlags_RoundCornersLeft);
  }
  if (s.changed) {
    compat::add_rect(list, a, b, p.run_b, t.px(4), t.px(2));
  } else if (s.selected) {
    compat::add_rect(list, a, b, p.accent, t.px(4), t.px(1));
  } else {
    compat::add_rect(list, a, b, p.border, t.px(4), t.px(1));
  }

  // Text: title, chapter at the right, detail below when there is room
  list->PushClipRect(a, b, true);
  const float pad = t.px(s.dim != Dim::none ? 10 : 8);
  const float title_h = t.font_size(Font::body), detail_h = t.font_size(Font::small);
  const bool detail = !s.detail.empty() && r.h >= title_h + detail_h + t.px(4);
  const float block = title_h + (detail ? detail_h + t.px(2) : 0);
  float y = std::floor(r.y + (r.h - block) / 2);
  float right = b.x - t.px(8);
  if (!s.chapter.empty()) {
    const FontScope mono(t, Font::mono_small);
    const float w = ImGui::CalcTextSize(s.chapter.c_str()).x;
    if (w < r.w / 3) {
      list->AddText(
          ImVec2(std::floor(right - w), std::floor(y + (title_h - ImGui::GetFontSize()) / 2)),
          with_alpha(p.muted, strength), s.chapter.c_str());
      right -= w + t.px(6);
    }
  }
  {
    const FontScope body(t, Font::body);
    list->AddText(ImVec2(a.x + pad, y), with_alpha(s.enabled ? p.text : p.muted, 255),
                  elide(s.title, std::max(1.0f, right - a.x - pad)).c_str());
  }
  y += title_h + t.px(2);
  if (detail) {
    const FontScope small(t, Font::small);
    list->AddText(ImVec2(a.x + pad, y), p.muted,
                  elide(s.detail, std::max(1.0f, b.x - t.px(8) - a.x - pad)).c_str());
  }
  list->PopClipRect();
  return hit;
}

void draw_arrow(Ui& ui, std::span<const ImVec2> path, Rgba colour, float thickness) {
  if (path.size() < 2) return;
  const Theme& t = ui.theme;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 from = path[path.size() - 2], tip = path.back();
  const float dx = tip.x - from.x, dy = tip.y - from.y, length = std::sqrt(dx * dx + dy * dy);
  const float head = t.px(6);
  std::vector<ImVec2> points(path.begin(), path.end());
  if (length > 0) {
    const float ux = dx / length, uy = dy / length, w = head * 0.55f;
    points.back() =
        ImVec2(tip.x - ux * std::min(head, length), tip.y - uy * std::min(head, length));
    list->AddTriangleFilled(tip, ImVec2(tip.x - ux * head - uy * w, tip.y - uy * head + ux * w),
                            ImVec2(tip.x - ux * head + uy * w, tip.y - uy * head - ux * w), colour);
  }
  compat::add_polyline(list, points.data(), static_cast<int>(points.size()), colour, false,
                       thickness * t.scale());
}

void draw_node(Ui& ui, ImVec2 centre, float radius, const char* sign, Rgba colour) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddCircleFilled(centre, radius, ui.colours().panel, 24);
  list->AddCircle(centre, radius, colour, 24, 1.5f * ui.theme.scale());
  const FontScope small(ui.theme, Font::small);
  const ImVec2 extent = ImGui::CalcTextSize(sign);
  list->AddText(
      ImVec2(std::floor(centre.x - extent.x / 2 + 0.5f), std::floor(centre.y - extent.y / 2)),
      colour, sign);
}

StripHit draw_time_strip(Ui& ui, const char* id, ImVec2 size, double x0, double x1, double cursor,
                         std::span<const StripMark> marks, bool following,
                         std::span<const std::pair<double, double>> thinned) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  StripHit hit;
  if (!(x1 > x0)) x1 = x0 + 1;
  if (size.x <= 0) size.x = ImGui::GetContentRegionAvail().x;
  if (size.y <= 0) size.y = t.px(28);
  size.x = std::max(size.x, t.px(32));
  const ImVec2 start = ImGui::GetCursorScreenPos();
  ImGui::InvisibleButton(id, size);
  ui.probe(id);
  const float ax = start.x + t.px(8), bx = start.x + size.x - t.px(8);
  const auto x_of = [&](double x) {
    return ax + static_cast<float>(std::clamp((x - x0) / (x1 - x0), 0.0, 1.0)) * (bx - ax);
  };

  // Track, and how far it has come
  const float line = t.font_size(Font::mono_small);
  const float y = std::floor(start.y + (size.y - line) / 2 - t.px(1)), half = t.px(3);
  list->AddRectFilled(ImVec2(ax, y - half), ImVec2(bx, y + half), p.raised, half);
  list->AddRectFilled(ImVec2(ax, y - half), ImVec2(std::max(ax + 1, x_of(cursor)), y + half),
                      following ? p.accent : p.guide, half);
  for (const auto& [from, to] : thinned) {
    for (float x = x_of(from); x < x_of(to); x += t.px(4)) {
      list->AddLine(ImVec2(x, y + half), ImVec2(x + t.px(3), y - half), p.window, 1);
    }
  }

  // Numbers below the track
  {
    const FontScope mono(t, Font::mono_small);
    const std::vector<double> ticks =
        axis_ticks(x0, x1, std::clamp(static_cast<int>((bx - ax) / t.px(100)), 1, 16));
    const double step = std::max(1.0, ticks.size() > 1 ? ticks[1] - ticks[0] : 0);
    for (const double v : ticks) {
      if (v != std::floor(v)) continue;  // there are no halves of steps
      const std::string text = axis_number(v, step);
      const float w = ImGui::CalcTextSize(text.c_str()).x;
      list->AddText(ImVec2(std::floor(std::clamp(x_of(v) - w / 2, start.x,
                                                 std::max(start.x, start.x + size.x - w))),
                           std::floor(start.y + size.y - line)),
                    p.muted, text.c_str());
    }
  }

  // Mouse: anywhere on the strip scrubs
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  hit.hovered = ImGui::IsItemHovered();
  hit.scrubbed = ImGui::IsItemActive();
  if (hit.hovered || hit.scrubbed) {
    hit.x =
        x0 + static_cast<double>(std::clamp((mouse.x - ax) / std::max(1.0f, bx - ax), 0.0f, 1.0f)) *
                 (x1 - x0);
  }

  for (int i = 0; i < static_cast<int>(marks.size()); ++i) {
    const StripMark& m = marks[static_cast<std::size_t>(i)];
    const float x = std::floor(x_of(m.x)) + 0.5f;
    if (hit.hovered && std::fabs(mouse.x - x) < t.px(5) && hit.mark < 0) hit.mark = i;
    const float r = t.px(4);
    if (m.kind == StripMark::Kind::keyframe) {
      list->AddQuadFilled(ImVec2(x, y - r), ImVec2(x + r, y), ImVec2(x, y + r), ImVec2(x - r, y),
                          p.text);
    } else if (m.kind == StripMark::Kind::fork) {
      list->AddCircleFilled(ImVec2(x, y), r, p.run_b, 12);
      list->AddLine(ImVec2(x, y), ImVec2(x + 2 * r, y - 2 * r), p.run_b, t.px(2));
    } else {
      list->AddTriangleFilled(ImVec2(x - r, y - half - 2 * r), ImVec2(x + r, y - half - 2 * r),
                              ImVec2(x, y - half), p.event);
    }
  }

  // The handle
  const float hx = x_of(cursor);
  list->AddCircleFilled(ImVec2(hx, y), t.px(7), p.window, 24);
  list->AddCircleFilled(ImVec2(hx, y), t.px(6), hit.hovered || hit.scrubbed ? p.text : p.accent,
                        24);
  if (hit.mark >= 0 && !marks[static_cast<std::size_t>(hit.mark)].label.empty()) {
    hint(ui, marks[static_cast<std::size_t>(hit.mark)].label);
  }
  return hit;
}

}  // namespace tpp::viewer
