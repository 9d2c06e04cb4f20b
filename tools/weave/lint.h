// What a text must hold beyond its directives: a chapter's form, its formulas, links that lead somewhere.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tools/weave/problem.h"

namespace tpp::weave {

/// Words of prose: without headings, code, outputs, formulas in blocks, tables, comments and what directives made.
/// Within a line a formula or a piece of code is one word.
[[nodiscard]] std::size_t prose_words(const std::string& text);

/// The headings of a chapter, in their order, and its length. Only for chapters with a text (a nav directive).
void check_chapter_form(const std::string& file, const std::string& text, Problems& problems);

/// Formulas outside of what GitHub, the HTML book and the viewer all show.
void check_formulas(const std::string& file, const std::string& text, Problems& problems);

/// Every relative link of every text leads to a file, and its anchor to a heading or a line of it.
/// `texts` has what stands in files that are about to be written.
void check_links(const std::filesystem::path& root, const std::vector<std::string>& files,
                 const std::map<std::string, std::string>& texts, Problems& problems);

}  // namespace tpp::weave
