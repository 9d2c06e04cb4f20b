// ImGui's triangles on the CPU. A vertex is snapped to 1/256 of a pixel; from there coverage is
// integer arithmetic with the top-left rule, so triangles that share an edge share no pixel.
#include "viewer/rasteriser.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "viewer/compat.h"

namespace tpp::viewer {
namespace {

using Entry = SoftwareTextureStore::Entry;
constexpr int kSub = 256;                 // sub-pixel steps
constexpr std::int64_t kOne = 1LL << 16;  // fixed point of colours and texels

struct Clip {
  int x0, y0, x1, y1;  // pixels, the ends excluded
};

struct Vertex {
  std::int64_t x, y;  // 1/256 of a pixel
  double u, v;        // texels
  Rgba colour;
};

// (a·b)/255, rounded, for 0 … 255²
inline unsigned div255(unsigned t) {
  t += 128;
  return (t + (t >> 8)) >> 8;
}

inline Rgba modulate(Rgba a, Rgba b) {
  if (b == 0xFFFFFFFFu) return a;
  if (a == 0xFFFFFFFFu) return b;
  const auto m = [](Rgba x, Rgba y, int shift) {
    return static_cast<Rgba>(div255((x >> shift & 255u) * (y >> shift & 255u))) << shift;
  };
  return m(a, b, 0) | m(a, b, 8) | m(a, b, 16) | m(a, b, 24);
}

// Straight alpha over an opaque ground; red and blue share one multiplication
inline void blend(Rgba& dst, Rgba src) {
  const unsigned a = src >> 24;
  if (a == 255) {
    dst = src;
    return;
  }
  if (a == 0) return;
  const unsigned na = 255 - a;
  unsigned rb = (src & 0x00FF00FFu) * a + (dst & 0x00FF00FFu) * na + 0x00800080u;
  rb = (rb + (rb >> 8 & 0x00FF00FFu)) >> 8 & 0x00FF00FFu;
  unsigned g = (src >> 8 & 255u) * a + (dst >> 8 & 255u) * na + 128u;
  g = (g + (g >> 8)) >> 8;
  dst = rb | g << 8 | 0xFF000000u;
}

inline int wrap_index(std::int64_t i, int n, Wrap wrap) {
  if (wrap == Wrap::clamp) return static_cast<int>(std::clamp<std::int64_t>(i, 0, n - 1));
  const std::int64_t m = i % n;
  return static_cast<int>(m < 0 ? m + n : m);
}

// The texel at (u, v), both in 1/65536 of a texel
inline Rgba sample(const Entry& t, std::int64_t u, std::int64_t v) {
  const int w = t.image.width, h = t.image.height;
  const Rgba* texels = t.image.pixels.data();
  if (t.filter == Filter::nearest) {
    return texels[static_cast<std::ptrdiff_t>(wrap_index(v >> 16, h, t.wrap)) * w +
                  wrap_index(u >> 16, w, t.wrap)];
  }
  u -= kOne / 2;
  v -= kOne / 2;
  const auto fx = static_cast<unsigned>((u >> 8) & 255), fy = static_cast<unsigned>((v >> 8) & 255);
  const int x0 = wrap_index(u >> 16, w, t.wrap), x1 = wrap_index((u >> 16) + 1, w, t.wrap);
  const int y0 = wrap_index(v >> 16, h, t.wrap), y1 = wrap_index((v >> 16) + 1, h, t.wrap);
  const Rgba* top = texels + static_cast<std::ptrdiff_t>(y0) * w;
  const Rgba* low = texels + static_cast<std::ptrdiff_t>(y1) * w;
  const Rgba c00 = top[x0], c10 = top[x1], c01 = low[x0], c11 = low[x1];
  if (c00 == c10 && c01 == c11 && c00 == c01) return c00;
  const unsigned w11 = fx * fy, w10 = fx * (256 - fy), w01 = (256 - fx) * fy,
                 w00 = (256 - fx) * (256 - fy);
  // Font texels are white with alpha: only the alpha differs
  if (((c00 & c10 & c01 & c11) & 0x00FFFFFFu) == 0x00FFFFFFu) {
    const unsigned a =
        ((c00 >> 24) * w00 + (c10 >> 24) * w10 + (c01 >> 24) * w01 + (c11 >> 24) * w11 + 32768u) >>
        16;
    return 0x00FFFFFFu | a << 24;
  }
  Rgba out = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    const unsigned c = ((c00 >> shift & 255u) * w00 + (c10 >> shift & 255u) * w10 +
                        (c01 >> shift & 255u) * w01 + (c11 >> shift & 255u) * w11 + 32768u) >>
                       16;
    out |= static_cast<Rgba>(c) << shift;
  }
  return out;
}

inline std::int64_t floor_div(std::int64_t a, std::int64_t b) {  // b > 0
  const std::int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}
inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return -floor_div(-a, b); }

