// Boxes and arrows for block diagrams, and the time strip's row of marks.
#pragma once

#include <imgui.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "viewer/geometry.h"
#include "viewer/ui.h"

namespace tpp::viewer {

struct BoxSpec {
  std::string title = {};
  std::string detail = {};   // smaller, below; may be empty
  Dim dim = Dim::none;       // a coloured edge on the left
  bool selected = false;     // filled with the accent's tint
  bool changed = false;      // differs in run B: outlined in its colour
  bool enabled = true;       // drawn faint when not
  std::string chapter = {};  // small at the right: "06"
};

struct BoxHit {
  bool hovered = false, clicked = false;
};

/// A box of a block diagram at a place in window units; the cursor is left below it. Probe: the id. Long text is cut with "…".
BoxHit draw_box(Ui& ui, const char* id, const Rect& rect, const BoxSpec& spec);

/// An arrow along straight pieces, its head at the end.
void draw_arrow(Ui& ui, std::span<const ImVec2> path, Rgba colour, float thickness = 1.5f);

/// A round mark with a sign inside, "+" for a residual sum.
void draw_node(Ui& ui, ImVec2 centre, float radius, const char* sign, Rgba colour);

/// A mark on the time strip.
struct StripMark {
  double x = 0;
  enum class Kind { keyframe, event, fork } kind = Kind::event;
  std::string label = {};
};

struct StripHit {
  bool hovered = false;
  bool scrubbed = false;  // the mouse is down: go to x
  double x = 0;
  int mark = -1;  // hovered mark
};

/// The time strip at the cursor: track from x0 to x1, marks, a handle at `cursor`. Stretches that
/// are thinned are hatched. Probe: the id.
StripHit draw_time_strip(Ui& ui, const char* id, ImVec2 size, double x0, double x1, double cursor,
                         std::span<const StripMark> marks, bool following,
                         std::span<const std::pair<double, double>> thinned = {});

/// Text cut to a width, with "…" when it does not fit.
std::string elide(const std::string& text, float width);

}  // namespace tpp::viewer
