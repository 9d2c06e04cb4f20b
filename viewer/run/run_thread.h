// A run on a thread of its own: it takes commands between phases, trains, and publishes pictures.
//
// The window never touches the model. Commands go in by a queue; frames come out by a mailbox that
// holds only the newest, scalars by a box that holds all. Making a frame costs time, so a governor
// makes fewer of them when they would take more than their share.
//
// A second run, B, can go in lockstep with the first: on the same thread, a phase of A and then the
// same phase of B. So they never compute at once, and when they rest they are at the same step.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "viewer/run/frame.h"
#include "viewer/run/lockstep.h"
#include "viewer/run/run_control.h"
#include "viewer/run/stand_ins.h"

namespace tpp::viewer {

/// How a run gets what it learns from. Errors: InputError.
using SourceOpener = std::function<std::unique_ptr<BatchSource>(const RunOptions&)>;

struct RunThreadConfig {
  SourceOpener open;           // needed: for the start, and for restart()
  std::function<void()> wake;  // called on the run's thread when something was published
  bool background = true;      // let the window go first

  double frames_per_second = 30;  // while playing; never more
  // Largest share of the training time for frames. Measuring each parameter's change, at every step,
  // takes about 0.5 % more (the default model): together at most 3 %
  double watch_budget = 0.025;
  double sample_budget = 0.03;  // and for generated text
  double sample_every = 2;      // seconds, if the budget allows
  int sample_tokens = 160;
  int validate_every = 50;     // steps
  int validation_windows = 8;  // sequences
  // Bytes of states that are kept, to go back in time; two runs have a half each
  std::size_t past_budget = 256 << 20;
};

class RunThread final : public RunControl {
 public:
  /// Paused, at step 0. Errors: InputError, before a thread is started.
  RunThread(const RunOptions& options, RunThreadConfig config);
  /// Go on with a run that exists: a checkpoint's.
  RunThread(Run run, RunThreadConfig config);
  /// Stops after the phase that is being computed.
  ~RunThread() override;
  RunThread(const RunThread&) = delete;
  RunThread& operator=(const RunThread&) = delete;

  void play() override;
  void pause() override;
  void step() override;
  void step_phase() override;
  void reset() override;
  void restart(const RunOptions& options) override;
  void seek(long step) override;
  void set_speed(double steps_per_second) override;
  void set_learning_rate(double peak) override;
  void set_prompt(const std::string& prompt) override;
  void set_temperature(double temperature) override;
  void want(const std::vector<std::string>& taps) override;
  void save(const std::string& path) override { save(path, false); }
  void save(const std::string& path, bool of_b);  // tells by take_notices() how it went
  [[nodiscard]] bool playing() const override;
  [[nodiscard]] double speed() const override;

  /// Play, and pause by itself when this many steps are done.
  void play_until(long step);

  /// Begin a second run, B: this one with a few options set otherwise. From now on every command goes to
  /// both. ForkAt::here gives it the weights and moments of all parameters that both have; ForkAt::start
  /// sets both to step 0. A B that was there before is replaced.
  /// Errors  InputError, in the caller's thread, when the options cannot be; all goes on as it was
  ///         `more` stand in its model besides what A has there; with `keep`, besides what the B has that
  ///         it replaces
  void fork(const Swaps& swaps, ForkAt at, const StandIns& more = {}, bool keep = false);
  /// B ends, and its memory is given back. Nothing happens without one.
  void close_fork();
  [[nodiscard]] bool forked() const { return fork_.has_value(); }
  /// What is set otherwise in B, and where it began. Only while forked().
  [[nodiscard]] const Swaps& swaps() const { return fork_->swaps; }
  [[nodiscard]] ForkAt forked_at() const { return fork_->at; }

  /// What A was asked to be last: a frame with it may be on its way.
  [[nodiscard]] const RunOptions& options() const { return options_; }

  /// Put functions into the model of A, or of B, instead of the book's; or take them out again. A step
  /// that has begun is finished first. Nothing happens to a B that is not there.
  void put_in(bool of_b, const StandIns& parts);
  void take_out(bool of_b, const StandIns& parts);

  /// The newest frame of A; null before the first.
  [[nodiscard]] std::shared_ptr<const Frame> frame() const;
  /// The newest frames, of one and the same step.
  [[nodiscard]] FramePair frames() const;

  /// Has the newest frame been drawn for what was wanted last? A slow device takes its time.
  [[nodiscard]] bool answered() const;

  /// Move the scalars of all steps since the last call into `history`. False if there are none.
  bool drain(History& history);
  bool drain_b(History& history);  // the same for B; empties it when B has ended

  /// Sentences for the reader since the last call: "Saved …", "… could not be written …".
  [[nodiscard]] std::vector<std::string> take_notices();

  /// Wait for a frame of which `done` is true; null if `seconds` passed first.
  [[nodiscard]] std::shared_ptr<const Frame> wait_for(const std::function<bool(const Frame&)>& done,
                                                      double seconds) const;

 private:
  class Worker;  // all that only the run's thread touches
  using Command = std::function<void(Worker&)>;

  struct Scalars {
    std::vector<StepScalars> steps;  // not yet drained
    bool cleared = false;            // before those steps, the history began anew
    void clear() {
      steps.clear();
      cleared = true;
    }
  };

  // What both threads touch, under the mutex
  struct Mail {
    mutable std::mutex mutex;
    std::condition_variable to_run;             // a command, or stop
    mutable std::condition_variable published;  // a frame
    std::deque<Command> commands;
    bool stop = false;
    std::shared_ptr<const Frame> frame, frame_b;
    Scalars steps, steps_b;
    std::vector<std::string> notices;
    std::string error;  // why the run has stopped
    bool playing = false;
    double speed = 0;
    int goals_waiting = 0;            // commands to play or step in the queue
    std::vector<std::string> wanted;  // the last that was asked for
    bool unanswered = false;          // and no frame has it yet
    std::optional<long> seek_to;      // the newest wish; older ones are forgotten
    long lost_fork = 0;               // a B that had to end by itself
  };

  void send(Command command);
  void send_goal(Command command, bool play);
  bool drain(Scalars& from, History& history);

  // What was asked for last; only the window's thread touches these
  struct Fork {
    Swaps swaps;
    ForkAt at = ForkAt::here;
    long id = 0;
  };
  RunOptions options_;  // of A
  std::optional<Fork> fork_;
  long forks_ = 0;

  RunThreadConfig config_;
  Mail mail_;
  InPlace in_place_;  // only the run's thread puts
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace tpp::viewer
