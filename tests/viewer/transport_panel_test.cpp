// The run's bar: its buttons send commands, its sliders set what they say, errors are loud.
#include "viewer/panels/transport_panel.h"

#include <algorithm>
#include <sstream>

#include "chapters/10_optimizer/schedule.h"
#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"
#include "viewer/panels/controls.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

constexpr int kWidth = 1604, kHeight = 76;  // a content of 1584 × 32, as in the bar
constexpr int kVertexBudget = 20000;

/// Also remembers what was asked for.
struct Control : RecordingControl {
  double rate = 0;
  void set_learning_rate(double peak) override {
    RecordingControl::set_learning_rate(peak);
    rate = peak;
  }
};

bool called(const RecordingControl& control, const std::string& what) {
  return std::find(control.calls.begin(), control.calls.end(), what) != control.calls.end();
}

TEST_CASE("transport: buttons send commands", "[viewer][transport]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  TransportPanel panel;
  Control control;
  stage.control = &control;
  stage.show(panel, &frame);

  stage.script().click("transport/play");
  CHECK(control.calls == std::vector<std::string>{"play"});
  stage.script().click("transport/play");
  CHECK(control.calls == std::vector<std::string>{"play", "pause"});
  stage.script().click("transport/step");
  stage.script().click("transport/phase");
  stage.script().click("transport/reset");
  CHECK(control.calls == std::vector<std::string>{"play", "pause", "step", "step_phase", "reset"});
}

TEST_CASE("transport: the sliders set what they write", "[viewer][transport]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  TransportPanel panel;
  Control control;
  stage.control = &control;
  stage.show(panel, &frame);

  // The left end is one step a second, the right end no limit
  stage.script().click("transport/speed", 0.01f);
  CHECK(control.speed_ == Approx(1));
  stage.script().click("transport/speed", 0.5f);
  CHECK(control.speed_ > 10);
  CHECK(control.speed_ < 100);
  CHECK(control.speed_ == rounded(control.speed_, 2));
  stage.script().click("transport/speed", 0.99f);
  CHECK(control.speed_ == 0);

  stage.script().click("transport/rate", 0.01f);
  CHECK(control.rate == Approx(1e-5));
  stage.script().click("transport/rate", 0.99f);
  CHECK(control.rate == Approx(1e-1));
  stage.script().click("transport/rate", 0.5f);
  CHECK(control.rate == Approx(1e-3).epsilon(0.1));
}

TEST_CASE("transport: a place on a logarithmic track, and back", "[viewer][transport]") {
  for (const double v : {1e-5, 3e-4, 1e-2, 1e-1})
    CHECK(log_value(log_place(v, 1e-5, 1e-1), 1e-5, 1e-1) == Approx(v).epsilon(1e-4));
  CHECK(log_place(0, 1e-5, 1e-1) == 0);
  CHECK(log_place(1, 1e-5, 1e-1) == 1);
  CHECK(rounded(0.0031623, 2) == Approx(0.0032));
  CHECK(rounded(0, 2) == 0);
}

TEST_CASE("transport: an error is a bar with what to do", "[viewer][transport]") {
  const Frame frame = nan_frame();
  Stage stage(kWidth, kHeight);
  TransportPanel panel;
  Control control;
  stage.control = &control;
  stage.show(panel, &frame);
  REQUIRE(stage.script().sees("transport/error"));
  CHECK_FALSE(stage.script().sees("transport/counter"));

  // Playing on would be refused, so the button does nothing
  stage.script().click("transport/play");
  CHECK(control.calls.empty());
  stage.script().click("transport/error/halve");
  CHECK(control.rate == Approx(frame.options.learning_rate / 2));
  stage.script().click("transport/error/reset");
  CHECK(called(control, "reset"));
}

TEST_CASE("transport: a past step is shown as such, a click follows again", "[viewer][transport]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  TransportPanel panel;
  Control control;
  stage.control = &control;
  stage.show(panel, &frame);
  stage.selection.set({.step = 300, .layer = 1});
  stage.frame();
  stage.script().click("transport/following");
  CHECK_FALSE(stage.selection.locked().step);
  CHECK(stage.selection.locked().layer == 1);
}

TEST_CASE("transport: the rate that it writes is the schedule's", "[viewer][transport]") {
  Frame frame = synthetic_frame();
  frame.step = 49;
  Stage stage(kWidth, kHeight);
  TransportPanel panel;
  stage.show(panel, &frame);
  std::ostringstream out;
  panel.export_csv(out);
  // Half of a warm-up of 100 steps
  CHECK(out.str().find("\n49,1000,0.0015,0.003,12.5,25600\n") != std::string::npos);
}

TEST_CASE("transport: draws whatever it is given", "[viewer][transport]") {
  const Frame frames[] = {synthetic_frame(), empty_frame(), blank_frame(), nan_frame()};
  for (const Frame& frame : frames) {
    for (const int width : {1604, 820, 300, 40}) {
      Stage stage(width, kHeight);
      TransportPanel panel;
      Control control;
      stage.control = &control;
      stage.show(panel, &frame);
      CHECK(stage.vertices > 0);
      CHECK(stage.vertices < kVertexBudget);
    }
  }
  Stage stage(kWidth, kHeight);
  TransportPanel panel;
  stage.show(panel, nullptr);
  stage.script().click("transport/play");  // no run, no crash
  std::ostringstream out;
  panel.export_csv(out);
  CHECK(out.str().empty());
  CHECK_FALSE(panel.explain().empty());
}

TEST_CASE("transport: pictures", "[viewer][transport]") {
  Frame frame = synthetic_frame();
  for (const bool dark : {true, false}) {
    for (const int scale : {1, 2}) {
      const std::string name =
          std::string(dark ? "_dark" : "_light") + (scale == 2 ? "_2x" : "") + ".png";
      Control control;
      Stage stage(kWidth, kHeight, dark ? Appearance::dark : Appearance::light, float(scale));
      TransportPanel panel;
      stage.control = &control;
      stage.show(panel, &frame);
      stage.picture("transport" + name);
      control.is_playing = true;
      control.speed_ = 20;
      stage.show(panel, &frame);
      stage.picture("transport_playing" + name);
      control.is_playing = false;
      frame.phase = Phase::backward;
      stage.show(panel, &frame);
      stage.selection.set({.step = 300});
      stage.picture("transport_past" + name);
      frame.phase = Phase::update;
      const Frame bad = nan_frame();
      stage.show(panel, &bad);
      stage.picture("transport_error" + name);
      CHECK(stage.vertices < kVertexBudget);
    }
  }
}

}  // namespace
}  // namespace tpp::viewer::testing
