// The software rasteriser: known pixels, no seams, clips, blends, textures.
#include "viewer/rasteriser.h"

#include <imgui.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>

#include "tests/testing.h"
#include "tests/viewer/offscreen.h"
#include "viewer/compat.h"

namespace tpp::viewer {
namespace {

// Draw data made by hand: triangles with one white texture.
class Canvas {
 public:
  Canvas(int w, int h) : target(w, h, rgba(0, 0, 0)) {
    const Rgba white = rgba(255, 255, 255);
    white_ = Texture(store, 1, 1);
    white_.update(&white);
    list_ = std::make_unique<ImDrawList>(nullptr);
    clip = ImVec4(0, 0, static_cast<float>(w), static_cast<float>(h));
    texture = white_.handle();
  }
  void vertex(float x, float y, Rgba colour, float u = 0, float v = 0) {
    ImDrawVert d;
    d.pos = ImVec2(x, y);
    d.uv = ImVec2(u, v);
    d.col = colour;
    list_->VtxBuffer.push_back(d);
  }
  void indices(std::initializer_list<int> order) {
    for (const int i : order) list_->IdxBuffer.push_back(static_cast<ImDrawIdx>(i));
  }
  void rectangle(float x0, float y0, float x1, float y1, Rgba colour, float u1 = 0, float v1 = 0) {
    const int first = list_->VtxBuffer.Size;
    vertex(x0, y0, colour, 0, 0);
    vertex(x1, y0, colour, u1, 0);
    vertex(x1, y1, colour, u1, v1);
    vertex(x0, y1, colour, 0, v1);
    indices({first, first + 1, first + 2, first, first + 2, first + 3});
  }
  void draw() {
    ImDrawCmd cmd{};
    cmd.ClipRect = clip;
#if IMGUI_VERSION_NUM >= 19200
    cmd.TexRef = ImTextureRef(compat::texture_id(texture));
#else
    cmd.TextureId = compat::texture_id(texture);
#endif
    cmd.ElemCount = static_cast<unsigned>(list_->IdxBuffer.Size);
    list_->CmdBuffer.clear();
    list_->CmdBuffer.push_back(cmd);
    ImDrawData data;
    data.Valid = true;
#if IMGUI_VERSION_NUM >= 18980
    data.CmdLists.push_back(list_.get());
#else
    ImDrawList* lists[] = {list_.get()};
    data.CmdLists = lists;
    data.CmdListsCount = 1;
#endif
    data.DisplaySize = ImVec2(static_cast<float>(target.width), static_cast<float>(target.height));
    data.FramebufferScale = ImVec2(1, 1);
    Rasteriser().draw(data, store, target);
    list_->VtxBuffer.clear();
    list_->IdxBuffer.clear();
  }
  int count(Rgba colour) const {
    return static_cast<int>(std::count(target.pixels.begin(), target.pixels.end(), colour));
  }

  SoftwareTextureStore store;
  Image target;
  ImVec4 clip;
  TextureStore::Handle texture = 0;

 private:
  Texture white_;
  std::unique_ptr<ImDrawList> list_;
};

constexpr Rgba kRed = rgba(255, 0, 0), kBlack = rgba(0, 0, 0);

TEST_CASE("rasteriser: a triangle covers the pixels whose centres lie inside", "[viewer]") {
  // The right angle at the origin, legs of 4: centres with x + y < 4, the long side excluded
  Canvas c(6, 6);
  c.vertex(0, 0, kRed);
  c.vertex(4, 0, kRed);
  c.vertex(0, 4, kRed);
  c.indices({0, 1, 2});
  c.draw();
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 6; ++x) {
      INFO("pixel " << x << ", " << y);
      CHECK((c.target.at(x, y) == kRed) == (x + y + 1 < 4));
    }
  }
}

