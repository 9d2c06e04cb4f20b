// Where each panel stands: fixed slots, scaled to the window, with splitters that can be dragged.
// Pure arithmetic, so that tests can try every size without drawing.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/geometry.h"

namespace tpp::viewer {

/// A slot may hold several panels; then it shows tabs (see shell.h).
enum class Slot {
  transport,     // top bar
  architecture,  // left
  attention,     // centre
  position,      // right, above: RoPE
  norms,         // right, below
  gradients,     // bottom left
  loss,          // bottom right
  reader,        // beside the others in the Reading preset
  time_strip,    // bottom bar
  status,        // last line
  count,
};
constexpr int kSlots = static_cast<int>(Slot::count);
const char* slot_name(Slot slot);                       // "attention"
std::optional<Slot> slot_named(std::string_view name);  // its inverse
/// Bars are always shown and never maximised.
constexpr bool is_bar(Slot s) {
  return s == Slot::transport || s == Slot::time_strip || s == Slot::status;
}

enum class Preset { balanced, attention, position, norms, learning, reading, count };
constexpr int kPresets = static_cast<int>(Preset::count);
const char* preset_name(Preset preset);  // "Balanced"; its key is its number + 1

/// A line between slots that can be dragged.
enum class Splitter { left, right, bottom, right_middle, bottom_middle, reader, count };
constexpr int kSplitters = static_cast<int>(Splitter::count);

struct LayoutFrame {
  std::array<Rect, kSlots> rects{};  // empty: not shown
  struct Handle {
    Splitter splitter;
    Rect rect = {};  // where the mouse can take it
    bool vertical;   // a vertical line, dragged sideways
  };
  std::vector<Handle> handles;
  bool tabbed = false;     // narrow window: one slot at a time
  std::vector<Slot> tabs;  // in reading order, only when tabbed
  Rect tab_bar = {};       // only when tabbed

  const Rect& operator[](Slot s) const { return rects[static_cast<std::size_t>(s)]; }
  bool shown(Slot s) const { return !(*this)[s].empty(); }
};

class Layout {
 public:
  Layout() { set_preset(Preset::balanced); }

  /// Rectangles for a window of this size, in window units, at this interface scale. Slots never
  /// overlap and lie inside the window. Below 900 units (at 1×) wide, or 560 high, slots become
  /// tabs.
  LayoutFrame compute(float width, float height, float scale = 1) const;

  void set_preset(Preset preset);
  Preset preset() const { return preset_; }

  /// Move a splitter by `delta` window units in a window of this size. Slots keep a least size.
  void drag(Splitter splitter, float delta, float width, float height, float scale = 1);

  /// One slot over all others but the bars; the same again restores. Bars cannot be maximised.
  void maximise(Slot slot);
  void restore() { maximised_.reset(); }
  std::optional<Slot> maximised() const { return maximised_; }

  /// Which slot a narrow window shows.
  void set_tab(Slot slot);
  Slot tab() const { return tab_; }

  /// One line for the session file, and back. parse keeps the layout when the text is not one.
  std::string serialise() const;
  bool parse(std::string_view text);

 private:
  Preset preset_ = Preset::balanced;
  std::array<float, kSplitters> at_{};  // fractions of the area above the bars, 0 … 1
  std::optional<Slot> maximised_;
  Slot tab_ = Slot::attention;
};

}  // namespace tpp::viewer
