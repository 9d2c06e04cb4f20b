// Panels with two runs: what B − A is, against plain subtraction; what is said where it cannot be.
#include <cmath>
#include <sstream>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"
#include "viewer/panels/gradients_panel.h"
#include "viewer/panels/loss_panel.h"
#include "viewer/panels/norms_panel.h"
#include "viewer/panels/rope_panel.h"
#include "viewer/panels/samples_panel.h"
#include "viewer/panels/status_panel.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

struct Pair {
  Frame a, b;
  History of_a, of_b;  // B begins after step `fork`
};

Pair two_runs(long fork = 0, int steps = 60) {
  FrameSpec spec;
  Pair pair;
  pair.a = synthetic_frame(spec);
  spec.seed = 2;
  pair.b = synthetic_frame(spec);
  pair.b.version = pair.a.version + 1;
  pair.of_a = synthetic_history(pair.a, steps);
  pair.of_b = synthetic_history(pair.b, steps);
  for (StepScalars& s : pair.of_b.steps) {
    s.loss *= 1.25f;
    for (ParameterReport& r : s.parameters) r.gradient_norm *= 3;
  }
  pair.of_b.steps.erase(pair.of_b.steps.begin(), pair.of_b.steps.begin() + fork);
  return pair;
}

TEST_CASE("compare: the loss of both, and how much more B's is", "[viewer][loss][lockstep]") {
  const long fork = GENERATE(0L, 25L);
  const Pair runs = two_runs(fork);
  for (const Compare compare : {Compare::a, Compare::b, Compare::difference}) {
    Stage stage(800, 272);
    LossPanel panel;
    stage.compare = compare;
    stage.history = &runs.of_a;
    stage.history_b = &runs.of_b;
    stage.show(panel, &runs.a, 2, &runs.b);

    // B's smoothing goes on from A's steps, as if it had taken them
    Smoother a, b;
    for (std::size_t i = 0; i < runs.of_a.steps.size(); ++i) {
      const long step = runs.of_a.steps[i].step;
      const double smooth_a = a.push(double(runs.of_a.steps[i].loss));
      const bool begun = long(i) >= fork;
      const double smooth_b = b.push(
          double(begun ? runs.of_b.steps[i - std::size_t(fork)].loss : runs.of_a.steps[i].loss));
      if (!begun) {
        CHECK(std::isnan(panel.more(step)));
        continue;
      }
      CHECK(panel.more(step) == Approx(smooth_b - smooth_a).margin(1e-5));
      CHECK(panel.readout_b(step).train == Approx(runs.of_b.steps[i - std::size_t(fork)].loss));
    }
    CHECK(panel.readout(40).train ==
          Approx((compare == Compare::b ? runs.of_b.steps[39 - fork] : runs.of_a.steps[39]).loss));
    std::ostringstream csv;
    panel.export_csv(csv);
    CHECK(csv.str().find(",train_b,smoothed_b,validation_b,learning_rate_b\n") !=
          std::string::npos);

    // Without B it is one run again
    stage.history_b = nullptr;
    stage.show(panel, &runs.a);
    CHECK(panel.readout_b(40).step == -1);
  }
}

TEST_CASE("compare: gradients of B, times A's", "[viewer][gradients][lockstep]") {
  const long fork = GENERATE(0L, 25L);
  Pair runs = two_runs(fork);
  runs.b.parameters[2].cols += 1;  // of another shape: there is nothing to subtract
  runs.b.parameters[4].name += "2";
  Stage stage(800, 272);
  GradientsPanel panel;
  stage.compare = Compare::difference;
  stage.history = &runs.of_a;
  stage.history_b = &runs.of_b;
  stage.show(panel, &runs.a, 3, &runs.b);
  REQUIRE(panel.columns() == 60);
  for (int p = 0; p < int(runs.a.parameters.size()); ++p) {
    for (int c = 0; c < 60; ++c) {
      INFO(p << " " << c);
      const float cell = panel.cell(p, c);
      if (c < fork || p == 2 || p == 4) {
        CHECK(cell == -std::numeric_limits<float>::infinity());
        continue;
      }
      const double a = runs.of_a.steps[std::size_t(c)].parameters[std::size_t(p)].gradient_norm;
      const double b =
          runs.of_b.steps[std::size_t(c - fork)].parameters[std::size_t(p)].gradient_norm;
      CHECK(double(cell) == Approx(std::log10(b / a)).margin(1e-4));
    }
  }

  // B by itself: its own numbers
  stage.compare = Compare::b;
  stage.show(panel, &runs.a, 3, &runs.b);
  CHECK(panel.columns() == 60 - int(fork));
  CHECK(double(panel.cell(3, 5)) ==
        Approx(std::log10(runs.of_b.steps[5].parameters[3].gradient_norm)).margin(1e-4));
  stage.compare = Compare::a;
  stage.show(panel, &runs.a, 3, &runs.b);
  CHECK(double(panel.cell(3, 5)) ==
        Approx(std::log10(runs.of_a.steps[5].parameters[3].gradient_norm)).margin(1e-4));
}

