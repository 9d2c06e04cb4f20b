// 08: where should the norm stand, and what does warm-up have to do with it?
//
// Four placements, at 4 and 12 layers, with and without warm-up, at four learning rates. Also kept: the size of each layer's
// gradient in the very first step, before anything was learned.
#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

const std::pair<std::string, std::string> kPlacements[] = {
    {"pre", "pre"}, {"post", "post"}, {"sandwich", "sandwich"}, {"deepnorm", "DeepNorm"}};
constexpr double kRates[] = {0.0001, 0.0003, 0.001, 0.003};
constexpr int kDepths[] = {4, 12};

std::string key(const std::string& placement, int layers, bool warm, double rate) {
  return placement + "_" + std::to_string(layers) + (warm ? "_warm" : "_cold") + "_lr" +
         key_of(rate);
}

void measure(Lab& lab) {
  Run run = lab.start();
  Json layers = Json::array();
  (void)lab.train(run, [&](const StepReport& report) {
    if (report.step != 1) return;
    for (int l = 0; l < lab.options.layers; ++l) {
      const int p = run.model->table().find("block" + std::to_string(l) + "/ffn/w_out");
      layers.push_back(number(run.trainer->parameter_reports()[std::size_t(p)].gradient_norm));
    }
  });
  lab.result["first_gradients"] = layers;
}

void report(Report& r) {
  for (const int layers : kDepths) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [placement, label] : kPlacements) {
      std::vector<std::string> row = {label};
      for (const bool warm : {true, false}) {
        for (const double rate : kRates) {
          row.push_back(r.loss_text(key(placement, layers, warm, rate)));
        }
      }
      rows.push_back(row);
      const std::string first = key(placement, layers, true, 0.001);
      if (!r.has(first)) continue;
      std::vector<double> x;
      std::vector<Summary> y;
      for (int l = 0; l < layers; ++l) {
        x.push_back(l);
        y.push_back(r.summary(first, "/first_gradients/" + std::to_string(l)));
      }
      const std::string plot = "gradient_" + std::to_string(layers);
      if (!r.plots.contains(plot))
        r.plot(plot, "The first step's gradient by layer", "layer", "norm of the gradient of w_out",
               false, true);
      r.series(plot, label, x, y);
      Json& values = r.values["first_gradient"][placement + "_" + std::to_string(layers)];
      values = {{"first_layer", number(y.front().mean)}, {"last_layer", number(y.back().mean)}};
    }
    std::vector<std::string> columns = {"placement"};
    for (const bool warm : {true, false}) {
      for (const double rate : kRates)
        columns.push_back(text_of(rate) + (warm ? ", warm-up" : ", none"));
    }
    r.table(layers == kDepths[0] ? "shallow" : "main", columns, rows);
    std::vector<std::string> keys;
    for (const auto& [placement, label] : kPlacements)
      keys.push_back(key(placement, layers, false, 0.001));
    r.curves(layers == kDepths[0] ? "shallow" : "main",
             std::to_string(layers) + " layers, learning rate 0.001, no warm-up", keys);
  }
}

}  // namespace

Experiment norms_08() {
  Experiment e{.name = "08_norms",
               .question = "Where should the norm stand, and when is a warm-up needed?",
               .refuted =
                   "post-norm without warm-up learns as well as pre-norm at 12 layers and every "
                   "rate that pre-norm can take",
               .seeds = 2};
  for (const int layers : kDepths) {
    for (const auto& [placement, label] : kPlacements) {
      for (const bool warm : {true, false}) {
        for (const double rate : kRates) {
          Case c{.key = key(placement, layers, warm, rate),
                 .label = label,
                 .options = recipe("gpt", 600),
                 .measure = measure};
          c.options.placement = placement;
          c.options.layers = layers;
          c.options.warmup = warm ? 100 : 0;
          c.options.learning_rate = rate;
          e.cases.push_back(c);
        }
      }
    }
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
