// The lens' arithmetic on what a real model's tape holds: the parts of every cell add up to the
// logit that the run had, and they do not when one thing is wrong.
#include "viewer/panels/lens.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "chapters/03_tokens/dataset.h"
#include "chapters/07_position/relative_bias.h"
#include "tests/testing.h"
#include "tests/viewer/synthetic_frame.h"
#include "viewer/run/probe.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

/// A run of three steps, and its frame with all that the lens asks for in any layer.
struct LensRun {
  explicit LensRun(const RunOptions& options) : run(make_run(options, story())), probe(run) {
    for (int i = 0; i < 3; ++i) run.trainer->step();
    frame.options = options;
    frame.config = run.model->config();
    std::vector<std::string> wanted;
    for (int l = 0; l < options.layers; ++l)
      for (std::string& name : lens_taps(frame, l)) wanted.push_back(std::move(name));
    probe.fill(frame, wanted);
    frame.version = 1;
  }
  static std::unique_ptr<BatchSource> story() {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "the fox saw the hen and the hen saw the fox. ";
    return std::make_unique<TextSource>(Dataset(text, Tokenizer::bytes()), 1);
  }

  Run run;
  Probe probe;
  Frame frame;
};

RunOptions small() {
  RunOptions options;
  options.layers = 2;
  options.width = 32;
  options.heads = 4;
  options.length = 20;
  options.batch = 4;
  options.threads = 1;
  options.warmup = 1;
  options.init = 0.15;  // logits of several units: a missing scale would be seen
  return options;
}

/// The largest of what must be small, over all layers, heads and visible cells.
struct Worst {
  double residual = 0;     // |Σ shares − q·k of the tape| over what rounding explains
  double logit = 0;        // |Σ shares/√K + bias − the logit that the run's weight stands for|
  double of_rounding = 0;  // the same, over what the lens says that rounding explains
  double between = 0;      // the same, of differences within a row: no sum of the lens takes part
  double weight = 0;       // |weight − the run's|
  double unscaled = 0;     // `between`, had the scale been forgotten
  double largest = 0;      // logit, in size
  long cells = 0;
};

void keep(double& worst, double x) {
  if (!(x <= worst)) worst = x;  // NaN counts
}

Worst over_all_cells(const Frame& frame) {
  Worst worst;
  const int T = int(frame.config.T);
  for (int l = 0; l < frame.config.layers; ++l) {
    for (int h = 0; h < frame.config.H; ++h) {
      for (int t = 0; t < T; ++t) {
        Lens first;
        REQUIRE(read_lens(frame, l, h, t, 0, first) == "");
        for (int s = 0; s <= t; ++s) {
          Lens lens;
          REQUIRE(read_lens(frame, l, h, t, s, lens) == "");
          REQUIRE(lens.recorded.size() == std::size_t(T));
          const int d = lens.distance();
          const double ln = std::log(lens.recorded[std::size_t(s)]) - std::log(lens.recorded[0]);
          const double bare =
              (lens.product(d) - first.product(t)) + (lens.bias_at(d) - first.bias_at(t));
          if (lens.turns) keep(worst.residual, lens.residual() / lens.rounding());
          if (!lens.turns) keep(worst.residual, lens.residual() / 1e-12);
          keep(worst.logit, std::abs(lens.logit(d) - lens.recorded_logit()));
          keep(worst.of_rounding,
               std::abs(lens.logit(d) - lens.recorded_logit()) / lens.logit_rounding());
          keep(worst.between, std::abs(lens.logit(d) - first.logit(t) - ln));
          keep(worst.unscaled, std::abs(bare - ln));
          keep(worst.weight, std::abs(lens.weight(d) - lens.recorded[std::size_t(s)]));
          keep(worst.largest, std::abs(lens.logit(d)));
          ++worst.cells;
        }
      }
    }
  }
  return worst;
}

// A float has 24 bits. A logit of size 3 that is a sum of 8 products is rounded by up to 3·8·2⁻²⁴, that
// is 1.4e-6; the logarithm of its weight adds some 1e-7. Measured: below 8e-7, and 1.4e-7 for weights.
constexpr double kLogitTolerance = 4e-6;
constexpr double kWeightTolerance = 5e-7;

