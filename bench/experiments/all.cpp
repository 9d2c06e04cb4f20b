// The experiments, the chapters that need them most first.
#include "bench/experiments/experiment.h"

namespace tpp::experiments {

Experiment vocabulary_03();
Experiment objectives_03();
Experiment tied_04();
Experiment softmax_05();
Experiment attention_06();
Experiment positions_07();
Experiment norms_08();
Experiment activations_09();
Experiment optimizers_10();
Experiment gpt_11();
Experiment norms_12();
Experiment length_13();
Experiment gated_units_14();
Experiment heads_15();

std::vector<Experiment> all_experiments() {
  return {norms_12(), length_13(),     gated_units_14(), heads_15(),     positions_07(),
          norms_08(), attention_06(),  optimizers_10(),  softmax_05(),   activations_09(),
          gpt_11(),   vocabulary_03(), tied_04(),        objectives_03()};
}

}  // namespace tpp::experiments
