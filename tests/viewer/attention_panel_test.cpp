// The attention panel: its numbers against plain loops, its behaviour under a scripted hand.
#include "viewer/panels/attention_panel.h"

#include <cmath>
#include <sstream>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

constexpr int kWidth = 760, kHeight = 612;

// 16-bit indices and a software rasteriser: a panel is a few thousand rectangles, not a million.
constexpr int kVertexBudget = 60000;

TEST_CASE("attention: entropy and sink mass, by hand", "[viewer][attention]") {
  // Four keys alike are two bits; one key is none
  const float alike[] = {0.25f, 0.25f, 0.25f, 0.25f};
  const float one[] = {0, 1, 0, 0};
  CHECK(row_entropy(alike, 4) == Approx(2));
  CHECK(row_entropy(one, 4) == 0);

  // Queries 1 and 2 can choose; query 0 sees one key and does not count
  const TapValue probs{3, 3, {1, 0, 0, 0.5f, 0.5f, 0, 0, 0, 1}};
  const HeadSummary sum = summarise_head(probs, 0, Mask::causal());
  CHECK(sum.entropy == Approx(0.5));
  CHECK(sum.uniform == Approx((1 + std::log2(3.0)) / 2));
  CHECK(sum.sink == Approx(0.25));
}

TEST_CASE("attention: summaries of a frame equal plain sums", "[viewer][attention]") {
  const Frame frame = synthetic_frame();
  const TapValue& probs = *frame.tap("block1/attn/probs");
  const int T = probs.cols;
  for (int h = 0; h < 4; ++h) {
    double entropy = 0, sink = 0;
    for (int t = 1; t < T; ++t) {
      for (int s = 0; s <= t; ++s) {
        const double p = double(probs(h * T + t, s));
        if (p > 0) entropy -= p * std::log(p) / std::log(2.0);
      }
      sink += double(probs(h * T + t, 0));
    }
    const HeadSummary sum = summarise_head(probs, h, frame.config.mask);
    CHECK(sum.entropy == Approx(entropy / (T - 1)));
    CHECK(sum.sink == Approx(sink / (T - 1)));
  }
}

TEST_CASE("attention: the way from products to weights ends at the recorded ones",
          "[viewer][attention]") {
  FrameSpec spec;
  spec.options.position = GENERATE("rope", "none", "alibi", "t5");
  spec.options.rope_pairing = GENERATE("halves", "adjacent");
  spec.G = GENERATE(1, 2, 4);
  CAPTURE(spec.options.position, spec.options.rope_pairing, spec.G);
  const Frame frame = synthetic_frame(spec);
  for (int h = 0; h < spec.H; ++h) {
    HeadStages stages;
    REQUIRE(compute_head_stages(frame, 1, h, stages) == "");
    CHECK(stages.T == spec.T);
    CHECK(stages.has_bias == (spec.options.position == "alibi" || spec.options.position == "t5"));
    REQUIRE(stages.recorded.size() == stages.probs.size());
    CHECK(stages.difference <= 1e-5);
    for (int t = 0; t < spec.T; ++t) {
      double sum = 0;
      for (int s = 0; s < spec.T; ++s) {
        const std::size_t i = std::size_t(t * spec.T + s);
        sum += double(stages.probs[i]);
        if (s > t) CHECK(std::isinf(stages.masked[i]));
      }
      CHECK(sum == Approx(1));
    }
  }
}

TEST_CASE("attention: a wrong recorded weight is seen", "[viewer][attention]") {
  Frame frame = synthetic_frame();
  frame.taps["block0/attn/probs"].data[24 * 24 + 3 * 24 + 1] += 0.125f;  // head 1, query 3, key 1
  HeadStages stages;
  REQUIRE(compute_head_stages(frame, 0, 1, stages) == "");
  CHECK(stages.difference == Approx(0.125).epsilon(1e-3));
  REQUIRE(compute_head_stages(frame, 0, 0, stages) == "");
  CHECK(stages.difference <= 1e-5);
}

TEST_CASE("attention: what is missing is said, never read", "[viewer][attention]") {
  HeadStages stages;
  CHECK(compute_head_stages(empty_frame(), 0, 0, stages) != "");
  CHECK(compute_head_stages(synthetic_frame(), 9, 0, stages) != "");
  CHECK(compute_head_stages(synthetic_frame(), 0, 9, stages) != "");
  Frame frame = synthetic_frame();
  frame.taps["block0/attn/k_rotated"].cols = 5;
  CHECK(compute_head_stages(frame, 0, 0, stages) != "");
}

