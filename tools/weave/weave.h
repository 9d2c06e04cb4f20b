// Weave: what the texts quote is taken from the code, the programs and the results, so that it cannot drift from them.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/weave/problem.h"

namespace tpp::weave {

struct Options {
  std::filesystem::path root;         // of the repository
  std::filesystem::path bin;          // where its programs are
  std::vector<std::string> chapters;  // only these ("13"); all texts when empty
  bool check = false;                 // write nothing, and look at the whole book
  double seconds = 20;                // for one command
};

struct Report {
  Problems problems;
  std::size_t texts = 0, directives = 0;
  std::vector<std::string> written;  // files that changed
  nlohmann::json index;  // regions, figures, exercises: where they are, and who shows them
};

/// Fill every directive of the texts, or with `check` say which are not as they should be.
///
/// A directive that cannot be filled stays as it is and is a problem. A check also looks at what no single directive
/// shows: regions, plots and pictures that nobody uses, a chapter's form, formulas, links.
/// Errors  InputError: a chapter that is not there, or files that cannot be read or written
[[nodiscard]] Report weave(const Options& options);

/// Only the links of every Markdown file.
[[nodiscard]] Problems check_all_links(const std::filesystem::path& root);

}  // namespace tpp::weave
