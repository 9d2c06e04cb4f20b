// What the reader looks at, shared by all panels: hovering a thing anywhere highlights it
// everywhere, a click locks it, Escape lets go.
#pragma once

#include <optional>
#include <string>

#include "viewer/theme.h"

namespace tpp::viewer {

/// One place in the model and in time. Fields that a panel does not know stay empty.
struct Place {
  // Each with an initialiser, so that {.layer = 2} is complete in the compiler's eyes
  std::optional<RunId> run = {};
  std::optional<long> step = {};
  std::optional<int> layer = {};
  std::optional<int> head = {};
  std::optional<int> query = {};              // row of an attention map: a token position
  std::optional<int> key = {};                // column
  std::optional<int> pair = {};               // RoPE pair, 0 turns fastest
  std::optional<std::string> parameter = {};  // "block2/attn/wq"

  bool operator==(const Place&) const = default;
  bool empty() const { return *this == Place{}; }
  /// This place, with the gaps filled from `under`.
  Place over(const Place& under) const;
};

class Selection {
 public:
  /// Start a frame: last frame's hover becomes what hovered() returns, so the order in which
  /// panels are drawn does not matter.
  void begin_frame();

  /// The mouse is over this place, now. Two calls in one frame add up, the later one winning.
  void hover(const Place& place);

  /// Fix these fields until released; other locked fields stay. Locking the very same again
  /// releases those fields.
  void lock(const Place& place);
  /// Fix these fields, never toggling: arrow keys, scripts, session files.
  void set(const Place& place);

  /// Let go of everything locked (Escape). False if nothing was.
  bool release();

  const Place& hovered() const { return hovered_; }
  const Place& locked() const { return locked_; }

  /// What to show: the hovered field, else the locked one.
  Place shown() const { return hovered_.over(locked_); }
  /// What to keep showing large: the locked field, else the hovered one.
  Place pinned() const { return locked_.over(hovered_); }

  /// Does every field of `place` agree with what is hovered (locked), and is at least one field
  /// of it set there? For highlighting: is_hovered({.layer = 2, .head = 1}).
  bool is_hovered(const Place& place) const;
  bool is_locked(const Place& place) const;

  /// Grows when hovered() or locked() changed: update() need not run again otherwise.
  unsigned long version() const { return version_; }

 private:
  Place next_, hovered_, locked_;
  unsigned long version_ = 0;
};

}  // namespace tpp::viewer
