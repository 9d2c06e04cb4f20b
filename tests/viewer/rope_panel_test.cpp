// The position panel: scores by distance against plain loops, sliders and dials by a scripted hand.
#include "viewer/panels/rope_panel.h"

#include <cmath>
#include <sstream>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

constexpr int kWidth = 540, kHeight = 340;
constexpr int kVertexBudget = 60000;

FrameSpec with_position(const std::string& position) {
  FrameSpec spec;
  spec.options.position = position;
  return spec;
}

TEST_CASE("rope panel: score by distance equals the rotated products", "[viewer][rope]") {
  FrameSpec spec;
  spec.options.rope_pairing = GENERATE("halves", "adjacent");
  spec.options.rope_base = GENERATE(10000.0, 50.0);
  spec.G = GENERATE(1, 2, 4);
  CAPTURE(spec.options.rope_pairing, spec.options.rope_base, spec.G);
  const Frame frame = synthetic_frame(spec);
  const int T = spec.T, K = spec.D / spec.H;
  const TapValue& q = *frame.tap("block1/attn/q_rotated");
  const TapValue& k = *frame.tap("block1/attn/k_rotated");
  for (int h = 0; h < spec.H; ++h) {
    RopeHead head;
    REQUIRE(read_rope_head(frame, 1, h, head) == "");
    const RopeScore score = rope_score_by_distance(head, spec.options.rope_base);
    REQUIRE(score.T == T);
    REQUIRE(score.pairs == K / 2);
    const int group = h / (spec.H / spec.G);
    for (int d = 0; d < T; ++d) {
      double sum = 0, parts = 0;
      for (int t = d; t < T; ++t)
        for (int i = 0; i < K; ++i)
          sum += double(q(t, h * K + i)) * double(k(t - d, group * K + i));
      for (int p = 0; p < K / 2; ++p) parts += double(score.part[std::size_t(p * T + d)]);
      const double mean = sum / (T - d) / std::sqrt(double(K));
      CHECK(double(score.score[std::size_t(d)]) == Approx(mean).epsilon(1e-4).margin(1e-5));
      CHECK(parts == Approx(double(score.score[std::size_t(d)])).margin(1e-5));
    }
  }
}

TEST_CASE("rope panel: another base is another rotation of the same queries and keys",
          "[viewer][rope]") {
  // A frame whose model had the other base must give what the what-if gives
  FrameSpec spec;
  const Frame frame = synthetic_frame(spec);
  RopeHead head;
  REQUIRE(read_rope_head(frame, 0, 1, head) == "");
  const RopeScore what_if = rope_score_by_distance(head, 100);
  const int K = head.K, T = head.T;
  const RopeTable<float> table = rope_table<float>(T, K, {100, Pairing::halves});
  Mat<float> q = Eigen::Map<const Mat<float>>(head.q.data(), T, K), qr = q;
  Mat<float> k = Eigen::Map<const Mat<float>>(head.k.data(), T, K), kr = k;
  rope_forward<float>(q, T, K, table, Pairing::halves, qr);
  rope_forward<float>(k, T, K, table, Pairing::halves, kr);
  for (int d = 0; d < T; ++d) {
    double sum = 0;
    for (int t = d; t < T; ++t) sum += double(qr.row(t).dot(kr.row(t - d)));
    CHECK(double(what_if.score[std::size_t(d)]) ==
          Approx(sum / (T - d) / std::sqrt(double(K))).epsilon(1e-4).margin(1e-5));
  }
}

TEST_CASE("rope panel: a scaled model is turned as the model turns", "[viewer][rope]") {
  FrameSpec spec;
  spec.options.rope_scaling = GENERATE("linear", "ntk", "yarn");
  spec.options.rope_factor = 4;
  spec.options.rope_trained = 16;
  CAPTURE(spec.options.rope_scaling);
  const Frame frame = synthetic_frame(spec);
  Stage stage(kWidth, kHeight);
  RopePanel panel;
  stage.show(panel, &frame);
  CHECK(panel.difference() <= 1e-5);
}

TEST_CASE("rope panel: a wrong rotation in the run is seen", "[viewer][rope]") {
  Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  RopePanel panel;
  stage.show(panel, &frame);
  CHECK(panel.difference() <= 1e-5);
  for (float& x : frame.taps["block0/attn/q_rotated"].data) x = -x;
  frame.version = 2;
  stage.show(panel, &frame);
  CHECK(panel.difference() > 0.1);
}

