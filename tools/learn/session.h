// A student's session: their files, their progress, and what the terminal shows.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tools/learn/checker.h"
#include "tools/learn/progress.h"

namespace tpp::learn {

/// One verdict as the terminal shows it.
[[nodiscard]] std::string shown(const Exercise& e, const Places& places, const Checked& checked,
                                bool color);

class Session {
 public:
  /// Errors: InputError, for a root without exercises or a damaged progress file.
  explicit Session(Places places);

  [[nodiscard]] const std::vector<Exercise>& exercises() const { return exercises_; }
  /// By id or by name. Errors: InputError, with what there is.
  [[nodiscard]] const Exercise& find(const std::string& id) const;
  /// The first one that is not passed, or nullptr.
  [[nodiscard]] const Exercise* next() const;
  [[nodiscard]] Progress& progress() { return progress_; }
  [[nodiscard]] const Progress& progress() const { return progress_; }
  [[nodiscard]] const Places& places() const { return places_; }

  /// The work file, made from the skeleton if there is none. Errors: InputError, if it cannot be written.
  std::filesystem::path prepare(const Exercise& e);
  /// Check and remember.
  Checked check(const Exercise& e, Checker& checker);

  [[nodiscard]] std::string bar() const;             // ▓▓▓░░░ 9/41
  [[nodiscard]] std::string list(bool color) const;  // every exercise with its state
  std::string hint(const Exercise& e);               // the next one, counted
  [[nodiscard]] std::string view(const Exercise& e) const;
  struct ForModel {
    std::string slot, file, label;
    int index;  // of the file's functions
  };
  /// What --mine asks for: "12.1", a name, the beginning of a slot's name ("rmsnorm"), or "12.1=eps_outside".
  /// Errors: InputError for what is not passed, or has no place in the model.
  std::vector<ForModel> for_model(const std::string& list);
  /// Back to the skeleton; the old file is kept beside it. Returns where.
  std::filesystem::path reset(const Exercise& e);
  /// The answer, marked as shown unless it was passed.
  std::string solution(const Exercise& e);

 private:
  Places places_;
  std::vector<Exercise> exercises_;
  Progress progress_;
};

}  // namespace tpp::learn
