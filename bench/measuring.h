// Clocks, medians, and how figures are written: what the benchmarks that measure ratios share.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace tpp::bench {

inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double process_cpu_seconds() {
  rusage usage{};
  (void)getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

inline double median(std::vector<double> values) {
  if (values.empty()) return NAN;
  const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

inline std::string number(double value, int digits = 0) {
  if (!std::isfinite(value)) return "–";
  char text[64];
  (void)std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}
inline std::string thousands(double value) {
  std::string text = number(value);
  for (int at = int(text.size()) - 3; at > 0; at -= 3) text.insert(std::size_t(at), ",");
  return text;
}
inline std::string percent(double share, int digits = 1) {
  return number(100 * share, digits) + " %";
}

/// One line on a terminal that says what is being measured; one line each elsewhere.
inline void progress(const std::string& text) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  (void)std::fprintf(stderr, terminal ? "\r\033[K%s" : "%s\n", text.c_str());
  (void)std::fflush(stderr);
}
inline void progress_done() {
  if (isatty(STDERR_FILENO) != 0) (void)std::fprintf(stderr, "\r\033[K");
}

inline std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  std::string name = "unknown processor", line;
  while (std::getline(info, line)) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      name = line.substr(colon + 2);
      break;
    }
  }
  std::array<double, 1> load{};
  (void)getloadavg(load.data(), 1);
  char date[32] = "";
  const std::time_t now = std::time(nullptr);
  (void)std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  return name + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores; " +
         TPP_COMPILER + ", " + TPP_FLAGS + "; " + date;
}

inline double one_minute_load() {
  double load = NAN;
  (void)getloadavg(&load, 1);
  return load;
}

}  // namespace tpp::bench
