// Labelled horizontal bars: probabilities of next tokens, contributions of pairs, ratios against a
// guide.
#pragma once

#include <imgui.h>

#include <span>
#include <string>

#include "viewer/ui.h"

namespace tpp::viewer {

struct Bar {
  std::string label = {};
  double value = 0;
  double other = 0;  // run B's, drawn as a thin bar below when `two`
  Rgba colour = 0;   // 0: run A's
  bool selected = false;
  std::string text = {};  // shown instead of the number when not empty
};

struct BarsOptions {
  ImVec2 size{0, 0};      // height 0: as high as its rows
  double lo = 0, hi = 0;  // axis; equal: from the values (and always with 0 in it)
  bool log = false;       // logarithmic axis, for ratios; lo and hi must be positive
  bool two = false;       // draw Bar::other
  double guide = 0;       // a vertical line; 0 for none
  std::string guide_label = {};
  float label_width = 0;  // 0: the longest label's, at most a third
  int decimals = 3;       // significant digits of the numbers
};

struct BarsHit {
  int hovered = -1;
  bool clicked = false;
};

/// Draw at the cursor. Bars with a negative value go left from zero. A value that is not a number
/// is written in the error colour. Probes: the id, and "ID/INDEX".
BarsHit draw_bars(Ui& ui, const char* id, std::span<const Bar> bars,
                  const BarsOptions& options = {});
float bars_height(const Ui& ui, int count, bool guide_label = false);

}  // namespace tpp::viewer
