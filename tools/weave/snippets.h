// Marked regions of the code: what stands between `// [snip name]` and `// [/snip]`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/weave/problem.h"

namespace tpp::weave {

struct Region {
  std::string name;
  std::size_t mark = 0;             // the line of [snip …]; lines count from 1
  std::size_t first = 0, last = 0;  // lines of code
  std::vector<std::string> lines;   // without marks, moved to the left margin
};

/// The regions of one file. A region may stand in another; a close ends the innermost. Marks of exercises
/// ([hole …]) are left out of what is shown.
/// Problems: a region marked twice, never closed, empty, or closed without having been opened.
[[nodiscard]] std::map<std::string, Region> find_regions(const std::string& file,
                                                         const std::string& text,
                                                         Problems& problems);

/// May a file hold regions? By its name.
[[nodiscard]] bool is_code(const std::string& path);

/// What stands after ``` for a file: cpp, cmake, …
[[nodiscard]] std::string language_of(const std::string& path);

}  // namespace tpp::weave
