// One text, three uses: from a reference with holes come the student's file, the compiled reference,
// and every wrong answer.
//
//   // [hole rotate "Turn the pair (a, b) by the angle: both new values from both old ones."]
//   …what the book runs…
//   // [/hole]
//
//   // [wrong sine_sign "The sine's sign is swapped: the pair turns backwards."]
//   // [hole rotate]
//   …what stands in the hole instead…
//   // [/hole]
//   // [/wrong]
#pragma once

#include <map>
#include <string>
#include <vector>

namespace tpp::learn {

struct Hole {
  std::string name, task;
  std::vector<std::string> lines;  // as they stand
  std::string indent;              // of its opening mark
};

struct Reference {
  std::string file;
  std::vector<std::string> lines;  // with the marks of holes, without those of snippets
  std::vector<Hole> holes;
};

/// How much the checks of an exercise look at, as its exercise.toml says: a check that vanishes is a mistake, too.
struct Expected {
  int steps = 0, comparisons = 0;
};

struct Wrong {
  std::string id, sentence;
  std::map<std::string, std::vector<std::string>> holes;  // by name
};

/// Errors: InputError with file and line for marks that do not fit.
[[nodiscard]] Reference parse_reference(const std::string& text, const std::string& file);
[[nodiscard]] std::vector<Wrong> parse_wrong(const std::string& text, const std::string& file,
                                             const Reference& reference);

/// The student's file: each hole is its task and NOT_WRITTEN. `title` goes on top.
[[nodiscard]] std::string skeleton(const Reference& reference, const std::string& title);

/// The reference with these texts in its holes (none: its own), without the marks.
[[nodiscard]] std::string filled(const Reference& reference, const Wrong* wrong);

/// The file with each hole replaced by one line, for books without answers.
[[nodiscard]] std::string emptied(const Reference& reference);

/// The #include lines of a text.
[[nodiscard]] std::vector<std::string> includes_of(const std::string& text);

/// A source file that puts `text` (or #include "file") into a namespace of its own and names its answer.
struct Room {
  std::string name;              // tpp_reference, tpp_wrong_sine_sign, tpp_student
  std::string content;           // without its includes
  std::vector<std::string> own;  // names that must be the room's own, not the book's
};
/// The functions that the reference defines and the text of answer.h calls.
[[nodiscard]] std::vector<std::string> own_names(const Reference& reference,
                                                 const std::string& answer);
[[nodiscard]] std::string in_room(const Room& room);
[[nodiscard]] std::string without_includes(const std::string& text);

/// variants.cpp and student.cpp; answer_header is included by its path from the root.
[[nodiscard]] std::string variants_source(const Reference& reference,
                                          const std::vector<Wrong>& wrong,
                                          const std::string& answer_header,
                                          const std::vector<std::string>& own);
/// `content` is what the student's namespace holds: #include lines, as a rule.
[[nodiscard]] std::string student_source(const std::vector<std::string>& includes,
                                         const std::string& content,
                                         const std::string& answer_header,
                                         const std::vector<std::string>& own, Expected expected,
                                         bool gpu = false);
/// checks.cu for nvcc: a GPU's program holds neither the reference nor the wrong answers; the emulator's does.
[[nodiscard]] std::string gpu_checks_source(const std::string& checks);

/// The same for a shared object that the model loads: tpp_slot_functions() gives the SLOTS of answer.h.
[[nodiscard]] std::string slot_source(const std::vector<std::string>& includes,
                                      const std::string& content, const std::string& answer_header,
                                      const std::vector<std::string>& own);

[[nodiscard]] std::vector<std::string> split_lines(const std::string& text);

}  // namespace tpp::learn
