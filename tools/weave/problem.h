// What weave complains about: where, what, and the command that mends it.
#pragma once

#include <string>
#include <vector>

namespace tpp::weave {

struct Problem {
  std::string file;      // from the repository's root; empty: of the whole book
  std::size_t line = 0;  // from 1; 0: of the whole file
  std::string what;      // one sentence
  std::string mend;      // a command or an instruction; may be empty

  [[nodiscard]] std::string text() const {
    std::string out = file;
    if (line != 0) out += ":" + std::to_string(line);
    if (!file.empty()) out += ": ";
    out += what;
    if (!mend.empty()) out += "\n    mend: " + mend;
    return out;
  }
};

using Problems = std::vector<Problem>;

}  // namespace tpp::weave
