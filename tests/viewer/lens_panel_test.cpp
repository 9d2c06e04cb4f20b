// The lens as a panel: a locked cell, pairs that light up, a distance that is dragged, by a scripted
// hand and without a window.
#include "viewer/panels/lens_panel.h"

#include <algorithm>
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
const Place kCell{.layer = 1, .head = 2, .query = 17, .key = 4};

FrameSpec with_position(const std::string& position) {
  FrameSpec spec;
  spec.options.position = position;
  return spec;
}

TEST_CASE("lens panel: follows the locked cell, and asks for its layer alone", "[viewer][lens]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  LensPanel panel;
  stage.show(panel, &frame);
  CHECK(stage.taps.empty());  // no cell, no cost
  CHECK(panel.lens() == nullptr);

  stage.selection.set({.layer = 1, .head = 2});
  stage.show(panel, &frame);
  CHECK(stage.taps == std::vector<std::string>{"block1/attn/q", "block1/attn/k",
                                               "block1/attn/q_rotated", "block1/attn/k_rotated",
                                               "block1/attn/probs"});
  // A head without a cell: the last query, and the key that it looks at most
  REQUIRE(panel.lens());
  CHECK(panel.lens()->query == 23);
  const std::vector<double>& row = panel.lens()->recorded;
  CHECK(row[std::size_t(panel.lens()->key)] == *std::max_element(row.begin(), row.end()));

  stage.selection.set(kCell);
  stage.show(panel, &frame);
  REQUIRE(panel.lens());
  CHECK(panel.lens()->query == 17);
  CHECK(panel.lens()->key == 4);
  CHECK(panel.lens()->key_head == 1);
  CHECK(panel.curve().size() == 24);
  CHECK(panel.first_distance() == 0);
  CHECK(double(panel.curve()[13]) == Approx(panel.lens()->logit(13)));

  // Another frame, another number
  FrameSpec spec;
  spec.seed = 2;
  Frame other = synthetic_frame(spec);
  other.version = 2;
  const double before = panel.lens()->product(13);
  stage.show(panel, &other);
  CHECK(panel.lens()->product(13) != before);
  stage.show(panel, nullptr);
}

TEST_CASE("lens panel: a pair is lit up everywhere", "[viewer][lens]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  LensPanel panel;
  stage.selection.set(kCell);
  stage.show(panel, &frame);
  Script& hand = stage.script();

  // From the lens to the others
  hand.move("lens/pair/3");
  hand.wait(2);
  CHECK(stage.selection.hovered().pair == 3);
  CHECK(panel.chosen_part() == 3);
  hand.wait(20);
  CHECK(hand.sees("tooltip"));
  hand.move("lens/share/1");
  hand.wait(2);
  CHECK(stage.selection.hovered().pair == 1);
  hand.click("lens/features", 0.6f, 0.5f);
  hand.wait(2);
  CHECK(stage.selection.is_locked({.pair = 2}));

  // And back
  hand.move_to(1, 1);
  hand.wait(2);
  CHECK(panel.chosen_part() == 2);
  stage.selection.set({.pair = 0});
  hand.wait(2);
  CHECK(panel.chosen_part() == 0);

  // Without one: the largest share
  stage.selection.release();
  stage.selection.set(kCell);
  hand.wait(2);
  const Lens& lens = *panel.lens();
  for (int p = 0; p < 4; ++p)
    CHECK(std::abs(lens.share(p, 13)) <= std::abs(lens.share(panel.chosen_part(), 13)));
}

TEST_CASE("lens panel: drag the distance, and back to the truth", "[viewer][lens]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  LensPanel panel;
  stage.selection.set(kCell);
  stage.show(panel, &frame);
  Script& hand = stage.script();
  CHECK_FALSE(panel.what_if());
  CHECK_FALSE(hand.sees("lens/back"));
  hand.click("lens/distance", 2.5f / 24, 0.5f);
  hand.wait(2);
  CHECK(panel.what_if() == 2);
  CHECK(panel.settings() == "distance 2");
  REQUIRE(hand.sees("lens/back"));
  hand.drag("lens/distance", 0.25f * stage.probes.find("lens/distance")->w, 0, 2.5f / 24, 0.5f);
  hand.wait(2);
  CHECK(panel.what_if() == 8);
  hand.click("lens/back");
  hand.wait(2);
  CHECK_FALSE(panel.what_if());
  CHECK(panel.settings().empty());

  // The true distance is the truth, however one gets there
  hand.click("lens/distance", 2.5f / 24, 0.5f);
  hand.click("lens/distance", 13.5f / 24, 0.5f);
  hand.wait(2);
  CHECK_FALSE(panel.what_if());

  // Another cell is asked nothing
  hand.click("lens/distance", 2.5f / 24, 0.5f);
  hand.wait(2);
  CHECK(panel.what_if() == 2);
  hand.click("lens/row", 6.5f / 24, 0.5f);
  hand.wait(2);
  CHECK(stage.selection.is_locked({.query = 17, .key = 6}));
  CHECK(panel.lens()->key == 6);
  CHECK_FALSE(panel.what_if());

  // A session's question, and nonsense
  LensPanel restored;
  restored.restore("distance 5");
  stage.show(restored, &frame);
  CHECK(restored.what_if() == 5);
  for (const char* nonsense : {"", "distance", "distance x", "distance 99999999999", "\x01"}) {
    LensPanel other;
    other.restore(nonsense);
    CHECK_FALSE(other.what_if());
  }
  LensPanel beyond;
  beyond.restore("distance 900");
  stage.show(beyond, &frame);
  CHECK_FALSE(beyond.what_if());
}

