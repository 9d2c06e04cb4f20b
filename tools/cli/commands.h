// The commands of `tpp`. Each adds itself to the program and returns what to call when it was chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <memory>

#include "assets/sources.h"
#include "chapters/31_transformer_pp/catalogue.h"

namespace tpp {

/// Called after parsing if the command was chosen; returns the exit code. Errors: InputError.
using Command = std::function<int()>;

[[nodiscard]] Command add_train(CLI::App& program);
[[nodiscard]] Command add_generate(CLI::App& program);
[[nodiscard]] Command add_info(CLI::App& program);
[[nodiscard]] Command add_text(CLI::App& program);

/// A checkpoint, opened: its options, its tokenizer, its model and its parameters.
struct OpenedCheckpoint {
  RunOptions options;
  Tokenizer tokenizer = Tokenizer::bytes();
  std::unique_ptr<Model<float>> model;
  TrainState state;
  std::string mine;  // functions of the reader's that trained it, or empty
};
/// Errors  InputError, one sentence, for a file that is damaged, foreign or does not fit together
[[nodiscard]] OpenedCheckpoint open_checkpoint(const std::filesystem::path& path);

/// What a run's options say about its text, with the folders of this project.
[[nodiscard]] SourceConfig source_config(const RunOptions& options);

/// "0.76 M parameters: RMSNorm, …": one line about a model.
[[nodiscard]] std::string describe_model(const RunOptions& options, const Model<float>& model);

/// Control characters made visible, so that a model's bytes cannot play with the terminal. Newlines and
/// tabs stay; bytes that are no UTF-8 become "\xNN".
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace tpp
