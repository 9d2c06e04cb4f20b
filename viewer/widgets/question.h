// A question with a few answers: the reader says first what will happen, and then sees what did.
//
// Three states: open (a click chooses), chosen (the answer stands, what is right is not told), and
// revealed (the right answer has its mark, and the explanation stands below).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "viewer/ui.h"

namespace tpp::viewer {

struct Question {
  std::string text = {};                  // rich text (rich_text.h)
  std::vector<std::string> choices = {};  // two to four, plain
  int right = 0;                          // which of them
  std::string explanation = {};           // rich text: why that one

  bool operator==(const Question&) const = default;
};

struct Answer {
  std::optional<int> chosen = {};  // none: not yet, or the reader wanted to be shown
  bool revealed = false;

  bool operator==(const Answer&) const = default;
};

/// One sentence about what makes this no question; empty when all is well.
[[nodiscard]] std::string problem_of(const Question& question);

/// Draw at the cursor, `width` window units wide (0: what is left), and move the cursor below. Returns
/// the choice that was clicked, which may change the answer until it is revealed; −1 for none. Probes
/// "ID/choice/1" for the first choice, and so on, and "ID/explanation" once it is revealed.
int draw_question(Ui& ui, const std::string& id, const Question& question, const Answer& answer,
                  float width = 0);

}  // namespace tpp::viewer
