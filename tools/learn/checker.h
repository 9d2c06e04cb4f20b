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
  std::string machine;  // of a kernel: "on the emulator", "on NVIDIA H100 (sm_90)"
  std::string note;     // with --chain: whose mistake it is
  int checks = 0;       // comparisons that ran
  double seconds = 0;
};

struct Places {
  std::filesystem::path root, build, work;
};

struct How {
  bool chain =
      false;  // the student's own answers of the exercises that this one needs, not the book's
  std::vector<Exercise> earlier = {};  // where --chain finds them
  bool gpu = false;                    // kernels: on the GPU as well as on the emulator
};

/// Where the work file of this exercise is.
[[nodiscard]] inline std::filesystem::path work_file(const Places& places, const Exercise& e) {
  return places.work / e.file;
}

/// Checks one exercise as often as wanted. The first call builds what is needed ahead.
class Checker {
 public:
  Checker(Places places, const Exercise& exercise, How how = {});
  ~Checker();
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  /// Errors: InputError when the harness itself cannot work (no build folder, no compiler …).
  [[nodiscard]] Checked check();

  /// Check, and write what the kernel asks of memory on the emulator into `trace`, as the viewer's kernel lens reads it;
  /// if it passes, the book's kernel beside it. Returns "", or why there is nothing to record.
  /// Errors: InputError, as check().
  [[nodiscard]] std::string record(const std::filesystem::path& trace);

  /// Compile `file` (the student's, or one with a wrong answer) as a shared object for the model: tpp_slot_functions()
  /// gives the functions that answer.h calls SLOTS. Errors: InputError with the compiler's first error.
  void build_for_model(const std::filesystem::path& file,
                       const std::filesystem::path& shared_object);

 private:
  // One check program, by one compiler: the C++ compiler's, which is the emulator's for kernels, or nvcc's.
  struct Program {
    bool gpu = false, built_again = false;
    std::string target;  // of the build
    std::filesystem::path folder, source,
        live;  // what was built ahead, the file in the student's place, ours
    std::vector<std::string> compile = {}, link = {};  // empty until built ahead
  };
  void build_ahead(Program& program);
  bool compile(Program& program, const std::vector<const Exercise*>& before, Checked& result);
  void run(const Program& program, Checked& result);
  Checked check_with(Program& program, const std::vector<const Exercise*>& before);
  std::string blame(const std::vector<const Exercise*>& before, const Checked& checked);
  [[nodiscard]] std::vector<const Exercise*> before() const;

  Places places_;
  const Exercise& exercise_;
  How how_;
  Program cpu_, gpu_;
};

/// The compiler's first error that a student can act on, with its line and a caret.
[[nodiscard]] std::string first_error(const std::string& output, const std::filesystem::path& file);

/// What `verdict` is called in a file of results.
[[nodiscard]] Verdict verdict_of(const std::string& name);

/// "" where exercises can be compiled for a GPU, or why they cannot.
[[nodiscard]] std::string why_no_gpu(const Places& places);

}  // namespace tpp::learn
