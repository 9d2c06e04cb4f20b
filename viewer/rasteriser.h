// Draw ImGui's triangles into an image on the CPU: enough of a GPU for pictures and tests without a
// display. Coverage is decided in fixed-point integers, so the pixels repeat on every machine.
#pragma once

#include "viewer/image.h"
#include "viewer/texture_store.h"

struct ImDrawData;

namespace tpp::viewer {

class Rasteriser {
 public:
  /// Draw over `target`, whose size is the framebuffer's; colours blend as ImGui's OpenGL back end
  /// does (straight alpha). Unknown textures are drawn as magenta, so that a mistake is seen.
  void draw(const ImDrawData& data, const SoftwareTextureStore& textures, Image& target) const;
};

}  // namespace tpp::viewer
