// The architecture panel: its totals against the model's own, its switches by a scripted hand.
#include "viewer/panels/architecture_panel.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "tests/testing.h"
#include "tests/viewer/panel_stage.h"
#include "tests/viewer/synthetic_frame.h"

namespace tpp::viewer::testing {
namespace {

using tpp::testing::Approx;

constexpr int kWidth = 300, kHeight = 612;
constexpr int kVertexBudget = 30000;

std::vector<std::string> ids(const Frame& frame) {
  std::vector<std::string> out;
  for (const DiagramPart& part : diagram_parts(frame, 0)) out.push_back(part.id);
  return out;
}

TEST_CASE("architecture: norms stand where the placement says", "[viewer][architecture]") {
  FrameSpec spec;
  const auto where = [](const Frame& frame, const std::string& id) {
    for (const DiagramPart& part : diagram_parts(frame, 0))
      if (part.id == id) return part.where;
    FAIL("no part " << id);
    return DiagramPart::Where::trunk;
  };
  using Ids = std::vector<std::string>;
  spec.options.placement = "pre";
  CHECK(ids(synthetic_frame(spec)) == Ids{"embed", "attn/norm", "attn", "attn/residual", "ffn/norm",
                                          "ffn", "ffn/residual", "final", "unembed"});
  spec.options.placement = "post";
  const Frame post = synthetic_frame(spec);
  CHECK(ids(post) == Ids{"embed", "attn", "attn/residual", "attn/norm_out", "ffn", "ffn/residual",
                         "ffn/norm_out", "unembed"});
  CHECK(where(post, "attn/norm_out") == DiagramPart::Where::trunk);
  spec.options.placement = "sandwich";
  const Frame sandwich = synthetic_frame(spec);
  CHECK(ids(sandwich) == Ids{"embed", "attn/norm", "attn", "attn/norm_out", "attn/residual",
                             "ffn/norm", "ffn", "ffn/norm_out", "ffn/residual", "final",
                             "unembed"});
  CHECK(where(sandwich, "attn/norm_out") == DiagramPart::Where::branch);
  spec.options.placement = "deepnorm";
  spec.options.position = "learned";
  CHECK(ids(synthetic_frame(spec)) == Ids{"embed", "position", "attn", "attn/residual",
                                          "attn/norm_out", "ffn", "ffn/residual", "ffn/norm_out",
                                          "unembed"});
}

TEST_CASE("architecture: what differs between two runs is outlined, and nothing else",
          "[viewer][architecture][lockstep]") {
  // What each option changes in the diagram of a model with RMSNorm, RoPE and SwiGLU
  using Ids = std::set<std::string>;
  const Ids norms{"attn/norm", "ffn/norm", "final"};
  Ids all{"embed", "attn/norm", "attn", "ffn/norm", "ffn", "final", "unembed"};
  const std::map<std::string, std::pair<std::string, Ids>> expected{
      {"norm", {"layernorm", norms}},
      {"placement", {"post", {"attn/residual", "attn/norm_out", "ffn/residual", "ffn/norm_out"}}},
      {"position", {"learned", {"position", "attn"}}},
      {"attention", {"mha", {"attn"}}},
      {"ffn", {"relu", {"ffn"}}},
      {"bias", {"true", {"attn", "ffn"}}},  // RMSNorm has none
      {"tied", {"false", {"unembed"}}},
      {"rope-base", {"500000", {"attn"}}},
      {"rope-pairing", {"adjacent", {"attn"}}},
      {"rope-scaling", {"linear", {"attn"}}},
      {"rope-factor", {"2", {"attn"}}},
      {"rope-trained", {"64", {"attn"}}},
      {"layers", {"3", {}}},  // the same block, so many times: the number is coloured
      {"width", {"64", all}},
      {"heads", {"8", {"attn"}}},
      {"ffn-width", {"100", {"ffn"}}},
      {"init", {"0.1", {}}}};
  const auto frame_of = [](const RunOptions& options) {
    Frame frame;
    frame.options = options;
    const auto model = make_model<float>(options, 97);
    frame.config = model->config();
    frame.parameters = model->table().list();
    return frame;
  };
  const RunOptions options;
  const Frame a = frame_of(options);
  Stage stage(kWidth, kHeight);
  ArchitecturePanel panel;
  for (const OptionInfo& info : option_table()) {
    if (info.group == OptionInfo::Group::text || info.name == "length" || info.name == "batch" ||
        info.name == "seed")
      continue;  // the same in both
    INFO(info.name);
    RunOptions other = options;
    Ids parts;
    if (const auto known = expected.find(info.name); known != expected.end()) {
      set_option(other, info.name, known->second.first);
      parts = known->second.second;
    } else {
      REQUIRE((info.group == OptionInfo::Group::training || info.of_machine));  // no part of it
      if (info.kind == OptionInfo::Kind::number) set_option(other, info.name, "0.5");
    }
    Frame b = frame_of(other);
    for (const Compare compare : {Compare::b, Compare::difference}) {
      b.version++;
      stage.compare = compare;
      stage.show(panel, &a, 2, &b);
      const std::vector<std::string> seen = panel.outlined();
      CHECK(Ids(seen.begin(), seen.end()) == parts);
    }
    stage.compare = Compare::a;
    stage.show(panel, &a, 2);
    CHECK(panel.outlined().empty());  // one run
  }

  // An option that this model does not use is no difference
  RunOptions alibi, base;
  alibi.position = base.position = "alibi";
  base.rope_base = 500000;
  const Frame c = frame_of(alibi), d = frame_of(base);
  stage.compare = Compare::b;
  stage.show(panel, &c, 2, &d);
  CHECK(panel.outlined().empty());
}

TEST_CASE("architecture: totals are the model's own", "[viewer][architecture]") {
  FrameSpec spec;
  spec.options.position = GENERATE("rope", "learned", "t5", "sinusoidal");
  spec.options.tied = GENERATE(true, false);
  spec.options.norm = GENERATE("rmsnorm", "layernorm", "scalenorm");
  spec.options.ffn = GENERATE("swiglu", "solu");
  spec.options.bias = spec.options.tied;
  spec.options.placement = spec.options.tied ? "sandwich" : "post";
  CAPTURE(spec.options.position, spec.options.tied, spec.options.norm);
  const Frame frame = synthetic_frame(spec);
  const auto model = make_model<float>(frame.options, spec.V);
  const ModelTotals totals = model_totals(frame);
  CHECK(totals.parameters == model->table().numbers());
  CHECK(totals.flops_per_token == Approx(model->flops_per_token()));
  CHECK(totals.cache_bytes_per_token == 2 * 3 * 2 * 8 * 4);

  // Every parameter of the shown layer, and outside of blocks, is counted in exactly one box
  long long counted = 0, there = 0;
  for (const DiagramPart& part : diagram_parts(frame, 1)) counted += part.numbers;
  for (const ParameterInfo& p : frame.parameters) {
    if (p.name.starts_with("block") && !p.name.starts_with("block1/")) continue;
    if (p.name == "position/t5" || p.name.find("solu_norm") != std::string::npos) continue;
    there += p.size();
  }
  CHECK(counted == there);
}

TEST_CASE("architecture: draws anything without a window", "[viewer][architecture]") {
  Stage stage(kWidth, kHeight);
  ArchitecturePanel panel;
  const Frame blank = blank_frame(), empty = empty_frame(), whole = synthetic_frame(),
              nans = nan_frame();
  for (const Frame* frame : {(const Frame*)nullptr, &blank, &empty, &whole, &nans}) {
    stage.show(panel, frame);
    CHECK(stage.vertices < kVertexBudget);
  }
  CHECK(stage.vertices > 500);
  const Frame huge = huge_frame();
  stage.selection.set({.layer = 11, .parameter = "block11/ffn/w_out"});
  stage.show(panel, &huge);
  CHECK(stage.vertices < kVertexBudget);
  stage.picture("architecture_huge_dark.png");
  for (const int size : {40, 150}) {
    Stage tiny(size, size);
    ArchitecturePanel other;
    tiny.show(other, &whole);
  }
}

TEST_CASE("architecture: every box lies inside the panel, whatever the parts",
          "[viewer][architecture]") {
  FrameSpec spec;
  spec.options.placement = GENERATE("pre", "post", "sandwich", "deepnorm");
  spec.options.position = GENERATE("rope", "learned");
  CAPTURE(spec.options.placement, spec.options.position);
  const Frame frame = synthetic_frame(spec);
  Stage stage(kWidth, kHeight);
  ArchitecturePanel panel;
  stage.show(panel, &frame);
  std::vector<Rect> rects;
  for (const DiagramPart& part : diagram_parts(frame, 0)) {
    const auto rect = stage.probes.find("architecture/part/" + part.id);
    REQUIRE(rect);
    CHECK(rect->x >= 0);
    CHECK(rect->right() <= kWidth);
    CHECK(rect->y >= 130);  // below the switches
    CHECK(rect->bottom() <= kHeight - 60);
    if (part.where != DiagramPart::Where::add) {
      CHECK(rect->h >= 17);  // a line of text
      for (const Rect& other : rects) CHECK_FALSE(rect->overlaps(other));
      rects.push_back(*rect);
    }
  }
}

TEST_CASE("architecture: a switch restarts the run and says so", "[viewer][architecture]") {
  const Frame frame = synthetic_frame();
  RecordingControl control;
  Stage stage(kWidth, kHeight);
  ArchitecturePanel panel;
  stage.control = &control;
  stage.show(panel, &frame);
  CHECK(panel.recipe() == "llama");
  Script& hand = stage.script();
  hand.click("architecture/norm");
  hand.wait(2);
  CHECK(control.restarts.empty());
  hand.click("architecture/norm/layernorm");
  hand.wait(2);
  REQUIRE(control.restarts.size() == 1);
  CHECK(control.restarts[0].norm == "layernorm");
  CHECK(control.restarts[0].ffn == frame.options.ffn);
  CHECK(panel.note().find("starts again") != std::string::npos);
  CHECK_FALSE(panel.note_is_error());

  // Choosing what is there already asks for nothing
  hand.click("architecture/placement");
  hand.wait(2);
  hand.click("architecture/placement/pre");
  hand.wait(2);
  CHECK(control.restarts.size() == 1);

  hand.click("architecture/attention");
  hand.wait(2);
  CHECK(hand.sees("architecture/attention/gqa:2"));
  CHECK_FALSE(hand.sees("architecture/attention/gqa:3"));
  hand.click("architecture/attention/mqa");
  hand.wait(2);
  REQUIRE(control.restarts.size() == 2);
  CHECK(control.restarts[1].attention == "mqa");
  CHECK(control.restarts[1].norm == "layernorm");  // what was asked for before still stands

  hand.click("architecture/tied");
  hand.wait(2);
  REQUIRE(control.restarts.size() == 3);
  CHECK_FALSE(control.restarts[2].tied);
  hand.click("architecture/recipe");
  hand.wait(2);
  hand.click("architecture/recipe/gpt");
  hand.wait(2);
  REQUIRE(control.restarts.size() == 4);
  CHECK(control.restarts[3].position == "learned");
  CHECK(control.restarts[3].text == frame.options.text);
}

TEST_CASE("architecture: what cannot be is said, and the switch falls back",
          "[viewer][architecture]") {
  const Frame frame = synthetic_frame();
  RecordingControl control;
  control.check = [](const RunOptions& options) {
    if (options.placement == "post") throw InputError("a head of width 7 has one left over");
  };
  Stage stage(kWidth, kHeight);
  ArchitecturePanel panel;
  stage.control = &control;
  stage.show(panel, &frame);
  Script& hand = stage.script();
  hand.click("architecture/placement");
  hand.wait(2);
  hand.click("architecture/placement/post");
  hand.wait(2);
  CHECK(control.restarts.empty());
  CHECK(panel.note() == "a head of width 7 has one left over.");
  CHECK(panel.note_is_error());
  stage.picture("architecture_error_dark.png");

  // The switch shows what runs: choosing another thing does not carry the refused one along
  hand.click("architecture/norm");
  hand.wait(2);
  hand.click("architecture/norm/scalenorm");
  hand.wait(2);
  REQUIRE(control.restarts.size() == 1);
  CHECK(control.restarts[0].placement == "pre");
}

TEST_CASE("architecture: boxes and chips select", "[viewer][architecture]") {
  const Frame frame = synthetic_frame();
  Stage stage(kWidth, kHeight);
  ArchitecturePanel panel;
  stage.show(panel, &frame);
  Script& hand = stage.script();
  hand.move("architecture/part/ffn");
  hand.wait(2);
  CHECK(stage.selection.hovered().parameter == "block0/ffn/w_gate_value");
  hand.wait(20);
  CHECK(hand.sees("tooltip"));
  hand.click("architecture/layer/2");
  hand.wait(2);
  CHECK(stage.selection.is_locked({.layer = 2}));
  hand.click("architecture/part/attn");
  hand.wait(2);
  CHECK(stage.selection.locked().parameter == "block2/attn/wqkv");
  CHECK(stage.selection.locked().layer == 2);
  std::ostringstream csv;
  panel.export_csv(csv);
  const std::string text = csv.str();
  CHECK(std::size_t(std::count(text.begin(), text.end(), '\n')) == 1 + frame.parameters.size());
}

TEST_CASE("architecture: pictures", "[viewer][architecture]") {
  RunOptions gpt;
  apply_recipe(gpt, "gpt");
  RecordingControl control;
  for (const bool dark : {true, false}) {
    for (const int scale : {1, 2}) {
      for (const char* placement : {"pre", "post", "sandwich", "deepnorm"}) {
        if (scale == 2 && std::string(placement) != "pre") continue;
        FrameSpec spec;
        spec.layers = 4;
        spec.D = 128;
        spec.F = 344;
        spec.T = 128;
        spec.V = 256;
        spec.parameters = false;
        spec.options.placement = placement;
        if (std::string(placement) == "sandwich") {
          spec.options = gpt;
          spec.options.placement = placement;
          spec.options.tied = false;
          spec.G = 4;
        }
        const Frame frame = synthetic_frame(spec);
        Stage stage(kWidth, kHeight, dark ? Appearance::dark : Appearance::light, float(scale));
        ArchitecturePanel panel;
        stage.control = &control;
        stage.show(panel, &frame);
        const std::string name = std::string("architecture_") + placement +
                                 (dark ? "_dark_" : "_light_") + std::to_string(scale) + "x";
        stage.picture(name + ".png");
        if (std::string(placement) != "pre") continue;
        stage.script().move("architecture/part/attn");
        stage.script().wait(20);
        stage.picture(name + "_tooltip.png");
        stage.script().click("architecture/position");
        stage.script().wait(3);
        stage.picture(name + "_combo.png");
      }
    }
  }
  SUCCEED();
}

}  // namespace
}  // namespace tpp::viewer::testing
