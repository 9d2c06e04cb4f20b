// What the text of chapter 31 shows, and chapter 11's count: the two recipes, their parameters and operations by formula
// and by program, the options by name.
#include "chapters/example.h"

#include <string>

#include "chapters/31_transformer_pp/catalogue.h"

using namespace tpp;

namespace {

RunOptions recipe(const char* name) {
  RunOptions options;
  apply_recipe(options, name);
  return options;
}

// [snip count]
void count() {
  for (const char* name : {"gpt", "llama"}) {
    const auto model = make_model<float>(recipe(name), 256);
    const ModelConfig& c = model->config();
    const bool gated = std::string(name) == "llama";

    // By formula: a block's matrices, then its vectors, then what stands around the blocks
    const Index matrices = (c.H + 2 * c.G) * c.K() * c.D + c.H * c.K() * c.D  // q, k, v; o
                           + (gated ? 3 : 2) * c.D * c.F;
    const Index norm = c.bias ? 2 * c.D : c.D;
    const Index biases = c.bias ? (c.H + 2 * c.G) * c.K() + c.D + c.F + c.D : 0;
    const Index around = c.V * c.D + norm + (gated ? 0 : c.T * c.D);
    const Index total = c.layers * (matrices + 2 * norm + biases) + around;
    const double flops =
        6.0 * double(c.layers * matrices + c.V * c.D) + 6.0 * double(c.layers * c.T * c.D);

    std::printf("%s: D %ld, F %ld, H %ld, G %ld, L %ld, V %ld, T %ld\n", name, long(c.D), long(c.F),
                long(c.H), long(c.G), long(c.layers), long(c.V), long(c.T));
    std::printf("  parameters  formula %9ld   program %9ld\n", long(total),
                long(model->table().numbers()));
    std::printf("  operations  formula %9.0f   program %9.0f   a token\n", flops,
                model->flops_per_token());
  }
}
// [/snip]

void parameters() {
  const auto model = make_model<float>(recipe("llama"), 256);
  for (const ParameterInfo& p : model->table().list()) {
    if (p.name.starts_with("block") && !p.name.starts_with("block0")) continue;
    std::printf("%-24s %4ld × %3ld  %7ld%s\n", p.name.c_str(), long(p.rows), long(p.cols),
                long(p.size()), p.decay ? "" : "   does not decay");
  }
  std::printf("(block1 to block%ld are like block0)\n", long(model->config().layers - 1));
}

// [snip choose]
void choose() {
  RunOptions options = recipe("llama");
  set_option(options, "norm", "layernorm");
  set_option(options, "attention", "gqa:4");
  for (const std::string& name : differing_options(options, recipe("llama"))) {
    std::printf("--%s %s\n", name.c_str(), get_option(options, name).c_str());
  }
  try {
    set_option(options, "norm", "batchnorm");
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
  }
}
// [/snip]

void parts() {
  for (const OptionInfo& info : option_table()) {
    if (info.group != OptionInfo::Group::parts || info.choices.empty()) continue;
    std::string names;
    for (const std::string& choice : info.choices) names += (names.empty() ? "" : ", ") + choice;
    std::printf("--%-13s %s\n", info.name.c_str(), names.c_str());
  }
}

void differences() {
  const RunOptions gpt = recipe("gpt"), llama = recipe("llama");
  std::printf("%-12s %-12s %s\n", "", "gpt", "llama");
  for (const std::string& name : differing_options(gpt, llama)) {
    std::printf("%-12s %-12s %s\n", name.c_str(), get_option(gpt, name).c_str(),
                get_option(llama, name).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"count", count},
                       {"parameters", parameters},
                       {"choose", choose},
                       {"parts", parts},
                       {"differences", differences}});
}
