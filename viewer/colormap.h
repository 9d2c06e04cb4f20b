// Numbers to colours: 256-entry tables that keep their order in grey and for colour-blind eyes, and
// the range of numbers that a table is spread over.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "viewer/image.h"

namespace tpp::viewer {

enum class Colormap {
  viridis,  // probability, magnitude
  cividis,  // the same, safest for colour-blind eyes
  signed_,  // blue – white – orange, white exactly at zero
  cyclic,   // angles: the ends meet
};

/// From lowest to highest value, opaque. Built once, on first use.
const std::array<Rgba, 256>& colormap_table(Colormap map);
const char* colormap_name(Colormap map);

/// CIE lightness L* of a colour, 0 … 100.
double lightness(Rgba colour);

/// How the range of a map is chosen. The legend says which.
enum class RangePolicy {
  fixed,       // the caller's numbers: comparable over time and between maps
  min_max,     // of what is shown
  percentile,  // 1 % to 99 %: a few outliers do not wash the rest out
  per_row,     // each row its own minimum to maximum
};
const char* range_policy_text(RangePolicy policy);  // "fixed", "min – max", "1 % – 99 %", "per row"

struct ValueRange {
  float lo = 0, hi = 1;
};

/// What a set of numbers looks like: range, histogram, and what is wrong with it.
struct ValueStats {
  float min = 0, max = 0;            // over finite values; 0, 0 when there are none
  float p01 = 0, p99 = 0;            // percentiles, when asked for; else min and max
  std::int64_t finite = 0, nan = 0;  // nan counts infinities that are not masked, too
  std::int64_t masked = 0;
  std::array<std::uint32_t, 64> histogram{};  // of finite values over min … max
};

/// Statistics of all values; what is not finite counts as nan. Percentiles come from at most 65536
/// values, evenly taken. Cost: two passes.
ValueStats value_stats(std::span<const float> values, bool percentiles = false);

/// Position of a value in the table, 0 … 255, clamped. A range of no width maps to the middle.
int colormap_index(float value, ValueRange range);
inline Rgba colormap_colour(Colormap map, float value, ValueRange range) {
  return colormap_table(map)[static_cast<std::size_t>(colormap_index(value, range))];
}

/// The range that a policy gives for these numbers; `symmetric` widens it to −m … m. per_row gives
/// 0 … 1, since every row differs.
ValueRange choose_range(RangePolicy policy, const ValueStats& stats, ValueRange fixed,
                        bool symmetric);

}  // namespace tpp::viewer
