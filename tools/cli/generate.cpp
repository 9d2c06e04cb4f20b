// tpp generate: text from a trained model, token by token as it comes.
#include <iostream>

#include "chapters/03_tokens/targets.h"
#include "chapters/11_gpt/sampling.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress.h"

namespace tpp {
namespace {

struct GenerateArguments {
  std::string checkpoint;
  std::string prompt = "Once";
  std::string suffix;
  SamplingConfig sampling;
  int tokens = 400;
  std::uint64_t seed = 1;
  std::string device = "cpu", precision = "float32";
};

/// Prints bytes as they come, and holds back a letter that is not complete yet.
class TextPrinter {
 public:
  void add(std::string_view bytes) {
    waiting_ += bytes;
    const std::size_t whole = complete();
    std::cout << printable(std::string_view(waiting_).substr(0, whole)) << std::flush;
    waiting_.erase(0, whole);
  }
  void finish() {
    std::cout << printable(waiting_) << "\n" << std::flush;
    waiting_.clear();
  }

 private:
  [[nodiscard]] std::size_t complete() const {
    const std::size_t size = waiting_.size();
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, size); ++back) {
      const auto c = static_cast<unsigned char>(waiting_[size - back]);
      if ((c & 0xC0) == 0x80) continue;  // the middle of a letter: look for its start
      const std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
      return length > back ? size - back : size;
    }
    return size;
  }
  std::string waiting_;
};

int run_generate(const GenerateArguments& args) {
  const OpenedCheckpoint opened = open_checkpoint(args.checkpoint);
  if (args.prompt.empty()) {
    throw InputError("--prompt is empty: give at least one letter to go on from");
  }
  const Objective objective = objective_named(opened.options.objective);
  if (!continues_text(objective)) {
    throw InputError(
        args.checkpoint + " was trained to fill blanks (--objective " + opened.options.objective +
        "), not to go on with a text: ./run train --resume shows at its end how it fills them");
  }
  if (!args.suffix.empty() && objective != Objective::fim) {
    throw InputError(
        "--suffix needs a model that was trained with --objective fim; this one has --objective " +
        opened.options.objective);
  }
  std::vector<int> tokens = opened.tokenizer.encode(args.prompt);
  const int prefix = plan_rows(objective, opened.options.length).sight.prefix;
  if (int(tokens.size()) < prefix) {
    std::cerr << "This model was trained to go on after " << prefix
              << " tokens, and the prompt has " << tokens.size()
              << ": a longer --prompt suits it better.\n";
  }
  int end = kNoTarget;  // what ends the text, if anything does
  if (!args.suffix.empty()) {
    // <prefix> beginning <suffix> end <middle>, and the model goes on with the middle
    const std::vector<int> suffix = opened.tokenizer.encode(args.suffix);
    tokens.insert(tokens.begin(), opened.tokenizer.special("<prefix>"));
    tokens.push_back(opened.tokenizer.special("<suffix>"));
    tokens.insert(tokens.end(), suffix.begin(), suffix.end());
    tokens.push_back(opened.tokenizer.special("<middle>"));
    end = opened.tokenizer.special("<end>");
    if (tokens.size() >= std::size_t(opened.options.length)) {
      throw InputError("--prompt and --suffix have " + std::to_string(tokens.size()) +
                       " tokens with their marks, and the model sees " +
                       std::to_string(opened.options.length) + ": shorten them");
    }
  }
  (void)sampling_distribution(std::vector<float>{0}, args.sampling);  // refuse wrong settings now

  catch_interrupts();
  RunOptions where;
  set_option(where, "device", args.device);
  set_option(where, "precision", args.precision);
  const std::unique_ptr<Device> device = open_device(where);
  Generator generator(*opened.model, opened.state.values.data(), args.seed, device.get());
  TextPrinter printer;
  printer.add(args.prompt);
  generator.generate(tokens, args.tokens, args.sampling, [&](int token) {
    if (token == end) return false;
    printer.add(opened.tokenizer.bytes_of(token));
    return !interrupted() && std::cout.good();
  });
  if (!args.suffix.empty()) printer.add(args.suffix);
  printer.finish();
  return interrupted() ? 130 : 0;
}

}  // namespace

Command add_generate(CLI::App& program) {
  auto args = std::make_shared<GenerateArguments>();
  CLI::App* command = program.add_subcommand("generate", "write text with a trained model");
  command->footer(
      "Examples\n"
      "  ./run generate --checkpoint out/train-1.safetensors --prompt \"The fox\"\n"
      "  ./run generate --checkpoint F --temperature 0          always the likeliest token\n"
      "  ./run generate --checkpoint F --top-p 0.9 --seed 7\n");
  command->add_option("--checkpoint", args->checkpoint, "a file that ./run train wrote")
      ->required()
      ->type_name("FILE");
  command->add_option("--prompt", args->prompt, "the text to go on from (Once)")->type_name("TEXT");
  command->add_option("--suffix", args->suffix, "what comes after the gap, for --objective fim")
      ->type_name("TEXT");
  command->add_option("--tokens", args->tokens, "how many to write (400)")
      ->check(CLI::Range(0, 100000000).description(""))
      ->type_name("N");
  command
      ->add_option("--temperature", args->sampling.temperature,
                   "below 1: likelier tokens more often; 0: always the likeliest (0.8)")
      ->type_name("X");
  command->add_option("--top-k", args->sampling.top_k, "only the K likeliest; 0: all (0)")
      ->type_name("K");
  command
      ->add_option("--top-p", args->sampling.top_p,
                   "only the likeliest that together have this probability (1)")
      ->type_name("P");
  command->add_option("--seed", args->seed, "another seed, another text (1)")->type_name("N");
  command->add_option("--device", args->device, option_info("device").help + " (cpu)")
      ->type_name("cpu|gpu|emulated");
  command->add_option("--precision", args->precision, option_info("precision").help + " (float32)")
      ->type_name("float32|tf32|bf16");
  return [args] { return run_generate(*args); };
}

}  // namespace tpp
