// The last line: what it says about commands follows from the frames.
#include "viewer/panels/status_panel.h"

#include <sstream>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"

namespace tpp::viewer::testing {
namespace {

constexpr int kVertexBudget = 20000;

TEST_CASE("status: the message follows the run", "[viewer][status]") {
  Frame frame = synthetic_frame();
  Stage stage(1604, 68);
  StatusPanel panel;
  RecordingControl control;
  stage.control = &control;
  stage.show(panel, &frame);
  CHECK(panel.message() == "Ready.");

  control.is_playing = true;
  stage.frame();
  CHECK(panel.message() == "Playing, from step 1,200.");
  frame.step = 1300;
  control.is_playing = false;
  stage.frame();
  CHECK(panel.message() == "Paused at step 1,300.");
  frame.phase = Phase::forward;
  stage.frame();
  CHECK(panel.message() == "Forward done: next is backward.");
  frame.phase = Phase::backward;
  stage.frame();
  CHECK(panel.message() == "Backward done: next is the update.");
  frame.phase = Phase::update;
  frame.step = 1301;
  stage.frame();
  CHECK(panel.message() == "Step 1,301 done.");
  frame.options.learning_rate = 1e-3;
  stage.frame();
  CHECK(panel.message() == "Peak learning rate 0.0010 from step 1,302.");
  frame.options.norm = "layernorm";
  frame.step = 0;
  stage.frame();
  CHECK(panel.message() == "Started anew: norm layernorm.");
  frame.error = "logits was not finite";
  stage.frame();
  CHECK(panel.message() == "Stopped at step 0.");
}

TEST_CASE("status: frames of the last second", "[viewer][status]") {
  const Frame frame = synthetic_frame();
  Stage stage(1604, 68);
  StatusPanel panel;
  stage.show(panel, &frame, 100);  // a stage's frame lasts 1/60 s
  CHECK(panel.frames_per_second() >= 59);
  CHECK(panel.frames_per_second() <= 61);
}

TEST_CASE("status: draws whatever it is given", "[viewer][status]") {
  const Frame frames[] = {synthetic_frame(), empty_frame(), blank_frame(), nan_frame()};
  for (const Frame& frame : frames) {
    for (const int width : {1604, 600, 60}) {
      Stage stage(width, 68);
      StatusPanel panel;
      stage.show(panel, &frame);
      CHECK(stage.vertices < kVertexBudget);
    }
  }
  Stage stage(1604, 68);
  StatusPanel panel;
  stage.show(panel, nullptr);
  std::ostringstream out;
  panel.export_csv(out);
  CHECK(out.str().empty());

  const History history = synthetic_history(frames[0], 1000);
  stage.history = &history;
  stage.show(panel, &frames[0]);
  CHECK(stage.script().sees("status/watch"));
  CHECK(stage.script().sees("status/history"));
  panel.export_csv(out);
  CHECK(out.str().find("watch_share") == 0);
}

TEST_CASE("status: pictures", "[viewer][status]") {
  const Frame frame = synthetic_frame();
  const History history = synthetic_history(frame, 1200);
  for (const bool dark : {true, false}) {
    for (const int scale : {1, 2}) {
      Stage stage(1604, 68, dark ? Appearance::dark : Appearance::light, float(scale));
      StatusPanel panel;
      stage.history = &history;
      stage.show(panel, &frame, 61);
      stage.picture(std::string("status") + (dark ? "_dark" : "_light") +
                    (scale == 2 ? "_2x" : "") + ".png");
      CHECK(stage.vertices > 0);
    }
  }
}

}  // namespace
}  // namespace tpp::viewer::testing
