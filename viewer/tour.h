// Guided tours: a few steps that point at the real window, wait until the reader has acted, and end in
// a question. A tour is a text beside its chapter, chapters/NN_name/tour.md; here is what it says, and
// the guide that leads through it. No ImGui: how it looks is tour_view.h.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "viewer/selection.h"
#include "viewer/widgets/question.h"

namespace tpp::viewer {

/// Something that must become true, or be done, before a step is over. As written:
///
///   click PROBE · hover PROBE          the reader's mouse did it, in this step
///   sees PROBE · gone PROBE            it is on the screen, or not
///   panel ID                           the panel is shown ("reader" too)
///   locked layer=1 head=0 query key    these are locked; a name alone: whichever
///   step >= 60 · step < 20             of the run
///   steps 5                            more than when this step of the tour began
///   playing · paused · phase backward
///   option ffn=relu|gelu               of the run that is shown
///   setting norms=gains                what a panel would keep in the session file
///   showing b · two runs               which run is shown; there is a second one
///   ran view.theme                     the command was run, in this step
struct TourWait {
  enum class Kind {
    click,
    hover,
    sees,
    gone,
    panel,
    locked,
    step_from,
    step_below,
    steps,
    playing,
    paused,
    phase,
    option,
    setting,
    showing,
    two_runs,
    ran
  };
  Kind kind = Kind::click;
  std::string name = {};                 // a probe, panel, option, command, phase
  std::vector<std::string> values = {};  // option, setting: any of these
  std::vector<std::pair<std::string, std::string>> fields = {};  // locked: name, value or empty
  long number = 0;                                               // step, steps
};

/// Something that a tour does to the window: before a step, or when the reader lets it.
///
///   show PANEL · run COMMAND · release                 release: nothing is locked
///   link ?set=norm:layernorm&layer=1&head=0#norms      as the links of the texts
///   click PROBE [x y] · hover PROBE [x y]              parts of its width and height
///   drag PROBE x y to_x to_y
///   set PANEL TEXT                                     a line of the session file
///   play · pause · phase · steps 20 · until 60 · go 40
///   defaults                                           one run, with the parts and the rate of the start
struct TourAct {
  enum class Kind {
    show,
    run,
    release,
    link,
    click,
    hover,
    drag,
    set,
    play,
    pause,
    phase,
    steps,
    until,
    go,
    defaults,
    fill  // the panel fills the window; an empty name: none does
  };
  Kind kind = Kind::show;
  std::string name = {}, value = {};  // value: set's text, link's anchor
  float x = 0.5f, y = 0.5f, to_x = 0.5f, to_y = 0.5f;
  long number = 0;
};

struct TourStep {
  std::string title = {};
  std::string text = {};                  // rich text (rich_text.h): what to do
  std::vector<TourAct> before = {};       // done when the step begins
  std::vector<std::string> outline = {};  // probes; "a|b": the first of these that is seen
  std::vector<std::string> look = {};     // panels that are to be seen too
  std::vector<TourWait> wait = {};        // all of them; none: the reader says when to go on
  std::vector<TourAct> act = {};          // what "Do it for me" does
  std::string then = {};                  // rich text: what is to be seen when it is done
  std::string hint = {};                  // rich text, after a while
  int line = 0;                           // of the file
};

struct Tour {
  std::string id = {};     // "13", or "window"
  std::string title = {};  // "Turning by position"
  std::string file = {};   // from the root
  int minutes = 0;
  std::vector<TourStep> steps = {};
  std::vector<TourAct> before_question = {};
  std::vector<std::string> outline_question = {}, look_question = {};
  Question question = {};
};

/// Read a tour. CONTRIBUTING.md shows one.
/// Errors  InputError, one sentence that begins with file and line
[[nodiscard]] Tour parse_tour(std::string_view text, const std::string& id,
                              const std::string& file);

/// All tours below a root: docs/tour.md, called "window", and chapters/NN_name/tour.md, called "NN".
/// Those that cannot be read are left out, and `problems` says why.
[[nodiscard]] std::vector<Tour> load_tours(const std::filesystem::path& root,
                                           std::vector<std::string>& problems);

/// Where a probe stands: "lens/distance" and "tab/lens" → "lens". Empty for no panel's.
[[nodiscard]] std::string panel_of_probe(std::string_view probe);

struct TourWorld;
/// Which of "a|b" is on the screen; empty for none.
[[nodiscard]] std::string first_seen(const std::string& probes, const TourWorld& world);

/// What a guide sees of the window, and does to it.
struct TourWorld {
  virtual ~TourWorld() = default;

