// 13: RoPE beyond the length that it was trained with, with several bases, both pairings, and slower angles afterwards.
//
// Everything is trained with 128 tokens and then reads one text in pieces of 64, 128, 256 and 512. Without training again, the
// angles can be made slower: all alike (position interpolation), the slow pairs more (NTK-aware), or by how often a pair
// turned in training (YaRN).
#include <algorithm>

#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

const std::pair<std::string, std::string> kStretched[] = {{"trained", "RoPE as trained"},
                                                          {"linear2", "interpolation, factor 2"},
                                                          {"linear4", "interpolation, factor 4"},
                                                          {"ntk2", "NTK-aware, factor 2"},
                                                          {"ntk4", "NTK-aware, factor 4"},
                                                          {"yarn2", "YaRN, factor 2"},
                                                          {"yarn4", "YaRN, factor 4"}};

void measure(Lab& lab) {
  Run run = lab.start();
  if (!lab.train(run)) return;
  lab.read_lengths(run, "trained", lab.options);
  if (lab.which().key != "base10000") return;
  for (const char* scaling : {"linear", "ntk", "yarn"}) {
    for (const int factor : {2, 4}) {
      RunOptions slower = lab.options;
      slower.rope_scaling = scaling;
      slower.rope_factor = factor;
      slower.rope_trained = lab.options.length;
      lab.read_lengths(run, scaling + std::to_string(factor), slower);
    }
  }
}

/// As the authors do it: with slower angles train on for a while, on pieces of twice the length (5 % of the steps, from a third
/// of the rate down to a thirtieth), then read.
void measure_tuned(Lab& lab) {
  Run run = lab.start();
  if (!lab.train(run)) return;
  for (const char* scaling : {"none", "linear", "ntk", "yarn"}) {
    RunOptions options = lab.options;
    options.length = 2 * lab.options.length;
    options.batch = lab.options.batch / 2;
    options.steps = std::max<long>(1, lab.options.steps / 20);
    options.schedule = "linear";
    options.warmup = 10;
    options.learning_rate = lab.options.learning_rate / 3;
    options.rope_scaling = scaling;
    options.rope_factor = options.rope_scaling == "none" ? 1 : 2;
    options.rope_trained = lab.options.length;
    Run longer = lab.start(options);
    TrainState state = longer.trainer->state();
    state.values.assign(run.trainer->values(), run.trainer->values() + run.model->table().extent());
    longer.trainer->set_state(state);
    try {
      while (longer.trainer->steps_done() < options.steps) (void)longer.trainer->step();
      lab.read_lengths(longer, scaling, options);
    } catch (const NotFinite&) {
      lab.result["length"][scaling] = nullptr;
    }
  }
}

std::vector<std::string> row(Report& r, const std::string& plot, const std::string& key,
                             const std::string& how, const std::string& label, Json& values) {
  std::vector<std::string> cells = {label};
  std::vector<double> x;
  std::vector<Summary> y;
  for (const int length : Lab::kLengths) {
    const Summary s = r.summary(key, "/length/" + how + "/" + std::to_string(length));
    values[std::to_string(length)] = s.json();
    cells.push_back(s.text());
    x.push_back(length), y.push_back(s);
  }
  r.series(plot, label, x, y);
  return cells;
}

void report(Report& r) {
  const std::vector<std::string> columns = {"", "64", "128", "256", "512"};
  std::vector<std::vector<std::string>> rows, stretched;
  r.plot("main", "RoPE beyond 128 tokens", "tokens in a piece", "loss, nats a token", true);
  r.plot("position", "Loss by position, trained with 128", "position", "loss, nats a token");
  for (const Case& c : r.experiment().cases) {
    if (!c.listed || !r.has(c.key)) continue;
    rows.push_back(row(r, "main", c.key, "trained", c.label, r.values[c.key]));
    std::vector<double> at;
    std::vector<Summary> loss;
    for (int i = 0; i < 16; ++i) {
      at.push_back(32 * i + 16);
      loss.push_back(r.summary(c.key, "/length/trained/by_position/y/" + std::to_string(i)));
    }
    r.series("position", c.label, at, loss);
  }
  r.table("main", columns, rows);
  if (!r.has("base10000")) return;
  r.plot("stretched", "Slower angles without training again", "tokens in a piece",
         "loss, nats a token", true);
  for (const auto& [how, label] : kStretched)
    stretched.push_back(row(r, "stretched", "base10000", how, label, r.values["stretched"][how]));
  r.table("stretched", columns, stretched);
  if (r.has("tuned")) {
    std::vector<std::vector<std::string>> tuned;
    const std::pair<std::string, std::string> ways[] = {{"none", "the same angles"},
                                                        {"linear", "interpolation, factor 2"},
                                                        {"ntk", "NTK-aware, factor 2"},
                                                        {"yarn", "YaRN, factor 2"}};
    r.plot("tuned", "After 5 % more steps on 256 tokens", "tokens in a piece", "loss, nats a token",
           true);
    for (const auto& [how, label] : ways)
      tuned.push_back(row(r, "tuned", "tuned", how, label, r.values["tuned"][how]));
    r.table("tuned", columns, tuned);
  }
  std::vector<std::string> keys;
  for (const Case& c : r.experiment().cases) {
    if (c.listed) keys.push_back(c.key);
  }
  r.loss_table("loss", keys, "base10000");
}

}  // namespace

Experiment length_13() {
  Experiment e{
      .name = "13_length",
      .question = "How does RoPE read texts that are longer than those it was trained with?",
      .refuted =
          "the loss of plain RoPE does not rise beyond 128 tokens; or slower angles do not lower "
          "it there",
      .baseline = "base10000"};
  const auto add = [&e](const std::string& key, const std::string& label, double base,
                        const std::string& pairing = "halves") {
    Case c{.key = key, .label = label, .options = recipe("llama", 2000), .measure = measure};
    c.options.rope_base = base;
    c.options.rope_pairing = pairing;
    e.cases.push_back(c);
  };
  add("base10000", "RoPE, base 10,000", 10000);
  add("base100", "RoPE, base 100", 100);
  add("base1000000", "RoPE, base 1,000,000", 1000000);
  add("adjacent", "RoPE, base 10,000, adjacent pairs", 10000, "adjacent");
  Case alibi{
      .key = "alibi", .label = "ALiBi", .options = recipe("llama", 2000), .measure = measure};
  alibi.options.position = "alibi";
  e.cases.push_back(alibi);
  e.cases.push_back({.key = "tuned",
                     .label = "trained on with 256 tokens",
                     .options = recipe("llama", 2000),
                     .measure = measure_tuned,
                     .listed = false});
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
