// Every text and task by its name, as the command line and the viewer offer them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chapters/03_tokens/batch.h"
#include "chapters/03_tokens/tokenizer.h"

namespace tpp {

struct SourceConfig {
  std::string text =
      "fables";  // fables, book, copy, induction, sorting, addition, or a file's path
  std::string tokenizer = "bytes";   // or "bpe:1024", "unigram:1024"; tasks have bytes only
  int megabytes = 4;                 // of fables
  std::string objective = "causal";  // or masked, prefix, span, fim; a task asks its own questions
  int length = 128;  // tokens in a sequence; the layout of other objectives than causal needs it
  std::uint64_t seed = 1;  // of the windows and the tasks; the text itself has always seed 1
  std::filesystem::path generated = "assets/generated";  // where fables and book are written
  std::filesystem::path root = ".";                      // the repository, for the book
  std::optional<Tokenizer> learned =
      std::nullopt;  // a checkpoint's tokenizer, instead of learning one by name
};

/// Open a text or a task. A file called "fables" is meant by "./fables".
///
/// Errors  InputError, one sentence: everything that TextFile, Tokenizer::make, ensure_fables,
///         ensure_book, TaskSource and ObjectiveSource refuse, and a task with another tokenizer than bytes or
///         another objective than causal
[[nodiscard]] std::unique_ptr<BatchSource> make_source(const SourceConfig& config,
                                                       const TokenizerProgress& progress = {});

/// A look at what a name stands for: at most `bytes` bytes of it, whole stories, or rows of 64
/// characters of a task. For the book, `root` is the repository.
///
/// Errors  InputError for an unknown name
[[nodiscard]] std::string sample_text(std::string_view name, std::uint64_t seed, std::size_t bytes,
                                      const std::filesystem::path& root = ".");

}  // namespace tpp
