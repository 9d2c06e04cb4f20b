// Bars of counts.
#include "viewer/widgets/histogram.h"

#include <algorithm>
#include <cmath>

#include "viewer/compat.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {

int draw_histogram(Ui& ui, const char* id, std::span<const std::uint32_t> counts,
                   const HistogramOptions& o, std::span<const std::uint32_t> outline,
                   Rgba outline_colour) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 available = ImGui::GetContentRegionAvail(), start = ImGui::GetCursorScreenPos();
  const ImVec2 size(std::max(t.px(24), o.size.x > 0 ? o.size.x : available.x),
                    std::max(t.px(24), o.size.y > 0 ? o.size.y : available.y));
  ImGui::InvisibleButton(id, size);
  ui.probe(id);
  const FontScope small(t, Font::small);
  const float line = ImGui::GetFontSize();
  const float header = o.title.empty() ? 0 : line + t.px(3), footer = o.axis ? line + t.px(3) : 0;
  const ImVec2 a(start.x, std::floor(start.y + header)),
      b(start.x + size.x, std::floor(std::max(a.y + 4, start.y + size.y - footer)));
  if (!o.title.empty()) {
    list->AddText(start, p.muted, elide(o.title, size.x).c_str());
  }
  list->AddRectFilled(ImVec2(a.x, b.y), ImVec2(b.x, b.y + 1), p.border);

  std::uint32_t most = 0;
  for (const std::uint32_t n : counts) most = std::max(most, n);
  for (const std::uint32_t n : outline) most = std::max(most, n);
  if (most == 0) {
    list->AddText(ImVec2(a.x + t.px(4), a.y + t.px(2)), p.muted,
                  elide("No data yet", size.x).c_str());
    return -1;
  }
  const auto height_of = [&](std::uint32_t n) {
    if (n == 0) return 0.0f;
    const double f =
        o.log_counts ? std::log1p(static_cast<double>(n)) / std::log1p(static_cast<double>(most))
                     : static_cast<double>(n) / static_cast<double>(most);
    // Something is never drawn as nothing
    return std::max(1.0f, static_cast<float>(f) * (b.y - a.y - 1));
  };

  // Which bin is under the mouse
  int hovered = -1;
  const int bins = static_cast<int>(counts.size());
  if (ImGui::IsItemHovered() && bins > 0) {
    hovered = std::clamp(static_cast<int>((ImGui::GetIO().MousePos.x - a.x) / (b.x - a.x) *
                                          static_cast<float>(bins)),
                         0, bins - 1);
  }
  const Rgba colour = o.colour ? o.colour : p.run_a;
  for (int i = 0; i < bins; ++i) {
    const float h = height_of(counts[static_cast<std::size_t>(i)]);
    if (h == 0) continue;
    const float x0 =
        std::floor(a.x + (b.x - a.x) * static_cast<float>(i) / static_cast<float>(bins));
    const float x1 =
        std::floor(a.x + (b.x - a.x) * static_cast<float>(i + 1) / static_cast<float>(bins));
    const float gap = x1 - x0 > t.px(4) ? 1.0f : 0.0f;
    list->AddRectFilled(ImVec2(x0, b.y - h), ImVec2(std::max(x0 + 1, x1 - gap), b.y),
                        i == hovered ? p.text : with_alpha(colour, 210));
  }
  const int others = static_cast<int>(outline.size());
  for (int i = 0; i < others; ++i) {
    const float y = std::floor(b.y - height_of(outline[static_cast<std::size_t>(i)]));
    const float x0 =
        std::floor(a.x + (b.x - a.x) * static_cast<float>(i) / static_cast<float>(others));
    const float x1 =
        std::floor(a.x + (b.x - a.x) * static_cast<float>(i + 1) / static_cast<float>(others));
    const Rgba edge = outline_colour ? outline_colour : p.run_b;
    list->AddRectFilled(ImVec2(x0, y), ImVec2(x1, y + t.px(2)), edge);
    // The step to the next bar
    if (i + 1 < others) {
      const float next = std::floor(b.y - height_of(outline[static_cast<std::size_t>(i + 1)]));
      list->AddRectFilled(ImVec2(x1 - 1, std::min(y, next)),
                          ImVec2(x1, std::max(y, next) + t.px(2)), edge);
    }
  }

  if (o.axis) {
    const FontScope mono(t, Font::mono_small);
    std::string lo = number_text(o.lo, 3), hi = number_text(o.hi, 3);
    if (hovered >= 0) {
      const double step = (o.hi - o.lo) / bins;
      lo = number_text(o.lo + step * hovered, 3) + " – " +
           number_text(o.lo + step * (hovered + 1), 3);
      hi = "× " + std::to_string(counts[static_cast<std::size_t>(hovered)]);
    } else if (!o.unit.empty()) {
      hi += " " + o.unit;
    }
    const float w = ImGui::CalcTextSize(hi.c_str()).x;
    const float lo_w = ImGui::CalcTextSize(lo.c_str()).x;
    list->AddText(ImVec2(a.x, b.y + t.px(3)), hovered >= 0 ? p.text : p.muted, lo.c_str());
    if (lo_w + w + t.px(6) <= size.x) {
      list->AddText(ImVec2(b.x - w, b.y + t.px(3)), hovered >= 0 ? p.text : p.muted, hi.c_str());
    }
  }
  return hovered;
}

}  // namespace tpp::viewer
