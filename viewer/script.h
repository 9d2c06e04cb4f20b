// A hand for tests and pictures: it moves, clicks, types and waits by the names of things on the
// screen, and says what went wrong in a sentence.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "viewer/backend.h"
#include "viewer/geometry.h"
#include "viewer/probes.h"

namespace tpp::viewer {

/// A step of a script could not be done, or an expectation failed.
struct ScriptError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Every action feeds input and draws frames by calling `frame`, which must run one whole frame
/// (begin_frame … end_frame) of the application. Actions return when the input has been seen.
class Script {
 public:
  Script(Backend& backend, const Probes& probes, std::function<void()> frame)
      : backend_(backend), probes_(probes), frame_(std::move(frame)) {}

  /// Draw this many frames.
  void wait(int frames = 1);
  /// Draw frames until `done`, at most `frames`; ScriptError names `what` if it never is.
  void wait_until(const std::function<bool()>& done, std::string_view what, int frames = 600);

  /// Draw frames until a probe is on the screen that something in the background brings there.
  /// ScriptError when it has not come after so long.
  void await(std::string_view probe, double seconds = 60);

  /// Move to a place inside a probe: (0.5, 0.5) is its middle. ScriptError, listing what there is,
  /// when no such thing is on the screen.
  void move(std::string_view probe, float fx = 0.5f, float fy = 0.5f);
  void move_to(float x, float y);
  void click(std::string_view probe, float fx = 0.5f, float fy = 0.5f, int button = 0);
  void double_click(std::string_view probe, float fx = 0.5f, float fy = 0.5f);
  /// Press at one place, move by (dx, dy) window units, release.
  void drag(std::string_view probe, float dx, float dy, float fx = 0.5f, float fy = 0.5f);
  void wheel(std::string_view probe, float notches, float fx = 0.5f, float fy = 0.5f);
  /// "Ctrl+K", "Escape", "→".
  void key(std::string_view shortcut);
  void type(std::string_view text);

  /// ScriptError with `what` unless true.
  void expect(bool condition, std::string_view what) const;
  bool sees(std::string_view probe) const { return probes_.find(probe).has_value(); }

  /// The same as text, one action a line, # begins a comment:
  ///   click transport/play · move attention/map 0.2 0.8 · drag NAME dx dy · wheel NAME n ·
  ///   double NAME · key Ctrl+K · type words · wait 10 · await NAME · see NAME · nosee NAME · shot FILE.png
  /// ScriptError names the line.
  void run(std::string_view text);

 private:
  void drain();
  Rect where(std::string_view probe) const;

  Backend& backend_;
  const Probes& probes_;
  std::function<void()> frame_;
};

}  // namespace tpp::viewer
