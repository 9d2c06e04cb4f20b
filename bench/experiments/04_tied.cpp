// 04: does it cost anything to use the embedding for the un-embedding, too?
#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

void report(Report& r) {
  for (const std::string text : {"bytes", "bpe"}) {
    const std::string tied = text + "_tied", separate = text + "_separate";
    if (!r.has(tied) || !r.has(separate)) continue;
    r.values[text]["separate_minus_tied"] = r.difference(separate, tied, "/validation").json();
    r.values[text]["saved_parameters"] =
        number(r.summary(separate, "/parameters").mean - r.summary(tied, "/parameters").mean);
  }
  std::vector<std::vector<std::string>> rows;
  for (const Case& c : r.experiment().cases) {
    if (!r.has(c.key)) continue;
    const std::string tied = c.key.substr(0, c.key.find('_')) + "_tied";
    rows.push_back({c.label, text_of(r.summary(c.key, "/parameters").mean), r.loss_text(c.key),
                    c.key == tied ? "" : r.difference(c.key, tied, "/validation").text(4, true)});
  }
  r.table("main", {"case", "parameters", "validation loss, nats a token", "minus tied"}, rows);
}

}  // namespace

Experiment tied_04() {
  Experiment e{.name = "04_tied",
               .question = "An un-embedding of its own, or the embedding used twice?",
               .refuted =
                   "the tied model is worse than the separate one by more than the seeds differ, "
                   "for bytes and for BPE"};
  for (const std::string text : {"bytes", "bpe"}) {
    for (const bool tied : {true, false}) {
      Case c{.key = text + (tied ? "_tied" : "_separate"),
             .label = (text == "bytes" ? "bytes, " : "BPE 2,048, ") +
                      std::string(tied ? "tied" : "separate"),
             .options = recipe("gpt", 2000)};
      c.options.tied = tied;
      if (text == "bpe") c.options.tokenizer = "bpe:2048";
      e.cases.push_back(c);
    }
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