// First pixel whose centre is at or right of x
inline int first_pixel(std::int64_t x) { return static_cast<int>(ceil_div(x - kSub / 2, kSub)); }

inline std::int64_t to_fixed(double v) {
  // Far outside any texture means the same as just outside
  return std::llround(std::clamp(v, -4e9, 4e9) * static_cast<double>(kOne));
}

class Painter {
 public:
  Painter(Image& target, const Entry* texture, Clip clip)
      : target_(target), texture_(texture), clip_(clip) {}

  // Two triangles that make an axis-aligned rectangle: from a (top left) to c (bottom right)
  void rectangle(const Vertex& a, const Vertex& c, bool textured, Rgba colour) {
    const int x0 = std::max(first_pixel(a.x), clip_.x0), x1 = std::min(first_pixel(c.x), clip_.x1);
    const int y0 = std::max(first_pixel(a.y), clip_.y0), y1 = std::min(first_pixel(c.y), clip_.y1);
    if (x0 >= x1 || y0 >= y1) return;
    if (!textured) {
      const Rgba fill = modulate(colour, solid_texel(a));
      for (int y = y0; y < y1; ++y) fill_span(y, x0, x1, fill);
      return;
    }
    const double du = (c.u - a.u) / static_cast<double>(c.x - a.x) * kSub;
    const double dv = (c.v - a.v) / static_cast<double>(c.y - a.y) * kSub;
    const double centre_x = static_cast<double>(x0) + 0.5 - static_cast<double>(a.x) / kSub;
    const std::int64_t u_first = to_fixed(a.u + du * centre_x), u_step = to_fixed(du);
    const int width = texture_->image.width;
    const bool fast = texture_->filter == Filter::nearest && texture_->wrap == Wrap::clamp;
    for (int y = y0; y < y1; ++y) {
      const double centre_y = static_cast<double>(y) + 0.5 - static_cast<double>(a.y) / kSub;
      const std::int64_t v = to_fixed(a.v + dv * centre_y);
      Rgba* out = &target_.at(x0, y);
      std::int64_t u = u_first;
      if (fast) {
        const Rgba* row =
            texture_->image.pixels.data() +
            static_cast<std::ptrdiff_t>(wrap_index(v >> 16, texture_->image.height, Wrap::clamp)) *
                width;
        if (texture_->opaque && colour == 0xFFFFFFFFu) {
          for (int x = x0; x < x1; ++x, u += u_step) {
            *out++ = row[wrap_index(u >> 16, width, Wrap::clamp)];
          }
        } else {
          for (int x = x0; x < x1; ++x, u += u_step) {
            blend(*out++, modulate(row[wrap_index(u >> 16, width, Wrap::clamp)], colour));
          }
        }
      } else {
        for (int x = x0; x < x1; ++x, u += u_step) {
          const Rgba texel = sample(*texture_, u, v);
          if (texel >> 24) blend(*out, modulate(texel, colour));
          ++out;
        }
      }
    }
  }