TEST_CASE("lens: the parts of every cell add up to the run's logit", "[viewer][lens]") {
  RunOptions options = small();
  options.position = GENERATE("rope", "alibi", "t5", "none", "sinusoidal", "learned");
  options.rope_pairing = GENERATE("halves", "adjacent");
  options.attention = GENERATE("mha", "gqa:2", "mqa");
  if (options.rope_pairing == "adjacent" && options.position != "rope") return;
  CAPTURE(options.position, options.rope_pairing, options.attention);
  LensRun made(options);
  const Worst worst = over_all_cells(made.frame);
  CAPTURE(worst.residual, worst.logit, worst.between, worst.weight, worst.largest);
  CHECK(worst.cells == 2 * 4 * 210);
  CHECK(worst.largest > 1);
  CHECK(worst.residual <= 1);
  CHECK(worst.logit <= kLogitTolerance);
  CHECK(worst.of_rounding <= 1);
  CHECK(worst.of_rounding > 0.001);  // a bound that would hide nothing
  CHECK(worst.between <= kLogitTolerance);
  CHECK(worst.weight <= kWeightTolerance);

  // The same check is red when the scale is missing
  CHECK(worst.unscaled > 1000 * kLogitTolerance);
}

TEST_CASE("lens: scaled rotations add up, too", "[viewer][lens]") {
  RunOptions options = small();
  options.rope_scaling = GENERATE("linear", "ntk", "yarn");
  options.rope_factor = 4;
  options.rope_trained = 16;
  CAPTURE(options.rope_scaling);
  const Worst worst = over_all_cells(LensRun(options).frame);
  CHECK(worst.residual <= 1);
  CHECK(worst.between <= 2 * kLogitTolerance);  // YaRN's logits are longer
}

TEST_CASE("lens: on a device, within the rounding of its numbers", "[viewer][lens][emulated]") {
  RunOptions options = small();
  options.layers = 1;
  options.attention = "gqa:2";
  options.device = "emulated";
  options.precision = GENERATE("float32", "tf32", "bf16");
  CAPTURE(options.precision);
  const Worst worst = over_all_cells(LensRun(options).frame);
  CAPTURE(worst.residual, worst.of_rounding, worst.logit);
  CHECK(worst.residual <= 1);
  CHECK(worst.of_rounding <= 1);
  CHECK(worst.of_rounding > 0.001);
}

TEST_CASE("lens: a wrong pairing, key head or rotation is seen", "[viewer][lens]") {
  RunOptions options = small();
  options.attention = "gqa:2";
  LensRun made(options);
  const auto worst = [&] { return over_all_cells(made.frame); };
  REQUIRE(worst().residual <= 1);

  SECTION("pairing") {
    made.frame.options.rope_pairing = "adjacent";
    CHECK(worst().residual > 1000);
  }
  SECTION("base") {
    made.frame.options.rope_base = 1000;
    CHECK(worst().residual > 1000);
  }
  SECTION("key head") {
    // The two key heads change places
    for (const char* name : {"block0/attn/k", "block0/attn/k_rotated"}) {
      TapValue& k = made.frame.taps[name];
      for (int t = 0; t < k.rows; ++t) {
        float* row = k.data.data() + std::size_t(t) * std::size_t(k.cols);
        std::swap_ranges(row, row + k.cols / 2, row + k.cols / 2);
      }
    }
    CHECK(worst().residual <= 1);  // it is a rotation all the same
    CHECK(worst().between > 0.1);
    CHECK(worst().weight > 0.01);
  }
}

TEST_CASE("lens: what if is what the model would compute at another distance", "[viewer][lens]") {
  // The chapter's own rotation, with the key where it is and the query elsewhere
  FrameSpec spec;
  spec.options.rope_pairing = GENERATE("halves", "adjacent");
  spec.options.rope_scaling = GENERATE("none", "yarn");
  if (spec.options.rope_scaling == "yarn") spec.options.rope_factor = 4;
  const Frame frame = synthetic_frame(spec);
  const int K = spec.D / spec.H, T = spec.T;
  Lens lens;
  REQUIRE(read_lens(frame, 1, 3, 9, 4, lens) == "");
  CHECK(lens.key_head == 1);
  const RopeConfig config = rope_config(frame.options);
  const RopeTable<double> table = rope_table<double>(frame.config.T, K, config);
  for (int d = 0; d < T; ++d) {
    Mat<double> x = Mat<double>::Zero(T, K), y = x;
    for (int i = 0; i < K; ++i) {
      x(d, i) = lens.q[std::size_t(i)];
      if (d > 0) x(0, i) = lens.k[std::size_t(i)];
    }
    rope_forward<double>(x, T, K, table, config.pairing, y);
    Mat<double> z = Mat<double>::Zero(T, K), k = z;
    for (int i = 0; i < K; ++i) z(0, i) = lens.k[std::size_t(i)];
    rope_forward<double>(z, T, K, table, config.pairing, k);
    CHECK(lens.product(d) == Approx(y.row(d).dot(k.row(0))).epsilon(1e-9).margin(1e-12));
  }
}

