// A chapter's README beside the panel that it explains: headings, paragraphs, lists and code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "viewer/ui.h"

namespace tpp::viewer {

struct Paragraph {
  enum class Kind { title, heading, text, item, code } kind = Kind::text;
  std::string text;  // without Markdown's marks

  bool operator==(const Paragraph&) const = default;
};

/// Markdown, as far as READMEs here use it. Comments and pictures are left out.
[[nodiscard]] std::vector<Paragraph> parse_readme(std::string_view markdown);

/// Draw into the current window, wrapped to its width.
void draw_paragraphs(Ui& ui, const std::vector<Paragraph>& paragraphs);

}  // namespace tpp::viewer
