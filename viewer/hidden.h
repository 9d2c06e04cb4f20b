// What a session hides: panels, controls and commands, by their names.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tpp::viewer {

/// "compare" hides compare and all that begins with "compare."; "architecture.*" all that begins with
/// "architecture.", and not the panel itself.
struct Hidden {
  std::vector<std::string> patterns;

  [[nodiscard]] bool hides(std::string_view id) const {
    return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
      if (pattern.ends_with('*')) return id.starts_with(pattern.substr(0, pattern.size() - 1));
      return id == pattern ||
             (id.starts_with(pattern) && id.substr(pattern.size()).starts_with('.'));
    });
  }
};

}  // namespace tpp::viewer
