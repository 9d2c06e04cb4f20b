// The loss curves: smoothing and readouts against plain loops, the past changing under them.
#include "viewer/panels/loss_panel.h"

#include <cmath>
#include <sstream>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

constexpr int kWidth = 800, kHeight = 272, kVertexBudget = 60000;

TEST_CASE("loss: smoothing is a weighted mean", "[viewer][loss]") {
  Smoother smoother(0.9);
  CHECK(std::isnan(smoother.value()));
  Noise noise(3);
  std::vector<double> seen;
  for (int i = 0; i < 50; ++i) {
    const double x = double(noise());
    seen.push_back(x);
    double top = 0, bottom = 0;
    for (std::size_t j = 0; j < seen.size(); ++j) {
      const double weight = std::pow(0.9, double(seen.size() - 1 - j));
      top += weight * seen[j];
      bottom += weight;
    }
    CHECK(smoother.push(x) == Approx(top / bottom));
  }
  // What is not a number is passed over
  const double before = smoother.value();
  CHECK(smoother.push(NAN) == before);
  CHECK(smoother.push(INFINITY) == before);
}

TEST_CASE("loss: the readout is the history's step", "[viewer][loss]") {
  const Frame frame = synthetic_frame();
  const History history = synthetic_history(frame, 1200);
  Stage stage(kWidth, kHeight);
  LossPanel panel;
  stage.history = &history;
  stage.show(panel, &frame);
  Smoother smoother;
  float validation = NAN;
  for (const StepScalars& s : history.steps) {
    smoother.push(double(s.loss));
    if (std::isfinite(s.validation)) validation = s.validation;
    if (s.step % 97 != 1) continue;
    const LossPanel::Readout r = panel.readout(s.step);
    CHECK(r.step == s.step);
    CHECK(r.train == Approx(double(s.loss)));
    CHECK(r.smoothed == Approx(smoother.value()));
    CHECK(r.validation == Approx(double(validation)));
    CHECK(r.learning_rate == Approx(double(s.learning_rate)));
    CHECK(r.perplexity == Approx(std::exp(double(s.loss))));
    CHECK(r.bits == Approx(double(s.loss) / std::log(2.0)));
  }
  CHECK(panel.readout(1000000).step == 1200);
  CHECK(panel.readout(-5).step == 1);
}

TEST_CASE("loss: steps are taken as they come, and anew after a restart", "[viewer][loss]") {
  const Frame frame = synthetic_frame();
  const History whole = synthetic_history(frame, 300);
  History history = whole;
  history.steps.resize(100);
  Stage stage(kWidth, kHeight);
  LossPanel panel, fresh;
  stage.history = &history;
  stage.show(panel, &frame);
  CHECK(panel.readout(1000).step == 100);
  history.steps = whole.steps;
  ++history.version;
  stage.frame();
  stage.show(fresh, &frame);
  for (const long step : {1L, 100L, 101L, 300L}) {
    CHECK(panel.readout(step).train == fresh.readout(step).train);
    CHECK(panel.readout(step).smoothed == Approx(fresh.readout(step).smoothed));
  }

  // A restart that has already more steps than were seen
  history = synthetic_history(frame, 400);
  history.epoch = 1;
  for (StepScalars& s : history.steps) s.loss = 7;
  stage.show(panel, &frame);
  CHECK(panel.readout(1).train == 7);
  CHECK(panel.readout(400).smoothed == Approx(7));
  history.steps.clear();
  ++history.epoch;
  stage.frame();
  CHECK(panel.readout(1).step == -1);
}