  void triangle(Vertex a, Vertex b, Vertex c) {
    std::int64_t area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    if (area == 0) return;
    if (area < 0) {
      std::swap(b, c);
      area = -area;
    }
    const std::int64_t top = std::min({a.y, b.y, c.y}), low = std::max({a.y, b.y, c.y});
    const std::int64_t left = std::min({a.x, b.x, c.x}), right = std::max({a.x, b.x, c.x});
    const int y0 = std::max(first_pixel(top), clip_.y0),
              y1 = std::min(first_pixel(low) + 1, clip_.y1);
    const int bx0 = std::max(first_pixel(left), clip_.x0),
              bx1 = std::min(first_pixel(right) + 1, clip_.x1);
    if (y0 >= y1 || bx0 >= bx1) return;

    const bool flat = a.colour == b.colour && a.colour == c.colour;
    const bool textured = texture_ && !(a.u == b.u && a.v == b.v && a.u == c.u && a.v == c.v);
    const Rgba texel = textured ? 0xFFFFFFFFu : solid_texel(a);
    const Rgba fill = flat ? modulate(a.colour, texel) : 0;

    // Gradients of everything that varies, per pixel
    Plane u, v, channel[4];
    const auto plane = [&](double fa, double fb, double fc) {
      const double inverse = static_cast<double>(kSub) / static_cast<double>(area);
      const double gx = ((fb - fa) * static_cast<double>(c.y - a.y) -
                         (fc - fa) * static_cast<double>(b.y - a.y)) *
                        inverse;
      const double gy = ((fc - fa) * static_cast<double>(b.x - a.x) -
                         (fb - fa) * static_cast<double>(c.x - a.x)) *
                        inverse;
      const double px = 0.5 - static_cast<double>(a.x) / kSub;
      const double py = 0.5 - static_cast<double>(a.y) / kSub;
      return Plane{fa + gx * px + gy * py, gx, gy};
    };
    if (textured) {
      u = plane(a.u, b.u, c.u);
      v = plane(a.v, b.v, c.v);
    }
    if (!flat) {
      for (int k = 0; k < 4; ++k) {
        channel[k] = plane(a.colour >> (8 * k) & 255u, b.colour >> (8 * k) & 255u,
                           c.colour >> (8 * k) & 255u);
      }
    }

    const Edge edges[3] = {edge(a, b), edge(b, c), edge(c, a)};
    for (int y = y0; y < y1; ++y) {
      // The span between the three edges
      std::int64_t x0 = bx0, x1 = bx1;  // end excluded
      const std::int64_t py = static_cast<std::int64_t>(y) * kSub + kSub / 2;
      bool empty = false;
      for (const Edge& e : edges) {
        const std::int64_t k = e.dx * (py - e.y) - e.dy * (kSub / 2 - e.x) + e.bias;
        if (e.dy > 0) {
          x1 = std::min(x1, floor_div(k, e.dy * kSub) + 1);
        } else if (e.dy < 0) {
          x0 = std::max(x0, ceil_div(-k, -e.dy * kSub));
        } else if (k < 0) {
          empty = true;
        }
      }
      if (empty || x0 >= x1) continue;
      const int xa = static_cast<int>(x0), xb = static_cast<int>(x1);

      if (flat && !textured) {
        fill_span(y, xa, xb, fill);
        continue;
      }
      std::int64_t value[6] = {}, step[6] = {};
      const auto start = [&](int k, const Plane& p) {
        value[k] = to_fixed(p.at0 + p.gx * xa + p.gy * y);
        step[k] = to_fixed(p.gx);
      };
      if (textured) {
        start(4, u);
        start(5, v);
      }
      if (!flat) {
        for (int k = 0; k < 4; ++k) start(k, channel[k]);
      }
      Rgba* out = &target_.at(xa, y);
      for (int x = xa; x < xb; ++x, ++out) {
        Rgba colour = a.colour;
        if (!flat) {
          colour = 0;
          for (int k = 0; k < 4; ++k) {
            const std::int64_t rounded = (value[k] + kOne / 2) >> 16;
            colour |= static_cast<Rgba>(std::clamp<std::int64_t>(rounded, 0, 255)) << (8 * k);
          }
        }
        blend(*out, modulate(colour, textured ? sample(*texture_, value[4], value[5]) : texel));
        for (int k = 0; k < 6; ++k) value[k] += step[k];
      }
    }
  }

 private:
  struct Plane {
    double at0 = 0, gx = 0, gy = 0;  // value at pixel (0, 0)'s centre, and per pixel
  };
  struct Edge {
    std::int64_t x, y, dx, dy, bias;
  };

  // Inside is where dx·(p.y − y) − dy·(p.x − x) ≥ 0; a bottom or right edge excludes its own points
  static Edge edge(const Vertex& from, const Vertex& to) {
    const std::int64_t dx = to.x - from.x, dy = to.y - from.y;
    const bool top_left = dy < 0 || (dy == 0 && dx > 0);
    return {from.x, from.y, dx, dy, top_left ? 0 : -1};
  }

