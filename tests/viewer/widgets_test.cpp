// Widgets on empty, broken and huge data; what the mouse reads off them; and their picture.
#include <imgui.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <vector>

#include "tests/testing.h"
#include "tests/viewer/offscreen.h"
#include "viewer/export.h"
#include "viewer/gallery.h"
#include "viewer/widgets/bars.h"
#include "viewer/widgets/curve.h"
#include "viewer/widgets/dial.h"
#include "viewer/widgets/heatmap.h"
#include "viewer/widgets/histogram.h"
#include "viewer/widgets/legend.h"
#include "viewer/widgets/rich_text.h"
#include "viewer/widgets/strip.h"
#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {
namespace {

using testing::Offscreen;
using tpp::testing::Approx;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

int vertices() { return ImGui::GetDrawData()->TotalVtxCount; }

TEST_CASE("heatmap: colours, masks and what is not a number", "[viewer]") {
  const std::array<float, 6> m{0, 0.5f, 1, kNan, kInf, -kInf};
  Heatmap map;
  map.set({m.data(), 2, 3}, 1, {Colormap::viridis, RangePolicy::fixed, {0, 1}, false});
  const auto& table = colormap_table(Colormap::viridis);
  CHECK(map.texels()[0] == table[0]);
  CHECK(map.texels()[2] == table[255]);
  CHECK(red(map.texels()[3]) >= 120);  // magenta, light or dark
  CHECK(green(map.texels()[3]) == 0);
  CHECK(alpha(map.texels()[4]) == 255);
  CHECK(alpha(map.texels()[5]) == 0);  // −∞ is how a mask looks
  CHECK(map.stats().nan == 2);
  CHECK(map.stats().masked == 1);

  // Causal: the upper triangle is clear, whatever it holds
  const std::array<float, 9> n{1, kNan, kNan, 1, 1, kNan, 1, 1, 1};
  MatrixView view{n.data(), 3, 3};
  view.causal = true;
  map.set(view, 2, {});
  CHECK(map.stats().masked == 3);
  CHECK(map.stats().nan == 0);
  CHECK(alpha(map.texels()[1]) == 0);
  CHECK(alpha(map.texels()[3]) == 255);
}

TEST_CASE("heatmap: each row its own range when asked", "[viewer]") {
  const std::array<float, 4> m{0, 1, 100, 300};
  Heatmap map;
  map.set({m.data(), 2, 2}, 1, {Colormap::viridis, RangePolicy::per_row, {}, false});
  CHECK(map.texels()[0] == map.texels()[2]);
  CHECK(map.texels()[1] == map.texels()[3]);
}

TEST_CASE("heatmap: uploads when data or style changed, and only then", "[viewer]") {
  Offscreen screen(200, 200);
  const auto& store = static_cast<SoftwareTextureStore&>(screen.backend->textures());
  std::array<float, 16> m{};
  Heatmap map;
  const auto draw = [&] { map.draw(screen.ui, "map", {.size = ImVec2(100, 100)}); };
  map.set({m.data(), 4, 4}, 1);
  screen.frame(draw);
  screen.frame(draw);
  const int before = store.uploads();
  for (int i = 0; i < 5; ++i) {
    map.set({m.data(), 4, 4}, 1);
    screen.frame(draw);
  }
  CHECK(store.uploads() == before);
  m[3] = 1;
  map.set({m.data(), 4, 4}, 2);
  screen.frame(draw);
  CHECK(store.uploads() == before + 1);
  map.set({m.data(), 4, 4}, 2, {Colormap::cividis, RangePolicy::fixed, {0, 1}, false});
  screen.frame(draw);
  CHECK(store.uploads() == before + 2);

  // Another version of the same numbers is the same picture; a NaN is itself, a mask is part of it
  m[5] = kNan;
  map.set({m.data(), 4, 4}, 3);
  screen.frame(draw);
  const int loud = store.uploads();
  CHECK(loud > before + 2);
  map.set({m.data(), 4, 4}, 4);
  screen.frame(draw);
  CHECK(store.uploads() == loud);
  MatrixView causal{m.data(), 4, 4};
  causal.causal = true;
  map.set(causal, 5);
  screen.frame(draw);
  CHECK(store.uploads() == loud + 1);
  map.set({m.data(), 2, 8}, 6);
  screen.frame(draw);
  CHECK(store.uploads() == loud + 2);
}

TEST_CASE("heatmap: the mouse reads row, column and value; a click is told once", "[viewer]") {
  Offscreen screen(300, 300);
  std::vector<float> m(50);
  for (std::size_t i = 0; i < 50; ++i) m[i] = static_cast<float>(i);
  Heatmap map;
  map.set({m.data(), 5, 10}, 1, {Colormap::viridis, RangePolicy::min_max, {}, false});
  HeatmapHit hit;
  int clicks = 0;
  const std::function<void()> draw = [&] {
    hit = map.draw(screen.ui, "map", {.size = ImVec2(200, 100), .zoomable = true});
    clicks += hit.clicked;
  };
  Script script = screen.script(draw);
  script.wait(2);
  for (int r = 0; r < 5; ++r) {
    for (int c = 0; c < 10; ++c) {
      script.move("map", (static_cast<float>(c) + 0.5f) / 10, (static_cast<float>(r) + 0.5f) / 5);
      REQUIRE(hit.hovered);
      REQUIRE(hit.row == r);
      REQUIRE(hit.col == c);
      REQUIRE(hit.value == static_cast<float>(r * 10 + c));
    }
  }
  script.click("map", 0.25f, 0.5f);
  CHECK(clicks == 1);

  // Zooming about the mouse keeps the cell under it; a drag moves the map; a double click undoes
  const int col = hit.col, row = hit.row;
  script.wheel("map", 4, 0.25f, 0.5f);
  CHECK(hit.col == col);
  CHECK(hit.row == row);
  script.move("map", 0.01f, 0.5f);
  CHECK(hit.col > 0);
  const int left = hit.col;
  script.drag("map", 60, 0, 0.3f, 0.5f);
  script.move("map", 0.01f, 0.5f);
  CHECK(hit.col < left);
  script.double_click("map");
  script.move("map", 0.01f, 0.01f);
  CHECK(hit.col == 0);
  CHECK(hit.row == 0);

  script.move_to(290, 290);
  CHECK_FALSE(hit.hovered);
}

TEST_CASE("heatmap: empty, one cell, all NaN, all masked and constant maps draw", "[viewer]") {
  Offscreen screen(200, 200);
  const std::array<float, 4> nan{kNan, kNan, kNan, kNan}, constant{7, 7, 7, 7},
      masked{-kInf, -kInf, -kInf, -kInf};
  const std::vector<std::string> labels{"a", "", "a very long label indeed", "d"};
  for (const float* data :
       {static_cast<const float*>(nullptr), nan.data(), constant.data(), masked.data()}) {
    for (const int n : {1, 2}) {
      for (const RangePolicy policy : {RangePolicy::fixed, RangePolicy::min_max,
                                       RangePolicy::percentile, RangePolicy::per_row}) {
        for (const Colormap colours : {Colormap::viridis, Colormap::signed_}) {
          Heatmap map;
          map.set({data, n, n}, 1, {colours, policy, {0, 1}, false});
          for (const float side : {0.0f, 3.0f, 90.0f}) {
            screen.frame([&] {
              const HeatmapOptions o{.size = ImVec2(side, side),
                                     .zoomable = true,
                                     .row_labels = labels,
                                     .col_labels = labels,
                                     .mark_row = 5,
                                     .lock_row = 1,
                                     .lock_col = 0};
              map.draw(screen.ui, "map", o);
              draw_legend(screen.ui, "map", map, "unit", side);
            });
          }
        }
      }
    }
  }
  Heatmap map;
  map.set({nan.data(), 2, 2}, 1, {});
  screen.frame([&] { map.draw(screen.ui, "map", {.size = ImVec2(100, 100)}); });
  const Image image = screen.backend->read_pixels();
  // Loud: a good part of the map is magenta
  CHECK(std::count(image.pixels.begin(), image.pixels.end(), rgba(255, 0, 255)) > 2000);
}

TEST_CASE("heatmap: 2048² draws as a handful of vertices and loses no lone cell", "[viewer]") {
  Offscreen screen(300, 300);
  const int n = 2048;
  std::vector<float> m(static_cast<std::size_t>(n) * n, 0.0f);
  m[static_cast<std::size_t>(n) * 1001 + 777] = 1;  // one bright cell in four million
  Heatmap map;
  const auto start = std::chrono::steady_clock::now();
  map.set({m.data(), n, n}, 1);
  const double set_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const auto draw = [&] { map.draw(screen.ui, "map", {.size = ImVec2(256, 256)}); };
  screen.frame(draw);
  screen.frame(draw);
  CHECK(vertices() < 1000);
  const Rgba bright = colormap_table(Colormap::viridis)[255];
  const Image image = screen.backend->read_pixels();
  CHECK(std::count(image.pixels.begin(), image.pixels.end(), bright) >= 1);
  WARN("heat map 2048²: set " << set_ms << " ms, frame " << screen.backend->raster_ms() << " ms");
  CHECK(set_ms < 2000);
}

TEST_CASE("curve: empty, NaN, constant, single and negative series draw on both axes", "[viewer]") {
  Offscreen screen(300, 200);
  Pyramid empty, nan, constant, single, negative, wild;
  for (int i = 0; i < 100; ++i) {
    nan.push(i, kNan);
    constant.push(i, 2);
    negative.push(i, -static_cast<float>(i));
    wild.push(i, i % 3 ? 1e30f : -1e30f);
  }
  single.push(5, 1);
  for (const Pyramid* p : {&empty, &nan, &constant, &single, &negative, &wild}) {
    for (const bool log : {false, true}) {
      for (const LineStyle style : {LineStyle::solid, LineStyle::dashed, LineStyle::dots}) {
        CurvePlot plot;
        const std::array<Series, 2> series{Series{.name = "a", .data = p, .style = style},
                                           Series{.name = "none"}};
        const std::array<Guide, 2> guides{Guide{.y = -1, .label = "below"},
                                          Guide{.y = std::nan(""), .label = "nan"}};
        const std::array<EventMark, 1> events{EventMark{.x = 50, .label = "event"}};
        for (const ImVec2 size : {ImVec2(0, 0), ImVec2(1, 1), ImVec2(200, 100)}) {
          screen.frame([&] {
            plot.draw(screen.ui, "plot", series, {.size = size, .log_y = log}, events, guides);
          });
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("curve: a million points cost the screen's width, and no spike is lost", "[viewer]") {
  Offscreen screen(800, 300);
  Pyramid p;
  for (int i = 0; i < 1'000'000; ++i)
    p.push(i, i == 654'321 ? 50.0f : std::sin(static_cast<float>(i) * 1e-4f));
  const std::array<Series, 1> series{Series{.name = "y", .data = &p, .colour = rgba(255, 255, 0)}};
  CurvePlot plot;
  CurveHit hit;
  const std::function<void()> draw = [&] {
    hit = plot.draw(screen.ui, "plot", series, {.legend = false, .readout = true});
  };
  screen.frame(draw);
  const auto start = std::chrono::steady_clock::now();
  screen.frame(draw, false);
  const double ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  CHECK(vertices() < 8000);
  WARN("curve of 1,000,000 points: frame built in " << ms << " ms");
  CHECK(ms < 100);

  // The spike reaches the top of the plot
  screen.frame(draw);
  const Image image = screen.backend->read_pixels();
  int highest = image.height;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      if (image.at(x, y) == rgba(255, 255, 0)) highest = std::min(highest, y);
    }
  }
  CHECK(highest < 60);

  // Wheel zooms about the mouse, double click shows all
  Script script = screen.script(draw);
  script.wait();
  script.move("plot", 0.5f, 0.5f);
  const double at = hit.x;
  script.wheel("plot", 5, 0.5f, 0.5f);
  script.wait();
  CHECK(hit.view_max - hit.view_min < 400'000);
  CHECK(hit.x == Approx(at).epsilon(0.01));
  script.double_click("plot");
  script.wait();
  CHECK(hit.view_max - hit.view_min == Approx(999'999));
}

TEST_CASE("curve: the range comes from what is visible", "[viewer]") {
  Offscreen screen(400, 200);
  Pyramid p;
  for (int i = 0; i < 1000; ++i)
    p.push(i, i < 100 ? 1000.0f : 1.0f + 0.1f * std::sin(static_cast<float>(i)));
  const std::array<Series, 1> series{Series{.name = "y", .data = &p}};
  CurvePlot plot;
  CurveHit hit;
  const std::function<void()> draw = [&] { hit = plot.draw(screen.ui, "plot", series); };
  plot.set_view(200, 900);
  Script script = screen.script(draw);
  script.move("plot", 0.5f, 0.3f);
  CHECK(hit.hovered);
  CHECK(hit.y < 2);  // all-time maximum 1000 does not flatten the rest
  CHECK(hit.y > 0.5);
}

TEST_CASE("axis: ticks are round and inside, numbers are short", "[viewer]") {
  for (const auto& [lo, hi] :
       {std::pair{0.0, 1.0}, {-3.2, 7.9}, {1e-9, 3e-9}, {4e5, 4.1e5}, {0.0, 1e12}}) {
    const std::vector<double> ticks = axis_ticks(lo, hi, 6);
    INFO(lo << " to " << hi);
    CHECK(ticks.size() >= 3);
    CHECK(ticks.size() <= 8);
    for (const double t : ticks) {
      CHECK(t >= lo - 1e-12 * std::fabs(lo));
      CHECK(t <= hi * (1 + 1e-9));
    }
  }
  CHECK(axis_ticks(1e-5, 1e-1, 5, true) == std::vector<double>{1e-5, 1e-4, 1e-3, 1e-2, 1e-1});
  // However few fit, a logarithmic axis has a number
  for (const double lo : {2.5e-6, 3e-4, 9e-4, 0.13}) {
    for (int count = 1; count < 6; ++count)
      CHECK_FALSE(axis_ticks(lo, 1.2e-3 + lo * 3, count, true).empty());
  }
  CHECK(axis_ticks(5, 5, 4).empty());
  CHECK(axis_ticks(0, std::nan(""), 4).empty());
  CHECK(axis_number(0.25, 0.05) == "0.25");
  CHECK(axis_number(12000, 2000) == "12k");
  CHECK(axis_number(-3, 1) == "−3");
  CHECK(axis_number(1500000, 500000) == "1.5M");
  CHECK(axis_number(1e-5) == "1e−5");
  CHECK(axis_number(0, 0.5) == "0.0");
  CHECK(number_text(3.14159, 3) == "3.14");
  CHECK(number_text(123456, 3) == "123456");
  CHECK(number_text(0.00012345, 3) == "1.23e−4");
  CHECK(number_text(2e10, 3) == "2.00e10");
  CHECK(number_text(std::nan("")) == "NaN");
  CHECK(number_text(-HUGE_VAL) == "−∞");
}

TEST_CASE("rich text: marks colour, everything else stays", "[viewer]") {
  CHECK(plain_text("({T|T}, {D|K}) {x} {Q|no} {T|open") == "(T, K) {x} {Q|no} {T|open");
  const auto runs = parse_rich("a{H|b}c");
  REQUIRE(runs.size() == 3);
  CHECK(runs[1].mark == 'H');
  CHECK(runs[1].text == "b");
  CHECK(parse_rich("").empty());
}

TEST_CASE("small widgets: empty and broken data draw, bars and dials are found by the mouse",
          "[viewer]") {
  Offscreen screen(400, 400);
  BarsHit bars_hit;
  DialHit dial_hit;
  int bin = -1;
  bool broken = true;
  const std::function<void()> draw = [&] {
    const std::array<Bar, 3> bars{
        Bar{.label = "a", .value = 1},
        Bar{.label = "b", .value = broken ? static_cast<double>(kNan) : 2},
        Bar{.label = "c", .value = broken ? HUGE_VAL : -3}};
    bars_hit = draw_bars(screen.ui, "bars", bars, {.size = ImVec2(200, 90)});
    draw_bars(screen.ui, "no bars", {}, {});
    draw_bars(screen.ui, "log", bars, {.log = true, .guide = 1e-3, .guide_label = "10⁻³"});
    const std::array<DialArrow, 2> arrows{DialArrow{.x = broken ? kNan : 0.5f},
                                          DialArrow{.x = 0, .y = 0}};
    const std::array<DialArc, 1> arcs{DialArc{0, broken ? kInf : 400.0f, 0}};
    dial_hit =
        draw_dial(screen.ui, "dial", arrows, {.size = 60, .caption = "pair 0", .arcs = arcs});
    const std::array<std::uint32_t, 3> counts{1, 0, 4000000000u};
    bin = draw_histogram(screen.ui, "histogram", counts, {.size = ImVec2(120, 40)});
    draw_histogram(screen.ui, "no histogram", {}, {.size = ImVec2(120, 40)});
    draw_time_strip(screen.ui, "strip", ImVec2(200, 30), 0, 0, static_cast<double>(kNan), {}, true);
  };
  screen.frame(draw);
  broken = false;
  Script script = screen.script(draw);
  script.click("bars/1");
  CHECK(bars_hit.hovered == 1);
  script.move("dial");
  CHECK(dial_hit.hovered);
  script.move("histogram", 0.9f, 0.5f);
  CHECK(bin == 2);
}

TEST_CASE("tooltip: waits 150 ms, then stands", "[viewer]") {
  Offscreen screen(500, 300);
  const std::function<void()> draw = [&] {
    ImGui::Button("cell");
    screen.ui.probe("cell");
    if (ImGui::IsItemHovered() && tooltip_ready(screen.ui, "cell")) {
      draw_tooltip(screen.ui, {.name = "probability, query 7 → key 3",
                               .formula = "softmax({T|s})",
                               .numbers = "exp(1.9) / 4.4",
                               .result = "0.0759",
                               .why = "Where the query looks.",
                               .source = "attention.cpp:42"});
    }
  };
  Script script = screen.script(draw);
  script.wait();
  script.move("cell");
  script.wait(3);
  CHECK_FALSE(script.sees("tooltip"));
  script.wait(12);
  CHECK(script.sees("tooltip"));
  script.move_to(400, 280);
  script.wait(3);
  CHECK_FALSE(script.sees("tooltip"));
}

TEST_CASE("gallery: every widget in dark and light, at 1× and 2×", "[viewer]") {
  // Pictures are kept when TPP_GALLERY names a folder
  const char* folder = std::getenv("TPP_GALLERY");
  for (const float scale : {1.0f, 2.0f}) {
    for (const Appearance appearance : {Appearance::dark, Appearance::light}) {
      Offscreen screen(1600, 1000, scale, appearance);
      const std::unique_ptr<GalleryState, void (*)(GalleryState*)> state(make_gallery(),
                                                                         free_gallery);
      const auto draw = [&] { draw_widget_gallery(screen.ui, *state); };
      const auto whole = [&](bool present) {
        screen.backend->begin_frame();
        screen.probes.begin_frame();
        draw();
        screen.backend->end_frame(present);
      };
      Script script(*screen.backend, screen.probes, [&] { whole(false); });
      script.wait(2);
      script.move("gallery/loss", 0.4f, 0.5f);
      script.wait(20);
      whole(true);
      CHECK(ImGui::GetDrawData()->TotalVtxCount < 60000);
      double best = 1e9;
      for (int i = 0; i < 5; ++i) {
        whole(true);
        best = std::min(best, screen.backend->raster_ms());
      }
      WARN("gallery at " << scale << "×: rasterised in " << best << " ms, "
                         << ImGui::GetDrawData()->TotalVtxCount << " vertices");
      if (folder) {
        const std::string name = std::string(appearance == Appearance::dark ? "dark" : "light") +
                                 (scale > 1 ? "-2x.png" : ".png");
        write_png(std::filesystem::path(folder) / name, screen.backend->read_pixels());
      }
    }
  }
}

}  // namespace
}  // namespace tpp::viewer
