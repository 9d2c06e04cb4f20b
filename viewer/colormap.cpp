// Tables from a few published colours each, interpolated in OKLab, where equal steps look equal.
#include "viewer/colormap.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace tpp::viewer {
namespace {

struct Lab {
  double l, a, b;
};

double to_linear(double v) { return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); }
double from_linear(double v) {
  return v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
}

// OKLab: Björn Ottosson, "A perceptual color space for image processing", 2020
Lab to_oklab(Rgba c) {
  const double r = to_linear(red(c) / 255.0), g = to_linear(green(c) / 255.0),
               b = to_linear(blue(c) / 255.0);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

Rgba from_oklab(const Lab& c) {
  const auto cube = [](double v) { return v * v * v; };
  const double l = cube(c.l + 0.3963377774 * c.a + 0.2158037573 * c.b);
  const double m = cube(c.l - 0.1055613458 * c.a - 0.0638541728 * c.b);
  const double s = cube(c.l - 0.0894841775 * c.a - 1.2914855480 * c.b);
  const auto channel = [](double v) {
    return static_cast<int>(std::lround(255 * from_linear(std::clamp(v, 0.0, 1.0))));
  };
  return rgba(channel(+4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
              channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
              channel(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
}

// A colour at a place between 0 and 255
struct Stop {
  double at;
  unsigned rgb;
};

std::array<Rgba, 256> interpolate(const std::vector<Stop>& stops) {
  std::array<Rgba, 256> table{};
  std::size_t k = 0;
  for (int i = 0; i < 256; ++i) {
    while (k + 2 < stops.size() && i > stops[k + 1].at) ++k;
    const double t = std::clamp((i - stops[k].at) / (stops[k + 1].at - stops[k].at), 0.0, 1.0);
    const auto lab = [](unsigned rgb) {
      return to_oklab(rgba(static_cast<int>(rgb >> 16 & 255u), static_cast<int>(rgb >> 8 & 255u),
                           static_cast<int>(rgb & 255u)));
    };
    const Lab a = lab(stops[k].rgb), b = lab(stops[k + 1].rgb);
    table[static_cast<std::size_t>(i)] =
        from_oklab({a.l + t * (b.l - a.l), a.a + t * (b.a - a.a), a.b + t * (b.b - a.b)});
  }
  return table;
}

std::vector<Stop> evenly(const std::vector<unsigned>& colours) {
  std::vector<Stop> stops;
  for (std::size_t i = 0; i < colours.size(); ++i) {
    stops.push_back(
        {255.0 * static_cast<double>(i) / static_cast<double>(colours.size() - 1), colours[i]});
  }
  return stops;
}

// Viridis: van der Walt and Smith, 2015, at eleven even places
std::array<Rgba, 256> make_viridis() {
  return interpolate(evenly({0x440154, 0x482576, 0x414487, 0x35608D, 0x2A788E, 0x21908C, 0x22A884,
                             0x43BF71, 0x7AD151, 0xBBDF27, 0xFDE725}));
}

// Cividis: Nuñez, Anderton and Renslow, 2018, at ten even places
std::array<Rgba, 256> make_cividis() {
  return interpolate(evenly({0x00204D, 0x00336F, 0x39486B, 0x575C6D, 0x707173, 0x8A8779, 0xA69D75,
                             0xC4B56C, 0xE4CF5B, 0xFFEA46}));
}

// Blues and oranges of Brewer's diverging sets, white at 128, where zero of −m … m falls
std::array<Rgba, 256> make_signed() {
  return interpolate({{0, 0x053061},
                      {32, 0x2166AC},
                      {64, 0x4393C3},
                      {96, 0x92C5DE},
                      {128, 0xFAFAFA},
                      {160, 0xFDB863},
                      {192, 0xE08214},
                      {224, 0xB35806},
                      {255, 0x7F3B08}});
}

// Pale – blue – dark – red – pale: lightness falls and rises once, so half a turn is dark
std::array<Rgba, 256> make_cyclic() {
  return interpolate({{0, 0xE6DDE6},
                      {32, 0xA9C3D3},
                      {64, 0x6A8FC3},
                      {96, 0x5A4FA8},
                      {128, 0x2F1540},
                      {160, 0x7E2A5A},
                      {192, 0xB6655A},
                      {224, 0xD2AF9C},
                      {256, 0xE6DDE6}});
}

}  // namespace

const std::array<Rgba, 256>& colormap_table(Colormap map) {
  static const std::array<Rgba, 256> viridis = make_viridis();
  static const std::array<Rgba, 256> cividis = make_cividis();
  static const std::array<Rgba, 256> diverging = make_signed();
  static const std::array<Rgba, 256> cyclic = make_cyclic();
  switch (map) {
    case Colormap::cividis:
      return cividis;
    case Colormap::signed_:
      return diverging;
    case Colormap::cyclic:
      return cyclic;
    case Colormap::viridis:
      break;
  }
  return viridis;
}

const char* colormap_name(Colormap map) {
  switch (map) {
    case Colormap::cividis:
      return "cividis";
    case Colormap::signed_:
      return "blue – white – orange";
    case Colormap::cyclic:
      return "cyclic";
    case Colormap::viridis:
      break;
  }
  return "viridis";
}

double lightness(Rgba colour) {
  const double y = 0.2126 * to_linear(red(colour) / 255.0) +
                   0.7152 * to_linear(green(colour) / 255.0) +
                   0.0722 * to_linear(blue(colour) / 255.0);
  return y <= 216.0 / 24389 ? y * 24389 / 27 : 116 * std::cbrt(y) - 16;
}

const char* range_policy_text(RangePolicy policy) {
  switch (policy) {
    case RangePolicy::fixed:
      return "fixed";
    case RangePolicy::min_max:
      return "min – max";
    case RangePolicy::percentile:
      return "1 % – 99 %";
    case RangePolicy::per_row:
      return "per row";
  }
  return "";
}

int colormap_index(float value, ValueRange range) {
  const float width = range.hi - range.lo;
  if (!(width > 0)) return 128;
  const float t = (value - range.lo) / width * 255.0f;
  if (!(t > 0)) return 0;
  return t >= 255 ? 255 : static_cast<int>(t + 0.5f);
}

ValueRange choose_range(RangePolicy policy, const ValueStats& stats, ValueRange fixed,
                        bool symmetric) {
  ValueRange range = fixed;
  if (policy == RangePolicy::min_max) range = {stats.min, stats.max};
  if (policy == RangePolicy::percentile) range = {stats.p01, stats.p99};
  if (policy == RangePolicy::per_row) range = {0, 1};
  if (symmetric) {
    const float m = std::max(std::fabs(range.lo), std::fabs(range.hi));
    range = {-m, m};
  }
  return range;
}

ValueStats value_stats(std::span<const float> values, bool percentiles) {
  ValueStats s;
  float lo = std::numeric_limits<float>::infinity(), hi = -lo;
  for (const float v : values) {
    if (!std::isfinite(v)) {
      ++s.nan;
      continue;
    }
    ++s.finite;
    lo = std::min(lo, v);
    hi = std::max(hi, v);
  }
  if (s.finite == 0) return s;
  s.min = s.p01 = lo;
  s.max = s.p99 = hi;

  // Count into 64 bins; in double, for max − min may not fit a float
  const double bins = static_cast<double>(s.histogram.size());
  const double width = static_cast<double>(hi) - static_cast<double>(lo);
  const double per_value = width > 0 ? bins / width : 0;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    const double at = (static_cast<double>(v) - static_cast<double>(lo)) * per_value;
    ++s.histogram[static_cast<std::size_t>(std::min(at, bins - 1))];
  }

  // Percentiles of at most 65536 values, evenly taken
  if (percentiles) {
    std::vector<float> sample;
    const std::size_t stride = values.size() / 65536 + 1;
    for (std::size_t i = 0; i < values.size(); i += stride) {
      if (std::isfinite(values[i])) sample.push_back(values[i]);
    }
    if (!sample.empty()) {
      const auto pick = [&sample](double q) {
        const auto k =
            static_cast<std::ptrdiff_t>(q * static_cast<double>(sample.size() - 1) + 0.5);
        std::nth_element(sample.begin(), sample.begin() + k, sample.end());
        return sample[static_cast<std::size_t>(k)];
      };
      s.p01 = pick(0.01);
      s.p99 = pick(0.99);
    }
  }
  return s;
}

}  // namespace tpp::viewer
