#include "tools/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace tpp {
namespace {

volatile std::sig_atomic_t interrupt_count = 0;

extern "C" void on_interrupt(int signal) {
  interrupt_count = interrupt_count + 1;
  if (interrupt_count > 1) {
    std::signal(signal, SIG_DFL);
    (void)raise(signal);
  }
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && (term == nullptr || std::string(term) != "dumb");
}

std::string fixed(double value, int digits) {
  char buffer[64];
  (void)std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  return buffer;
}

}  // namespace

std::string short_number(double value) {
  if (!std::isfinite(value)) return "–";
  if (value >= 1e6) return fixed(value / 1e6, 1) + "M";
  if (value >= 1e4) return fixed(value / 1e3, 1) + "k";
  return fixed(value, 0);
}

std::string short_time(double seconds) {
  if (!std::isfinite(seconds)) return "–";
  const long s = std::lround(std::max(seconds, 0.0));
  char buffer[64];
  if (s >= 3600) {
    (void)std::snprintf(buffer, sizeof buffer, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  } else {
    (void)std::snprintf(buffer, sizeof buffer, "%ld:%02ld", s / 60, s % 60);
  }
  return buffer;
}

ProgressBar::ProgressBar() : terminal_(is_terminal()) {}

ProgressBar::~ProgressBar() {
  if (on_line_) (void)std::fputc('\n', stderr);
}

void ProgressBar::show(const Progress& progress) {
  // A terminal is drawn ten times a second; a log gets a line every ten seconds
  const auto now = std::chrono::steady_clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  if (now - shown_ < pause) return;
  shown_ = now;
  draw(progress);
}

void ProgressBar::finish(const Progress& progress) {
  draw(progress);
  if (on_line_) (void)std::fputc('\n', stderr);
  on_line_ = false;
}

void ProgressBar::say(const std::string& text) {
  (void)std::fprintf(stderr, "%s%s\n", on_line_ ? "\r\033[K" : "", text.c_str());
  on_line_ = false;
}

void ProgressBar::draw(const Progress& p) {
  std::string text = "loss " + fixed(p.loss, 3);
  if (std::isfinite(p.validation)) text += "  validation " + fixed(p.validation, 3);
  text += "  " + short_number(p.tokens_per_second) + " tokens/s";
  if (p.step < p.last) text += "  " + short_time(p.seconds_left) + " left";
  const std::string count = "step " + std::to_string(p.step) + "/" + std::to_string(p.last);
  if (!terminal_) {
    (void)std::fprintf(stderr, "%s  %s\n", count.c_str(), text.c_str());
    return;
  }

  // The bar takes what the words leave
  const int room = terminal_width() - int(count.size() + text.size()) - 5;
  std::string bar;
  if (room >= 8) {
    const int width = std::min(room, 40);
    const double share = p.last > 0 ? double(p.step) / double(p.last) : 0;
    const int full = std::clamp(int(std::lround(share * width)), 0, width);
    for (int i = 0; i < width; ++i) bar += i < full ? "━" : "╌";
    bar += "  ";
  }
  (void)std::fprintf(stderr, "\r\033[K%s  %s%s", count.c_str(), bar.c_str(), text.c_str());
  (void)std::fflush(stderr);
  on_line_ = true;
}

void catch_interrupts() {
  (void)std::signal(SIGINT, on_interrupt);
  (void)std::signal(SIGTERM, on_interrupt);
}

bool interrupted() { return interrupt_count > 0; }

}  // namespace tpp
