// 09: which function between the two products of a feed-forward layer?
#include "bench/experiments/experiment.h"

namespace tpp::experiments {

Experiment activations_09() {
  Experiment e{.name = "09_activations",
               .question = "ReLU, GELU, Swish or SoLU, with equally many weights?",
               .refuted = "ReLU is as good as GELU and Swish, by the difference within a seed",
               .baseline = "relu",
               .seeds = 5};
  for (const auto& [key, label] :
       std::initializer_list<std::pair<std::string, std::string>>{{"relu", "ReLU"},
                                                                  {"gelu", "GELU"},
                                                                  {"swish", "Swish"},
                                                                  {"solu", "SoLU and LayerNorm"}}) {
    Case c{.key = key, .label = label, .options = recipe("gpt", 2000)};
    c.options.ffn = key;
    e.cases.push_back(c);
  }
  return e;
}

}  // namespace tpp::experiments
