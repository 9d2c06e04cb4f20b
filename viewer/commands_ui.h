// The table of commands: whatever can be done has a title, maybe a key, and one place where it is
// found (Ctrl+K). Buttons, keys and the palette run the same action.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "viewer/input.h"

namespace tpp::viewer {

struct Ui;

struct Command {
  std::string id = {};     // "transport.play"
  std::string title = {};  // "Play or pause": imperative, found by its words
  std::string group = {};  // heading in the help: "Run", "View"
  Shortcut shortcut = {};  // none: only in the palette
  std::function<void()> action = {};
  std::function<bool()> enabled = {};  // empty: always
  bool repeat = false;                 // held key repeats (step)
};

class Commands {
 public:
  /// Errors: std::invalid_argument for an id or shortcut that is taken, or without an action.
  void add(Command command);

  /// Run by id. False if there is none, or it is not enabled now.
  bool run(std::string_view id);
  const Command* find(std::string_view id) const;

  /// Commands that a session hides: they are not listed and do nothing, and `told` hears of each that was
  /// asked for.
  void hide(std::function<bool(std::string_view id)> hides,
            std::function<void(const Command&)> told);
  /// How often it was run until now, in any way.
  long times_run(const std::string& id) const {
    const auto at = times_run_.find(id);
    return at == times_run_.end() ? 0 : at->second;
  }
  const std::vector<Command>& all() const { return commands_; }

  /// Run the commands whose keys were pressed in this frame; call once, after ImGui::NewFrame. Does
  /// nothing while a text box has the keyboard or the palette is open, except Escape and F1.
  void handle_shortcuts();

  void open_palette();
  void toggle_help() { help_opens_ = help_ = !help_; }
  /// Close what is open on top of the panels. False if nothing was: then Escape means release.
  bool close_overlays();
  bool palette_open() const { return palette_; }
  bool help_open() const { return help_; }

  /// Draw palette and help over everything; call last. Probes "palette/input", "palette/ID",
  /// "help".
  void draw(Ui& ui);

  /// Ids in the order in which the palette lists them for this search, best first.
  std::vector<std::string_view> match(std::string_view words) const;

 private:
  void draw_palette(Ui& ui);
  void draw_help(Ui& ui);

  [[nodiscard]] bool hidden(const Command& c) const { return hides_ && hides_(c.id); }

  std::vector<Command> commands_;
  std::function<bool(std::string_view)> hides_;
  std::function<void(const Command&)> told_;
  std::map<std::string, long> times_run_;
  bool palette_ = false, focus_input_ = false, help_ = false, help_opens_ = false;
  std::string search_;
  int chosen_ = 0;
};

}  // namespace tpp::viewer
