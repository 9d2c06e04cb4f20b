// One line that tells how a run goes: a bar on a terminal, a line now and then elsewhere.
#pragma once

#include <chrono>
#include <string>

namespace tpp {

struct Progress {
  long step = 0, first = 0, last = 0;  // now, where this session started, where it ends
  double loss = 0;                     // smoothed
  double validation = 0;               // NaN until it was measured
  double tokens_per_second = 0;
  double seconds_left = 0;  // NaN: not known yet
};

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();

  /// Show this, if the last time is long enough ago.
  void show(const Progress& progress);
  /// Show this for good, and end the line.
  void finish(const Progress& progress);
  /// A message above the bar.
  void say(const std::string& text);

 private:
  void draw(const Progress& progress);

  bool terminal_;
  bool on_line_ = false;  // the cursor stands behind the bar
  std::chrono::steady_clock::time_point shown_{};
};

/// "12.3k", "950", "1.2M".
[[nodiscard]] std::string short_number(double value);
/// "0:42", "1:05:09".
[[nodiscard]] std::string short_time(double seconds);

/// Ctrl-C (and a polite kill) sets a flag instead of ending the program; a second one ends it.
void catch_interrupts();
[[nodiscard]] bool interrupted();

}  // namespace tpp
