// A results file's plot as SVG: lines over numbers, or points and bars beside names.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tpp::weave {

inline constexpr std::size_t kPlotStyles = 8;  // that can be told apart

/// The picture of one entry of "plots":
///
///   {"title": "…", "x": {"label": "…", "log": true}, "y": {"label": "…", "log": false, "min": 0, "max": 9},
///    "kind": "bars", "series": [{"label": "…", "x": […], "y": […], "low": […], "high": […]}]}
///
/// Numbers in x make lines, with a band from low to high where these are given; null in y breaks the line. Names in x
/// make a row each, with a point and whiskers, or with "kind": "bars" a bar that starts at zero. The axes hold all
/// that there is unless min or max cut it. Colours are Okabe and Ito's, each with dashes and a shape of its own;
/// "style": 3 in a series takes the fourth, so that a label can look the same in several plots. The picture brings its
/// own background, for light pages and dark ones. The same numbers give the same bytes.
/// Errors  InputError: what is missing, does not fit or is not finite
[[nodiscard]] std::string plot_svg(const nlohmann::json& plot, const std::string& source);

}  // namespace tpp::weave
