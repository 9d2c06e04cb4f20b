// Three panels on what a real model's tape holds: the names that they ask for exist, and what they
// compute again is what the model computed.
#include <cmath>

#include "chapters/03_tokens/dataset.h"
#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "viewer/panels/architecture_panel.h"
#include "viewer/panels/attention_panel.h"
#include "viewer/panels/rope_panel.h"
#include "viewer/run/probe.h"

namespace tpp::viewer::testing {
namespace {

std::unique_ptr<BatchSource> story(std::uint64_t seed) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "the fox saw the hen and the hen saw the fox. ";
  return std::make_unique<TextSource>(Dataset(text, Tokenizer::bytes()), seed);
}

/// A run of a few steps, and its frame with what a panel on the stage asks for.
struct Trained {
  explicit Trained(const RunOptions& options)
      : run(make_run(options, story(options.seed))), probe(run) {
    for (int i = 0; i < 3; ++i) run.trainer->step();
    frame.options = options;
    frame.config = run.model->config();
    frame.parameters = run.model->table().list();
    fill({});
  }
  void fill(const std::vector<std::string>& wanted) {
    frame.taps.clear();
    probe.fill(frame, wanted);
    ++frame.version;
  }
  /// Ask as the window does: taps, then a frame that has them.
  void show(Stage& stage, Panel& panel) {
    stage.show(panel, &frame, 1);
    fill(stage.taps);
    for (const std::string& name : stage.taps) {
      CAPTURE(name);
      CHECK(frame.tap(name) != nullptr);
    }
    stage.show(panel, &frame, 2);
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
  options.attention = "gqa:2";
  options.length = 20;
  options.batch = 4;
  options.threads = 1;
  options.warmup = 1;
  return options;
}

TEST_CASE("panels on a run: every position scheme", "[viewer][panels]") {
  RunOptions options = small();
  options.position = GENERATE("none", "sinusoidal", "learned", "t5", "alibi", "rope");
  options.rope_pairing = GENERATE("halves", "adjacent");
  options.attention = GENERATE("mha", "mqa", "gqa:2");
  CAPTURE(options.position, options.rope_pairing, options.attention);
  Trained trained(options);
  Stage stage(760, 612);

  // All heads, then one: recomputed weights are the model's own
  AttentionPanel attention;
  trained.show(stage, attention);
  CHECK(attention.summary(1, 3).uniform > 2);
  CHECK(attention.summary(1, 3).entropy > 0);
  stage.selection.set({.layer = 1, .head = 3});
  trained.show(stage, attention);
  REQUIRE(attention.stages().T == 20);
  REQUIRE(attention.stages().recorded.size() == 400);
  CHECK(attention.stages().difference <= 1e-5);

  RopePanel position;
  trained.show(stage, position);
  if (options.position == std::string("rope")) {
    CHECK(position.score().pairs == 4);
    CHECK(position.difference() <= 1e-5);
  }
}

TEST_CASE("panels on a run: every parameter of a layer stands in one box", "[viewer][panels]") {
  RunOptions options = small();
  options.placement = GENERATE("pre", "post", "sandwich", "deepnorm");
  options.norm = GENERATE("rmsnorm", "layernorm", "scalenorm");
  options.position = options.norm == "layernorm" ? "learned" : "rope";
  options.bias = options.norm == "layernorm";
  options.tied = options.placement != std::string("post");
  CAPTURE(options.placement, options.norm);
  Trained trained(options);
  long long counted = 0, there = 0;
  for (const DiagramPart& part : diagram_parts(trained.frame, 1)) counted += part.numbers;
  for (const ParameterInfo& p : trained.frame.parameters)
    if (!p.name.starts_with("block0/")) there += p.size();
  CHECK(counted == there);
  CHECK(model_totals(trained.frame).flops_per_token ==
        tpp::testing::Approx(trained.run.model->flops_per_token()));

  Stage stage(300, 612);
  ArchitecturePanel panel;
  trained.show(stage, panel);
  CHECK(stage.vertices > 500);
}

}  // namespace
}  // namespace tpp::viewer::testing
