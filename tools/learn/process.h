// A child process under limits: students' code may crash, loop, print a book or eat all memory, and is a verdict.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace tpp::learn {

struct Limits {
  double seconds = 60;
  std::size_t memory = 0;          // of address space, in bytes; 0 for no limit
  std::size_t output = 64 * 1024;  // of what it prints this much is kept
  bool ask_first = false;          // when time is up: SIGTERM, and a moment to say where it is
  const std::atomic<bool>* stop = nullptr;  // set by another thread: as if time were up
};

struct Ended {
  int code = 0;    // of exit, when no signal ended it
  int signal = 0;  // that ended it, or 0
  bool out_of_time = false;
  std::string output;       // stdout and stderr, as they came
  std::size_t printed = 0;  // bytes in all
  double seconds = 0;
};

/// Run it and wait. Standard input is empty. When time is up it dies with all its children.
/// Errors: InputError when it cannot be started.
[[nodiscard]] Ended run_process(const std::vector<std::string>& command, const Limits& limits,
                                const std::filesystem::path& folder);

}  // namespace tpp::learn