TEST_CASE("rope panel: draws anything without a window", "[viewer][rope]") {
  Stage stage(kWidth, kHeight);
  RopePanel panel;
  std::vector<Frame> frames{blank_frame(), empty_frame(), nan_frame()};
  for (const char* position : {"rope", "none", "sinusoidal", "learned", "t5", "alibi"}) {
    frames.push_back(synthetic_frame(with_position(position)));
    frames.push_back(nan_frame(with_position(position)));
    Frame without = synthetic_frame(with_position(position));
    without.taps.clear();
    frames.push_back(without);
  }
  unsigned long version = 10;
  for (Frame& frame : frames) {
    frame.version = version++;
    CAPTURE(frame.options.position, frame.version);
    stage.show(panel, &frame);
    CHECK(stage.vertices < kVertexBudget);
    std::ostringstream csv;
    panel.export_csv(csv);
    CHECK(panel.explain().size() > 20);
  }
  stage.show(panel, nullptr);

  // A head of one pair, a sequence of one token, a tiny window
  FrameSpec small;
  small.D = 8;
  small.T = 1;
  const Frame one = synthetic_frame(small);
  stage.show(panel, &one);
  for (const int size : {40, 150}) {
    Stage tiny(size, size);
    RopePanel other;
    tiny.selection.set({.layer = 44, .head = 44, .query = 4444, .pair = 444});
    tiny.show(other, &frames[3]);
  }
}

TEST_CASE("rope panel: a huge frame stays within its budget", "[viewer][rope]") {
  for (const char* position : {"rope", "alibi", "learned"}) {
    RunOptions options;
    options.position = position;
    const Frame huge = huge_frame(options);
    Stage stage(kWidth, kHeight);
    RopePanel panel;
    stage.selection.set({.layer = 11, .head = 15});
    stage.show(panel, &huge);
    CHECK(stage.vertices < kVertexBudget);
    stage.picture(std::string("rope_huge_") + position + "_dark.png");
  }
}

TEST_CASE("rope panel: taps follow the scheme and the locked head", "[viewer][rope]") {
  Stage stage(kWidth, kHeight);
  RopePanel panel;
  const Frame rope = synthetic_frame(with_position("rope"));
  stage.show(panel, &rope);
  CHECK(stage.taps.at(0) == "block0/attn/q");
  stage.selection.set({.layer = 2, .head = 3});
  stage.show(panel, &rope);
  CHECK(stage.taps == std::vector<std::string>{"block2/attn/q", "block2/attn/k",
                                               "block2/attn/q_rotated", "block2/attn/k_rotated"});
  const Frame t5 = synthetic_frame(with_position("t5"));
  stage.show(panel, &t5);
  CHECK(stage.taps == std::vector<std::string>{"position/t5"});
  const Frame alibi = synthetic_frame(with_position("alibi"));
  stage.show(panel, &alibi);
  CHECK(stage.taps.empty());
}

TEST_CASE("rope panel: sliders and dials", "[viewer][rope]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  RopePanel panel;
  stage.show(panel, &frame);
  Script& hand = stage.script();
  CHECK(panel.position() == 23);

  // The position slider, and a query that is hovered elsewhere
  hand.click("rope/position", 0.05f, 0.5f);
  hand.wait(2);
  CHECK(panel.position() < 3);
  stage.selection.set({.query = 7});
  hand.wait(2);
  CHECK(panel.position() == 7);

  // The base slider changes the what-if, never the model's own score
  const std::vector<float> own = panel.score().score;
  CHECK(panel.what_if_base() == 0);
  hand.click("rope/base", 0.2f, 0.5f);
  hand.wait(2);
  CHECK(panel.what_if_base() > 10);
  CHECK(panel.what_if_base() < 1000);
  CHECK(panel.score().score == own);
  CHECK(panel.what_if().score != own);
  hand.click("rope/reset");
  hand.wait(2);
  CHECK(panel.what_if_base() == 0);

  // Dials: hover marks the pair everywhere, a click locks it
  hand.move("rope/pair/2");
  hand.wait(2);
  CHECK(stage.selection.hovered().pair == 2);
  hand.wait(20);
  CHECK(hand.sees("tooltip"));
  hand.click("rope/pair/2");
  hand.wait(2);
  CHECK(stage.selection.is_locked({.pair = 2}));
  hand.click("rope/parts", 0.5f, 0.1f);
  hand.wait(2);
  CHECK(stage.selection.is_locked({.pair = 0}));
  hand.key("Escape");
  hand.wait(2);
  CHECK(stage.selection.locked().empty());
}

TEST_CASE("rope panel: pictures", "[viewer][rope]") {
  FrameSpec spec;
  spec.D = 128;
  spec.T = 128;
  for (const char* position : {"rope", "none", "sinusoidal", "learned", "t5", "alibi"}) {
    spec.options.position = position;
    const Frame frame = synthetic_frame(spec);
    for (const bool dark : {true, false}) {
      for (const int scale : {1, 2}) {
        if (std::string(position) != "rope" && (scale == 2 || !dark)) continue;
        Stage stage(kWidth, kHeight, dark ? Appearance::dark : Appearance::light, float(scale));
        RopePanel panel;
        const std::string name = std::string("rope_") + position + (dark ? "_dark_" : "_light_") +
                                 std::to_string(scale) + "x";
        stage.selection.set({.layer = 1, .head = 2});
        stage.show(panel, &frame);
        stage.picture(name + ".png");
        if (std::string(position) != "rope") continue;
        stage.script().click("rope/base", 0.3f, 0.5f);
        stage.script().wait(2);
        stage.script().move("rope/pair/8");
        stage.script().wait(20);
        stage.picture(name + "_what_if.png");
      }
    }
  }
  SUCCEED();
}

}  // namespace
}  // namespace tpp::viewer::testing
