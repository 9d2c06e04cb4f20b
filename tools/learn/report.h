// What a teacher's tools read: JSON, JUnit's XML, Gradescope's results.json; and one table for a class.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tools/learn/session.h"

namespace tpp::learn {

struct Line {
  const Exercise* exercise;
  Checked checked;  // now
  Record record;    // over time
};

/// Check every exercise that has a file in the work folder, now, whatever was noted before.
[[nodiscard]] std::vector<Line> check_all(Session& session, bool show_progress);

[[nodiscard]] std::string as_json(const std::vector<Line>& lines);
[[nodiscard]] std::string as_junit(const std::vector<Line>& lines);
[[nodiscard]] std::string as_gradescope(const std::vector<Line>& lines);
[[nodiscard]] std::string as_text(const std::vector<Line>& lines);

/// One row a student, one column an exercise, and below it the mistakes that the class met.
struct Student {
  std::string name;
  std::vector<Line> lines;
};
[[nodiscard]] std::string class_table(const std::vector<Student>& students);
[[nodiscard]] std::string class_csv(const std::vector<Student>& students);

/// What works on this machine and what does not. Returns whether everything does.
bool doctor(const Places& places, std::ostream& out);

/// From a saved file to a verdict, for every exercise with its reference in the student's place: a Markdown table.
[[nodiscard]] std::string save_to_verdict(const Session& session);

/// CI: put the skeleton, the reference, a wrong answer and a broken file in a student's place, and look at what the
/// student's own command says. Returns whether it was right each time.
bool canary(const Places& places, const Exercise& e, const std::string& self, std::ostream& out);

}  // namespace tpp::learn
