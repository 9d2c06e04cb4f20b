// The text that the model writes: prompt, temperature, and the bars of what may come next.
#include "viewer/panels/samples_panel.h"

#include <sstream>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

constexpr int kWidth = 800, kHeight = 272, kVertexBudget = 60000;

struct Control : RecordingControl {
  double temperature = -1;
  void set_temperature(double t) override {
    RecordingControl::set_temperature(t);
    temperature = t;
  }
};

Frame written() {
  Frame f = synthetic_frame();
  f.sample_prompt = "The fox";
  f.sample_text =
      " met the owl by the river. \"I am hungry,\" said the fox. \"Then wait,\" said the owl, "
      "\"and "
      "the river will bring you a fish.\"\nThe fox waited all night. In the morning a fish came, "
      "and the fox gave half of it to the owl.\nWho waits, eats.\n";
  f.sample_whole = true;
  return f;
}

TEST_CASE("samples: a prompt that is typed is sent", "[viewer][samples]") {
  const Frame frame = written();
  Stage stage(kWidth, kHeight);
  SamplesPanel panel;
  Control control;
  stage.control = &control;
  stage.show(panel, &frame);
  stage.script().click("samples/prompt", 0.9f);
  stage.script().key("End");
  stage.script().type(" and");
  stage.script().key("Enter");
  stage.script().wait(3);
  REQUIRE(control.calls.size() >= 1);
  CHECK(control.calls[0].starts_with("prompt "));
  CHECK(control.calls[0].find(" and") != std::string::npos);
}

TEST_CASE("samples: the temperature slider", "[viewer][samples]") {
  const Frame frame = written();
  Stage stage(kWidth, kHeight);
  SamplesPanel panel;
  Control control;
  stage.control = &control;
  stage.show(panel, &frame);
  stage.script().click("samples/temperature", 0.01f);
  CHECK(control.temperature == 0);
  stage.script().click("samples/temperature", 0.5f);
  CHECK(control.temperature == Approx(1));
  stage.script().click("samples/temperature", 0.99f);
  CHECK(control.temperature == Approx(2));

  // It is kept for the next time, and sent to the run then
  CHECK(panel.settings() == "2.00");
  SamplesPanel other;
  for (const char* bad : {"", "x", "-1", "3", "nan", "1.0x"}) other.restore(bad);
  CHECK(other.settings() == "0.80");
  other.restore("1.25");
  CHECK(other.settings() == "1.25");
  control.temperature = -1;
  stage.show(other, &frame);
  CHECK(control.temperature == Approx(1.25));
}

TEST_CASE("samples: numbers to save", "[viewer][samples]") {
  const Frame frame = written();
  Stage stage(kWidth, kHeight);
  SamplesPanel panel;
  stage.show(panel, &frame);
  std::ostringstream out;
  panel.export_csv(out);
  CHECK(out.str().find("kind,step,text,probability\nprompt,1200,The fox,\n") == 0);
  CHECK(out.str().find("next,1200,e,0.12\n") != std::string::npos);
  CHECK(stage.script().sees("samples/next/4"));
}

TEST_CASE("samples: draws whatever it is given", "[viewer][samples]") {
  std::vector<Frame> frames{written(), empty_frame(), blank_frame(), nan_frame()};
  frames.push_back(written());
  frames.back().sample_text = std::string(100000, 'x');  // no place to break
  frames.push_back(written());
  frames.back().sample_text.clear();
  for (int i = 0; i < 5000; ++i) frames.back().sample_text += "\n\xE2\x8F\x8E\xFF";
  for (const Frame& frame : frames) {
    for (const int width : {kWidth, 400, 60}) {
      Stage stage(width, kHeight);
      SamplesPanel panel;
      stage.show(panel, &frame);
      CHECK(stage.vertices < kVertexBudget);
      if (stage.script().sees("samples/next/0")) {
        stage.script().move("samples/next/0");
        stage.script().wait(12);
      }
    }
  }
  Stage stage(kWidth, kHeight);
  SamplesPanel panel;
  stage.show(panel, nullptr);
  std::ostringstream out;
  panel.export_csv(out);
  CHECK(out.str().empty());
}

TEST_CASE("samples: pictures", "[viewer][samples]") {
  Frame frame = written();
  frame.next_tokens = {{"␣", 0.52f}, {",", 0.13f}, {".", 0.11f},  {"e", 0.05f},  {"⏎", 0.03f},
                       {"a", 0.02f}, {"i", 0.01f}, {"o", 0.008f}, {"u", 0.004f}, {"t", 0.01f}};
  for (const bool dark : {true, false}) {
    for (const int scale : {1, 2}) {
      Stage stage(kWidth, kHeight, dark ? Appearance::dark : Appearance::light, float(scale));
      SamplesPanel panel;
      stage.show(panel, &frame);
      stage.picture(std::string("samples") + (dark ? "_dark" : "_light") +
                    (scale == 2 ? "_2x" : "") + ".png");
      stage.script().move("samples/next/1");
      stage.script().wait(15);
      stage.picture(std::string("samples_tip") + (dark ? "_dark" : "_light") +
                    (scale == 2 ? "_2x" : "") + ".png");
    }
  }
}

}  // namespace
}  // namespace tpp::viewer::testing
