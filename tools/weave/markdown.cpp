#include "tools/weave/markdown.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <regex>

#include "tools/weave/files.h"

namespace tpp::weave {
namespace {

// One letter of UTF-8 from `at`, which moves past it
std::uint32_t next_letter(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const std::uint32_t first = byte(at);
  const int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
  std::uint32_t letter = more == 0 ? first : first & (0x3Fu >> more);
  for (int i = 1; i <= more; ++i) letter = letter << 6 | (byte(at + std::size_t(i)) & 0x3Fu);
  at += std::size_t(more) + 1;
  return letter;
}

void append(std::string& text, std::uint32_t letter) {
  if (letter < 0x80) {
    text += char(letter);
  } else if (letter < 0x800) {
    text += char(0xC0 | letter >> 6);
    text += char(0x80 | (letter & 0x3F));
  } else if (letter < 0x10000) {
    text += char(0xE0 | letter >> 12);
    text += char(0x80 | (letter >> 6 & 0x3F));
    text += char(0x80 | (letter & 0x3F));
  } else {
    text += char(0xF0 | letter >> 18);
    text += char(0x80 | (letter >> 12 & 0x3F));
    text += char(0x80 | (letter >> 6 & 0x3F));
    text += char(0x80 | (letter & 0x3F));
  }
}

// Letters and digits of the scripts that the book's titles use
bool is_word_letter(std::uint32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  if (c < 0xC0) return c == 0xAA || c == 0xB2 || c == 0xB3 || c == 0xB5 || c == 0xB9 || c == 0xBA;
  if (c == 0xD7 || c == 0xF7) return false;
  if (c >= 0x2000 && c < 0x2070) return false;  // dashes, quotes, dots
  if (c >= 0x20A0 && c < 0x2C00) return (c >= 0x2100 && c < 0x2190);
  return true;
}

std::uint32_t lower(std::uint32_t c) {
  if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) ||
      (c >= 0x391 && c <= 0x3A9)) {
    return c + 32;
  }
  return c;
}

// A heading's words: links' texts, no emphasis, no code marks
std::string plain(const std::string& text) {
  static const std::regex link("!?\\[([^\\]]*)\\]\\([^)]*\\)"), comment("<!--.*?-->"),
      strong("\\*\\*?|`");
  std::string out = std::regex_replace(text, comment, "");
  out = std::regex_replace(out, link, "$1");
  return trimmed(std::regex_replace(out, strong, ""));
}

}  // namespace

bool Fences::inside(std::string_view line) {
  const std::string text = trimmed(line);
  const char first = text.empty() ? '\0' : text[0];
  std::size_t run = 0;
  while (run < text.size() && text[run] == first) ++run;
  if (length_ != 0) {
    if (first == letter_ && run >= length_ && run == text.size()) length_ = 0;
    return true;
  }
  const bool opens = (first == '`' || first == '~') && run >= 3 &&
                     !(first == '`' && text.find('`', run) != std::string::npos);
  if (opens) letter_ = first, length_ = run, info_ = trimmed(text.substr(run));
  return opens;
}

std::string without_code(const std::string& line) {
  std::string out = line;
  for (std::size_t at = 0; at < line.size();) {
    if (line.compare(at, 4, "<!--") == 0) {
      const std::size_t end = line.find("-->", at);
      const std::size_t to = end == std::string::npos ? line.size() : end + 3;
      std::fill(out.begin() + std::ptrdiff_t(at), out.begin() + std::ptrdiff_t(to), ' ');
      at = to;
      continue;
    }
    if (line[at] != '`') {
      ++at;
      continue;
    }
    std::size_t run = 0;
    while (at + run < line.size() && line[at + run] == '`') ++run;
    std::size_t close = at + run;
    for (; close < line.size(); ++close) {
      if (line[close] != '`') continue;
      std::size_t other = 0;
      while (close + other < line.size() && line[close + other] == '`') ++other;
      if (other == run) break;
      close += other - 1;
    }
    if (close >= line.size()) {
      at += run;
      continue;
    }
    std::fill(out.begin() + std::ptrdiff_t(at), out.begin() + std::ptrdiff_t(close + run), ' ');
    at = close + run;
  }
  return out;
}

std::string slug(const std::string& title) {
  std::string out;
  for (std::size_t at = 0; at < title.size();) {
    const std::uint32_t c = next_letter(title, at);
    if (c == ' ') {
      out += '-';
    } else if (c == '-' || c == '_' || is_word_letter(c)) {
      append(out, lower(c));
    }
  }
  return out;
}

std::vector<Heading> headings_of(const std::string& text) {
  std::vector<Heading> headings;
  std::map<std::string, int> seen;
  Fences fences;
  std::size_t number = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    if (fences.inside(line)) continue;
    const std::size_t level = line.find_first_not_of('#');
    if (level == 0 || level > 6 || level == std::string::npos || line[level] != ' ') continue;
    Heading heading{int(level), plain(line.substr(level)), "", number};
    heading.anchor = slug(heading.title);
    const int before = seen[heading.anchor]++;
    if (before > 0) heading.anchor += "-" + std::to_string(before);
    headings.push_back(heading);
  }
  return headings;
}

std::vector<Link> links_of(const std::string& text) {
  std::vector<Link> links;
  static const std::regex definition("^ {0,3}\\[[^\\]]+\\]:\\s+(\\S+).*");
  Fences fences;
  std::size_t number = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    if (fences.inside(line)) continue;
    const std::string bare = without_code(line);
    std::smatch match;
    if (std::regex_match(bare, match, definition)) {
      links.push_back({match[1], number, false});
      continue;
    }
    // ](target) or ](target "title"); brackets within the target are rare, and balanced
    for (std::size_t at = bare.find("]("); at != std::string::npos; at = bare.find("](", at + 2)) {
      std::size_t end = at + 2;
      for (int depth = 1; end < bare.size(); ++end) {
        if (bare[end] == '(') ++depth;
        if (bare[end] == ')' && --depth == 0) break;
      }
      if (end >= bare.size()) continue;
      std::string target = trimmed(bare.substr(at + 2, end - at - 2));
      target = target.substr(0, target.find(' '));
      int depth = 0;
      std::size_t open = at;
      for (;; --open) {
        if (bare[open] == ']') ++depth;
        if (bare[open] == '[' && --depth == 0) break;
        if (open == 0) break;
      }
      links.push_back({target, number, open > 0 && bare[open - 1] == '!'});
    }
  }
  return links;
}

}  // namespace tpp::weave
