// The commands whose output a text quotes. Only programs of this project are run, and never a shell.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tpp::weave {

struct Output {
  std::vector<std::string> lines;  // without spaces at their ends
  std::string error;               // one sentence; empty when all went well
};

class Commands {
 public:
  Commands(std::filesystem::path root, std::filesystem::path bin, double seconds)
      : root_(std::move(root)), bin_(std::move(bin)), seconds_(seconds) {}

  /// Run these at the same time, as many as there are cores.
  void run_all(const std::vector<std::string>& commands);
  /// What it printed; run once, however often it is asked for.
  const Output& output_of(const std::string& command);

  /// The program and its arguments behind `./run example 13 wavelengths`: build/bin/example_13_rope wavelengths.
  /// Errors  InputError: not a command that a text may run, or one that is not built
  [[nodiscard]] std::vector<std::string> program_of(const std::string& command) const;

 private:
  [[nodiscard]] Output run(const std::string& command) const;

  std::filesystem::path root_, bin_;
  double seconds_;  // that a command may take
  std::map<std::string, Output> outputs_;
};

}  // namespace tpp::weave
