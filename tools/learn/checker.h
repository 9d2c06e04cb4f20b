// From a saved file to a verdict: compile the student's file alone, link it with the checks that were built ahead, run it
// under limits, and read what it says.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/learn/exercise.h"

namespace tpp::learn {

enum class Verdict {
  passed,
  failed,
  not_written,
  does_not_compile,
  crashed,
  out_of_time,
  wrote_to_inputs,
  no_check_ran,
  no_gpu,
};
/// "passed", "not written yet", …
[[nodiscard]] std::string name_of(Verdict verdict);
/// 0 for passed only; docs/teaching.md has the table.
[[nodiscard]] int exit_code(Verdict verdict);

struct StepResult {
  std::string title;
  std::string result;  // passed, failed, not written, waiting
};

struct Checked {
  Verdict verdict = Verdict::no_check_ran;
  std::vector<StepResult> steps;
  std::string message;  // what the first failure is, or the compiler's first error
  std::string mistake, sentence, difference;  // a wrong answer that this equals, or empty
  std::string printed;                        // what the student's code printed
  std::size_t printed_bytes = 0;
  std::string machine;  // of a kernel: "on the emulator"
  int checks = 0;       // comparisons that ran
  double seconds = 0;
};

struct Places {
  std::filesystem::path root, build, work;
};

/// Where the work file of this exercise is.
[[nodiscard]] inline std::filesystem::path work_file(const Places& places, const Exercise& e) {
  return places.work / e.file;
}

/// Checks one exercise as often as wanted. The first call builds what is needed ahead.
class Checker {
 public:
  /// `chain`: use the student's own answers of the exercises that this one needs, not the book's.
  Checker(Places places, const Exercise& exercise, bool chain = false,
          std::vector<Exercise> earlier = {});
  ~Checker();
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  /// Errors: InputError when the harness itself cannot work (no build folder, no compiler …).
  [[nodiscard]] Checked check();

  /// Compile `file` (the student's, or one with a wrong answer) as a shared object for the model: its function
  /// tpp_slot_function() gives what answer.h calls SLOT. Errors: InputError with the compiler's first error.
  void build_for_model(const std::filesystem::path& file,
                       const std::filesystem::path& shared_object);

 private:
  void build_ahead();
  bool compile(Checked& result);
  void run(Checked& result);

  Places places_;
  const Exercise& exercise_;
  bool chain_, built_again_ = false;
  std::vector<Exercise> earlier_;
  std::filesystem::path folder_, live_;
  std::vector<std::string> compile_, link_;
};

/// The compiler's first error that a student can act on, with its line and a caret.
[[nodiscard]] std::string first_error(const std::string& output, const std::filesystem::path& file);

}  // namespace tpp::learn