TEST_CASE("compare: norms and scores are subtracted where both have them",
          "[viewer][norms][rope][lockstep]") {
  Pair runs = two_runs();
  Stage stage(540, 272);
  NormsPanel norms, norms_a, norms_b;
  stage.show(norms_a, &runs.a);
  stage.show(norms_b, &runs.b);
  stage.compare = Compare::difference;
  stage.show(norms, &runs.a, 2, &runs.b);
  REQUIRE(norms.stream().size() == norms_a.stream().size());
  for (std::size_t i = 0; i < norms.stream().size(); ++i)
    CHECK(double(norms.stream()[i].rms.mean) ==
          Approx(double(norms_b.stream()[i].rms.mean) - double(norms_a.stream()[i].rms.mean))
              .margin(1e-6));
  CHECK(double(norms.largest_logit()) ==
        Approx(double(norms_b.largest_logit()) - double(norms_a.largest_logit())).margin(1e-6));

  RopePanel rope, rope_a, rope_b;
  stage.compare = Compare::a;
  stage.show(rope_a, &runs.a);
  stage.show(rope_b, &runs.b);
  stage.compare = Compare::difference;
  stage.show(rope, &runs.a, 2, &runs.b);
  REQUIRE(rope.score().score.size() == rope_a.score().score.size());
  for (std::size_t d = 0; d < rope.score().score.size(); ++d)
    CHECK(double(rope.score().score[d]) ==
          Approx(double(rope_b.score().score[d]) - double(rope_a.score().score[d])).margin(1e-5));

  // The dials show both queries: A's arrow and B's, in their colours
  const Theme theme(Appearance::dark, 1);
  const auto pixels_of = [&](RunId id) {
    stage.frame(true);
    const Image image = stage.backend().read_pixels();
    const Rect r = stage.probes.find("rope/pair/0").value();
    int found = 0;
    for (int y = int(r.y); y < int(r.bottom()); ++y)
      for (int x = int(r.x); x < int(r.right()); ++x)
        found += (image.at(x, y) & 0xFFFFFFu) == (theme.run(id) & 0xFFFFFFu);
    return found;
  };
  CHECK(pixels_of(RunId::a) > 0);
  CHECK(pixels_of(RunId::b) > 0);
  stage.compare = Compare::a;
  stage.show(rope, &runs.a, 2, &runs.b);
  CHECK(pixels_of(RunId::b) == 0);
  stage.compare = Compare::difference;

  // Where they have other parts, A is shown as it is
  FrameSpec spec;
  spec.options.placement = "post";
  spec.options.position = "alibi";
  const Frame other = synthetic_frame(spec);
  stage.show(norms, &runs.a, 2, &other);
  CHECK(norms.stream()[2].rms.mean == norms_a.stream()[2].rms.mean);
  stage.show(rope, &runs.a, 2, &other);
  CHECK(rope.score().score == rope_a.score().score);
}

TEST_CASE("compare: both write, and both cost", "[viewer][samples][status][lockstep]") {
  Pair runs = two_runs();
  runs.a.sample_text = "of A";
  runs.b.sample_text = "of B";
  runs.a.memory_bytes = 3 << 20;
  runs.b.memory_bytes = 5 << 20;
  for (const int width : {1100, 360}) {
    Stage stage(width, 300);
    SamplesPanel samples;
    stage.compare = Compare::difference;
    stage.show(samples, &runs.a, 2, &runs.b);
    CHECK(stage.probes.find("samples/text").has_value());
    CHECK(stage.probes.find("samples/text_b").has_value());
    std::ostringstream csv;
    samples.export_csv(csv);
    CHECK(csv.str().find("of A") != std::string::npos);
    CHECK(csv.str().find("of B") != std::string::npos);
    stage.show(samples, &runs.a);
    CHECK_FALSE(stage.probes.find("samples/text_b").has_value());
  }
  Stage stage(1600, 60);
  StatusPanel status;
  stage.show(status, &runs.a, 2, &runs.b);
  std::ostringstream csv;
  status.export_csv(csv);
  CHECK(csv.str().find("," + std::to_string(8 << 20) + ",") != std::string::npos);
}

}  // namespace
}  // namespace tpp::viewer::testing
