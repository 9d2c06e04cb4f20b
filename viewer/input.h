// Keys, shortcuts, and input that a script makes instead of a hand. ImGui before 1.87 knows only 22
// keys by name, so keys are ours: their numbers are GLFW's, which is what 1.86 indexes by.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace tpp::viewer {

/// Letters and digits are their ASCII capitals: Key('K') is the K key.
enum class Key : int {
  none = 0,
  space = 32,
  comma = 44,
  minus = 45,
  period = 46,
  slash = 47,
  equal = 61,
  left_bracket = 91,
  right_bracket = 93,
  escape = 256,
  enter = 257,
  tab = 258,
  backspace = 259,
  insert = 260,
  del = 261,
  right = 262,
  left = 263,
  down = 264,
  up = 265,
  page_up = 266,
  page_down = 267,
  home = 268,
  end = 269,
  f1 = 290,
  f2 = 291,
  f3 = 292,
  f4 = 293,
  f5 = 294,
  f11 = 300,
  f12 = 301,
};
constexpr Key key(char letter) { return static_cast<Key>(letter); }

/// A key with modifiers, as a command's shortcut.
struct Shortcut {
  Key key = Key::none;
  bool ctrl = false, shift = false, alt = false;

  bool operator==(const Shortcut&) const = default;
  explicit operator bool() const { return key != Key::none; }
  /// "Ctrl+Shift+K", "Space", "→".
  std::string text() const;
  /// The inverse of text(); also takes "Right", "Left", "Up", "Down". Empty when it is no shortcut.
  static std::optional<Shortcut> parse(std::string_view text);
};

/// Was this shortcut's key pressed in this frame, with exactly these modifiers? Whether some text
/// box wants the keyboard is the caller's question (ImGui::GetIO().WantTextInput).
bool pressed(const Shortcut& shortcut, bool repeat = false);

struct InputEvent {
  // release gives the mouse back to the hand at the table
  enum class Kind { move, button, wheel, key, text, release } kind = Kind::move;
  float x = 0, y = 0;   // move: position in window units; wheel: horizontal and vertical notches
  int button = 0;       // 0 left, 1 right, 2 middle
  bool down = false;    // button, key
  Key key = Key::none;  // key
  bool ctrl = false, shift = false, alt = false;  // key: modifiers held with it
  std::string text = {};                          // text: UTF-8 to type
};

/// Input waiting to be fed to ImGui. A back end calls apply() in every begin_frame, after the
/// platform's own input and before ImGui::NewFrame. At most one button or key changes in one frame,
/// so that presses and releases are seen whatever ImGui's version.
class InjectedInput {
 public:
  void push(InputEvent event) { queue_.push_back(std::move(event)); }
  bool empty() const { return queue_.empty(); }
  void apply();

  /// Tell ImGui before 1.87 where in its key table our keys are. The GLFW back end does so itself.
  static void map_keys();

 private:
  std::deque<InputEvent> queue_;
  bool active_ = false;  // a script has taken the mouse: keep it where the script left it
  float mouse_x_ = 0, mouse_y_ = 0;
  bool buttons_[3] = {false, false, false};
};

}  // namespace tpp::viewer
