// tpp text: the beginning of what a model would learn from.
#include <iostream>

#include "tools/cli/commands.h"

namespace tpp {

Command add_text(CLI::App& program) {
  struct Arguments {
    std::string name = "fables", tokenizer = "bytes", objective = "causal";
    int sequences = 3, length = 400;
    std::uint64_t seed = 1;
  };
  auto args = std::make_shared<Arguments>();
  CLI::App* command = program.add_subcommand("text", "look at what a model would learn from");
  command->footer(
      "Texts\n"
      "  fables       little stories with names, agreement, causes and morals, made here\n"
      "  book         this project's own chapters and sources\n"
      "Tasks with exact answers, in which attention can be seen to work\n"
      "  copy, induction, sorting, addition\n"
      "Anything else is a file.\n");
  command->add_option("--text", args->name, "a name below, or a file (fables)")->type_name("TEXT");
  command
      ->add_option("--tokenizer", args->tokenizer,
                   "bytes, or bpe:1024 or unigram:1024; tokens are then parted by |")
      ->type_name("TEXT");
  command->add_option("--objective", args->objective,
                      "causal, masked, prefix, span or fim: rows as the model sees them (causal)");
  command->add_option("--sequences", args->sequences, "how many (3)")
      ->check(CLI::Range(1, 10000).description(""));
  command->add_option("--length", args->length, "tokens in each (400)")
      ->check(CLI::Range(1, 65536).description(""));
  command->add_option("--seed", args->seed, "another seed, other places (1)");
  return [args] {
    RunOptions options;
    options.text = args->name, options.tokenizer = args->tokenizer, options.seed = args->seed;
    options.objective = args->objective, options.length = args->length;
    const auto source = make_source(source_config(options));
    source->require(args->length);
    std::cout << source->describe() << "\n";
    Batch batch(args->sequences, args->length);
    source->train(0, batch);
    const bool marked = args->tokenizer != "bytes";
    for (int b = 0; b < batch.B; ++b) {
      std::string text;
      for (int t = 0; t < batch.T; ++t) {
        text += source->tokenizer().bytes_of(
            batch.tokens[std::size_t(b) * std::size_t(batch.T) + std::size_t(t)]);
        if (marked) text += '|';
      }
      std::cout << "\n--- sequence " << b << "\n" << printable(text) << "\n";
    }
    return 0;
  };
}

}  // namespace tpp