  [[nodiscard]] virtual bool sees(const std::string& probe) const = 0;
  [[nodiscard]] virtual bool clicked(const std::string& probe) const = 0;  // in this frame
  [[nodiscard]] virtual bool hovered(const std::string& probe) const = 0;
  [[nodiscard]] virtual bool panel_shown(const std::string& id) const = 0;
  [[nodiscard]] virtual Place locked() const = 0;
  [[nodiscard]] virtual long step() const = 0;
  [[nodiscard]] virtual bool playing() const = 0;
  [[nodiscard]] virtual std::string phase() const = 0;                          // "forward"
  [[nodiscard]] virtual std::string option(const std::string& name) const = 0;  // empty: none
  [[nodiscard]] virtual std::string setting(const std::string& panel) const = 0;
  [[nodiscard]] virtual std::string showing() const = 0;  // "a", "b", "difference"
  [[nodiscard]] virtual bool two_runs() const = 0;
  [[nodiscard]] virtual long times_run(const std::string& command) const = 0;
  /// Is the last act still under way (the mouse moves, the run goes to a step)?
  [[nodiscard]] virtual bool busy() const = 0;

  virtual void act(const TourAct& act) = 0;
  /// Another step begins: nothing of the last one is waited for.
  virtual void let_go() {}
};

/// Leads through one tour at a time.
class TourGuide {
 public:
  explicit TourGuide(std::vector<Tour> tours = {}) : tours_(std::move(tours)) {}
  TourGuide(const TourGuide&) = delete;
  TourGuide& operator=(const TourGuide&) = delete;

  [[nodiscard]] const std::vector<Tour>& tours() const { return tours_; }
  [[nodiscard]] const Tour* find(std::string_view id) const;
  [[nodiscard]] bool finished(const std::string& id) const { return finished_.count(id) != 0; }
  /// The step at which a tour that was left waits; 0 if it was not.
  [[nodiscard]] int place(const std::string& id) const;

  /// Begin, where it was left. False, and nothing changes, when there is no such tour.
  bool start(const std::string& id, TourWorld& world, double now);
  void close();
  void restart(TourWorld& world, double now);  // from the first step

  [[nodiscard]] const Tour* tour() const { return tour_; }  // null: none is led
  [[nodiscard]] int at() const { return at_; }              // from 0; steps.size(): the question
  [[nodiscard]] const TourStep* step() const;               // null at the question
  [[nodiscard]] bool at_question() const { return tour_ && !step(); }
  [[nodiscard]] bool done() const { return done_; }  // what the step waits for has happened
  [[nodiscard]] bool acting() const { return arranging_ || !queue_.empty(); }
  [[nodiscard]] bool alone() const { return filled_; }  // it made one panel fill the window
  [[nodiscard]] bool hint_shown() const { return hint_; }
  [[nodiscard]] bool resumed() const { return resumed_; }  // and nothing was done since
  [[nodiscard]] const Answer& answer() const { return answer_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  /// Are the things that this step points at nowhere to be seen?
  [[nodiscard]] bool lost(const TourWorld& world) const;
  /// "step 34 of 60", for waits that count; else empty.
  [[nodiscard]] std::string progress(const TourWorld& world) const;

  void next(TourWorld& world, double now);
  void back(TourWorld& world, double now);
  void arrange();                      // what is done before the step, once more
  void do_it(const TourWorld& world);  // what the reader was asked for
  void choose(int choice);
  void finish();  // after the answer

  /// Once a frame, when everything was drawn. True when something changed: draw again.
  bool update(TourWorld& world, double now);
  /// The moment at which a hint will appear; 0: none.
  [[nodiscard]] double hint_at() const;

  /// Where the reader stands in each tour, as one line for the session file; and back.
  [[nodiscard]] std::string settings() const;
  void restore(const std::string& text);

 private:
  void enter(int at, TourWorld& world, double now);
  [[nodiscard]] bool holds(const TourWait& wait, const TourWorld& world, std::size_t index) const;

  std::vector<Tour> tours_;
  const Tour* tour_ = nullptr;
  int at_ = 0;
  int lost_frames_ = 0;  // since there is nothing more to arrange
  bool found_ = false;   // what it points at was there, in this step
  bool filled_ = false;  // and a small window shows one panel alone for that
  bool done_ = false, was_open_ = false, hint_ = false, resumed_ = false;
  std::vector<bool> happened_;        // of each wait: clicks and the like stay
  long first_step_ = 0;               // of the run, when this step of the tour began
  std::map<std::string, long> runs_;  // of commands, then
  double began_ = 0;
  std::deque<TourAct> queue_;
  bool arranging_ = false;     // the queue is what the step begins with
  double waiting_since_ = -1;  // for the probe of the first of the queue
  std::string trouble_;        // why the last act could not be done
  Answer answer_;
  std::map<std::string, int> places_;
  std::set<std::string> finished_;
};

}  // namespace tpp::viewer