TEST_CASE("lens panel: each step says its arithmetic", "[viewer][lens]") {
  const Frame frame = synthetic_frame(with_position(GENERATE("rope", "alibi", "t5")));
  Stage stage(kWidth, 400);
  LensPanel panel;
  stage.selection.set(kCell);
  stage.show(panel, &frame);
  Script& hand = stage.script();
  for (const char* step : {"product", "scaled", "masked", "exponential", "weight"}) {
    CAPTURE(step);
    hand.move_to(1, 1);
    hand.wait(2);
    CHECK_FALSE(hand.sees("tooltip"));
    hand.move(std::string("lens/step/") + step);
    hand.wait(20);
    CHECK(hand.sees("tooltip"));
  }
  CHECK(hand.sees("lens/step/biased") == (frame.options.position != "rope"));
  CHECK(hand.sees("lens/off/product") == (frame.options.position == "rope"));
  CHECK(hand.sees("lens/off/logit"));
  CHECK(hand.sees("lens/pair/0") == (frame.options.position == "rope"));
}

TEST_CASE("lens panel: draws anything without a window", "[viewer][lens]") {
  std::vector<Frame> frames{blank_frame(), empty_frame(), nan_frame()};
  for (const char* position : {"rope", "none", "sinusoidal", "learned", "t5", "alibi"}) {
    frames.push_back(synthetic_frame(with_position(position)));
    frames.push_back(nan_frame(with_position(position)));
    Frame without = synthetic_frame(with_position(position));
    without.taps.erase("block1/attn/probs");
    frames.push_back(without);
    without.taps.clear();
    frames.push_back(without);
  }
  const std::vector<Place> cells{{},
                                 kCell,
                                 {.layer = 0, .head = 0, .query = 2, .key = 9},
                                 {.layer = 9, .head = 9, .query = 1}};
  unsigned long version = 10;
  for (const auto& [w, h] :
       {std::pair{kWidth, kHeight}, {300, 500}, {40, 40}, {150, 150}, {900, 120}}) {
    Stage stage(w, h);
    LensPanel panel;
    for (const Place& cell : cells) {
      stage.selection.release();
      stage.selection.set(cell);
      for (Frame& frame : frames) {
        frame.version = version++;
        CAPTURE(frame.options.position, frame.version, w, h);
        stage.show(panel, &frame);
        CHECK(stage.vertices < kVertexBudget);
        std::ostringstream csv;
        panel.export_csv(csv);
        CHECK(csv.str().empty() == (panel.lens() == nullptr));
        CHECK(panel.explain().size() > 20);
      }
    }
    stage.show(panel, nullptr);
  }

  // One token, one pair
  FrameSpec small;
  small.D = 8;
  small.T = 1;
  const Frame one = synthetic_frame(small);
  Stage stage(kWidth, kHeight);
  LensPanel panel;
  stage.selection.set({.layer = 0, .head = 0});
  stage.show(panel, &one);
  REQUIRE(panel.lens());
  CHECK(panel.lens()->parts.size() == 1);
}

TEST_CASE("lens panel: two runs stand side by side", "[viewer][lens]") {
  const Frame a = synthetic_frame();
  FrameSpec spec;
  spec.seed = 2;
  spec.options.position = GENERATE("rope", "alibi", "none");
  const Frame b = synthetic_frame(spec);
  Stage stage(kWidth, kHeight);
  LensPanel panel;
  stage.selection.set(kCell);
  stage.show(panel, &a, 2, &b);
  CHECK_FALSE(panel.lens_of_b());

  // B alone, then both
  stage.compare = Compare::b;
  stage.show(panel, &a, 2, &b);
  REQUIRE(panel.lens());
  const double of_b = panel.lens()->product(13);
  stage.compare = Compare::difference;
  stage.show(panel, &a, 2, &b);
  REQUIRE(panel.lens_of_b());
  CHECK(panel.lens_of_b()->product(13) == of_b);
  CHECK(panel.lens()->product(13) != of_b);
  const auto asks = [&](const char* name) {
    return std::count(stage.taps.begin(), stage.taps.end(), name);
  };
  CHECK(asks("block1/attn/q_rotated") == 1);
  CHECK(asks("block1/attn/q") == 1);
  CHECK(stage.script().sees("lens/step/biased") == (spec.options.position == "alibi"));
  stage.script().click("lens/distance", 0.2f, 0.5f);
  stage.script().wait(2);
  CHECK(panel.what_if() == 4);
  stage.picture(std::string("lens_two_") + spec.options.position + ".png");

  // A run with fewer layers does not have the cell
  FrameSpec low;
  low.layers = 1;
  const Frame small = synthetic_frame(low);
  stage.show(panel, &a, 2, &small);
  CHECK(panel.lens());
  CHECK_FALSE(panel.lens_of_b());
}

