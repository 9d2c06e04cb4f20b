// The book as web pages: a folder of plain HTML that needs no network and no script. `./run book`.
//
// Every Markdown text of the book becomes a page, and so does every source file that a text links to, with an anchor for each
// line; code and text lead to each other. A link that the book cannot follow is shown as plain words and is a problem.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/weave/problem.h"

namespace tpp::weave {

struct BookReport {
  std::size_t texts = 0, sources = 0, exercises = 0, pictures = 0;
  Problems problems;  // links that lead nowhere, formulas outside the subset
};

/// Write the book of the repository at `root` into `folder`, which is new, empty, or holds an older book. The same repository
/// gives the same bytes.
/// Errors  InputError: a folder that holds something else, a file that cannot be read or written
BookReport write_book(const std::filesystem::path& root, const std::filesystem::path& folder);

}  // namespace tpp::weave
