// Breaking the model on purpose: what is broken in which run, and predict-then-reveal.
//
// B is broken by default, so that A beside it stays right. A trial asks first what will happen, then
// lets both runs go from the start, then shows the answer beside the numbers that were measured.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "viewer/break/breakages.h"
#include "viewer/break/builder.h"
#include "viewer/run/run_thread.h"

namespace tpp::viewer {

/// A number of both runs, as the reveal shows it.
struct Measured {
  Measure measure = Measure::loss;
  double a = 0, b = 0;
};

struct Trial {
  enum class Stage {
    asked,     // the reader is to choose
    building,  // the wrong answer is being compiled
    starting,  // both go to the start
    running,   // until the step
    revealed,
  };
  Breakage what;
  Stage stage = Stage::asked;
  Answer answer = {};
  long until = 0;
  std::vector<Measured> numbers = {};  // once revealed
  bool otherwise = false;              // this run did not do what the answer says
  std::string stopped = {};            // why B, or both, did not get there
  int number = 0;                      // of the session's questions, from 1; 0: it is none of them
};

/// What the window should bring to the reader's eyes.
struct BreakWish {
  std::string panel = {}, view = {};
  Place place = {};
  bool show_b = false;  // B is shown from now on
  std::string toast = {};
  bool error = false;
};

class BreakIt {
 public:
  /// The run must outlive it.
  BreakIt(RunThread& run, LoadStandIns load, std::function<void()> wake = {});

  // --- What the reader does

  /// Break B, which is forked from A here unless there is one; or the run itself. Options begin a run
  /// anew: B from the start, or A.
  void apply(const Breakage& what, bool to_b);
  /// Undo it in every run that has it.
  void mend(const std::string& id);
  void mend_all();

  /// Ask before anything is done. A trial that was there is forgotten.
  void ask(const Breakage& what);
  /// The reader's choice; −1: none, just show.
  void predict(int choice);
  /// Forget the trial. What is broken stays broken.
  void leave();
  /// The run was paused on the way: go on.
  void go_on();

  /// The session's questions, asked one after another: the first is asked at once. Answers are added to
  /// the file, a line each.
  void set_asks(std::vector<Breakage> asks, const std::filesystem::path& predictions);
  [[nodiscard]] int asks() const { return static_cast<int>(asks_.size()); }
  [[nodiscard]] bool has_next() const;
  void next();  // question

  // --- What the window shows

  /// In each frame of the window: what has been built, what the runs have reached.
  void update(const Frame* a, const Frame* b, const History& history, const History& history_b);
  [[nodiscard]] std::vector<std::string> taps(const Frame* a) const;  // for the reveal
  [[nodiscard]] std::vector<BreakWish> take_wishes();

  [[nodiscard]] const std::optional<Trial>& trial() const { return trial_; }
  /// Is it broken in the run, at the step that is shown?
  [[nodiscard]] bool is_on(const std::string& id, bool in_b) const;
  /// It was asked for, and is being built.
  [[nodiscard]] bool is_building(const std::string& id) const;
  /// "broken in B: no 1/√K"; empty when all is as in the book.
  [[nodiscard]] const std::string& badge() const { return badge_; }
  /// 0 … 1, of the trial's steps.
  [[nodiscard]] float progress() const;

 private:
  struct Applied {
    Breakage what;
    StandIns functions;  // for a wrong answer
    Swaps undo;          // of A's options
  };
  struct Waiting {  // for the builder
    Breakage what;
    bool in_b = false;
  };

  void put(const Breakage& what, bool in_b, const StandIns& functions);
  void begin_trial(const StandIns& functions);
  void reveal(const Frame& a, const Frame& b, const History& history, const History& history_b);
  void write_down();
  void tell(std::string sentence, bool error = false);
  void remember(Applied one);
  [[nodiscard]] bool refuses_device();
  [[nodiscard]] bool holds_in(const Applied& one, bool in_b) const;

  RunThread& run_;
  Builder builder_;
  std::vector<Applied> applied_;
  std::vector<Waiting> waiting_;
  std::optional<Trial> trial_;
  std::vector<Breakage> asks_;
  int asked_ = 0;  // how many of them
  std::filesystem::path predictions_;
  std::vector<BreakWish> wishes_;
  std::string badge_;

  // As of the last update
  std::optional<RunOptions> options_a_, options_b_;
  StandIns parts_a_, parts_b_;
  long step_ = 0;
};

}  // namespace tpp::viewer
