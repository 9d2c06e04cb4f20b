// Sizes inside the model: what the panel shows against plain loops, for every placement.
#include "viewer/panels/norms_panel.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "chapters/08_layernorm/placement.h"
#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

constexpr int kWidth = 540, kHeight = 272, kVertexBudget = 60000;
constexpr const char* kTabs[] = {"stream", "norms", "gains", "values"};

TEST_CASE("norms: mean and range by hand", "[viewer][norms]") {
  const TapValue rms{4, 1, {1, 3, NAN, 2}};
  const RmsRange r = rms_range(&rms);
  CHECK(r.count == 4);
  CHECK(r.bad == 1);
  CHECK(r.mean == Approx(2));
  CHECK(r.min == 1);
  CHECK(r.max == 3);
  CHECK(rms_range(nullptr).count == 0);
  const TapValue none{1, 1, {NAN}};
  CHECK(std::isnan(rms_range(&none).mean));
}

TEST_CASE("norms: the stream's sizes equal plain sums", "[viewer][norms]") {
  FrameSpec spec;
  spec.options.placement = GENERATE("pre", "post", "sandwich", "deepnorm");
  const Frame frame = synthetic_frame(spec);
  Stage stage(kWidth, kHeight);
  NormsPanel panel;
  stage.show(panel, &frame);
  REQUIRE(panel.stream().size() == std::size_t(2 * spec.layers + 1));
  const bool after = spec.options.placement == "post" || spec.options.placement == "deepnorm";
  CHECK(panel.stream()[1].name == (after ? "block0/attn/norm_out" : "block0/attn/residual"));
  for (const DepthRms& point : panel.stream()) {
    const TapValue* x = frame.tap(point.name);
    REQUIRE(x);
    double sum = 0, least = 1e300, most = 0;
    for (int r = 0; r < x->rows; ++r) {
      double squares = 0;
      for (int c = 0; c < x->cols; ++c) squares += double((*x)(r, c)) * double((*x)(r, c));
      const double rms = std::sqrt(squares / x->cols);
      sum += rms;
      least = std::min(least, rms);
      most = std::max(most, rms);
    }
    CHECK(double(point.rms.mean) == Approx(sum / x->rows));
    CHECK(double(point.rms.min) == Approx(least));
    CHECK(double(point.rms.max) == Approx(most));
  }

  // Every norm's input, output and gain are names that the model has
  for (const NormWork& norm : panel.norms()) {
    INFO(norm.output);
    CHECK(frame.tap(norm.input));
    CHECK(frame.tap(norm.output));
    CHECK(frame.tap(norm.gain));
    CHECK(norm.before.count == spec.T);
    CHECK(norm.after.count == spec.T);
  }
  const auto gains =
      std::count_if(frame.parameters.begin(), frame.parameters.end(),
                    [](const ParameterInfo& p) { return p.name.ends_with("/gain"); });
  CHECK(long(panel.norms().size()) == gains);

  float largest = -1e30f;
  for (const float x : frame.tap("logits")->data) largest = std::max(largest, x);
  CHECK(panel.largest_logit() == largest);
}

TEST_CASE("norms: it asks for what it shows", "[viewer][norms]") {
  FrameSpec spec;
  spec.options.norm = GENERATE("rmsnorm", "layernorm", "scalenorm");
  const Frame frame = synthetic_frame(spec);
  Stage stage(kWidth, kHeight);
  NormsPanel panel;
  stage.show(panel, &frame);
  const auto asked = [&](const std::string& name) {
    return std::find(stage.taps.begin(), stage.taps.end(), name) != stage.taps.end();
  };
  CHECK(asked("rms:embed/out"));
  CHECK(asked("rms:block2/ffn/residual"));
  CHECK(asked("block2/ffn/residual"));
  CHECK(asked("final/norm/gain"));
  CHECK(asked("logits"));
  CHECK_FALSE(asked("block0/ffn/residual"));
  stage.selection.set({.layer = 0});
  stage.frame();
  CHECK(asked("block0/ffn/residual"));

  // All that is asked for is there
  Frame only = frame;
  only.taps.clear();
  for (const std::string& name : stage.taps) {
    INFO(name);
    const TapValue* tap = frame.tap(name);
    CHECK(tap);
    if (tap) only.taps[name] = *tap;
  }
  NormsPanel other;
  stage.show(other, &only);
  for (const NormWork& norm : other.norms()) CHECK(norm.before.count > 0);
}

TEST_CASE("norms: tabs, clicks and settings", "[viewer][norms]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  NormsPanel panel;
  stage.show(panel, &frame);
  for (const char* tab : kTabs) {
    stage.script().click(std::string("norms/view/") + tab);
    CHECK(panel.settings() == tab);
  }
  panel.restore("nonsense");
  CHECK(panel.settings() == "values");
  panel.restore("stream");
  stage.frame();
  stage.script().click("norms/stream/plot", 0.99f);
  CHECK(stage.selection.locked().layer == 2);
}

TEST_CASE("norms: numbers to save", "[viewer][norms]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  NormsPanel panel;
  std::ostringstream none;
  panel.export_csv(none);
  CHECK(none.str().empty());
  stage.show(panel, &frame);
  std::ostringstream out;
  panel.export_csv(out);
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 7 + 7 + 7);
}

TEST_CASE("norms: draws whatever it is given", "[viewer][norms]") {
  std::vector<Frame> frames{synthetic_frame(), empty_frame(), blank_frame(), nan_frame(),
                            huge_frame()};
  for (const char* norm : {"layernorm", "scalenorm"}) {
    for (const char* placement : {"post", "sandwich", "deepnorm"}) {
      FrameSpec spec;
      spec.options.norm = norm;
      spec.options.placement = placement;
      frames.push_back(synthetic_frame(spec));
    }
  }
  struct Size {
    int w, h;
  };
  for (const Frame& frame : frames) {
    for (const Size size : {Size{kWidth, kHeight}, Size{1200, 800}, Size{90, 80}}) {
      for (const char* tab : kTabs) {
        Stage stage(size.w, size.h);
        NormsPanel panel;
        panel.restore(tab);
        stage.show(panel, &frame);
        stage.script().move_to(float(size.w) / 2, float(size.h) * 0.6f);
        stage.script().wait(12);
        CHECK(stage.vertices < kVertexBudget);
      }
    }
  }
  Stage stage(kWidth, kHeight);
  NormsPanel panel;
  stage.show(panel, nullptr);
}

TEST_CASE("norms: pictures", "[viewer][norms]") {
  FrameSpec spec;
  spec.layers = 4;
  const Frame frame = synthetic_frame(spec);
  for (const bool dark : {true, false}) {
    for (const int scale : {1, 2}) {
      const std::string name =
          std::string(dark ? "_dark" : "_light") + (scale == 2 ? "_2x" : "") + ".png";
      for (const char* tab : kTabs) {
        Stage stage(kWidth, kHeight, dark ? Appearance::dark : Appearance::light, float(scale));
        NormsPanel panel;
        panel.restore(tab);
        stage.show(panel, &frame);
        stage.picture(std::string("norms_") + tab + name);
        CHECK(stage.vertices > 0);
      }
    }
  }
  Stage stage(1200, 700);
  NormsPanel panel;
  stage.show(panel, &frame);
  stage.picture("norms_large.png");
}

}  // namespace
}  // namespace tpp::viewer::testing
