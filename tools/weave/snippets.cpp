#include "tools/weave/snippets.h"

#include <algorithm>

#include "tools/weave/files.h"

namespace tpp::weave {
namespace {

enum class Mark { none, open, close, other };

// `// [snip name]`, `// [/snip]`, `// [/snip name]`; `#` instead of `//` in scripts
Mark mark_of(const std::string& line, std::string& name) {
  std::string text = trimmed(line);
  if (starts_with(text, "//")) {
    text = trimmed(text.substr(2));
  } else if (starts_with(text, "#")) {
    text = trimmed(text.substr(1));
  } else {
    return Mark::none;
  }
  if (starts_with(text, "[hole ") || text == "[/hole]") return Mark::other;
  const bool open = starts_with(text, "[snip "), close = starts_with(text, "[/snip");
  if ((!open && !close) || !ends_with(text, "]")) return Mark::none;
  name = trimmed(text.substr(6, text.size() - 7));
  return open ? Mark::open : Mark::close;
}

bool is_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::map<std::string, Region> find_regions(const std::string& file, const std::string& text,
                                           Problems& problems) {
  std::map<std::string, Region> regions;
  if (text.find("[snip ") == std::string::npos && text.find("[/snip") == std::string::npos) {
    return regions;
  }
  std::vector<Region> open;  // the innermost last
  const auto close_innermost = [&](std::size_t number) {
    Region region = std::move(open.back());
    open.pop_back();
    while (!region.lines.empty() && trimmed(region.lines.back()).empty()) region.lines.pop_back();
    if (region.lines.empty()) {
      problems.push_back({file, number, "the region '" + region.name + "' is empty", ""});
      return;
    }
    std::size_t margin = std::string::npos;
    for (const std::string& line : region.lines) {
      if (trimmed(line).empty() || line[0] == '#') continue;  // #pragma stands at the margin anyway
      margin = std::min(margin, line.find_first_not_of(' '));
    }
    for (std::string& line : region.lines) {
      if (trimmed(line).empty()) line.clear();
      if (!line.empty() && line[0] != '#') line = line.substr(margin);
    }
    const std::string name = region.name;
    const std::size_t mark = region.mark;
    const auto [at, fresh] = regions.emplace(name, std::move(region));
    if (!fresh) {
      problems.push_back({file, mark,
                          "the region '" + name + "' is marked twice in this file, first in line " +
                              std::to_string(at->second.mark),
                          "give one of them another name"});
    }
  };

  const std::vector<std::string> lines = split_lines(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string name;
    switch (mark_of(lines[i], name)) {
      case Mark::open:
        if (!is_name(name)) {
          problems.push_back({file, i + 1,
                              "a region's name has small letters, digits and _, not '" + name + "'",
                              ""});
        }
        open.push_back({name, i + 1, 0, 0, {}});
        break;
      case Mark::close:
        if (open.empty()) {
          problems.push_back({file, i + 1, "[/snip] closes a region, but none is open", ""});
        } else {
          if (!name.empty() && name != open.back().name) {
            problems.push_back({file, i + 1,
                                "[/snip " + name + "] closes the region '" + open.back().name +
                                    "': a region that begins inside another ends inside it",
                                ""});
          }
          close_innermost(i + 1);
        }
        break;
      case Mark::other:
        break;
      case Mark::none:
        for (Region& region : open) {
          if (region.lines.empty() && trimmed(lines[i]).empty()) continue;
          if (region.lines.empty()) region.first = i + 1;
          region.lines.push_back(lines[i]);
          if (!trimmed(lines[i]).empty()) region.last = i + 1;
        }
        break;
    }
  }
  for (const Region& region : open) {
    problems.push_back({file, region.mark, "the region '" + region.name + "' is never closed",
                        "put a line  // [/snip]  where it ends"});
  }
  return regions;
}

bool is_code(const std::string& path) {
  for (const char* end : {".cpp", ".h", ".cu", ".cuh", ".py", ".sh", ".cmake", "CMakeLists.txt"}) {
    if (ends_with(path, end)) return true;
  }
  return false;
}

std::string language_of(const std::string& path) {
  if (ends_with(path, ".py")) return "python";
  if (ends_with(path, ".sh")) return "sh";
  if (ends_with(path, ".cmake") || ends_with(path, "CMakeLists.txt")) return "cmake";
  return "cpp";
}

}  // namespace tpp::weave
