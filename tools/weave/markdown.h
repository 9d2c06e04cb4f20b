// What weave must know of Markdown, line by line: fences, code within a line, headings and their anchors, links.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tpp::weave {

/// Follows fences (``` and ~~~) down a text.
class Fences {
 public:
  /// Is this line part of a fenced block, its marks included?
  bool inside(std::string_view line);
  [[nodiscard]] bool open() const { return length_ != 0; }
  [[nodiscard]] const std::string& info() const {
    return info_;
  }  // what stands after the opening marks

 private:
  char letter_ = '\0';
  std::size_t length_ = 0;
  std::string info_;
};

/// The line with its code spans and comments blanked, letter by letter: what is left is Markdown.
[[nodiscard]] std::string without_code(const std::string& line);

struct Heading {
  int level = 0;
  std::string title;   // without marks
  std::string anchor;  // as GitHub makes it
  std::size_t line = 0;
};
[[nodiscard]] std::vector<Heading> headings_of(const std::string& text);

struct Link {
  std::string target;
  std::size_t line = 0;
  bool picture = false;
};
[[nodiscard]] std::vector<Link> links_of(const std::string& text);

/// "13 · RoPE" → "13--rope", before equal ones are numbered.
[[nodiscard]] std::string slug(const std::string& title);

}  // namespace tpp::weave
