// What an exercise is, as its folder says.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tools/learn/source.h"

namespace tpp::learn {

struct Exercise {
  std::string id;       // "13.1"
  std::string title;    // "RoPE: rotate one pair"
  std::string chapter;  // "13_rope"
  std::string name;     // "rotate_pair"
  int minutes = 0;
  std::string file;  // "13_rope/rotate_pair.h", in the work folder
  std::vector<std::string> needs, hints;
  bool cuda = false;
  std::vector<std::string>
      slots;          // what the model calls the functions of answer.h's Slots (--mine)
  Expected expected;  // how much its checks must look at
  std::filesystem::path folder;
  std::string reference_file;  // "reference.h" or "reference.cuh"

  Reference reference;
  std::vector<Wrong> wrong;

  [[nodiscard]] std::string answer_header() const;  // by its path from the root
  [[nodiscard]] std::vector<std::string> own_names() const;
  [[nodiscard]] std::string skeleton() const;
  /// Of what a student is asked and how it is checked: another one, and an old pass is no pass.
  [[nodiscard]] std::string hash() const;
};

/// Errors: InputError that names file and line.
[[nodiscard]] Exercise read_exercise(const std::filesystem::path& folder);

/// chapters/*/exercises/*/ under this root, by number.
[[nodiscard]] std::vector<Exercise> read_exercises(const std::filesystem::path& root);

}  // namespace tpp::learn
