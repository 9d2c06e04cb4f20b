// What the generated file around a student's says to the check program. Short: nvcc reads it at every save.
#pragma once

namespace tpp::learn {

struct Answer;  // answer.h defines it

/// student.cpp: the answer of the work file.
const void* student_answer();

/// student.cpp: how many steps and comparisons there must be, from exercise.toml. (A handout's checks know it, too.)
struct Counts {
  int steps, comparisons;
};
extern const Counts wanted_counts;

}  // namespace tpp::learn