TEST_CASE("attention: draws anything without a window", "[viewer][attention]") {
  Stage stage(kWidth, kHeight);
  AttentionPanel panel;
  const Frame blank = blank_frame(), empty = empty_frame(), whole = synthetic_frame(),
              nans = nan_frame();
  for (const Frame* frame : {(const Frame*)nullptr, &blank, &empty, &whole, &nans, &whole}) {
    stage.selection.release();
    stage.show(panel, frame);
    CHECK(stage.vertices < kVertexBudget);
    stage.selection.set({.layer = 1, .head = 2});
    stage.show(panel, frame);
    CHECK(stage.vertices < kVertexBudget);
  }
  CHECK(stage.vertices > 500);

  // Tiny windows, and heads that the model does not have
  for (const int size : {40, 120, 300}) {
    Stage small(size, size);
    AttentionPanel other;
    small.show(other, &whole);
    small.selection.set({.layer = 77, .head = 99, .query = 1000, .key = -3});
    small.show(other, &whole);
    small.selection.set({.layer = 0, .head = 0});
    small.show(other, &whole);
  }
}

TEST_CASE("attention: a huge frame stays within its budget", "[viewer][attention]") {
  const Frame huge = huge_frame();
  Stage stage(kWidth, kHeight);
  AttentionPanel panel;
  stage.show(panel, &huge);
  CHECK(stage.taps.size() == 12);
  CHECK(stage.vertices < kVertexBudget);
  stage.picture("attention_huge_dark.png");
  stage.selection.set({.layer = 11, .head = 15});
  stage.show(panel, &huge);
  CHECK(stage.vertices < kVertexBudget);
  CHECK(panel.stages().difference <= 1e-5);
  stage.picture("attention_huge_locked_dark.png");
}

TEST_CASE("attention: only what is visible is asked for", "[viewer][attention]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  AttentionPanel panel;
  stage.show(panel, &frame);
  CHECK(stage.taps ==
        std::vector<std::string>{"block0/attn/probs", "block1/attn/probs", "block2/attn/probs"});
  stage.selection.set({.layer = 2, .head = 1});
  stage.show(panel, &frame);
  CHECK(stage.taps == std::vector<std::string>{"block2/attn/probs", "block2/attn/q_rotated",
                                               "block2/attn/k_rotated"});
}

TEST_CASE("attention: click locks a head, tabs switch, Escape lets go", "[viewer][attention]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  AttentionPanel panel;
  stage.show(panel, &frame);
  Script& hand = stage.script();

  // Hovering says where the mouse is
  hand.move("attention/head/1/2", 0.1f, 0.9f);
  hand.wait(2);
  CHECK(stage.selection.hovered().layer == 1);
  CHECK(stage.selection.hovered().head == 2);
  CHECK(stage.selection.hovered().query == 21);
  CHECK(stage.selection.hovered().key == 2);
  hand.wait(20);
  CHECK(hand.sees("tooltip"));

  hand.click("attention/head/1/2", 0.1f, 0.9f);
  hand.wait(2);
  CHECK(stage.selection.is_locked({.layer = 1, .head = 2}));
  CHECK(panel.stage() == AttentionStage::softmax);
  CHECK(panel.stages().T == 24);
  hand.click("attention/tab/product");
  hand.wait(2);
  CHECK(panel.stage() == AttentionStage::product);
  hand.click("attention/tab/masked");
  hand.wait(2);
  CHECK(panel.stage() == AttentionStage::masked);

  // A cell can be locked; arrow keys go to other heads and stop at the border
  hand.click("attention/map", 0.3f, 0.8f);
  hand.wait(2);
  CHECK(stage.selection.locked().query.has_value());
  hand.key("Right");
  hand.wait(2);
  CHECK(stage.selection.is_locked({.layer = 1, .head = 3}));
  hand.key("Right");
  hand.key("Down");
  hand.wait(2);
  CHECK(stage.selection.is_locked({.layer = 2, .head = 3}));
  hand.key("Up");
  hand.key("Left");
  hand.wait(2);
  CHECK(stage.selection.is_locked({.layer = 1, .head = 2}));
  hand.click("attention/go/0/1");
  hand.wait(2);
  CHECK(stage.selection.is_locked({.layer = 0, .head = 1}));

  hand.key("Escape");
  hand.wait(2);
  CHECK(stage.selection.locked().empty());
  CHECK(hand.sees("attention/head/1/2"));
  CHECK_FALSE(hand.sees("attention/map"));

  // The button back releases the head alone
  hand.click("attention/head/0/0");
  hand.wait(2);
  hand.click("attention/back/all");
  hand.wait(2);
  CHECK_FALSE(stage.selection.locked().head.has_value());
}

