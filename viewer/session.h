// The session file: how the reader had arranged things, so that they find them so again.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/31_transformer_pp/catalogue.h"
#include "viewer/break/breakages.h"
#include "viewer/run/lockstep.h"
#include "viewer/selection.h"
#include "viewer/theme.h"
#include "viewer/view_context.h"

namespace tpp::viewer {

struct Session {
  std::optional<RunOptions> options;  // of the run; none: as the program starts anyway
  Appearance appearance = Appearance::dark;
  float zoom = 1;                           // of the interface, 0.5 … 3, on top of the display's
  std::string layout;                       // Layout::serialise()
  std::map<std::string, std::string> tabs;  // slot → the panel that it shows
  Place selected;                           // what was locked
  double speed = 0;                         // steps a second; 0: as fast as it goes
  std::map<std::string, std::string> panels;  // panel → Panel::settings()

  // Two runs: what B has otherwise, and at which step it began. The same steps lead there again
  std::optional<ForkPlan> fork;
  Compare compare = Compare::a;

  // A teacher's: the program never writes to a file that has one of these
  std::vector<std::string> hidden;  // names of controls, panels and commands (viewer/hidden.h)
  std::vector<Breakage> ask;        // predict, then reveal, one after another
  [[nodiscard]] bool is_lesson() const { return !hidden.empty() || !ask.empty(); }
};

/// "a", "b", "difference"; and back.
[[nodiscard]] const char* name_of(Compare compare);
[[nodiscard]] std::optional<Compare> compare_named(std::string_view name);

/// JSON, readable and the same for the same session. What a teacher adds is not written.
[[nodiscard]] std::string to_json(const Session& session);

/// Errors  InputError, one sentence, for everything that to_json() could not have written. Fields
///         that are missing keep their defaults; unknown ones are ignored.
[[nodiscard]] Session session_from_json(std::string_view text);

/// The previous file stays whole until the new one is complete. Folders are made.
/// Errors  InputError: the path, the reason, what to do
void save_session(const std::filesystem::path& path, const Session& session);

/// Errors  InputError: the path, the reason, what to do; also for files larger than a megabyte
[[nodiscard]] Session load_session(const std::filesystem::path& path);

/// transformer++/session.json under XDG_CONFIG_HOME, else under ~/.config. Empty without a home.
[[nodiscard]] std::filesystem::path default_session_path();

}  // namespace tpp::viewer
