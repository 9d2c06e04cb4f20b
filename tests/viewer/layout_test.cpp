// At any size, slots lie inside the window, do not overlap, and fill it.
#include "viewer/layout.h"

#include <random>
#include <string>

#include "tests/testing.h"

namespace tpp::viewer {
namespace {

using tpp::testing::Approx;

void check_frame(const LayoutFrame& f, float width, float height) {
  double area = 0;
  for (int i = 0; i < kSlots; ++i) {
    const Rect& a = f.rects[static_cast<std::size_t>(i)];
    if (a.empty()) continue;
    INFO(slot_name(static_cast<Slot>(i))
         << " at " << a.x << ", " << a.y << ", " << a.w << ", " << a.h);
    REQUIRE(a.x >= 0);
    REQUIRE(a.y >= 0);
    REQUIRE(a.right() <= width);
    REQUIRE(a.bottom() <= height);
    area += static_cast<double>(a.w) * static_cast<double>(a.h);
    for (int k = i + 1; k < kSlots; ++k) {
      INFO("and " << slot_name(static_cast<Slot>(k)));
      REQUIRE_FALSE(a.overlaps(f.rects[static_cast<std::size_t>(k)]));
    }
  }
  if (f.tabbed) area += static_cast<double>(f.tab_bar.w) * static_cast<double>(f.tab_bar.h);
  // Nothing is left over: without overlaps, equal areas mean a tiling
  REQUIRE(area == Approx(static_cast<double>(width) * static_cast<double>(height)));
}

TEST_CASE("layout: the design's rectangles at 1600 × 1000", "[viewer]") {
  const LayoutFrame f = Layout().compute(1600, 1000);
  CHECK(f[Slot::transport] == Rect{0, 0, 1600, 48});
  CHECK(f[Slot::architecture] == Rect{0, 48, 300, 612});
  CHECK(f[Slot::attention] == Rect{300, 48, 760, 612});
  CHECK(f[Slot::position] == Rect{1060, 48, 540, 340});
  CHECK(f[Slot::norms] == Rect{1060, 388, 540, 272});
  CHECK(f[Slot::gradients] == Rect{0, 660, 800, 272});
  CHECK(f[Slot::loss] == Rect{800, 660, 800, 272});
  CHECK(f[Slot::time_strip] == Rect{0, 932, 1600, 44});
  CHECK(f[Slot::status] == Rect{0, 976, 1600, 24});
  CHECK_FALSE(f.shown(Slot::reader));
}

TEST_CASE("layout: no overlap and nothing outside, at any size, scale, preset", "[viewer]") {
  std::mt19937 random(3);
  for (int p = 0; p < kPresets; ++p) {
    for (const float scale : {0.75f, 1.0f, 1.5f, 2.0f, 3.0f}) {
      for (int k = 0; k < 40; ++k) {
        const float width = static_cast<float>(40 + random() % 3000);
        const float height = static_cast<float>(40 + random() % 2000);
        Layout layout;
        layout.set_preset(static_cast<Preset>(p));
        if (k % 5 == 0) layout.maximise(Slot::loss);
        INFO(preset_name(static_cast<Preset>(p))
             << " " << width << " × " << height << " at " << scale);
        check_frame(layout.compute(width, height, scale), width, height);
      }
    }
  }
}

TEST_CASE("layout: splitters follow the mouse, however wildly they are dragged", "[viewer]") {
  std::mt19937 random(5);
  for (int p = 0; p < kPresets; ++p) {
    Layout layout;
    layout.set_preset(static_cast<Preset>(p));
    for (int k = 0; k < 300; ++k) {
      const auto splitter = static_cast<Splitter>(random() % kSplitters);
      layout.drag(splitter, static_cast<float>(static_cast<int>(random() % 3000) - 1500), 1600,
                  1000);
      check_frame(layout.compute(1600, 1000), 1600, 1000);
    }
  }

  Layout layout;
  layout.drag(Splitter::left, 40, 1600, 1000);
  layout.drag(Splitter::bottom, -32, 1600, 1000);
  const LayoutFrame f = layout.compute(1600, 1000);
  CHECK(f[Slot::architecture].w == 340);
  CHECK(f[Slot::gradients].y == 628);
  // Held against the edge and brought back: the line starts where it stands
  layout.drag(Splitter::left, -5000, 1600, 1000);
  const float least = layout.compute(1600, 1000)[Slot::architecture].w;
  CHECK(least >= 100);
  layout.drag(Splitter::left, 50, 1600, 1000);
  CHECK(layout.compute(1600, 1000)[Slot::architecture].w == least + 50);
}

TEST_CASE("layout: a narrow window shows one slot and tabs for the others", "[viewer]") {
  Layout layout;
  CHECK_FALSE(layout.compute(900, 700).tabbed);
  CHECK(layout.compute(899, 700).tabbed);
  CHECK(layout.compute(1700, 900, 2).tabbed);  // 850 units at 2×
  layout.set_tab(Slot::norms);
  const LayoutFrame f = layout.compute(600, 700);
  CHECK(f.shown(Slot::norms));
  CHECK_FALSE(f.shown(Slot::attention));
  CHECK(f.tabs.size() == 7);
  CHECK(f[Slot::norms].h > 400);
}

TEST_CASE("layout: one slot over all, and back", "[viewer]") {
  Layout layout;
  const LayoutFrame before = layout.compute(1600, 1000);
  layout.maximise(Slot::loss);
  const LayoutFrame f = layout.compute(1600, 1000);
  CHECK(f[Slot::loss] == Rect{0, 48, 1600, 884});
  CHECK_FALSE(f.shown(Slot::attention));
  CHECK(f.shown(Slot::transport));
  layout.maximise(Slot::loss);
  CHECK(layout.compute(1600, 1000)[Slot::attention] == before[Slot::attention]);
  layout.maximise(Slot::transport);
  CHECK_FALSE(layout.maximised());
}

TEST_CASE("layout: a session keeps it, and nonsense changes nothing", "[viewer]") {
  Layout a, b;
  a.set_preset(Preset::norms);
  a.drag(Splitter::right, 77, 1600, 1000);
  a.maximise(Slot::gradients);
  REQUIRE(b.parse(a.serialise()));
  CHECK(b.serialise() == a.serialise());
  CHECK(b.maximised() == Slot::gradients);
  for (const char* bad :
       {"", "Norms", "Norms loss none 0.1 0.2 0.3 0.4 0.5", "Norms loss none 0.1 0.2 0.3 0.4 0.5 7",
        "Norms loss none 0.1 0.2 0.3 0.4 0.5 nan", "Norms transport none 0 0 0 0 0 0",
        "Nothing loss none 0 0 0 0 0 0"}) {
    INFO(bad);
    CHECK_FALSE(b.parse(bad));
    CHECK(b.serialise() == a.serialise());
  }
}

TEST_CASE("layout: names go both ways", "[viewer]") {
  for (int i = 0; i < kSlots; ++i)
    CHECK(slot_named(slot_name(static_cast<Slot>(i))) == static_cast<Slot>(i));
  CHECK_FALSE(slot_named("nothing"));
}

}  // namespace
}  // namespace tpp::viewer
