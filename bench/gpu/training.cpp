// Whole training steps on a device, in tokens a second: one line of JSON for each model and precision, as it comes.
//
// A program of its own: it opens its device as `tpp train` does, while bench_gpu is linked with nvcc's twins.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assets/sources.h"
#include "chapters/31_transformer_pp/catalogue.h"
#include "tools/cli/commands.h"

namespace tpp::bench {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

RunOptions tiny(int batch) {
  RunOptions options;
  options.batch = batch;
  return options;
}
RunOptions baby(int batch) {
  RunOptions options;
  options.layers = 6;
  options.width = 384;
  options.heads = 6;
  options.attention = "mha";
  options.ffn_width = 1024;
  options.length = 256;
  options.batch = batch;
  return options;
}

/// Median of several rounds of steps; the first steps, which build the graph, are not counted.
double tokens_per_second(const RunOptions& options, bool quick) {
  Run run = make_run(options, make_source(source_config(options)));
  const int tokens = options.batch * int(run.model->config().T);
  const double begun = now();
  for (int i = 0; i < (quick ? 2 : 8); ++i) (void)run.trainer->step();
  const double step = (now() - begun) / (quick ? 2 : 8);
  const int steps = std::clamp(int((quick ? 0.1 : 0.3) / step), 1, 2000);
  std::vector<double> rates;
  for (int round = 0; round < (quick ? 3 : 7); ++round) {
    const double start = now();
    for (int i = 0; i < steps; ++i) (void)run.trainer->step();
    (void)run.trainer->values();  // waits for the device
    rates.push_back(double(steps) * tokens / (now() - start));
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

int run_training(bool quick, const std::string& device) {
  struct Row {
    std::string model;
    RunOptions options;
    std::string precision;
  };
  std::vector<Row> rows = {{"tiny × 16", tiny(16), "float32"}, {"tiny × 16", tiny(16), "tf32"},
                           {"tiny × 16", tiny(16), "bf16"},    {"tiny × 128", tiny(128), "bf16"},
                           {"baby × 64", baby(64), "tf32"},    {"baby × 64", baby(64), "bf16"}};
  if (device == "emulated") rows = {{"tiny × 2", tiny(2), "float32"}};  // that it runs
  int failed = 0;
  for (Row& row : rows) {
    nlohmann::json answer = {{"model", row.model}, {"precision", row.precision}};
    try {
      row.options.device = device;
      row.options.precision = row.precision;
      answer["tokens_per_second"] = tokens_per_second(row.options, quick || device == "emulated");
    } catch (const std::exception& e) {
      answer["error"] = e.what();
      ++failed;
    }
    std::cout << answer.dump() << std::endl;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tpp::bench

int main(int argc, char** argv) {
  bool quick = false;
  std::string device = "gpu";
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else if (std::strcmp(argv[i], "--emulated") == 0) {
      device = "emulated";
    } else {
      std::cerr << "bench_gpu_training [--quick] [--emulated]\n";
      return 2;
    }
  }
  return tpp::bench::run_training(quick, device);
}
