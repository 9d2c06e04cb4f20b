// 07: how should a model know the order of tokens, and what happens beyond the length that it was trained with?
//
// Every model is trained with 128 tokens. Then it reads one and the same text in pieces of 64, 128, 256 and 512 tokens.
// Longer pieces give more context: a loss that rises says that the model cannot use places it has never seen.
#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

void measure(Lab& lab) {
  Run run = lab.start();
  if (lab.train(run)) lab.read_lengths(run, "trained", lab.options);
}

void report(Report& r) {
  r.plot("length", "Beyond the trained length", "tokens in a piece", "loss, nats a token", true);
  r.plot("position", "Loss by position, trained with 128", "position", "loss, nats a token");
  std::vector<std::vector<std::string>> rows;
  for (const Case& c : r.experiment().cases) {
    if (!r.has(c.key)) continue;
    std::vector<std::string> row = {c.label, text_of(r.summary(c.key, "/parameters").mean),
                                    r.loss_text(c.key)};
    std::vector<double> x;
    std::vector<Summary> y;
    for (const int length : Lab::kLengths) {
      const Summary s = r.summary(c.key, "/length/trained/" + std::to_string(length));
      r.values[c.key][std::to_string(length)] = s.json();
      row.push_back(s.count > 0 ? s.text() : "has no rows there");
      x.push_back(length), y.push_back(s);
    }
    r.series("length", c.label, x, y);
    std::vector<double> at;
    std::vector<Summary> loss;
    for (int i = 0; i < 16; ++i) {
      at.push_back(32 * i + 16);
      loss.push_back(r.summary(c.key, "/length/trained/by_position/y/" + std::to_string(i)));
    }
    r.series("position", c.label, at, loss);
    rows.push_back(row);
  }
  r.table("main", {"positions", "parameters", "validation loss", "64", "128", "256", "512"}, rows);
  r.loss_table("loss", {"none", "sinusoidal", "learned", "t5", "alibi", "rope"}, "none");
}

}  // namespace

Experiment positions_07() {
  Experiment e{.name = "07_positions",
               .question =
                   "How should a model know the order of tokens, and beyond the length that it was "
                   "trained with?",
               .refuted =
                   "a model without positions is as good at 128 tokens; or sinusoidal positions "
                   "carry on to 512 as ALiBi's bias does",
               .baseline = "none"};
  for (const auto& [key, label] :
       std::initializer_list<std::pair<std::string, std::string>>{{"none", "none"},
                                                                  {"sinusoidal", "sinusoidal"},
                                                                  {"learned", "learned"},
                                                                  {"t5", "T5's bias"},
                                                                  {"alibi", "ALiBi"},
                                                                  {"rope", "RoPE"}}) {
    Case c{.key = key, .label = label, .options = recipe("gpt", 2000), .measure = measure};
    c.options.position = key;
    e.cases.push_back(c);
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