TEST_CASE("lens panel: keys after the query, where the mask shows them", "[viewer][lens]") {
  Frame frame = synthetic_frame(with_position(GENERATE("rope", "alibi")));
  frame.config.mask = Mask::full();
  Stage stage(kWidth, kHeight);
  LensPanel panel;
  stage.selection.set({.layer = 1, .head = 2, .query = 4, .key = 17});
  stage.show(panel, &frame);
  REQUIRE(panel.lens());
  CHECK(panel.lens()->seen());
  CHECK(panel.first_distance() == -23);
  CHECK(panel.curve().size() == 47);
  stage.script().click("lens/distance", 0.9f, 0.5f);
  stage.script().wait(2);
  CHECK(panel.what_if() == 19);
}

TEST_CASE("lens panel: a huge frame stays within its budget", "[viewer][lens]") {
  for (const char* position : {"rope", "alibi"}) {
    RunOptions options;
    options.position = position;
    const Frame huge = huge_frame(options);
    Stage stage(kWidth, kHeight);
    LensPanel panel;
    stage.selection.set({.layer = 11, .head = 15, .query = 200, .key = 3});
    stage.show(panel, &huge);
    REQUIRE(panel.lens());
    CHECK(stage.vertices < kVertexBudget);
  }
}

TEST_CASE("lens panel: its numbers as a file", "[viewer][lens]") {
  const Frame frame = synthetic_frame(with_position(GENERATE("rope", "none")));
  Stage stage(kWidth, kHeight);
  LensPanel panel;
  stage.selection.set(kCell);
  stage.show(panel, &frame);
  std::ostringstream csv;
  panel.export_csv(csv);
  std::istringstream lines(csv.str());
  std::string line;
  std::getline(lines, line);
  const auto commas = [](const std::string& s) { return std::count(s.begin(), s.end(), ','); };
  const auto columns = commas(line);
  double sum = 0;
  int rows = 0;
  while (std::getline(lines, line)) {
    CHECK(commas(line) == columns);
    sum += std::stod(line.substr(line.rfind(',') + 1));
    ++rows;
  }
  CHECK(rows == (frame.options.position == "rope" ? 4 : 8));
  CHECK(sum == Approx(panel.lens()->product(13)).epsilon(1e-6));
}

TEST_CASE("lens panel: pictures", "[viewer][lens]") {
  FrameSpec spec;
  spec.D = 128;
  spec.T = 128;
  for (const char* position : {"rope", "alibi", "none"}) {
    spec.options.position = position;
    const Frame frame = synthetic_frame(spec);
    for (const bool dark : {true, false}) {
      for (const int scale : {1, 2}) {
        if (std::string(position) != "rope" && (scale == 2 || !dark)) continue;
        const Appearance look = dark ? Appearance::dark : Appearance::light;
        const std::string name = std::string("lens_") + position + (dark ? "_dark_" : "_light_") +
                                 std::to_string(scale) + "x";
        Stage stage(kWidth, kHeight, look, float(scale));
        LensPanel panel;
        stage.selection.set({.layer = 1, .head = 2, .query = 90, .key = 87});
        stage.show(panel, &frame);
        stage.picture(name + ".png");
        stage.script().click("lens/distance", 0.2f, 0.5f);
        stage.script().wait(2);
        if (std::string(position) == "rope") stage.script().move("lens/share/5");
        stage.script().wait(20);
        stage.picture(name + "_what_if.png");
      }
    }
    for (const auto& [w, h] : {std::pair{300, 500}, {880, 560}, {1500, 860}}) {
      Stage stage(w, h);
      LensPanel panel;
      stage.selection.set({.layer = 1, .head = 2, .query = 90, .key = 87});
      stage.show(panel, &frame);
      stage.picture(std::string("lens_") + position + "_" + std::to_string(w) + ".png");
    }
  }

  // A key that the mask hides, and numbers that are none
  spec.options.position = "t5";
  for (const bool finite : {true, false}) {
    const Frame frame = finite ? synthetic_frame(spec) : nan_frame(spec);
    Stage stage(kWidth, kHeight);
    LensPanel panel;
    stage.selection.set({.layer = 1, .head = 2, .query = 60, .key = finite ? 87 : 3});
    stage.show(panel, &frame);
    stage.picture(finite ? "lens_hidden.png" : "lens_nan.png");
  }
  SUCCEED();
}

}  // namespace
}  // namespace tpp::viewer::testing
