// Runs what is missing of some experiments: several cases side by side, each in a process of its own, and every result is on
// disk as soon as it is there.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bench/experiments/experiment.h"

namespace tpp::experiments {

struct Plan {
  std::vector<Experiment> experiments;
  std::vector<std::string> only;           // keys of cases; empty: all
  std::map<std::string, std::string> set;  // options by name, for every case
  std::string device = "cpu", precision = "float32";
  int seeds = 0;   // 0: as the experiment says
  long steps = 0;  // 0: as the case says
  int jobs = 0;    // 0: a case a core, or two on a GPU
  bool again = false;
  std::filesystem::path folder;  // of the results
};

/// Returns the exit code: 0, 1 when a case could not be measured, 130 when interrupted.
/// Errors  InputError, before anything is run
int run_plan(const Plan& plan);

}  // namespace tpp::experiments
