// The colour bar.
#include "viewer/widgets/legend.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "viewer/compat.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/heatmap.h"
#include "viewer/widgets/strip.h"

namespace tpp::viewer {

Told told_colour(const LegendSpec& spec, double place, bool power) {
  const double lo = double(spec.range.lo), hi = double(spec.range.hi);
  Told told;
  told.name = "This colour" + (spec.unit.empty() ? "" : " of " + spec.unit);
  told.source = "viewer/colormap.cpp: choose_range";
  const std::string at = number_text(std::round(place * 1e4) / 1e4, 4);
  place = std::round(place * 1e4) / 1e4;
  if (spec.policy == RangePolicy::per_row) {
    told.formula = "(value − the row's least) / (its largest − its least)";
    told.numbers = at;
    told.value = place;
    told.note = " of the way";
    told.why = "Each row has a range of its own: only colours of one row can be compared.";
    return told;
  }
  told.formula = "least + u·(most − least),  u the place on the bar";
  told.numbers =
      in_sum(lo, 5) + " + " + at + " · (" + number_text(hi, 5) + " − " + in_sum(lo, 5) + ")";
  told.value = lo + place * (hi - lo);
  if (power) {
    told.formula =
        "10^(" + told.formula.substr(0, told.formula.find(',')) + "),  u the place on the bar";
    told.numbers = "10^(" + told.numbers + ")";
    told.value = std::pow(10.0, told.value);
  }
  told.why = spec.policy == RangePolicy::percentile
                 ? "The ends hold 98 of 100 values; what lies beyond has the colour of the end."
             : spec.policy == RangePolicy::min_max
                 ? "The ends are the least and the largest value."
                 : "The ends are round numbers, so that colours can be compared.";
  return told;
}

float legend_height(const Ui& ui) {
  return ui.theme.font_size(Font::small) + ui.theme.px(12) + ui.theme.px(10) + ui.theme.px(3) +
         ui.theme.font_size(Font::mono_small);
}

void draw_legend(Ui& ui, const char* id, const Heatmap& map, const std::string& unit, float width) {
  LegendSpec spec{map.style().map, map.range(), map.style().policy, &map.stats(), unit};
  draw_legend(ui, id, spec, width);
}

void draw_legend(Ui& ui, const char* id, const LegendSpec& spec, float width) {
  const Theme& t = ui.theme;
  const Palette& p = ui.colours();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  if (width <= 0) width = ImGui::GetContentRegionAvail().x;
  width = std::max(width, t.px(40));
  const float height = legend_height(ui);
  ImGui::Dummy(ImVec2(width, height));
  const std::string name = std::string("legend/") + id;
  ui.probe(name);
  if (ImGui::IsItemHovered() && tooltip_ready(ui, name)) {
    const float place = std::clamp((ImGui::GetIO().MousePos.x - at.x) / width, 0.0f, 1.0f);
    draw_tooltip(ui, explanation_of(told_colour(spec, double(place))));
  }

  // First line: what, and how the range was chosen; what is not a number, loudly
  float y = at.y;
  {
    const FontScope small(t, Font::small);
    float right = at.x + width;
    if (spec.stats && spec.stats->nan > 0) {
      const std::string text = std::to_string(spec.stats->nan) + " NaN or ∞";
      const float w = ImGui::CalcTextSize(text.c_str()).x + t.px(8);
      list->AddRectFilled(ImVec2(right - w, y), ImVec2(right, y + ImGui::GetFontSize() + t.px(2)),
                          rgba(150, 0, 150), t.px(3));
      list->AddText(ImVec2(right - w + t.px(4), y), rgba(255, 255, 255), text.c_str());
      right -= w + t.px(8);
    }
    std::string text = spec.unit;
    if (!text.empty()) text += " · ";
    text += range_policy_text(spec.policy);
    if (spec.map == Colormap::signed_) text += ", around 0";
    text = elide(text, std::max(1.0f, right - at.x));
    list->AddText(ImVec2(at.x, y), p.muted, text.c_str());
    y += ImGui::GetFontSize();
  }

  // Histogram, at the place of its values on the bar
  const float histogram = t.px(12), bar = t.px(10);
  if (spec.stats && spec.stats->finite > 0 && spec.range.hi > spec.range.lo &&
      spec.policy != RangePolicy::per_row) {
    std::uint32_t most = 1;
    for (const std::uint32_t n : spec.stats->histogram) most = std::max(most, n);
    const int bins = static_cast<int>(spec.stats->histogram.size());
    const float lo = spec.stats->min,
                step = (spec.stats->max - spec.stats->min) / static_cast<float>(bins);
    const auto x_of = [&](float v) {
      return at.x +
             std::clamp((v - spec.range.lo) / (spec.range.hi - spec.range.lo), 0.0f, 1.0f) * width;
    };
    for (int i = 0; i < bins; ++i) {
      const std::uint32_t n = spec.stats->histogram[static_cast<std::size_t>(i)];
      if (n == 0) continue;
      // Roots, so that rare values are seen too
      const float h = std::max(
          1.0f, std::sqrt(static_cast<float>(n) / static_cast<float>(most)) * (histogram - 1));
      const float a = x_of(lo + step * static_cast<float>(i));
      const float b = std::max(a + 1, x_of(lo + step * static_cast<float>(i + 1)));
      list->AddRectFilled(ImVec2(a, y + histogram - h),
                          ImVec2(std::min(b, at.x + width), y + histogram),
                          with_alpha(p.muted, 150));
    }
  }
  y += histogram;

  // The bar: one rectangle an entry would be 256; pixels are fewer than that in narrow bars
  const std::array<Rgba, 256>& table = colormap_table(spec.map);
  const int pieces = 64;
  for (int i = 0; i < pieces; ++i) {
    const float a = at.x + width * static_cast<float>(i) / static_cast<float>(pieces);
    const float b = at.x + width * static_cast<float>(i + 1) / static_cast<float>(pieces);
    const Rgba ca = table[static_cast<std::size_t>(i * 255 / pieces)];
    const Rgba cb = table[static_cast<std::size_t>((i + 1) * 255 / pieces)];
    list->AddRectFilledMultiColor(ImVec2(a, y), ImVec2(b, y + bar), ca, cb, cb, ca);
  }
  y += bar + t.px(3);

  // Numbers at the ends and the middle, as far as they do not touch
  const FontScope mono(t, Font::mono_small);
  std::string texts[3];
  if (spec.policy == RangePolicy::per_row) {
    texts[0] = "row min";
    texts[2] = "row max";
  } else {
    const double lo = spec.range.lo, hi = spec.range.hi;
    const double step = (hi - lo) / 100;
    texts[0] = axis_number(lo, step);
    texts[1] = axis_number((lo + hi) / 2, step);
    texts[2] = axis_number(hi, step);
  }
  float widths[3];
  for (int i = 0; i < 3; ++i) widths[i] = ImGui::CalcTextSize(texts[i].c_str()).x;
  const bool middle = widths[0] + widths[1] + widths[2] + t.px(24) < width;
  for (int i = 0; i < 3; ++i) {
    if (i == 1 && !middle) continue;
    if (i == 2 && widths[0] + widths[2] + t.px(6) > width) continue;
    const float x = at.x + (width - widths[i]) * static_cast<float>(i) / 2;
    list->AddText(ImVec2(std::floor(x), y), p.muted, texts[i].c_str());
  }
}

}  // namespace tpp::viewer
