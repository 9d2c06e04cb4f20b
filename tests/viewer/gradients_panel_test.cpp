// The gradients' map: pooling, ratios and ranges against plain loops, its view under a scripted hand.
#include "viewer/panels/gradients_panel.h"

#include <cmath>
#include <limits>
#include <sstream>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

constexpr int kWidth = 800, kHeight = 272, kVertexBudget = 60000;

TEST_CASE("gradients: the largest of any stretch", "[viewer][gradients]") {
  const int width = 3, rows = 700;
  Noise noise(4);
  MaxTable table(width);
  std::vector<std::vector<float>> all;
  for (int i = 0; i < rows; ++i) {
    std::vector<float> row;
    for (int j = 0; j < width; ++j) row.push_back(noise());
    if (i == 333) row[1] = std::numeric_limits<float>::quiet_NaN();
    table.push(row);
    all.push_back(row);
  }
  std::vector<float> most;
  for (int k = 0; k < 300; ++k) {
    const long a = long(std::fabs(noise()) * 400) % rows;
    const long b = std::min<long>(rows, a + long(std::fabs(noise()) * 300));
    table.largest(a, b, most);
    for (int j = 0; j < width; ++j) {
      float expected = -std::numeric_limits<float>::infinity();
      bool nan = false;
      for (long i = a; i < b; ++i) {
        const float x = all[std::size_t(i)][std::size_t(j)];
        if (std::isnan(x))
          nan = true;
        else
          expected = std::max(expected, x);
      }
      if (nan) {
        CHECK(std::isnan(most[std::size_t(j)]));
      } else {
        CHECK(most[std::size_t(j)] == expected);
      }
    }
  }
  table.largest(-5, 100000, most);  // beyond what there is
  CHECK(std::isnan(most[1]));
}

TEST_CASE("gradients: cells and ratios are the history's", "[viewer][gradients]") {
  const Frame frame = synthetic_frame();
  const int steps = GENERATE(5, 200, 1777);
  History history = synthetic_history(frame, steps);
  // The newest step was not measured: the one before stands in
  for (ParameterReport& r : history.steps.back().parameters) r.update_norm = r.weight_norm = NAN;
  Stage stage(kWidth, kHeight);
  GradientsPanel panel;
  stage.history = &history;
  stage.show(panel, &frame, 3);
  REQUIRE(panel.columns() > 0);
  CHECK(panel.columns() <= steps);
  CHECK(panel.first_step() == 1);
  CHECK(panel.last_step() == steps);

  const int P = int(frame.parameters.size()), C = panel.columns();
  int bucket = 1;
  while ((steps + bucket - 1) / bucket > C) bucket *= 2;
  for (int p = 0; p < P; p += 3) {
    for (int c = 0; c < C; ++c) {
      double most = 0;
      for (int i = c * bucket; i < std::min(steps, (c + 1) * bucket); ++i)
        most =
            std::max(most, history.steps[std::size_t(i)].parameters[std::size_t(p)].gradient_norm);
      CHECK(double(panel.cell(p, c)) == Approx(std::log10(most)).margin(1e-5));
    }
    const ParameterReport& r = history.steps[std::size_t(steps - 2)].parameters[std::size_t(p)];
    CHECK(panel.ratios()[std::size_t(p)] == Approx(r.update_norm / r.weight_norm));
  }
}

TEST_CASE("gradients: the wheel zooms in time, the newest stays at the right",
          "[viewer][gradients]") {
  const Frame frame = synthetic_frame();
  const History whole = synthetic_history(frame, 1000);
  History history = whole;
  history.steps.resize(800);
  Stage stage(kWidth, kHeight);
  GradientsPanel panel;
  stage.history = &history;
  stage.show(panel, &frame);
  stage.script().wheel("gradients/map", 4, 0.98f, 0.5f);
  stage.script().wait(2);
  CHECK(panel.first_step() > 300);
  CHECK(panel.last_step() == 800);

  // Following: new steps come in at the right
  history.steps = whole.steps;
  stage.script().wait(2);
  CHECK(panel.last_step() == 1000);

  // Dragged away, the view stays
  stage.script().drag("gradients/map", 200, 0, 0.3f, 0.5f);
  stage.script().wait(2);
  const long last = panel.last_step();
  CHECK(last < 1000);
  CHECK_FALSE(stage.selection.locked().step);  // a drag is no click
  stage.script().double_click("gradients/map", 0.5f, 0.5f);
  stage.script().wait(2);
  CHECK(panel.first_step() == 1);
  CHECK(panel.last_step() == 1000);
}

