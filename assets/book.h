// The book that a model can read about itself: this project's chapters and sources in one text.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tpp {

/// The book's files, relative to the repository's root, in alphabetical order: README.md, and every
/// .md, .h, .cpp, .cu and .cuh under chapters/, kernels/, viewer/, assets/, bench/, tools/ and
/// docs/. Generated files are left out.
///
/// Errors  InputError if `root` is not the repository (it has no chapters/)
[[nodiscard]] std::vector<std::filesystem::path> book_files(const std::filesystem::path& root);

/// All of them, each behind a line "===== chapters/01_tensor/README.md =====" and with a blank line
/// after it.
///
/// Errors  InputError: not the repository, a file that cannot be read
[[nodiscard]] std::string book(const std::filesystem::path& root);

/// The path of book.txt in `folder`, written on first use and again when a file of the book has
/// changed.
///
/// Errors  InputError as above, and if the folder cannot be written or the disk is full
[[nodiscard]] std::filesystem::path ensure_book(const std::filesystem::path& root,
                                                const std::filesystem::path& folder);

}  // namespace tpp
