// What a panel is given: what widgets are given (Ui), and the runs' frames, the shared selection,
// commands, and where the panel stands.
#pragma once

#include "viewer/commands_ui.h"
#include "viewer/layout.h"
#include "viewer/selection.h"
#include "viewer/ui.h"

namespace tpp::viewer {

struct Frame;       // viewer/run/frame.h: an immutable picture of a run at one step
struct History;     // viewer/run/frame.h: the scalars of all steps
struct RunControl;  // viewer/run/: how to send commands to the trainers
struct Hidden;      // viewer/hidden.h: what a session hides
class BreakIt;      // viewer/break/: what is broken on purpose

/// Which run the panels show.
enum class Compare { a, b, difference };

struct ViewContext : Ui {
  Selection& selection;
  Commands& commands;
  Layout& layout;
  Rect rect;                 // the panel's content, in window units
  const Frame* a = nullptr;  // run A's frame; null before the first
  const Frame* b = nullptr;  // run B's; null without one
  Compare compare = Compare::a;
  const History* history = nullptr;    // all steps of run A; null in tests without one
  RunControl* control = nullptr;       // null in tests that only look
  double time = 0;                     // seconds since the start, for animation
  const History* history_b = nullptr;  // all steps of run B; null without one
  double redraw_in = 0;  // draw() may set it: seconds until it changes by itself; 0: it does not
  BreakIt* breaks = nullptr;       // null in tests that only look
  const Hidden* hidden = nullptr;  // null: nothing is

  /// The frame of the run that is shown (A for the difference).
  const Frame* shown() const { return compare == Compare::b ? b : a; }
  /// And its steps.
  const History* shown_history() const { return compare == Compare::b ? history_b : history; }
  /// Its colour, where the two runs are told apart.
  Rgba run_colour() const { return theme.run(compare == Compare::b && b ? RunId::b : RunId::a); }
};

}  // namespace tpp::viewer
