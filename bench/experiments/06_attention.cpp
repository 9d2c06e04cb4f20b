// 06: what each line of attention is for, by leaving it out.
//
// A mistake stands in the model while it learns (exercise 6.1's wrong answers). A model that sees the next token has a small
// loss and has learned nothing: so every trained model is also judged with the book's attention in the mistake's place, and
// asked to write. The mistake stands in the forward pass; the gradient stays the book's, as it does with `--mine`.
#include "bench/experiments/experiment.h"
#include "chapters/02_tape/slots.h"

namespace tpp::experiments {
namespace {

void measure(Lab& lab) {
  Run run = lab.start();
  const bool finite = lab.train(run);
  if (lab.options.seed == 1 && finite) lab.result["sample"] = Lab::sample(run, 240);
  for (Slot* s : filled_slots()) switch_slot(*s, false);
  lab.result["honest"] = finite ? number(Lab::validate(run)) : Json(nullptr);
  if (lab.options.seed == 1 && finite) lab.result["honest_sample"] = Lab::sample(run, 240);
}

void report(Report& r) {
  std::vector<std::vector<std::string>> rows;
  for (const Case& c : r.experiment().cases) {
    if (!r.has(c.key)) continue;
    std::vector<double> last;
    for (int seed = 1; seed <= 64; ++seed) {
      const Json& one = r.result(c.key, seed);
      if (one.is_null()) continue;
      const Json& curve = one["curve"]["loss"];
      const bool whole = !one.contains("nan") && !curve.empty() && curve.back().is_number();
      last.push_back(whole ? curve.back().get<double>() : NAN);
    }
    const Summary training = summarise(last), honest = r.summary(c.key, "/honest");
    r.values[c.key]["training"] = training.json();
    r.values[c.key]["honest"] = honest.json();
    for (const std::string which : {"sample", "honest_sample"}) {
      if (r.result(c.key, 1).contains(which)) r.values[c.key][which] = r.result(c.key, 1)[which];
    }
    rows.push_back({c.label, training.text(), r.loss_text(c.key), honest.text()});
  }
  r.table("main",
          {"in the model", "training loss", "validation, the same attention",
           "validation, the right attention"},
          rows);
}

}  // namespace

Experiment attention_06() {
  Experiment e{.name = "06_attention",
               .question = "What does each line of attention do for the loss?",
               .refuted = "a model without the line learns as well, judged with the right mask",
               .baseline = "book",
               .seeds = 2};
  const auto add = [&e](const std::string& key, const std::string& label, bool wrong = true) {
    e.cases.push_back({.key = key,
                       .label = label,
                       .options = recipe("gpt", 600),
                       .mine = wrong ? "6.1=" + key : "",
                       .measure = measure,
                       .on_cpu = true});
  };
  add("book", "the book's attention", false);
  add("no_scale", "no 1/√K");
  add("divided_by_scale", "√K instead of 1/√K");
  add("mask_one_more", "mask off by one: sees the next token");
  add("mask_ignored", "no mask");
  add("mask_one_less", "mask off by one: does not see itself");
  add("mask_after_softmax", "mask after the softmax");
  add("masked_logit_zero", "hidden logits 0, not −∞");
  add("softmax_over_queries", "softmax over queries");
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
