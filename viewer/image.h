// A picture in memory: what read_pixels returns, what PNG files are written from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tpp::viewer {

/// One pixel: red in the lowest byte, then green, blue, alpha. The same order as ImGui's ImU32.
using Rgba = std::uint32_t;

constexpr Rgba rgba(int r, int g, int b, int a = 255) {
  return static_cast<Rgba>(r) | static_cast<Rgba>(g) << 8 | static_cast<Rgba>(b) << 16 |
         static_cast<Rgba>(a) << 24;
}
constexpr int red(Rgba c) { return static_cast<int>(c & 255u); }
constexpr int green(Rgba c) { return static_cast<int>(c >> 8 & 255u); }
constexpr int blue(Rgba c) { return static_cast<int>(c >> 16 & 255u); }
constexpr int alpha(Rgba c) { return static_cast<int>(c >> 24 & 255u); }
constexpr Rgba with_alpha(Rgba c, int a) { return (c & 0x00FFFFFFu) | static_cast<Rgba>(a) << 24; }

struct Image {
  int width = 0, height = 0;
  std::vector<Rgba> pixels;  // (height, width), top row first

  Image() = default;
  Image(int w, int h, Rgba fill = 0)
      : width(w),
        height(h),
        pixels(static_cast<std::size_t>(w) * static_cast<std::size_t>(h), fill) {}

  Rgba& at(int x, int y) {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(x)];
  }
  Rgba at(int x, int y) const { return const_cast<Image*>(this)->at(x, y); }
};

}  // namespace tpp::viewer
