// 14: does a gate help, with exactly as many weights?
//
// A gated layer has three matrices, a plain one two: 3·128·344 = 2·128·516 numbers.
#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

void report(Report& r) {
  std::vector<std::vector<std::string>> rows;
  for (const Case& c : r.experiment().cases) {
    if (!r.has(c.key)) continue;
    rows.push_back(
        {c.label, text_of(r.summary(c.key, "/ffn_width").mean),
         text_of(r.summary(c.key, "/parameters").mean), r.loss_text(c.key, 4),
         c.key == "relu" ? "" : r.difference(c.key, "relu", "/validation").text(4, true)});
  }
  r.table("main", {"unit", "F", "parameters", "validation loss", "minus ReLU"}, rows);
  // What a gate does to one and the same activation
  const std::pair<std::string, std::string> pairs[] = {
      {"relu", "reglu"}, {"gelu", "geglu"}, {"swish", "swiglu"}};
  for (const auto& [plain, gated] : pairs) {
    if (r.has(plain) && r.has(gated))
      r.values["gate"][gated] = r.difference(gated, plain, "/validation").json();
  }
}

}  // namespace

Experiment gated_units_14() {
  Experiment e{.name = "14_gated_units",
               .question = "Does a gate help, with exactly as many weights?",
               .refuted =
                   "the gated units are not below the plain ones of the same activation, by the "
                   "difference within a seed",
               .baseline = "relu",
               .seeds = 5};
  for (const auto& [key, label] :
       std::initializer_list<std::pair<std::string, std::string>>{{"relu", "ReLU"},
                                                                  {"gelu", "GELU"},
                                                                  {"swish", "Swish"},
                                                                  {"glu", "GLU"},
                                                                  {"bilinear", "Bilinear"},
                                                                  {"reglu", "ReGLU"},
                                                                  {"geglu", "GEGLU"},
                                                                  {"swiglu", "SwiGLU"}}) {
    Case c{.key = key, .label = label, .options = recipe("llama", 2000)};
    c.options.ffn = key;
    const bool plain = key == "relu" || key == "gelu" || key == "swish";
    c.options.ffn_width = plain ? 516 : 344;
    e.cases.push_back(c);
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
