// Labelled horizontal bars.
#include "viewer/widgets/bars.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "viewer/compat.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {
namespace {
float row_height(const Ui& ui) { return ui.theme.font_size(Font::small) + ui.theme.px(5); }
}  // namespace

float bars_height(const Ui& ui, int count, bool guide_label) {
  return row_height(ui) * static_cast<float>(count + (guide_label ? 1 : 0));
}

BarsHit draw_bars(Ui& ui, const char* id, std::span<const Bar> bars, const BarsOptions& o) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  BarsHit hit;
  const int count = static_cast<int>(bars.size());
  const bool with_guide = o.guide != 0 && std::isfinite(o.guide);
  const bool guide_row = with_guide && !o.guide_label.empty();
  const ImVec2 start = ImGui::GetCursorScreenPos();
  const ImVec2 size(std::max(t.px(48), o.size.x > 0 ? o.size.x : ImGui::GetContentRegionAvail().x),
                    std::max(1.0f, o.size.y > 0 ? o.size.y : bars_height(ui, count, guide_row)));
  const bool clicked = ImGui::InvisibleButton(id, size);
  ui.probe(id);
  const bool over = ImGui::IsItemHovered();
  const FontScope small(t, Font::small);
  if (count == 0) {
    list->AddText(start, p.muted, "No data yet");
    return hit;
  }

  // The axis: 0 is always on a linear one
  double lo = o.lo, hi = o.hi;
  if (!(hi > lo)) {
    lo = o.log ? 1e300 : 0;
    hi = o.log ? 1e-300 : 0;
    const auto take = [&](double v) {
      if (!std::isfinite(v) || (o.log && v <= 0)) return;
      lo = std::min(lo, v);
      hi = std::max(hi, v);
    };
    for (const Bar& b : bars) {
      take(b.value);
      if (o.two) take(b.other);
    }
    if (with_guide) take(o.guide);
    if (o.log && lo <= hi) {
      lo /= 2;
      hi *= 2;
    }
    if (!(hi > lo)) {
      lo = o.log ? 0.1 : 0;
      hi = 1;
    }
  }

  // Columns: label, bar, number
  float label_w = o.label_width, number_w = 0;
  std::vector<std::string> numbers(bars.size());
  for (int i = 0; i < count; ++i) {
    const Bar& b = bars[static_cast<std::size_t>(i)];
    std::string& text = numbers[static_cast<std::size_t>(i)];
    text = b.text.empty() ? number_text(b.value, o.decimals) : b.text;
    const FontScope mono(t, Font::mono_small);
    number_w = std::max(number_w, ImGui::CalcTextSize(text.c_str()).x);
  }
  if (label_w <= 0) {
    for (const Bar& b : bars) label_w = std::max(label_w, ImGui::CalcTextSize(b.label.c_str()).x);
    label_w = std::min(label_w, size.x / 3);
  }
  const float x0 = std::floor(start.x + label_w + (label_w > 0 ? t.px(8) : 0));
  const float x1 = std::floor(std::max(x0 + t.px(8), start.x + size.x - number_w - t.px(8)));
  const auto x_of = [&](double v) {
    double f = 0;
    if (o.log) {
      f = v > 0 ? (std::log10(v) - std::log10(lo)) / (std::log10(hi) - std::log10(lo)) : 0;
    } else {
      f = (v - lo) / (hi - lo);
    }
    return x0 + static_cast<float>(std::clamp(f, 0.0, 1.0)) * (x1 - x0);
  };
  const float zero = o.log ? x0 : x_of(0);

  list->PushClipRect(start, ImVec2(start.x + size.x, start.y + size.y), true);
  const float row = std::min(
      row_height(ui) * 1.6f,
      std::max(t.px(6), (size.y - (guide_row ? row_height(ui) : 0)) / static_cast<float>(count)));
  float y = start.y;
  if (guide_row) y += row_height(ui);
  const float line = ImGui::GetFontSize();
  for (int i = 0; i < count; ++i, y += row) {
    const Bar& b = bars[static_cast<std::size_t>(i)];
    const Rect box{start.x, y, size.x, row};
    ui.probes.record(std::string(id) + "/" + std::to_string(i), box);
    const bool here = over && box.contains(ImGui::GetIO().MousePos.x, ImGui::GetIO().MousePos.y);
    if (here) {
      hit.hovered = i;
      hit.clicked = clicked;
    }
    if (here || b.selected) {
      list->AddRectFilled(ImVec2(start.x, y), ImVec2(start.x + size.x, y + row),
                          b.selected ? with_alpha(p.accent, 36) : with_alpha(p.hovered, 160),
                          t.px(3));
    }
    const bool words = row >= line;
    const float text_y = std::floor(y + (row - line) / 2);
    if (words && label_w > 0) {
      const std::string cut = elide(b.label, label_w);
      const float w = ImGui::CalcTextSize(cut.c_str()).x;
      list->AddText(ImVec2(std::floor(start.x + label_w - w), text_y), p.text, cut.c_str());
    }

    // The bar, and run B's below it
    const Rgba colour = b.colour ? b.colour : p.run_a;
    const float pad = std::max(1.0f, std::round(row * 0.2f)),
                second = o.two ? std::round(row * 0.22f) : 0;
    const auto bar = [&](double v, float top, float low, Rgba c) {
      if (!std::isfinite(v) || (o.log && v <= 0)) return;
      const float xa = std::min(zero, x_of(v)), xb = std::max(zero, x_of(v));
      // Something is never drawn as nothing
      const float least = v != 0 && xb - xa < 1 ? 1.0f : 0.0f;
      list->AddRectFilled(ImVec2(xa, std::floor(top)), ImVec2(xb + least, std::floor(low)), c, 0);
    };
    bar(b.value, y + pad, y + row - pad - second, colour);
    if (o.two) bar(b.other, y + row - pad - second, y + row - pad, p.run_b);
    if (words) {
      const FontScope mono(t, Font::mono_small);
      const std::string& text = numbers[static_cast<std::size_t>(i)];
      const float w = ImGui::CalcTextSize(text.c_str()).x;
      list->AddText(ImVec2(std::floor(start.x + size.x - w),
                           std::floor(y + (row - ImGui::GetFontSize()) / 2)),
                    std::isfinite(b.value) ? p.text : p.error, text.c_str());
    }
  }

  // Zero, and the guide over all rows
  const float top = start.y + (guide_row ? row_height(ui) : 0), low = std::min(y, start.y + size.y);
  if (!o.log && lo < 0) {
    list->AddRectFilled(ImVec2(std::floor(zero), top), ImVec2(std::floor(zero) + 1, low), p.guide);
  }
  if (with_guide) {
    const float x = std::floor(x_of(o.guide));
    list->AddRectFilled(ImVec2(x, top - t.px(2)), ImVec2(x + t.px(1), low), p.text);
    if (guide_row) {
      const float w = ImGui::CalcTextSize(o.guide_label.c_str()).x;
      list->AddText(ImVec2(std::floor(std::clamp(x - w / 2, start.x,
                                                 std::max(start.x, start.x + size.x - w))),
                           start.y),
                    p.muted, o.guide_label.c_str());
    }
  }
  list->PopClipRect();
  return hit;
}

}  // namespace tpp::viewer