TEST_CASE("gradients: hovering names parameter and step, a click locks them",
          "[viewer][gradients]") {
  const Frame frame = synthetic_frame();
  const History history = synthetic_history(frame, 300);
  Stage stage(kWidth, kHeight);
  GradientsPanel panel;
  stage.history = &history;
  stage.show(panel, &frame);
  stage.script().move("gradients/map", 0.5f, 0.01f);
  stage.script().wait(20);
  CHECK(stage.selection.hovered().parameter == frame.parameters[0].name);
  REQUIRE(stage.selection.hovered().step);
  CHECK(*stage.selection.hovered().step > 140);
  CHECK(*stage.selection.hovered().step < 160);
  CHECK(stage.script().sees("tooltip"));
  stage.script().click("gradients/map", 0.5f, 0.01f);
  CHECK(stage.selection.locked().parameter == frame.parameters[0].name);
  CHECK(stage.selection.locked().step == stage.selection.hovered().step);
}

TEST_CASE("gradients: a restart begins anew", "[viewer][gradients]") {
  const Frame frame = synthetic_frame();
  History history = synthetic_history(frame, 300);
  Stage stage(kWidth, kHeight);
  GradientsPanel panel;
  stage.history = &history;
  stage.show(panel, &frame);
  history = synthetic_history(frame, 310);
  for (StepScalars& s : history.steps)
    for (ParameterReport& r : s.parameters) r.gradient_norm = 10;
  history.epoch = 1;
  stage.show(panel, &frame);
  for (int c = 0; c < panel.columns(); ++c) CHECK(panel.cell(0, c) == Approx(1));

  // Another model, another table
  FrameSpec spec;
  spec.layers = 1;
  const Frame other = synthetic_frame(spec);
  history = synthetic_history(other, 20);
  history.epoch = 2;
  stage.show(panel, &other);
  CHECK(panel.columns() == 20);
  CHECK(panel.ratios().size() == other.parameters.size());
  history = History{};
  history.epoch = 3;
  stage.show(panel, &other);
  CHECK(panel.columns() == 0);
  CHECK(panel.first_step() == -1);
}

TEST_CASE("gradients: numbers to save", "[viewer][gradients]") {
  const Frame frame = synthetic_frame();
  const History history = synthetic_history(frame, 10);
  Stage stage(kWidth, kHeight);
  GradientsPanel panel;
  stage.history = &history;
  std::ostringstream none;
  panel.export_csv(none);
  CHECK(none.str().empty());
  stage.show(panel, &frame);
  std::ostringstream out;
  panel.export_csv(out);
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 10 * long(frame.parameters.size()));
}

TEST_CASE("gradients: draws whatever it is given", "[viewer][gradients]") {
  const Frame frames[] = {synthetic_frame(), empty_frame(), blank_frame(), nan_frame()};
  std::vector<History> histories{synthetic_history(frames[0], 500), History{},
                                 synthetic_history(frames[0], 1),
                                 synthetic_history(frames[0], 300, false)};
  histories.push_back(synthetic_history(frames[0], 40));
  for (StepScalars& s : histories.back().steps) s.parameters.clear();  // nothing was measured
  for (const Frame& frame : frames) {
    for (const History& history : histories) {
      for (const int width : {kWidth, 380, 60}) {
        Stage stage(width, kHeight);
        GradientsPanel panel;
        stage.history = &history;
        stage.show(panel, &frame);
        if (stage.script().sees("gradients/map")) {
          stage.script().move("gradients/map");
          stage.script().wait(12);
        }
        CHECK(stage.vertices < kVertexBudget);
      }
    }
  }
  Stage stage(kWidth, kHeight);
  GradientsPanel panel;
  stage.show(panel, nullptr);
  stage.show(panel, &frames[0]);
}

TEST_CASE("gradients: a hundred thousand steps of eighty parameters", "[viewer][gradients]") {
  FrameSpec spec;
  spec.layers = 13;  // 6 parameters a block, and the ends
  const Frame frame = synthetic_frame(spec);
  REQUIRE(frame.parameters.size() >= 80);
  const History history = synthetic_history(frame, 100000);
  Stage stage(kWidth, kHeight);
  GradientsPanel panel;
  stage.history = &history;
  stage.show(panel, &frame);
  CHECK(panel.last_step() == 100000);
  CHECK(stage.vertices < kVertexBudget);
  stage.picture("gradients_huge.png");
}

TEST_CASE("gradients: pictures", "[viewer][gradients]") {
  FrameSpec spec;
  spec.layers = 4;
  const Frame frame = synthetic_frame(spec);
  const History history = synthetic_history(frame, 1200);
  for (const bool dark : {true, false}) {
    for (const int scale : {1, 2}) {
      const std::string name =
          std::string(dark ? "_dark" : "_light") + (scale == 2 ? "_2x" : "") + ".png";
      Stage stage(kWidth, kHeight, dark ? Appearance::dark : Appearance::light, float(scale));
      GradientsPanel panel;
      stage.history = &history;
      stage.show(panel, &frame, 3);
      stage.picture("gradients" + name);
      stage.script().move("gradients/map", 0.4f, 0.3f);
      stage.script().wait(15);
      stage.picture("gradients_hover" + name);
      CHECK(stage.vertices > 0);
    }
  }
}

}  // namespace
}  // namespace tpp::viewer::testing
