// The catalogue: every component and setting by the name that a reader types.
//
// One table describes all options of a run. The command line, the viewer's switches, its session file
// and the metadata of checkpoints are made from it, so a name means the same everywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/11_gpt/checkpoint.h"
#include "chapters/11_gpt/gpt.h"
#include "chapters/11_gpt/sampling.h"
#include "chapters/11_gpt/trainer.h"
#include "chapters/13_rope/rope.h"
#include "kernels/device/device.h"

namespace tpp {

/// All that decides a run. The defaults are the recipe "llama".
struct RunOptions {
  // The model's parts
  std::string norm = "rmsnorm";
  std::string placement = "pre";
  std::string position = "rope";
  std::string attention = "gqa:2";
  std::string ffn = "swiglu";
  bool bias = false;
  bool tied = true;
  double rope_base = 10000;
  std::string rope_pairing = "halves";
  std::string rope_scaling = "none";
  double rope_factor = 1;
  int rope_trained = 0;  // tokens; 0: length / rope_factor

  // Its sizes
  int layers = 4;
  int width = 128;    // D
  int heads = 4;      // H
  int ffn_width = 0;  // F; 0: 4·D, or 8/3·D rounded up to a multiple of 8 for gated units
  int length = 128;   // T
  double init = 0.02;

  // What it learns from, and how
  std::string text = "fables";       // a name of assets/, or a file
  std::string tokenizer = "bytes";   // or "bpe:1024", "unigram:1024"
  std::string objective = "causal";  // or "masked", "prefix", "span", "fim"
  std::uint64_t seed = 1;
  int batch = 16;
  long steps = 1000;  // also the length of the schedule
  std::string optimizer = "adamw";
  double learning_rate = 3e-3;
  double momentum = 0.9;
  double beta1 = 0.9, beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  std::string schedule = "cosine";
  int warmup = 100;
  double floor = 0.1;  // of the learning rate, at the schedule's end
  double clip = 1;
  int threads = 0;                    // 0: one for each core
  std::string device = "cpu";         // or "gpu", "emulated"
  std::string precision = "float32";  // or "tf32", "bf16", on a device

  bool operator==(const RunOptions&) const = default;
};

/// One row of the table.
struct OptionInfo {
  enum class Kind { choice, flag, integer, number, text } kind;
  enum class Group { parts, sizes, text, training } group;
  std::string name;                  // "ffn-width": --ffn-width on the command line
  std::string help;                  // one line
  std::vector<std::string> choices;  // for Kind::choice; "gqa:G" stands for any number G
  double least = 0, most = 0;        // for numbers, inclusive
  int chapter = 0;                   // that explains it; 0: none
  bool of_machine = false;           // says where it runs, not what: not kept in a checkpoint
};

/// The table, in the order that help shows.
[[nodiscard]] const std::vector<OptionInfo>& option_table();
[[nodiscard]] const OptionInfo& option_info(std::string_view name);  // InputError if there is none

/// Set an option from text. Errors: InputError that says what would do ("--norm wants one of …").
void set_option(RunOptions& options, std::string_view name, std::string_view value);
[[nodiscard]] std::string get_option(const RunOptions& options, std::string_view name);

/// Names and one-line descriptions of the recipes: "llama" and "gpt".
struct RecipeInfo {
  std::string name, help;
};
[[nodiscard]] const std::vector<RecipeInfo>& recipes();
/// Set the model's parts and sizes as a recipe has them; what is learned from, and how, stays.
void apply_recipe(RunOptions& options, std::string_view name);

/// The names of the options in which two runs differ.
[[nodiscard]] std::vector<std::string> differing_options(const RunOptions& a, const RunOptions& b);

/// All options by name, and back. Unknown names are ignored when reading, so that an older program can
/// read a newer file's metadata; missing ones keep their defaults.
[[nodiscard]] Metadata to_metadata(const RunOptions& options);
[[nodiscard]] RunOptions options_from_metadata(const Metadata& metadata);

/// Sizes and settings for a vocabulary of V tokens.
/// Errors  InputError, one sentence, for what cannot be: heads that do not divide the width, …
[[nodiscard]] ModelConfig model_config(const RunOptions& options, int vocabulary);
[[nodiscard]] TrainConfig train_config(const RunOptions& options);
[[nodiscard]] RopeConfig rope_config(const RunOptions& options);
template <Real T>
[[nodiscard]] Parts<T> make_parts(const RunOptions& options);
template <Real T>
[[nodiscard]] std::unique_ptr<Model<T>> make_model(const RunOptions& options, int vocabulary);

/// A model, what it learns from, and its trainer, living together.
struct Run {
  RunOptions options;
  std::unique_ptr<Device> device;  // null: the processor
  std::unique_ptr<BatchSource> source;
  std::unique_ptr<Model<float>> model;
  std::unique_ptr<Trainer> trainer;
};

/// The device that the options name, or null for the processor.
/// Errors  InputError: what was looked for, what was found, what to do
[[nodiscard]] std::unique_ptr<Device> open_device(const RunOptions& options);

/// `background` lets a window go first. Errors: InputError, before anything is allocated.
[[nodiscard]] Run make_run(const RunOptions& options, std::unique_ptr<BatchSource> source,
                           bool background = false);

/// A row of the validation data as a model of hidden tokens sees it, and as it fills it: guesses in brackets.
struct FilledRow {
  std::string shown, filled;
  int blanks = 0, right = 0;
};
[[nodiscard]] FilledRow fill_row(const BatchSource& source, Generator& generator, int T);

/// A checkpoint's metadata: the options, the tokenizer, and the program's name and version.
[[nodiscard]] Metadata run_metadata(const Run& run);

}  // namespace tpp