TEST_CASE("lens: biases by distance, and none", "[viewer][lens]") {
  FrameSpec spec;
  spec.options.position = GENERATE("alibi", "t5", "none", "sinusoidal", "learned");
  CAPTURE(spec.options.position);
  const Frame frame = synthetic_frame(spec);
  Lens lens;
  REQUIRE(read_lens(frame, 0, 2, 15, 6, lens) == "");
  CHECK_FALSE(lens.turns);
  CHECK(int(lens.parts.size()) == lens.K);
  for (int d = 0; d < lens.T; ++d) {
    double bias = 0;
    if (spec.options.position == "alibi") bias = -alibi_slopes(spec.H)[2] * d;
    if (spec.options.position == "t5")
      bias = double((*frame.tap("position/t5"))(t5_bucket(-d, false), 2));
    CHECK(lens.bias_at(d) == Approx(bias).margin(1e-6));
    CHECK(lens.product(d) == lens.product(9));  // nothing turns
    CHECK(lens.logit(d) == Approx(lens.product(9) / std::sqrt(double(lens.K)) + bias).margin(1e-6));
  }
}

TEST_CASE("lens: the weight is that of a softmax with one logit changed", "[viewer][lens]") {
  const Frame frame = synthetic_frame();
  Lens lens;
  REQUIRE(read_lens(frame, 2, 1, 17, 3, lens) == "");
  for (int d = 0; d < lens.T; ++d) {
    double sum = 0, mine = 0;
    for (int s = 0; s <= 17; ++s) {
      const double e = std::exp(s == 3 ? lens.logit(d) : lens.row[std::size_t(s)]);
      sum += e;
      if (s == 3) mine = e;
    }
    CHECK(lens.weight(d) == Approx(mine / sum).epsilon(1e-9));
  }

  // The steps lead there
  const std::vector<LensStep> steps = lens.steps(lens.distance());
  REQUIRE(steps.size() == 5);
  CHECK(steps[0].value == lens.product(14));
  CHECK(steps[1].value == Approx(steps[0].value / std::sqrt(8.0)));
  CHECK(steps[2].value == steps[1].value);
  CHECK(steps[3].value / lens.row_sum == Approx(steps[4].value).epsilon(1e-6));
}

TEST_CASE("lens: a key that the mask hides has no weight", "[viewer][lens]") {
  const Frame frame = synthetic_frame();
  Lens lens;
  REQUIRE(read_lens(frame, 0, 0, 4, 11, lens) == "");
  CHECK_FALSE(lens.seen());
  CHECK(lens.distance() == -7);
  CHECK(lens.weight(-7) == 0);
  CHECK(lens.recorded[11] == 0);
  CHECK(std::isnan(lens.recorded_logit()));
  CHECK(lens.residual() <= lens.rounding());
  CHECK(lens.steps(-7)[2].value == -std::numeric_limits<double>::infinity());
}

TEST_CASE("lens: what is missing is said", "[viewer][lens]") {
  Lens lens;
  CHECK_FALSE(read_lens(blank_frame(), 0, 0, 0, 0, lens).empty());
  CHECK_FALSE(read_lens(empty_frame(), 0, 0, 0, 0, lens).empty());
  CHECK(lens.parts.empty());
  Frame frame = synthetic_frame();
  CHECK_FALSE(read_lens(frame, 9, 0, 0, 0, lens).empty());
  CHECK_FALSE(read_lens(frame, 0, -1, 0, 0, lens).empty());
  CHECK_FALSE(read_lens(frame, 0, 0, 24, 0, lens).empty());
  frame.taps["block0/attn/q_rotated"].cols /= 2;
  CHECK_FALSE(read_lens(frame, 0, 0, 1, 0, lens).empty());
  frame.taps.erase("block1/attn/k_rotated");
  CHECK_FALSE(read_lens(frame, 1, 0, 1, 0, lens).empty());
  frame.taps.erase("block2/attn/probs");
  CHECK(read_lens(frame, 2, 0, 1, 0, lens).empty());  // the weights are only to compare with
  CHECK(lens.recorded.empty());

  // Numbers that are none stay none, and say so
  const Frame wrong = nan_frame();
  REQUIRE(read_lens(wrong, 0, 0, 5, 2, lens) == "");
  CHECK(std::isnan(lens.residual()));
  CHECK(std::isnan(lens.weight(3)));
}

}  // namespace
}  // namespace tpp::viewer::testing
