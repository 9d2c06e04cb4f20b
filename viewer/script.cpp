// Scripted input.
#include "viewer/script.h"

#include <chrono>
#include <sstream>
#include <thread>
#include <vector>

#include "viewer/export.h"

namespace tpp::viewer {

void Script::wait(int frames) {
  for (int i = 0; i < frames; ++i) frame_();
}

void Script::wait_until(const std::function<bool()>& done, std::string_view what, int frames) {
  for (int i = 0; i < frames; ++i) {
    if (done()) return;
    frame_();
  }
  if (!done()) {
    throw ScriptError("After " + std::to_string(frames) +
                      " frames still not: " + std::string(what) + ".");
  }
}

// Draw until all input was taken, and once more so that what follows from it is drawn.
void Script::drain() {
  while (backend_.input_pending()) frame_();
  frame_();
}

Rect Script::where(std::string_view probe) const {
  const std::optional<Rect> rect = probes_.find(probe);
  if (!rect) {
    throw ScriptError("\"" + std::string(probe) +
                      "\" is not on the screen. There are: " + probes_.known() + ".");
  }
  return *rect;
}

void Script::move_to(float x, float y) {
  InputEvent e;
  e.kind = InputEvent::Kind::move;
  e.x = x;
  e.y = y;
  backend_.inject(e);
  drain();
}

void Script::await(std::string_view probe, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (!sees(probe)) {
    if (Clock::now() > end) throw ScriptError("\"" + std::string(probe) + "\" never came.");
    frame_();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  wait(2);
}

void Script::move(std::string_view probe, float fx, float fy) {
  if (!probes_.find(probe)) frame_();
  const Rect r = where(probe);
  move_to(r.x + r.w * fx, r.y + r.h * fy);
}

void Script::click(std::string_view probe, float fx, float fy, int button) {
  move(probe, fx, fy);
  InputEvent e;
  e.kind = InputEvent::Kind::button;
  e.button = button;
  e.down = true;
  backend_.inject(e);
  e.down = false;
  backend_.inject(e);
  drain();
}

void Script::double_click(std::string_view probe, float fx, float fy) {
  move(probe, fx, fy);
  InputEvent e;
  e.kind = InputEvent::Kind::button;
  for (int i = 0; i < 2; ++i) {
    e.down = true;
    backend_.inject(e);
    e.down = false;
    backend_.inject(e);
  }
  drain();
}

void Script::drag(std::string_view probe, float dx, float dy, float fx, float fy) {
  move(probe, fx, fy);
  const Rect r = where(probe);
  const float x = r.x + r.w * fx, y = r.y + r.h * fy;
  InputEvent e;
  e.kind = InputEvent::Kind::button;
  e.down = true;
  backend_.inject(e);
  drain();
  for (int i = 1; i <= 4; ++i) {
    const float f = static_cast<float>(i) / 4;
    move_to(x + dx * f, y + dy * f);
  }
  e.down = false;
  backend_.inject(e);
  drain();
}

void Script::wheel(std::string_view probe, float notches, float fx, float fy) {
  move(probe, fx, fy);
  InputEvent e;
  e.kind = InputEvent::Kind::wheel;
  e.y = notches;
  backend_.inject(e);
  drain();
}

void Script::key(std::string_view shortcut) {
  const std::optional<Shortcut> s = Shortcut::parse(shortcut);
  if (!s) {
    throw ScriptError("\"" + std::string(shortcut) +
                      "\" is no key: write them like Ctrl+K, Space, Escape, →.");
  }
  InputEvent e;
  e.kind = InputEvent::Kind::key;
  e.key = s->key;
  e.ctrl = s->ctrl;
  e.shift = s->shift;
  e.alt = s->alt;
  e.down = true;
  backend_.inject(e);
  e.down = false;
  backend_.inject(e);
  drain();
}

void Script::type(std::string_view text) {
  InputEvent e;
  e.kind = InputEvent::Kind::text;
  e.text = std::string(text);
  backend_.inject(e);
  drain();
}

void Script::expect(bool condition, std::string_view what) const {
  if (!condition) throw ScriptError("Expected: " + std::string(what) + ".");
}

void Script::run(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    // Read the action and its words
    std::istringstream in(line);
    std::string action;
    if (!(in >> action) || action[0] == '#') continue;
    const auto word = [&] {
      std::string w;
      if (!(in >> w)) throw ScriptError("something is missing after \"" + action + "\"");
      return w;
    };
    const auto number_or = [&in](float otherwise) {
      float v = 0;
      return in >> v ? v : otherwise;
    };
    const auto rest = [&in] {
      std::string r;
      std::getline(in >> std::ws, r);
      return r;
    };
    try {
      if (action == "click" || action == "move" || action == "double") {
        const std::string name = word();
        const float fx = number_or(0.5f), fy = number_or(0.5f);
        if (action == "click") click(name, fx, fy);
        if (action == "move") move(name, fx, fy);
        if (action == "double") double_click(name, fx, fy);
      } else if (action == "drag") {
        const std::string name = word();
        const float dx = number_or(0), dy = number_or(0);
        drag(name, dx, dy);
      } else if (action == "wheel") {
        const std::string name = word();
        wheel(name, number_or(1));
      } else if (action == "key") {
        key(word());
      } else if (action == "type") {
        type(rest());
      } else if (action == "wait") {
        wait(static_cast<int>(number_or(1)));
      } else if (action == "await") {
        await(word());
      } else if (action == "see" || action == "nosee") {
        const std::string name = word();
        expect(sees(name) == (action == "see"),
               name + (action == "see" ? " on the screen" : " not on the screen"));
      } else if (action == "shot") {
        frame_();
        write_png(rest(), backend_.read_pixels());
      } else {
        throw ScriptError("\"" + action +
                          "\" is no action: there are click, double, move, drag, wheel, key, type, "
                          "wait, await, see, nosee and shot");
      }
    } catch (const ScriptError& e) {
      throw ScriptError("Script line " + std::to_string(number) + ", " + line + ": " + e.what());
    }
  }
}

}  // namespace tpp::viewer
