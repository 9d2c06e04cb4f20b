// A formula as boxes: where each sign and each line stands, beside one baseline.
//
// TeX's plan, as far as the chapters' subset needs it: every node becomes a box with a width, a
// height above the baseline and a depth below; boxes stand beside each other with the space that
// their classes ask for, or above each other around a bar.
#pragma once

#include <imgui.h>

#include <string>
#include <vector>

#include "tools/book/formula.h"
#include "viewer/theme.h"

namespace tpp::viewer {

struct FormulaBox {
  float width = 0, height = 0, depth = 0;  // window units

  struct Sign {
    std::string text;
    Font font = Font::formula;
    float size = 0;
    ImVec2 baseline;  // its left end, from the box's own
  };
  struct Stroke {
    std::vector<ImVec2> points;
    float thickness = 1;
  };
  std::vector<Sign> signs;
  std::vector<Stroke> strokes;
};

/// Lay out at a size of letters, in window units. `block` sets sums large, with limits below and
/// above them. Needs a current ImGui context with the theme's fonts.
[[nodiscard]] FormulaBox lay_out(const book::Formula& formula, const Theme& theme, float size,
                                 bool block);

/// Draw with the left end of the baseline at a place.
void draw_formula(ImDrawList* list, const Theme& theme, const FormulaBox& box, ImVec2 baseline,
                  Rgba colour);

/// From the top of a line of text to its baseline, for a font of this size.
[[nodiscard]] float ascent_of(float size);
/// How wide a text is in a font of this size.
[[nodiscard]] float text_width(const Theme& theme, Font font, float size, std::string_view text);

}  // namespace tpp::viewer
