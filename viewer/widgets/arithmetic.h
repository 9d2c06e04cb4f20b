// Arithmetic as text. A line of numbers is written so that it can be done again, by a reader with a
// pencil and by a test: what counts is plain, and words among it are muted,
//
//   0.412 + 0.331 + 0.048{-| of 29 others}
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/widgets/tooltip.h"

namespace tpp::viewer {

/// One number of one run: `numbers`, done again, gives `value`.
struct Told {
  std::string name = {};     // "attention weight, layer 2, head 1, query 7 → key 3"
  std::string formula = {};  // the chapter's
  std::string numbers = {};  // the same with this number's own
  double value = std::numeric_limits<double>::quiet_NaN();
  std::string unit = {};  // after the result: "bits"
  std::string note = {};  // muted, behind it: ", at most 2.95"
  std::string why = {};
  std::string source = {};  // "FILE: NAME"
  int digits = 4;           // of the result; 0: it is a whole number
};

/// A number that something stands before: in brackets when it is negative, "(−0.43)".
[[nodiscard]] std::string in_sum(double value, int digits = 4);

/// With so many decimals, in brackets when it is negative: where two numbers differ in their last digits.
[[nodiscard]] std::string to_places(double value, int decimals);

/// The terms of a sum, the largest first and what is not finite before all, the rest as one number:
/// "1.9 − 0.4 + 0.1{-| of 29 others}".
[[nodiscard]] std::string written_sum(std::vector<double> terms, int shown = 3, int digits = 4);

/// "16,384": exact, however long.
[[nodiscard]] std::string whole_number(long long n);

/// A word that is no part of the arithmetic.
[[nodiscard]] inline std::string aside(std::string_view words) {
  return "{-|" + std::string(words) + "}";
}

/// As a tooltip says it. A result that is not finite says so in words.
[[nodiscard]] Explanation explanation_of(const Told& told);

/// Of the same number in two runs: "B 0.41 − A 0.33".
[[nodiscard]] Explanation difference_of(const Told& a, const Told& b);
/// What is shown on a logarithmic scale: "B 0.41 / A 0.33".
[[nodiscard]] Explanation ratio_of(const Told& a, const Told& b);

}  // namespace tpp::viewer