  Rgba solid_texel(const Vertex& at) const {
    return texture_ ? sample(*texture_, to_fixed(at.u), to_fixed(at.v)) : rgba(255, 0, 255);
  }

  void fill_span(int y, int x0, int x1, Rgba colour) {
    Rgba* row = &target_.at(0, y);
    if (colour >> 24 == 255) {
      std::fill(row + x0, row + x1, colour);
    } else if (colour >> 24 != 0) {
      for (int x = x0; x < x1; ++x) blend(row[x], colour);
    }
  }

  Image& target_;
  const Entry* texture_;
  Clip clip_;
};

}  // namespace

void Rasteriser::draw(const ImDrawData& data, const SoftwareTextureStore& textures,
                      Image& target) const {
  const ImVec2 origin = data.DisplayPos, scale = data.FramebufferScale;
  for (int n = 0; n < compat::draw_list_count(data); ++n) {
    const ImDrawList* list = data.CmdLists[n];
    for (const ImDrawCmd& cmd : list->CmdBuffer) {
      if (cmd.UserCallback) {
        if (!compat::resets_render_state(cmd.UserCallback)) cmd.UserCallback(list, &cmd);
        continue;
      }
      const auto edge_of = [](float v, int end) {
        return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(end)));
      };
      const Clip clip{edge_of((cmd.ClipRect.x - origin.x) * scale.x, target.width),
                      edge_of((cmd.ClipRect.y - origin.y) * scale.y, target.height),
                      edge_of((cmd.ClipRect.z - origin.x) * scale.x, target.width),
                      edge_of((cmd.ClipRect.w - origin.y) * scale.y, target.height)};
      if (clip.x0 >= clip.x1 || clip.y0 >= clip.y1) continue;

      const Entry* texture = textures.find(compat::texture_handle(cmd.GetTexID()));
      const double tw = texture ? texture->image.width : 1,
                   th = texture ? texture->image.height : 1;
      Painter painter(target, texture, clip);
      const ImDrawIdx* index = list->IdxBuffer.Data + cmd.IdxOffset;
      const ImDrawVert* vertices = list->VtxBuffer.Data + cmd.VtxOffset;

      bool finite = true;
      const auto vertex = [&](ImDrawIdx i) {
        const ImDrawVert& v = vertices[i];
        const float x = (v.pos.x - origin.x) * scale.x, y = (v.pos.y - origin.y) * scale.y;
        // Also false for NaN
        if (!(std::fabs(x) < 1e6f && std::fabs(y) < 1e6f)) {
          finite = false;
          return Vertex{};
        }
        return Vertex{std::llround(static_cast<double>(x) * kSub),
                      std::llround(static_cast<double>(y) * kSub), static_cast<double>(v.uv.x) * tw,
                      static_cast<double>(v.uv.y) * th, v.col};
      };

      for (unsigned i = 0; i + 3 <= cmd.ElemCount; i += 3) {
        finite = true;
        const Vertex a = vertex(index[i]), b = vertex(index[i + 1]), c = vertex(index[i + 2]);
        if (!finite) continue;

        // Recognise a rectangle: a b c, a c d, as ImGui writes them
        if (i + 6 <= cmd.ElemCount && index[i + 3] == index[i] && index[i + 4] == index[i + 2] &&
            a.y == b.y && b.x == c.x && a.x < c.x && a.y < c.y && a.colour == b.colour &&
            a.colour == c.colour) {
          const Vertex d = vertex(index[i + 5]);
          if (finite && d.x == a.x && d.y == c.y && d.colour == a.colour) {
            const bool plain =
                a.u == b.u && a.v == b.v && a.u == c.u && a.v == c.v && a.u == d.u && a.v == d.v;
            const bool straight = a.v == b.v && b.u == c.u && d.u == a.u && d.v == c.v;
            if (plain || (straight && texture)) {
              painter.rectangle(a, c, texture && !plain, a.colour);
              i += 3;
              continue;
            }
          }
          finite = true;
        }
        painter.triangle(a, b, c);
      }
    }
  }
}

}  // namespace tpp::viewer
