// The colour bar beside a map: its numbers, how the range was chosen, a histogram of the values,
// and a loud count of what is not a number.
#pragma once

#include <imgui.h>

#include <string>

#include "viewer/colormap.h"
#include "viewer/ui.h"
#include "viewer/widgets/arithmetic.h"

namespace tpp::viewer {

class Heatmap;

struct LegendSpec {
  Colormap map = Colormap::viridis;
  ValueRange range = {};
  RangePolicy policy = RangePolicy::fixed;
  const ValueStats* stats = nullptr;  // null: no histogram
  std::string unit = {};              // after the numbers' title: "probability"
};

/// A horizontal bar at the cursor, `width` units wide (0: what is left), about 3 em high.
/// Probe "legend/ID".
void draw_legend(Ui& ui, const char* id, const LegendSpec& spec, float width = 0);
void draw_legend(Ui& ui, const char* id, const Heatmap& map, const std::string& unit = "",
                 float width = 0);
/// What the colour under the mouse stands for; draw_legend tells it of its own bar. `power`: the bar
/// shows logarithms, base 10.
[[nodiscard]] Told told_colour(const LegendSpec& spec, double place, bool power = false);
/// The height that draw_legend takes.
float legend_height(const Ui& ui);

}  // namespace tpp::viewer