TEST_CASE("rasteriser: triangles that share edges cover each pixel once, in both windings",
          "[viewer]") {
  // A fan around a point, half transparent: a pixel covered twice would be brighter
  Canvas c(64, 64);
  const Rgba half = rgba(255, 255, 255, 128);
  const int spokes = 17;
  c.vertex(31.3f, 32.7f, half);
  for (int i = 0; i <= spokes; ++i) {
    const float angle = 6.2831853f * static_cast<float>(i % spokes) / static_cast<float>(spokes);
    c.vertex(31.3f + 29 * std::cos(angle), 32.7f + 29 * std::sin(angle), half);
  }
  for (int i = 0; i < spokes; ++i) {
    if (i % 2) {
      c.indices({0, i + 1, i + 2});
    } else {
      c.indices({0, i + 2, i + 1});
    }
  }
  c.draw();
  const Rgba once = rgba(128, 128, 128);
  CHECK(c.count(once) + c.count(kBlack) == 64 * 64);
  // About the area of the polygon
  CHECK(c.count(once) ==
        tpp::testing::Approx(17.0 / 2 * 29 * 29 * std::sin(6.2831853 / 17)).epsilon(0.02));
}

TEST_CASE("rasteriser: a rectangle by the fast path equals the same one as odd triangles",
          "[viewer]") {
  for (const float shift : {0.0f, 0.25f, 0.5f, 0.75f}) {
    Canvas fast(16, 16), slow(16, 16);
    const Rgba colour = rgba(200, 100, 50, 180);
    fast.rectangle(2 + shift, 3 + shift, 11 + shift, 9 - shift, colour);
    fast.draw();
    // Another order of vertices is not recognised as a rectangle
    slow.vertex(2 + shift, 3 + shift, colour);
    slow.vertex(11 + shift, 3 + shift, colour);
    slow.vertex(11 + shift, 9 - shift, colour);
    slow.vertex(2 + shift, 9 - shift, colour);
    slow.indices({1, 2, 0, 3, 0, 2});
    slow.draw();
    CHECK(fast.target.pixels == slow.target.pixels);
    CHECK(fast.count(kBlack) < 16 * 16);
  }
}

TEST_CASE("rasteriser: nothing is drawn outside the clip rectangle", "[viewer]") {
  Canvas c(20, 20);
  c.clip = ImVec4(5, 6, 9, 12);
  c.rectangle(-100, -100, 100, 100, kRed);
  c.vertex(-50, -50, kRed);
  c.vertex(90, -50, kRed);
  c.vertex(-50, 90, kRed);
  c.indices({4, 5, 6});
  c.draw();
  CHECK(c.count(kRed) == 4 * 6);
  CHECK(c.target.at(5, 6) == kRed);
  CHECK(c.target.at(8, 11) == kRed);
  CHECK(c.target.at(9, 11) == kBlack);
}

TEST_CASE("rasteriser: colours blend by alpha and run evenly between vertices", "[viewer]") {
  Canvas c(256, 2);
  c.rectangle(0, 0, 256, 1, rgba(255, 255, 255, 128));
  c.draw();
  CHECK(c.target.at(7, 0) == rgba(128, 128, 128));
  CHECK(c.target.at(7, 1) == kBlack);
  c.rectangle(0, 0, 256, 1, rgba(0, 0, 0, 0));  // fully transparent changes nothing
  c.draw();
  CHECK(c.target.at(7, 0) == rgba(128, 128, 128));

  c.vertex(0, 0, kBlack);
  c.vertex(256, 0, rgba(255, 255, 255));
  c.vertex(256, 2, rgba(255, 255, 255));
  c.vertex(0, 2, kBlack);
  c.indices({0, 1, 2, 0, 2, 3});
  c.draw();
  for (int x = 0; x < 256; ++x) CHECK(std::abs(red(c.target.at(x, 1)) - x) <= 1);
}

