// What to learn from, by name: a text of this folder, a task with exact rules, or any file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/03_tokens/batch.h"
#include "chapters/03_tokens/tokenizer.h"

namespace tpp {

struct SourceInfo {
  std::string name, help;
};

/// fables, book, copy, induction, sorting, addition: what `--text` knows beside files.
[[nodiscard]] const std::vector<SourceInfo>& named_sources();

/// The source called `text`: one of named_sources(), else a file. Texts are made on first use, into
/// assets/generated/ under `root`.
///
/// `tokenizer` is "bytes" or "bpe:1024"; tasks have bytes only.
/// Errors  InputError, one sentence: no such file, a task with a tokenizer, a full disk, …
[[nodiscard]] std::unique_ptr<BatchSource> open_source(const std::string& text,
                                                       const std::string& tokenizer,
                                                       std::uint64_t seed,
                                                       const std::filesystem::path& root,
                                                       const BpeProgress& progress = {});

/// The folder of this project: $TPP_ROOT, else the nearest folder above the program or the working
/// directory that holds the chapters.
///
/// Errors  InputError when there is none
[[nodiscard]] std::filesystem::path repository_root();

}  // namespace tpp
