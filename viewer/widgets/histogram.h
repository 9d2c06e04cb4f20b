// How often: bars of counts over a range of values, linear or logarithmic in the counts.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <span>
#include <string>

#include "viewer/ui.h"

namespace tpp::viewer {

struct HistogramOptions {
  ImVec2 size{0, 0};  // 0 fills what is left
  double lo = 0, hi = 1;
  bool log_counts = false;
  Rgba colour = 0;  // 0: run A's
  std::string title = {}, unit = {};
  bool axis = true;
};

/// Draw at the cursor; returns the hovered bin, −1 for none. A second set of counts (run B) is
/// drawn as an outline over the first. Probe: the id.
int draw_histogram(Ui& ui, const char* id, std::span<const std::uint32_t> counts,
                   const HistogramOptions& options = {},
                   std::span<const std::uint32_t> outline = {}, Rgba outline_colour = 0);

}  // namespace tpp::viewer
