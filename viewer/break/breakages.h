// What can be broken in the model: each breakage with the question to ask before, and where to look.
//
// A breakage is an option set otherwise, or a wrong answer of an exercise in the place of the book's
// function. What the right choices claim was measured: tests/viewer/damage_test.cpp measures it again.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/break/measures.h"
#include "viewer/run/lockstep.h"
#include "viewer/selection.h"
#include "viewer/widgets/question.h"

namespace tpp::viewer {

/// What the right choice says of a number: how many times A's it is in B, at least and at most.
struct Claim {
  Measure measure = Measure::loss;
  double least = 0, most = 1e30;
};

struct Breakage {
  std::string id = {};     // "no-scale": commands, session files
  std::string title = {};  // "no 1/√K": after "broken:"
  std::string what = {};   // what is broken, a sentence; rich text
  std::string chapter = {};

  // What is done: options, or an exercise's wrong answer ("6.1=no_scale")
  Swaps swaps = {};
  std::string wrong = {};

  // The question, and how it is answered: A and B go so many steps from the start
  Question question = {};
  long steps = 150;
  std::vector<Measure> measures = {};
  std::vector<Claim> claims = {};  // of the default model; another may do otherwise

  // Where the damage is seen
  std::string panel = {};  // comes forward
  std::string view = {};   // its tab: Panel::restore(); empty: as it is
  Place place = {};
  std::string look = {};  // a sentence: where to look
};

/// The table, in the order of the chapters.
[[nodiscard]] std::span<const Breakage> breakages();
[[nodiscard]] const Breakage* find_breakage(std::string_view id);

/// NaN holds nothing.
[[nodiscard]] bool holds(const Claim& claim, double a, double b);

}  // namespace tpp::viewer