TEST_CASE("rasteriser: textures are sampled nearest, linear and repeated", "[viewer]") {
  Canvas c(8, 8);
  const Rgba a = rgba(10, 20, 30), b = rgba(90, 80, 70);
  const Rgba texels[] = {a, b, b, a};

  SECTION("nearest: each texel its quarter") {
    Texture t(c.store, 2, 2, Filter::nearest);
    t.update(texels);
    c.texture = t.handle();
    c.rectangle(0, 0, 8, 8, rgba(255, 255, 255), 1, 1);
    c.draw();
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) CHECK(c.target.at(x, y) == ((x < 4) == (y < 4) ? a : b));
    }
  }
  SECTION("repeat: the tile comes again, also left of zero") {
    Texture t(c.store, 2, 2, Filter::nearest, Wrap::repeat);
    t.update(texels);
    c.texture = t.handle();
    c.rectangle(0, 0, 8, 8, rgba(255, 255, 255), 4, 4);
    c.draw();
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) CHECK(c.target.at(x, y) == ((x + y) % 2 == 0 ? a : b));
    }
  }
  SECTION("linear: the middle is the mean") {
    const Rgba line[] = {rgba(0, 0, 0), rgba(200, 200, 200)};
    Texture t(c.store, 2, 1, Filter::linear);
    t.update(line);
    c.texture = t.handle();
    c.rectangle(0, 0, 8, 8, rgba(255, 255, 255), 1, 1);
    c.draw();
    CHECK(red(c.target.at(0, 0)) == 0);
    CHECK(red(c.target.at(7, 0)) == 200);
    CHECK(std::abs(red(c.target.at(3, 0)) - 75) <= 1);
    CHECK(std::abs(red(c.target.at(4, 0)) - 125) <= 1);
  }
  SECTION("a texture that does not exist is magenta") {
    c.texture = 99;
    c.rectangle(0, 0, 8, 8, rgba(255, 255, 255), 1, 1);
    c.draw();
    CHECK(c.count(rgba(255, 0, 255)) == 64);
  }
}

TEST_CASE("rasteriser: vertices that are not numbers draw nothing and harm nothing", "[viewer]") {
  Canvas c(8, 8);
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  c.vertex(0, 0, kRed);
  c.vertex(nan, 5, kRed);
  c.vertex(3, inf, kRed);
  c.vertex(8, 8, kRed);
  c.indices({0, 1, 3, 0, 2, 3});
  c.draw();
  CHECK(c.count(kBlack) == 64);
}

TEST_CASE("null back end: the same frame gives the same pixels, and resizing follows", "[viewer]") {
  testing::Offscreen screen(200, 120);
  const auto draw = [] {
    ImGui::TextUnformatted("∑ √ ‖ θ β₂");
    ImGui::Button("Play");
  };
  screen.frame(draw);
  screen.frame(draw);
  const Image first = screen.backend->read_pixels();
  screen.frame(draw);
  CHECK(first.pixels == screen.backend->read_pixels().pixels);
  CHECK(first.width == 200);
  screen.backend->resize(320, 90);
  screen.frame(draw);
  CHECK(screen.backend->read_pixels().width == 320);
  CHECK_THROWS_AS(make_null_backend({.width = 0, .height = 10}), BackendError);
}

TEST_CASE("null back end: wake ends a wait from another thread", "[viewer]") {
  testing::Offscreen screen(64, 64);
  screen.backend->wake();
  const auto start = std::chrono::steady_clock::now();
  screen.backend->wait_events(5);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}

TEST_CASE("texture store: bad sizes and lost textures are told in a sentence", "[viewer]") {
  SoftwareTextureStore store;
  CHECK_THROWS_AS(Texture(store, 0, 4), std::invalid_argument);
  CHECK_THROWS_AS(Texture(store, 4, 20000), std::invalid_argument);
  const Rgba texel = 0;
  CHECK_THROWS_AS(store.update(1, &texel), std::invalid_argument);
  {
    Texture a(store, 2, 2), b(store, 3, 3);
    CHECK(store.alive() == 2);
    a = std::move(b);
    CHECK(a.width() == 3);
  }
  CHECK(store.alive() == 0);
}

}  // namespace
}  // namespace tpp::viewer
