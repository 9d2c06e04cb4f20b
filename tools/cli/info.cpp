// tpp info: what a checkpoint holds.
#include <cmath>
#include <cstdio>
#include <iostream>

#include "chapters/15_gqa/gqa.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress.h"

namespace tpp {
namespace {

double rms(const float* values, Index count) {
  double sum = 0;
  for (Index i = 0; i < count; ++i) sum += double(values[i]) * double(values[i]);
  return std::sqrt(sum / double(count));
}

int run_info(const std::string& path) {
  const OpenedCheckpoint opened = open_checkpoint(path);
  const ModelConfig& cfg = opened.model->config();
  std::printf("%s: step %ld of %ld\n%s\n", path.c_str(), opened.state.step, opened.options.steps,
              describe_model(opened.options, *opened.model).c_str());
  std::printf("tokenizer %s, vocabulary %d; sequences of up to %ld tokens\n",
              opened.tokenizer.name().c_str(), opened.tokenizer.vocabulary(), long(cfg.T));
  std::printf(
      "%s floating-point operations a token in training; %ld bytes of keys and values a token "
      "in generation\n\n",
      short_number(opened.model->flops_per_token()).c_str(),
      long(kv_cache_bytes_per_token(cfg.layers, cfg.G, cfg.K())));

  if (!opened.mine.empty()) std::printf("in the model: %s\n\n", opened.mine.c_str());
  std::printf("%-32s %14s %10s %10s\n", "parameter", "shape", "numbers", "rms");
  for (const ParameterInfo& p : opened.model->table().list()) {
    char shape[40];
    (void)std::snprintf(shape, sizeof shape, "(%ld, %ld)", long(p.rows), long(p.cols));
    std::printf("%-32s %14s %10ld %10.4f\n", p.name.c_str(), shape, long(p.size()),
                rms(opened.state.values.data() + p.offset, p.size()));
  }

  std::printf("\noptions\n");
  for (const OptionInfo& info : option_table()) {
    const std::string value = get_option(opened.options, info.name);
    const bool usual = value == get_option(RunOptions{}, info.name);
    std::printf("  --%-14s %-14s%s\n", info.name.c_str(), value.c_str(), usual ? "" : "*");
  }
  std::printf("  (* differs from the default)\n");
  return 0;
}

}  // namespace

Command add_info(CLI::App& program) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("info", "what a checkpoint holds");
  command->add_option("--checkpoint", *path, "a file that ./run train wrote")
      ->required()
      ->type_name("FILE");
  return [path] { return run_info(*path); };
}

}  // namespace tpp
