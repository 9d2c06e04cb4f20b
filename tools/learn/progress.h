// What a student has done: work/.progress.json, by exercise id and by the hash of what was asked.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "tools/learn/exercise.h"

namespace tpp::learn {

struct Record {
  std::string hash;                     // of the exercise when it was passed
  std::string passed;                   // "2026-11-22", or empty
  int hints = 0;                        // shown
  bool solution = false;                // shown before the pass
  int checks = 0;                       // how often it was checked
  std::string verdict;                  // the last one
  std::map<std::string, int> mistakes;  // wrong answers that were met, and how often
};

enum class State { open, passed, changed };  // changed: passed, but the exercise is another one now

class Progress {
 public:
  /// Errors: InputError when the file is there and cannot be read.
  explicit Progress(std::filesystem::path file);

  [[nodiscard]] Record& of(const std::string& id) { return records_[id]; }
  [[nodiscard]] State state(const Exercise& e) const;
  /// Errors: InputError when the folder cannot be written.
  void save() const;
  [[nodiscard]] const std::map<std::string, Record>& all() const { return records_; }

 private:
  std::filesystem::path file_;
  std::map<std::string, Record> records_;
};

/// "2026-11-22"
[[nodiscard]] std::string today();

}  // namespace tpp::learn
