// What every widget needs to draw itself: theme, textures, probes, and the clock that makes
// tooltips wait. Widgets take this, panels take ViewContext, which is this and more.
#pragma once

#include <string>
#include <string_view>

#include "viewer/code_places.h"
#include "viewer/probes.h"
#include "viewer/texture_store.h"
#include "viewer/theme.h"

namespace tpp::viewer {

/// Remembers what the mouse rests on. A tooltip appears when it has rested there for 150 ms.
class HoverClock {
 public:
  /// Call while the mouse is over `key`; true once it has been for `delay` seconds.
  bool rested(std::string_view key, double now, double delay = 0.150);

 private:
  std::string key_;
  double since_ = 0, last_ = -1;
};

struct Ui {
  const Theme& theme;
  TextureStore& textures;
  Probes& probes;
  HoverClock& hover;
  CodePlaces* code = nullptr;  // where the sources are; null: tooltips name files without lines

  const Palette& colours() const { return theme.colours(); }
  void probe(std::string_view name) const { probes.item(name); }
};

}  // namespace tpp::viewer
