// 11: a whole model learns. What does it write on the way, and what do more layers buy?
#include <algorithm>

#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

void measure(Lab& lab) {
  Run run = lab.start();
  if (lab.options.seed != 1) {
    (void)lab.train(run);
    return;
  }
  constexpr long kSteps[] = {100, 300, 1000, 3000};
  Json samples = Json::array();
  const auto write = [&](long step) {
    samples.push_back({{"step", step}, {"text", Lab::sample(run, 300)}});
  };
  write(0);
  (void)lab.train(run, [&](const StepReport& report) {
    if (std::ranges::find(kSteps, report.step) != std::end(kSteps)) write(report.step);
  });
  lab.result["samples"] = samples;
}

void report(Report& r) {
  r.loss_table("main", {"gpt", "llama"}, "gpt");
  r.curves("main", "Two recipes learn", {"gpt", "llama"});
  for (const std::string which : {"gpt", "llama"}) {
    if (!r.result(which, 1).contains("samples")) continue;
    r.values[which]["samples"] = r.result(which, 1)["samples"];
    std::vector<std::vector<std::string>> rows;
    for (const Json& s : r.result(which, 1)["samples"]) {
      std::string text = s["text"].get<std::string>();
      std::size_t end = std::min<std::size_t>(text.size(), 160);
      while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;  // whole letters
      text.resize(end);
      std::ranges::replace(text, '\n', ' ');
      std::ranges::replace(text, '|', ' ');
      rows.push_back({text_of(s["step"].get<double>()), text});
    }
    r.table("samples_" + which, {"step", "what it writes"}, rows);
  }
  const std::vector<std::string> depths = {"depth1", "depth2", "depth4", "depth8"};
  r.loss_table("depth", depths, "depth4");
  r.curves("depth", "Depth", depths);
}

}  // namespace

Experiment gpt_11() {
  Experiment e{.name = "11_gpt",
               .question =
                   "What does a whole model learn in 3,000 steps, in two recipes; and what do more "
                   "layers buy?",
               .refuted =
                   "the loss stays above what counting pairs of bytes gives; or one layer is as "
                   "good as eight",
               .baseline = "gpt"};
  for (const std::string name : {"gpt", "llama"}) {
    e.cases.push_back({.key = name,
                       .label = name == "gpt" ? "gpt" : "llama",
                       .options = recipe(name, 3000),
                       .measure = measure});
  }
  for (const int layers : {1, 2, 4, 8}) {
    Case c{.key = "depth" + std::to_string(layers),
           .label = std::to_string(layers) + (layers == 1 ? " layer" : " layers"),
           .options = recipe("gpt", 1500)};
    c.options.layers = layers;
    e.cases.push_back(c);
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
