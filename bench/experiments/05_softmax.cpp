// 05: two lines that look as if they could be left out.
//
// The maximum that is taken off before the exponentials: nothing happens as long as logits are small. Larger first weights
// make large logits. (In the frame the softmax that a reader can exchange is attention's, exercise 6.1.)
// The division of the gradient by the number of targets, exercise 5.2: a constant factor, which some optimisers do not see.
#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

std::vector<std::string> pair_of(Report& r, const std::string& title, const std::string& right,
                                 const std::string& wrong) {
  return {title, r.loss_text(right), r.loss_text(wrong)};
}

void report(Report& r) {
  const std::vector<std::string> columns = {"", "as it should be", "the line is missing"};
  std::vector<std::vector<std::string>> rows;
  for (const double init : {0.02, 0.1, 0.2, 0.5}) {
    if (r.has("max_" + key_of(init)))
      rows.push_back(pair_of(r, "first weights of deviation " + text_of(init),
                             "max_" + key_of(init), "no_max_" + key_of(init)));
  }
  r.table("maximum", columns, rows);
  std::vector<std::vector<std::string>> divided;
  const std::pair<std::string, std::string> optimisers[] = {{"adamw_clip", "AdamW, clipped"},
                                                            {"adamw", "AdamW, not clipped"},
                                                            {"sgd_clip", "SGD, clipped"},
                                                            {"sgd", "SGD, not clipped"}};
  for (const auto& [key, label] : optimisers) {
    if (r.has("mean_" + key)) divided.push_back(pair_of(r, label, "mean_" + key, "sum_" + key));
  }
  r.table("count", columns, divided);
}

}  // namespace

Experiment softmax_05() {
  Experiment e{.name = "05_softmax",
               .question =
                   "Which line can be left out: the row's maximum, or the division by the number "
                   "of targets?",
               .refuted =
                   "without the maximum training goes on with large logits as with it, or without "
                   "the division SGD learns as well",
               .seeds = 2};
  for (const double init : {0.02, 0.1, 0.2, 0.5}) {
    for (const bool right : {true, false}) {
      Case c{.key = (right ? "max_" : "no_max_") + key_of(init),
             .label = (right ? "maximum taken off, init " : "no maximum, init ") + text_of(init),
             .options = recipe("gpt", 150),
             .mine = right ? "" : "6.1=no_maximum",
             .on_cpu = true};
      c.options.init = init;
      e.cases.push_back(c);
    }
  }
  for (const bool adam : {true, false}) {
    for (const bool clip : {true, false}) {
      for (const bool right : {true, false}) {
        const std::string optimiser = adam ? "adamw" : "sgd";
        Case c{.key = (right ? "mean_" : "sum_") + optimiser + (clip ? "_clip" : ""),
               .label = std::string(adam ? "AdamW" : "SGD") + (clip ? ", clipped" : "") +
                        (right ? "" : ", gradient not divided"),
               .options = recipe("gpt", 150),
               .mine = right ? "" : "5.2=not_divided",
               .on_cpu = true};
        c.options.optimizer = optimiser;
        if (!adam) c.options.learning_rate = 0.1;
        if (!clip) c.options.clip = 0;
        e.cases.push_back(c);
      }
    }
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