TEST_CASE("loss: hovering names the step, a click locks it, the axis can be logarithmic",
          "[viewer][loss]") {
  const Frame frame = synthetic_frame();
  const History history = synthetic_history(frame, 1000);
  Stage stage(kWidth, kHeight);
  LossPanel panel;
  stage.history = &history;
  stage.show(panel, &frame);
  stage.script().move("loss/plot", 0.5f, 0.6f);
  stage.script().wait(2);
  REQUIRE(stage.selection.hovered().step);
  const long there = *stage.selection.hovered().step;
  CHECK(there > 400);
  CHECK(there < 600);
  CHECK(stage.script().sees("loss/readout"));
  stage.script().click("loss/plot", 0.5f, 0.6f);
  CHECK(stage.selection.locked().step == there);

  stage.script().click("loss/axis/log");
  CHECK(panel.log_steps());
  stage.script().move("loss/plot", 0.5f, 0.6f);
  stage.script().wait(2);
  REQUIRE(stage.selection.hovered().step);
  CHECK(*stage.selection.hovered().step > 15);
  CHECK(*stage.selection.hovered().step < 60);
  CHECK(panel.settings() == "log");
  panel.restore("nonsense");
  CHECK(panel.log_steps());
  panel.restore("linear");
  CHECK_FALSE(panel.log_steps());
}

TEST_CASE("loss: numbers to save", "[viewer][loss]") {
  const Frame frame = synthetic_frame();
  const History history = synthetic_history(frame, 60);
  Stage stage(kWidth, kHeight);
  LossPanel panel;
  stage.history = &history;
  std::ostringstream none;
  panel.export_csv(none);
  CHECK(none.str().empty());
  stage.show(panel, &frame);
  std::ostringstream out;
  panel.export_csv(out);
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 61);
  CHECK(text.find("step,train,smoothed,validation,learning_rate,tokens_per_second\n1,") == 0);
}

TEST_CASE("loss: draws whatever it is given", "[viewer][loss]") {
  const Frame frames[] = {synthetic_frame(), empty_frame(), blank_frame(), nan_frame()};
  const History histories[] = {synthetic_history(frames[0], 500), History{},
                               synthetic_history(frames[0], 1),
                               synthetic_history(frames[0], 300, false)};
  for (const Frame& frame : frames) {
    for (const History& history : histories) {
      for (const int height : {kHeight, 90}) {
        Stage stage(kWidth, height);
        LossPanel panel;
        stage.history = &history;
        stage.show(panel, &frame);
        stage.script().move("loss/plot", 0.5f, 0.5f);
        panel.restore("log");
        stage.script().wait(2);
        CHECK(stage.vertices < kVertexBudget);
      }
    }
  }
  Stage stage(kWidth, kHeight);
  LossPanel panel;
  stage.show(panel, nullptr);
  stage.show(panel, &frames[0]);
}

TEST_CASE("loss: a hundred thousand steps cost what is on the screen", "[viewer][loss]") {
  Frame frame = synthetic_frame();
  frame.parameters.clear();
  const History history = synthetic_history(frame, 100000);
  Stage stage(kWidth, kHeight);
  LossPanel panel;
  stage.history = &history;
  stage.show(panel, &frame);
  CHECK(stage.vertices > 0);
  CHECK(stage.vertices < kVertexBudget);
  stage.script().wheel("loss/plot", 5);
  stage.script().wait(2);
  CHECK(stage.vertices < kVertexBudget);
}

TEST_CASE("loss: pictures", "[viewer][loss]") {
  const Frame frame = synthetic_frame();
  const History history = synthetic_history(frame, 1200);
  for (const bool dark : {true, false}) {
    for (const int scale : {1, 2}) {
      const std::string name =
          std::string(dark ? "_dark" : "_light") + (scale == 2 ? "_2x" : "") + ".png";
      Stage stage(kWidth, kHeight, dark ? Appearance::dark : Appearance::light, float(scale));
      LossPanel panel;
      stage.history = &history;
      stage.show(panel, &frame);
      stage.picture("loss" + name);
      stage.script().move("loss/plot", 0.5f, 0.6f);
      stage.script().wait(3);
      stage.picture("loss_hover" + name);
      panel.restore("log");
      stage.script().wait(3);
      stage.picture("loss_log" + name);
      CHECK(stage.vertices > 0);
    }
  }
}

}  // namespace
}  // namespace tpp::viewer::testing