TEST_CASE("attention: the bias has a tab of its own", "[viewer][attention]") {
  FrameSpec spec;
  spec.options.position = "alibi";
  const Frame frame = synthetic_frame(spec);
  Stage stage(kWidth, kHeight);
  AttentionPanel panel;
  stage.selection.set({.layer = 0, .head = 0});
  stage.show(panel, &frame);
  stage.script().click("attention/tab/biased");
  stage.script().wait(2);
  CHECK(panel.stage() == AttentionStage::biased);
  stage.script().click("attention/tab/softmax");
  stage.script().wait(2);
  CHECK(panel.stage() == AttentionStage::softmax);
  stage.picture("attention_alibi_dark.png");
}

TEST_CASE("attention: B − A, or a sentence why not", "[viewer][attention]") {
  const Frame a = synthetic_frame();
  FrameSpec other;
  other.seed = 2;
  Frame b = synthetic_frame(other);
  Stage stage(kWidth, kHeight);
  AttentionPanel panel;
  stage.compare = Compare::difference;
  stage.show(panel, &a, 2, &b);
  const HeadSummary sum_a = summarise_head(*a.tap("block0/attn/probs"), 1, a.config.mask);
  const HeadSummary sum_b = summarise_head(*b.tap("block0/attn/probs"), 1, b.config.mask);
  CHECK(panel.summary(0, 1).sink == Approx(sum_b.sink - sum_a.sink));
  stage.picture("attention_difference_dark.png");
  stage.selection.set({.layer = 0, .head = 1});
  stage.show(panel, &a, 2, &b);
  other.T = 16;
  const Frame shorter = synthetic_frame(other);
  stage.show(panel, &a, 2, &shorter);
  stage.show(panel, &a, 2, nullptr);
  CHECK(stage.vertices > 500);
}

TEST_CASE("attention: the table of numbers", "[viewer][attention]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  AttentionPanel panel;
  std::ostringstream nothing;
  panel.export_csv(nothing);
  CHECK(nothing.str().empty());
  stage.show(panel, &frame);
  std::ostringstream all;
  panel.export_csv(all);
  const std::string text = all.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 3 * 4);
  stage.selection.set({.layer = 0, .head = 3});
  stage.show(panel, &frame);
  std::ostringstream one;
  panel.export_csv(one);
  const std::string cells = one.str();
  CHECK(std::count(cells.begin(), cells.end(), '\n') == 1 + 24 * 25 / 2);
  CHECK(panel.explain().size() > 100);
}

TEST_CASE("attention: pictures", "[viewer][attention]") {
  FrameSpec spec;
  spec.layers = 4;
  spec.D = 128;
  spec.T = 64;
  const Frame frame = synthetic_frame(spec);
  for (const bool dark : {true, false}) {
    for (const int scale : {1, 2}) {
      Stage stage(kWidth, kHeight, dark ? Appearance::dark : Appearance::light, float(scale));
      AttentionPanel panel;
      const std::string name =
          std::string(dark ? "_dark_" : "_light_") + std::to_string(scale) + "x.png";
      stage.show(panel, &frame);
      stage.script().move("attention/head/1/2", 0.3f, 0.8f);
      stage.script().wait(20);
      stage.picture("attention_grid" + name);
      stage.script().click("attention/head/1/2");
      stage.script().wait(2);
      stage.script().click("attention/map", 0.4f, 0.72f);
      stage.script().wait(20);
      stage.picture("attention_softmax" + name);
      stage.script().click("attention/tab/scaled");
      stage.script().wait(2);
      stage.picture("attention_scaled" + name);
    }
  }
  SUCCEED();
}

}  // namespace
}  // namespace tpp::viewer::testing
