// A copy of the book without the answers: to be given to a class.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "tools/learn/session.h"

namespace tpp::learn {

/// Copy the book's files to `to`, which must not exist, without what stands in any hole: references are emptied, wrong
/// answers left out, and other files that quote a hole lose the quotation. Libraries of the chapters and of the answers
/// come along compiled, for any x86-64 machine with AVX2, unless `libraries` is false.
///
/// Errors  InputError: what stands in the way. Cost: the first time it compiles the chapters, some minutes
void make_handout(const Places& places, const std::vector<Exercise>& exercises,
                  const std::filesystem::path& to, bool libraries, std::ostream& log);

/// `text` without quotations of these lines, spaces aside; `instead` stands in their place.
[[nodiscard]] std::string without_quotations(const std::string& text,
                                             const std::vector<std::string>& lines,
                                             const std::string& instead);

}  // namespace tpp::learn
