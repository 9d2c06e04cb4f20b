// Colour maps keep their order in grey; ranges are what their policy says.
#include "viewer/colormap.h"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/testing.h"

namespace tpp::viewer {
namespace {

using tpp::testing::Approx;

TEST_CASE("colormap: viridis and cividis grow lighter with every step", "[viewer]") {
  for (const Colormap map : {Colormap::viridis, Colormap::cividis}) {
    const auto& table = colormap_table(map);
    for (std::size_t i = 1; i < 256; ++i) {
      INFO(colormap_name(map) << " entry " << i);
      // Eight bits a channel leave a little noise between neighbours
      CHECK(lightness(table[i]) > lightness(table[i - 1]) - 0.1);
      if (i >= 4) CHECK(lightness(table[i]) > lightness(table[i - 4]));
      CHECK(alpha(table[i]) == 255);
    }
    CHECK(lightness(table[255]) - lightness(table[0]) > 60);
  }
  // The published ends
  CHECK(colormap_table(Colormap::viridis)[0] == rgba(0x44, 0x01, 0x54));
  CHECK(colormap_table(Colormap::viridis)[255] == rgba(0xFD, 0xE7, 0x25));
  CHECK(colormap_table(Colormap::cividis)[0] == rgba(0x00, 0x20, 0x4D));
}

TEST_CASE("colormap: the signed map is lightest at zero, blue below and orange above", "[viewer]") {
  const auto& table = colormap_table(Colormap::signed_);
  CHECK(colormap_index(0, {-3, 3}) == 128);
  for (std::size_t i = 1; i < 256; ++i) {
    INFO("entry " << i);
    const double step = lightness(table[i]) - lightness(table[i - 1]);
    if (i <= 128) CHECK(step > -0.05);
    if (i > 128) CHECK(step < 0.05);
  }
  CHECK(lightness(table[128]) > 97);
  for (std::size_t i = 8; i < 120; ++i) {
    CHECK(blue(table[i]) > red(table[i]));
    CHECK(red(table[255 - i]) > blue(table[255 - i]));
    // Both arms weigh the same to the eye, so neither sign looks stronger
    CHECK(std::fabs(lightness(table[i]) - lightness(table[256 - i])) < 14);
  }
}

TEST_CASE("colormap: the cyclic map meets itself and is darkest half a turn away", "[viewer]") {
  const auto& table = colormap_table(Colormap::cyclic);
  const auto distance = [](Rgba a, Rgba b) {
    return std::abs(red(a) - red(b)) + std::abs(green(a) - green(b)) + std::abs(blue(a) - blue(b));
  };
  CHECK(distance(table[0], table[255]) <= 8);
  for (std::size_t i = 1; i < 256; ++i) {
    INFO("entry " << i);
    CHECK(distance(table[i], table[i - 1]) <= 16);
    const double step = lightness(table[i]) - lightness(table[i - 1]);
    if (i <= 128) CHECK(step < 0.05);
    if (i > 128) CHECK(step > -0.05);
  }
}

TEST_CASE("colormap: index clamps, and neither NaN nor an empty range escapes the table",
          "[viewer]") {
  CHECK(colormap_index(0, {0, 1}) == 0);
  CHECK(colormap_index(1, {0, 1}) == 255);
  CHECK(colormap_index(-7, {0, 1}) == 0);
  CHECK(colormap_index(7, {0, 1}) == 255);
  CHECK(colormap_index(5, {5, 5}) == 128);
  CHECK(colormap_index(std::numeric_limits<float>::quiet_NaN(), {0, 1}) == 0);
  CHECK(colormap_index(std::numeric_limits<float>::infinity(), {0, 1}) == 255);
  CHECK(colormap_index(0, {-3e38f, 3e38f}) >= 0);
}

TEST_CASE("colormap: statistics count, and percentiles leave outliers out", "[viewer]") {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(static_cast<float>(i) / 1000);
  values.push_back(1e9f);
  values.push_back(std::numeric_limits<float>::quiet_NaN());
  values.push_back(std::numeric_limits<float>::infinity());
  const ValueStats s = value_stats(values, true);
  CHECK(s.finite == 1001);
  CHECK(s.nan == 2);
  CHECK(s.max == 1e9f);
  CHECK(s.p01 == Approx(0.01).margin(0.002));
  CHECK(s.p99 == Approx(0.99).margin(0.002));
  std::int64_t total = 0;
  for (const std::uint32_t n : s.histogram) total += n;
  CHECK(total == s.finite);

  const ValueStats none = value_stats({});
  CHECK(none.finite == 0);
  CHECK(none.min == 0);
}

TEST_CASE("colormap: every policy gives its range, symmetric when asked", "[viewer]") {
  ValueStats s;
  s.min = -2;
  s.max = 5;
  s.p01 = -1;
  s.p99 = 3;
  CHECK(choose_range(RangePolicy::fixed, s, {0, 9}, false).hi == 9);
  CHECK(choose_range(RangePolicy::min_max, s, {0, 9}, false).lo == -2);
  CHECK(choose_range(RangePolicy::percentile, s, {0, 9}, false).hi == 3);
  CHECK(choose_range(RangePolicy::per_row, s, {0, 9}, false).hi == 1);
  CHECK(choose_range(RangePolicy::min_max, s, {0, 9}, true).lo == -5);
}

}  // namespace
}  // namespace tpp::viewer
