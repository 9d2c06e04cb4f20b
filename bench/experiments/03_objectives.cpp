// 03: does each objective teach the tiny model something?
//
// Losses of different questions cannot be compared with each other. So each stands beside what simple guessers get on the same
// targets: who knows nothing, and who knows how often each target occurs.
#include <algorithm>

#include "bench/experiments/experiment.h"
#include "chapters/03_tokens/targets.h"

namespace tpp::experiments {
namespace {

void measure(Lab& lab) {
  Run run = lab.start();
  for (const Baseline& baseline : run.source->baselines()) {
    lab.result[baseline.name] = number(baseline.loss);
  }
  Batch batch(1, lab.options.length);
  run.source->validation(0, batch);
  lab.result["asked"] = batch.T - std::count(batch.targets.begin(), batch.targets.end(), kNoTarget);
  lab.result["vocabulary"] = run.source->vocabulary();
  lab.train(run);
}

void report(Report& r) {
  std::vector<std::vector<std::string>> rows;
  for (const Case& c : r.experiment().cases) {
    if (!r.has(c.key)) continue;
    const auto get = [&](const char* path) { return r.summary(c.key, path); };
    r.values[c.key]["unigram"] = number(get("/unigram").mean);
    r.values[c.key]["asked"] = number(get("/asked").mean);
    rows.push_back({c.label, text_of(get("/vocabulary").mean), text_of(get("/asked").mean),
                    get("/uniform").text(2), get("/unigram").text(2), r.loss_text(c.key, 2)});
  }
  r.table("main", {"objective", "V", "places asked, of 128", "ln V", "by frequency", "600 steps"},
          rows);
}

}  // namespace

Experiment objectives_03() {
  Experiment e{.name = "03_objectives",
               .question = "Does the tiny model learn each objective in a few hundred steps?",
               .refuted = "after 600 steps a loss is not below what the targets' frequencies give",
               .seeds = 1};
  for (const std::string_view name : objective_names()) {
    Case c{.key = std::string(name),
           .label = std::string(name),
           .options = recipe("llama", 600),
           .measure = measure};
    c.options.objective = name;
    e.cases.push_back(c);
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
