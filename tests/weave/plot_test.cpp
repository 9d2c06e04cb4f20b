// Plots: the same numbers give the same picture, and numbers that cannot be shown are refused.
#include <nlohmann/json.hpp>
#include <string>

#include "chapters/01_tensor/errors.h"
#include "tests/testing.h"
#include "tools/weave/plot.h"

using nlohmann::json;
using tpp::weave::plot_svg;

namespace {

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

json lines() {
  return {{"title", "A < B"},
          {"x", {{"label", "length"}, {"log", true}}},
          {"y", {{"label", "loss"}}},
          {"series",
           {{{"label", "a"}, {"x", {64, 128, 256}}, {"y", {1, 2, 3}}},
            {{"label", "b"}, {"x", {64, 128, 256}}, {"y", {2, 2, 2}}}}}};
}

}  // namespace

TEST_CASE("lines have colours, dashes, labels and ticks at their own numbers") {
  const std::string svg = plot_svg(lines(), "from here");
  CHECK(svg == plot_svg(lines(), "from here"));
  CHECK(svg.compare(0, 4, "<svg") == 0);
  CHECK(count(svg, "<polyline") == 2);
  CHECK(svg.find("A &lt; B") != std::string::npos);
  CHECK(svg.find("#0072b2") != std::string::npos);
  CHECK(svg.find("#d55e00") != std::string::npos);
  CHECK(svg.find("stroke-dasharray=\"8 4\"") != std::string::npos);
  CHECK(svg.find(">128<") != std::string::npos);
  CHECK(svg.find("from here") != std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
}

TEST_CASE("a band is drawn, a break is a gap with a cross") {
  json plot = lines();
  CHECK(count(plot_svg(plot, ""), "fill-opacity") == 0);
  plot["series"][0]["low"] = {0.5, 1.5, 2.5};
  plot["series"][0]["high"] = {1.5, 2.5, 3.5};
  CHECK(count(plot_svg(plot, ""), "fill-opacity") == 1);
  const std::size_t before = count(plot_svg(plot, ""), "<line");
  plot["series"][1]["y"] = {2, 2, nullptr};
  CHECK(count(plot_svg(plot, ""), "<line") == before + 3);  // and a leader to its label
  plot["series"][1]["style"] = 3;
  CHECK(plot_svg(plot, "").find("#cc79a7") != std::string::npos);
  CHECK(plot_svg(plot, "").find("#d55e00") == std::string::npos);
}

TEST_CASE("names make rows, with points or bars") {
  json plot = {{"title", "t"},
               {"y", {{"label", "loss"}}},
               {"series",
                {{{"label", ""},
                  {"x", {"relu", "swiglu"}},
                  {"y", {1.25, 1.5}},
                  {"low", {1, 1.25}},
                  {"high", {1.5, 2}}}}}};
  const std::string points = plot_svg(plot, "");
  CHECK(points.find(">relu<") != std::string::npos);
  CHECK(points.find(">1.25<") != std::string::npos);
  CHECK(count(points, "<circle") == 2);
  plot["kind"] = "bars";
  const std::string bars = plot_svg(plot, "");
  CHECK(count(bars, "<rect") == 3);                // and the background
  CHECK(bars.find(">0.0<") != std::string::npos);  // bars start at zero
}

TEST_CASE("the largest and the smallest values stay within the picture") {
  json plot = lines();
  plot["series"][0]["y"] = {1e-9, 5, 1e9};
  plot["y"]["log"] = true;
  const std::string svg = plot_svg(plot, "");
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("10⁻⁸") != std::string::npos);
  plot["series"][0]["y"] = {7, 7, 7};
  plot["series"][1]["y"] = {7, 7, 7};
  CHECK(plot_svg(plot, "").find("nan") == std::string::npos);  // no range at all
}

TEST_CASE("what cannot be shown is refused") {
  const auto refused = [](const json& plot, const char* says) {
    try {
      (void)plot_svg(plot, "");
      FAIL("it was drawn: " << plot.dump());
    } catch (const tpp::InputError& e) {
      INFO(e.what());
      CHECK(std::string(e.what()).find(says) != std::string::npos);
    }
  };
  json plot = lines();
  plot["series"] = json::array();
  refused(plot, "no series");
  plot = lines();
  plot["series"][0]["y"] = {1, 2};
  refused(plot, "different lengths");
  plot = lines();
  plot["series"][0]["y"] = {1, 2, "NaN"};
  refused(plot, "no finite number");
  plot = lines();
  plot["series"][0]["y"] = {1, 2, std::numeric_limits<double>::quiet_NaN()};
  refused(plot, "no finite number");
  plot = lines();
  plot["series"][0]["x"] = {0, 1, 2};
  refused(plot, "logarithm");
  plot = lines();
  plot["y"]["log"] = true;
  plot["series"][0]["y"] = {-1, 1, 2};
  refused(plot, "logarithm");
  plot = lines();
  plot["series"][0]["x"] = {"a", 1, 2};
  refused(plot, "numbers and names");
  plot = lines();
  for (int i = 0; i < 9; ++i) plot["series"].push_back(plot["series"][0]);
  refused(plot, "cannot be told apart");
  plot = lines();
  plot["series"][0]["y"] = plot["series"][1]["y"] = {nullptr, nullptr, nullptr};
  refused(plot, "no y at all");
}
