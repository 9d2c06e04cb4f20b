// The viewer without a display: train, then write what a reader would have seen.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

#include "viewer/run/run_thread.h"
#include "viewer/session.h"

namespace tpp::viewer {

struct HeadlessConfig {
  long last_step = 300;  // train up to here
  std::filesystem::path out = "out";
  std::filesystem::path root = ".";
  int width = 1600, height = 1000;
  float scale = 1;
  std::optional<Session> session;         // how the view is arranged
  std::string script;                     // what a hand does at the end (viewer/script.h)
  std::optional<ForkPlan> fork;           // a second run, from a step on the way
  Compare compare = Compare::difference;  // what the panels show then
};

/// Train with a progress bar on stderr, then write into `out` and print on stdout where each is:
///
///   window-dark.png, window-light.png   the whole window
///   panels/ID.png, panels/ID-light.png  each panel
///   scalars.csv                         a line a step
///   sample.txt                          what the model writes
///   checkpoint.safetensors              to go on from
///   …-b.…                               with a second run: its scalars, sample and checkpoint
///
/// Returns 0; 1 when a value was not finite (the last good state is written); 130 after Ctrl-C (the
/// checkpoint is written).
/// Errors  InputError, ExportError: a file cannot be written; ScriptError
[[nodiscard]] int run_headless(RunThread& run, const HeadlessConfig& config);

/// All steps as CSV, with a header line.
void write_scalars(std::ostream& out, const History& history);

}  // namespace tpp::viewer
