// Keys by our names on every ImGui, and input made by scripts.
#include "viewer/input.h"

#include <imgui.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace tpp::viewer {
namespace {

struct KeyName {
  Key key;
  const char* name;  // as shown
  const char* also;  // as typed
};
constexpr std::array kNames{
    KeyName{Key::space, "Space", ""},
    KeyName{Key::comma, ",", "Comma"},
    KeyName{Key::minus, "−", "-"},
    KeyName{Key::period, ".", "Period"},
    KeyName{Key::slash, "/", "Slash"},
    KeyName{Key::equal, "+", "="},
    KeyName{Key::left_bracket, "[", ""},
    KeyName{Key::right_bracket, "]", ""},
    KeyName{Key::escape, "Escape", "Esc"},
    KeyName{Key::enter, "Enter", "Return"},
    KeyName{Key::tab, "Tab", ""},
    KeyName{Key::backspace, "Backspace", ""},
    KeyName{Key::insert, "Insert", ""},
    KeyName{Key::del, "Delete", ""},
    KeyName{Key::right, "→", "Right"},
    KeyName{Key::left, "←", "Left"},
    KeyName{Key::down, "↓", "Down"},
    KeyName{Key::up, "↑", "Up"},
    KeyName{Key::page_up, "Page Up", "PageUp"},
    KeyName{Key::page_down, "Page Down", "PageDown"},
    KeyName{Key::home, "Home", ""},
    KeyName{Key::end, "End", ""},
    KeyName{Key::f1, "F1", ""},
    KeyName{Key::f2, "F2", ""},
    KeyName{Key::f3, "F3", ""},
    KeyName{Key::f4, "F4", ""},
    KeyName{Key::f5, "F5", ""},
    KeyName{Key::f11, "F11", ""},
    KeyName{Key::f12, "F12", ""},
};

#if IMGUI_VERSION_NUM >= 18700
ImGuiKey imgui_key(Key k) {
  const int code = static_cast<int>(k);
  if (code >= 'A' && code <= 'Z') return static_cast<ImGuiKey>(ImGuiKey_A + (code - 'A'));
  if (code >= '0' && code <= '9') return static_cast<ImGuiKey>(ImGuiKey_0 + (code - '0'));
  switch (k) {
    case Key::space:
      return ImGuiKey_Space;
    case Key::comma:
      return ImGuiKey_Comma;
    case Key::minus:
      return ImGuiKey_Minus;
    case Key::period:
      return ImGuiKey_Period;
    case Key::slash:
      return ImGuiKey_Slash;
    case Key::equal:
      return ImGuiKey_Equal;
    case Key::left_bracket:
      return ImGuiKey_LeftBracket;
    case Key::right_bracket:
      return ImGuiKey_RightBracket;
    case Key::escape:
      return ImGuiKey_Escape;
    case Key::enter:
      return ImGuiKey_Enter;
    case Key::tab:
      return ImGuiKey_Tab;
    case Key::backspace:
      return ImGuiKey_Backspace;
    case Key::insert:
      return ImGuiKey_Insert;
    case Key::del:
      return ImGuiKey_Delete;
    case Key::right:
      return ImGuiKey_RightArrow;
    case Key::left:
      return ImGuiKey_LeftArrow;
    case Key::down:
      return ImGuiKey_DownArrow;
    case Key::up:
      return ImGuiKey_UpArrow;
    case Key::page_up:
      return ImGuiKey_PageUp;
    case Key::page_down:
      return ImGuiKey_PageDown;
    case Key::home:
      return ImGuiKey_Home;
    case Key::end:
      return ImGuiKey_End;
    case Key::f1:
      return ImGuiKey_F1;
    case Key::f2:
      return ImGuiKey_F2;
    case Key::f3:
      return ImGuiKey_F3;
    case Key::f4:
      return ImGuiKey_F4;
    case Key::f5:
      return ImGuiKey_F5;
    case Key::f11:
      return ImGuiKey_F11;
    case Key::f12:
      return ImGuiKey_F12;
    default:
      return ImGuiKey_None;
  }
}
#endif

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::string Shortcut::text() const {
  std::string out;
  if (key == Key::none) return out;
  if (ctrl) out += "Ctrl+";
  if (alt) out += "Alt+";
  if (shift) out += "Shift+";
  for (const KeyName& n : kNames) {
    if (n.key == key) return out + n.name;
  }
  return out + static_cast<char>(key);
}

std::optional<Shortcut> Shortcut::parse(std::string_view text) {
  Shortcut s;

  // Take off the modifiers; a lone "+" at the end is a key
  for (;;) {
    const auto plus = text.find('+');
    if (plus == std::string_view::npos || plus + 1 >= text.size()) break;
    const std::string word = lower(text.substr(0, plus));
    if (word == "ctrl") {
      s.ctrl = true;
    } else if (word == "shift") {
      s.shift = true;
    } else if (word == "alt") {
      s.alt = true;
    } else {
      return std::nullopt;
    }
    text.remove_prefix(plus + 1);
  }

  const std::string name = lower(text);
  for (const KeyName& n : kNames) {
    if (name == lower(n.name) || (n.also[0] && name == lower(n.also))) {
      s.key = n.key;
      return s;
    }
  }
  if (text.size() == 1 && std::isalnum(static_cast<unsigned char>(text[0]))) {
    s.key = viewer::key(static_cast<char>(std::toupper(static_cast<unsigned char>(text[0]))));
    return s;
  }
  return std::nullopt;
}

bool pressed(const Shortcut& shortcut, bool repeat) {
  if (!shortcut) return false;
  const ImGuiIO& io = ImGui::GetIO();
  // Command on a Mac is where Ctrl is elsewhere
  const bool ctrl = io.KeyCtrl || io.KeySuper;
  if (ctrl != shortcut.ctrl || io.KeyAlt != shortcut.alt) return false;
  // "+" needs Shift on many keyboards
  if (io.KeyShift != shortcut.shift && shortcut.key != Key::equal) return false;
#if IMGUI_VERSION_NUM >= 18700
  return ImGui::IsKeyPressed(imgui_key(shortcut.key), repeat);
#else
  return ImGui::IsKeyPressed(static_cast<int>(shortcut.key), repeat);
#endif
}

void InjectedInput::map_keys() {
#if IMGUI_VERSION_NUM < 18700
  ImGuiIO& io = ImGui::GetIO();
  const auto map = [&io](int index, int code) { io.KeyMap[index] = code; };
  map(ImGuiKey_Tab, static_cast<int>(Key::tab));
  map(ImGuiKey_LeftArrow, static_cast<int>(Key::left));
  map(ImGuiKey_RightArrow, static_cast<int>(Key::right));
  map(ImGuiKey_UpArrow, static_cast<int>(Key::up));
  map(ImGuiKey_DownArrow, static_cast<int>(Key::down));
  map(ImGuiKey_PageUp, static_cast<int>(Key::page_up));
  map(ImGuiKey_PageDown, static_cast<int>(Key::page_down));
  map(ImGuiKey_Home, static_cast<int>(Key::home));
  map(ImGuiKey_End, static_cast<int>(Key::end));
  map(ImGuiKey_Insert, static_cast<int>(Key::insert));
  map(ImGuiKey_Delete, static_cast<int>(Key::del));
  map(ImGuiKey_Backspace, static_cast<int>(Key::backspace));
  map(ImGuiKey_Space, static_cast<int>(Key::space));
  map(ImGuiKey_Enter, static_cast<int>(Key::enter));
  map(ImGuiKey_Escape, static_cast<int>(Key::escape));
  for (const char letter : {'A', 'C', 'V', 'X', 'Y', 'Z'}) {
    const int index = letter == 'A'   ? ImGuiKey_A
                      : letter == 'C' ? ImGuiKey_C
                      : letter == 'V' ? ImGuiKey_V
                      : letter == 'X' ? ImGuiKey_X
                      : letter == 'Y' ? ImGuiKey_Y
                                      : ImGuiKey_Z;
    map(index, letter);
  }
#endif
}

void InjectedInput::apply() {
  ImGuiIO& io = ImGui::GetIO();
  bool changed = false;
  float wheel_x = 0, wheel_y = 0;

  // Take events up to and with the first that changes a button or key
  for (bool first = true; !queue_.empty() && !changed; first = false) {
    const bool gives_back = queue_.front().kind == InputEvent::Kind::release;
    if (gives_back && !first) break;  // what came before it is to be seen
    const InputEvent e = std::move(queue_.front());
    queue_.pop_front();
    active_ = true;
    switch (e.kind) {
      case InputEvent::Kind::move:
        mouse_x_ = e.x;
        mouse_y_ = e.y;
        break;
      case InputEvent::Kind::button:
        if (e.button >= 0 && e.button < 3) buttons_[e.button] = e.down;
        changed = true;
        break;
      case InputEvent::Kind::wheel:
        wheel_x += e.x;
        wheel_y += e.y;
        changed = true;
        break;
      case InputEvent::Kind::key:
#if IMGUI_VERSION_NUM >= 18900
        io.AddKeyEvent(ImGuiMod_Ctrl, e.ctrl && e.down);
        io.AddKeyEvent(ImGuiMod_Shift, e.shift && e.down);
        io.AddKeyEvent(ImGuiMod_Alt, e.alt && e.down);
        io.AddKeyEvent(imgui_key(e.key), e.down);
#elif IMGUI_VERSION_NUM >= 18700
        io.AddKeyEvent(ImGuiKey_ModCtrl, e.ctrl && e.down);
        io.AddKeyEvent(ImGuiKey_ModShift, e.shift && e.down);
        io.AddKeyEvent(ImGuiKey_ModAlt, e.alt && e.down);
        io.AddKeyEvent(imgui_key(e.key), e.down);
#else
        io.KeysDown[static_cast<int>(e.key)] = e.down;
        io.KeyCtrl = e.ctrl && e.down;
        io.KeyShift = e.shift && e.down;
        io.KeyAlt = e.alt && e.down;
#endif
        changed = true;
        break;
      case InputEvent::Kind::text:
        io.AddInputCharactersUTF8(e.text.c_str());
        changed = true;
        break;
      case InputEvent::Kind::release:
        active_ = false;
        std::fill(std::begin(buttons_), std::end(buttons_), false);
        break;
    }
  }
  if (!active_) return;

    // Hold the mouse where the script left it, against what the platform says
#if IMGUI_VERSION_NUM >= 18700
  io.AddMousePosEvent(mouse_x_, mouse_y_);
  for (int i = 0; i < 3; ++i) io.AddMouseButtonEvent(i, buttons_[i]);
  if (wheel_x != 0 || wheel_y != 0) io.AddMouseWheelEvent(wheel_x, wheel_y);
#else
  io.MousePos = ImVec2(mouse_x_, mouse_y_);
  for (int i = 0; i < 3; ++i) io.MouseDown[i] = buttons_[i];
  io.MouseWheelH += wheel_x;
  io.MouseWheel += wheel_y;
#endif
}

}  // namespace tpp::viewer
