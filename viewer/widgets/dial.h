// A unit circle with arrows: one RoPE pair, its query before and after the turn.
#pragma once

#include <imgui.h>

#include <span>
#include <string>

#include "viewer/ui.h"

namespace tpp::viewer {

struct DialArrow {
  float x = 0, y = 0;  // in units of the circle's radius, y upwards
  Rgba colour = 0;
  bool dashed = false;  // before the rotation
  std::string name = {};
};

struct DialArc {
  float from = 0, to = 0;  // radians, counter-clockwise from +x
  Rgba colour = 0;
};

struct DialOptions {
  float size = 0;            // side of the square, 0 fills the width; captions come below
  std::string caption = {};  // "pair 3"
  std::string detail = {};   // "λ = 43 tokens"
  bool selected = false, hovered_elsewhere = false;
  std::span<const DialArc> arcs = {};
};

struct DialHit {
  bool hovered = false, clicked = false;
};

/// Draw at the cursor. Arrows longer than the circle are drawn to its edge with a cross-bar; an
/// arrow that is not a number is drawn as a magenta cross. Probe: the id.
DialHit draw_dial(Ui& ui, const char* id, std::span<const DialArrow> arrows,
                  const DialOptions& options = {});
/// Height that draw_dial takes for this side.
float dial_height(const Ui& ui, float side, bool caption = true, bool detail = true);

}  // namespace tpp::viewer
