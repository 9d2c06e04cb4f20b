// Names in the sources, and their lines.
#include "viewer/code_places.h"

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace tpp::viewer {
namespace {

bool part_of_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Where `name` stands whole in `line`, from `from` on; npos for nowhere.
std::size_t find_whole(std::string_view line, std::string_view name, std::size_t from = 0) {
  for (std::size_t at = line.find(name, from); at != std::string_view::npos;
       at = line.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool begins = at == 0 || !part_of_name(name.front()) || !part_of_name(line[at - 1]);
    const bool ends = end >= line.size() || !part_of_name(name.back()) || !part_of_name(line[end]);
    if (begins && ends) return at;
  }
  return std::string_view::npos;
}

/// How much a line looks as if it introduced the name that stands at `at`.
int introduces(std::string_view line, std::size_t at, std::size_t size) {
  const std::string_view before = line.substr(0, at), after = line.substr(at + size);
  const auto ends_with_word = [&](std::string_view word) {
    return before.size() >= word.size() && before.substr(before.size() - word.size()) == word;
  };
  if (ends_with_word("struct ") || ends_with_word("class ")) return after.starts_with(";") ? 1 : 5;
  const std::size_t indent = line.find_first_not_of(' ');
  const bool call = before.find_first_of("=(!&|,") != std::string_view::npos ||
                    before.find("return") != std::string_view::npos || before.ends_with('.') ||
                    before.ends_with("->") || before.ends_with('<');
  if (after.starts_with("(")) {
    if (call) return 1;
    const bool ends = line.find_last_of(';') == line.size() - 1;
    if (line.starts_with("  template") || line.starts_with("template")) return 1;
    if (indent == at) return 2;  // a call, or a constructor
    if (indent == 0) return ends ? 4 : 5;
    return ends ? 3 : 4;  // a member
  }
  if (after.starts_with(" =") || after.starts_with("{") || after.starts_with("[")) return 3;
  return 2;
}

}  // namespace

std::string CodePlace::text() const { return line > 0 ? file + ":" + std::to_string(line) : file; }

int line_of_name(std::string_view text, std::string_view name) {
  if (name.empty()) return 0;
  int best = 0, best_line = 0, number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view line = whole.substr(0, whole.find("//"));
    if (line.starts_with("#")) continue;
    const std::size_t at = find_whole(line, name);
    if (at == std::string_view::npos) continue;
    const int score = introduces(line, at, name.size());
    if (score <= best) continue;
    best = score;
    best_line = number;
  }
  return best_line;
}

const CodePlace& CodePlaces::find(std::string_view place) {
  const auto known = found_.find(place);
  if (known != found_.end()) return known->second;
  CodePlace out;
  const std::size_t colon = place.find(": ");
  out.file = place.substr(0, colon);
  const std::size_t number = place.rfind(':');
  if (colon == std::string_view::npos && number != std::string_view::npos &&
      number + 1 < place.size() &&
      place.find_first_not_of("0123456789", number + 1) == std::string_view::npos) {
    out.file = place.substr(0, number);
    out.line = std::atoi(std::string(place.substr(number + 1)).c_str());
  } else if (colon != std::string_view::npos) {
    std::ifstream in(root_ / out.file, std::ios::binary);
    std::ostringstream text;
    if (in && text << in.rdbuf()) out.line = line_of_name(text.str(), place.substr(colon + 2));
  }
  return found_.emplace(std::string(place), std::move(out)).first->second;
}

}  // namespace tpp::viewer
