// 10: which optimiser, each at its best rate; and warm-up, clipping and schedule beside them.
//
// Weights decay in AdamW only, where decay stands beside the gradient. The others have none, and Adam is tried with it, too:
// there it goes through the moments.
#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

struct Kind {
  std::string key, label, optimizer;
  double decay;
  std::vector<double> rates;
};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> list = {
      {"sgd", "SGD", "sgd", 0, {0.03, 0.1, 0.3, 1, 3}},
      {"momentum", "momentum", "momentum", 0, {0.01, 0.03, 0.1, 0.3, 1}},
      {"adam", "Adam", "adam", 0, {0.0003, 0.001, 0.003, 0.01, 0.03}},
      {"adamw", "AdamW", "adamw", 0.1, {0.0003, 0.001, 0.003, 0.01, 0.03}},
      {"adam_decay", "Adam, decay in the gradient", "adam", 0.1, {0.001, 0.003, 0.01}}};
  return list;
}

std::string key(const Kind& kind, double rate) { return kind.key + "_lr" + key_of(rate); }

void report(Report& r) {
  r.plot("main", "Loss by learning rate", "learning rate", "validation loss, nats a token", true);
  std::vector<std::vector<std::string>> rows, all;
  std::vector<std::string> best_keys;
  for (const Kind& kind : kinds()) {
    std::vector<double> x;
    std::vector<Summary> y;
    std::string best;
    double rate = 0;
    for (const double lr : kind.rates) {
      const std::string name = key(kind, lr);
      if (!r.has(name)) continue;
      const Summary loss = r.summary(name, "/validation");
      x.push_back(lr), y.push_back(loss);
      all.push_back({kind.label, text_of(lr), r.loss_text(name)});
      if (loss.count == int(loss.seeds.size()) &&
          (best.empty() || loss.mean < r.summary(best, "/validation").mean))
        best = name, rate = lr;
    }
    if (best.empty()) continue;
    r.series("main", kind.label, x, y);
    r.values[kind.key] = {{"best_rate", rate},
                          {"validation", r.summary(best, "/validation").json()}};
    rows.push_back({kind.label, text_of(rate), r.loss_text(best)});
    best_keys.push_back(best);
  }
  r.table("main", {"optimiser", "best rate", "validation loss"}, rows);
  r.table("rates", {"optimiser", "rate", "validation loss"}, all);
  r.curves("curves", "Each optimiser at its best rate", best_keys);

  // AdamW: the schedule, and what happens without warm-up and without clipping
  std::vector<std::vector<std::string>> schedules;
  const std::pair<std::string, std::string> names[] = {{"adamw_lr0_003", "half a cosine"},
                                                       {"constant", "constant"},
                                                       {"linear", "a line"},
                                                       {"wsd", "stable, then a line"}};
  for (const auto& [k, label] : names) {
    if (!r.has(k)) continue;
    const bool first = k == "adamw_lr0_003";
    schedules.push_back(
        {label, r.loss_text(k),
         first ? "" : r.difference(k, "adamw_lr0_003", "/validation").text(4, true)});
  }
  r.table("schedule", {"after warm-up", "validation loss", "minus the cosine"}, schedules);
  const auto without = [&](const std::string& name, const std::string& key,
                           const std::string& what) {
    std::vector<std::vector<std::string>> lines;
    for (const double rate : {0.003, 0.01, 0.03}) {
      const std::string with = "adamw_lr" + key_of(rate), bare = key + "_lr" + key_of(rate);
      if (!r.has(with) || !r.has(bare)) continue;
      lines.push_back({text_of(rate), r.loss_text(with), r.loss_text(bare),
                       r.difference(bare, with, "/validation").text(3, true)});
    }
    r.table(name, {"rate", "with " + what, "without", "difference"}, lines);
  };
  without("warmup", "cold", "warm-up");
  without("clip", "free", "clipping");
}

}  // namespace

Experiment optimizers_10() {
  Experiment e{.name = "10_optimizers",
               .question =
                   "Which optimiser, each at the best of several rates? And what do warm-up, "
                   "clipping and the schedule do?",
               .refuted = "SGD or momentum at their best rate come as low as Adam in as many steps",
               .seeds = 2};
  const auto add = [&e](const std::string& name, const std::string& label,
                        double rate) -> RunOptions& {
    e.cases.push_back({.key = name, .label = label, .options = recipe("gpt", 1000)});
    e.cases.back().options.learning_rate = rate;
    return e.cases.back().options;
  };
  for (const Kind& kind : kinds()) {
    for (const double rate : kind.rates) {
      RunOptions& options = add(key(kind, rate), kind.label + ", " + text_of(rate), rate);
      options.optimizer = kind.optimizer;
      options.weight_decay = kind.decay;
    }
  }
  add("constant", "constant rate", 0.003).schedule = "constant";
  add("linear", "a line to the floor", 0.003).schedule = "linear";
  add("wsd", "warm-up, stable, decay", 0.003).schedule = "wsd";
  for (const double rate : {0.003, 0.01, 0.03}) {
    add("cold_lr" + key_of(rate), text_of(rate) + ", no warm-up", rate).warmup = 0;
    add("free_lr" + key_of(rate), text_of(rate) + ", no clipping", rate).clip = 0;
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
