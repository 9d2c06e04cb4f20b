// Rectangles in window units, y downwards: what the layout hands out and widgets draw into.
#pragma once

#include <algorithm>

namespace tpp::viewer {

struct Rect {
  float x = 0, y = 0;  // left and top
  float w = 0, h = 0;  // never negative

  float right() const { return x + w; }
  float bottom() const { return y + h; }
  bool empty() const { return w <= 0 || h <= 0; }
  bool contains(float px, float py) const {
    return px >= x && px < right() && py >= y && py < bottom();
  }

  /// The same rectangle, smaller by `margin` on every side.
  Rect inset(float margin) const {
    return {x + margin, y + margin, std::max(0.0f, w - 2 * margin), std::max(0.0f, h - 2 * margin)};
  }

  /// Do the insides share a point? Touching edges do not.
  bool overlaps(const Rect& o) const {
    return !empty() && !o.empty() && x < o.right() && o.x < right() && y < o.bottom() &&
           o.y < bottom();
  }

  bool operator==(const Rect&) const = default;
};

}  // namespace tpp::viewer
