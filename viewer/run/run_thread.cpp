// A run on a thread of its own.
#include "viewer/run/run_thread.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "chapters/01_tensor/errors.h"
#include "chapters/11_gpt/checkpoint.h"
#include "chapters/11_gpt/worker_pool.h"
#include "viewer/run/governor.h"
#include "viewer/run/probe.h"
#include "viewer/run/sampler.h"
#include "viewer/run/timeline.h"

namespace tpp::viewer {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

// --- The run's thread ----------------------------------------------------------------------------

class RunThread::Worker {
 public:
  /// `steps` is where its scalars go: a box of the mail. `in_place` outlives it.
  Worker(Run run, const RunThreadConfig& config, Mail& mail, Scalars& steps, StandIns parts,
         InPlace& in_place)
      : config_(config),
        mail_(mail),
        steps_(steps),
        in_place_(in_place),
        run_(std::move(run)),
        parts_(std::move(parts)),
        past_(config.past_budget),
        watching_(config.watch_budget),
        sampling_(config.sample_budget) {}

  void main();

  // Commands
  void play() {
    last_step_ = -1;
    if (error_.empty()) goal_ = Goal::play;
  }
  void play_until(long step) {
    last_step_ = step;
    goal_ = step > run_.trainer->steps_done() ? Goal::play : Goal::none;
    if (goal_ == Goal::none) rest();
  }
  void pause() {
    // A step that has begun is finished
    goal_ = run_.trainer->has_gradients() && !by_phases_ ? Goal::step : Goal::none;
    if (goal_ == Goal::none) rest();
  }
  void step() {
    if (error_.empty()) goal_ = Goal::step;
  }
  void step_phase() {
    if (error_.empty()) goal_ = Goal::phase;
  }
  void reset();
  void restart(Run run, std::optional<Run> b);
  void seek();
  void fork(Run run, ForkAt at, bool own_rate, long id, const StandIns& more, bool keep);
  void close_fork();
  void set_speed(double speed) { speed_ = speed; }
  void set_learning_rate(double peak);
  void change_parts(bool of_b, const std::function<void(StandIns&)>& change);
  void set_prompt(const std::string& prompt);
  void set_temperature(double temperature);
  void want(std::vector<std::string> taps);
  void save(const std::string& path, const std::string& whose);
  void save_b(const std::string& path) {
    if (other_) {
      other_->save(path, " of B");
    } else {
      tell("There is no B to save.");
    }
  }

 private:
  enum class Goal { none, phase, step, play, travel };

  bool take_commands();
  void begin_run();
  void advance();  // one phase
  void compute();
  void update();
  void travel();
  void follow_the_past();
  void stop_at(const NotFinite& error);

  // Two runs in lockstep. A's worker leads: it has a goal, and takes B through the same phases
  void adopt(Run run, ForkAt at, StandIns parts);
  void compute_both();
  void update_both();
  void begin_travel(const TrainState& from, long target);
  [[nodiscard]] bool together() const { return !other_ || other_->place() == place(); }
  void end_fork();
  void lose_fork();
  void change_rate(double peak);
  [[nodiscard]] const StandIns& newest_parts() const { return next_parts_ ? *next_parts_ : parts_; }
  [[nodiscard]] long place() const {  // in half steps, to see who is behind
    return 2 * run_.trainer->steps_done() + (run_.trainer->has_gradients() ? 1 : 0);
  }
  [[nodiscard]] std::shared_ptr<Frame> picture_of(Worker& worker);
  void restart_trainer();
  void give_up(const std::string& why);
  [[nodiscard]] Worker* writer();  // whose text is being written; null: nobody's
  void rest();                     // the goal is reached
  void keep_pace();
  void sample_while_playing();
  void sample_while_paused();
  void publish(bool free);
  void publish_if_affordable();
  void wait_for_command();
  void tell(std::string sentence);
  void measure_rate(double seconds, int tokens);

  const RunThreadConfig& config_;
  Mail& mail_;
  Scalars& steps_;
  InPlace& in_place_;
  Run run_;
  StandIns parts_;                      // what stands in its model, while it computes
  std::optional<StandIns> next_parts_;  // and from the next step on, when one has begun
  Timeline past_;
  std::unique_ptr<Worker> other_;  // B; only A has one
  const Worker* busy_ = this;      // whose phase is being computed
  long forked_from_ = -1;          // the step at which B began; −1: there is none
  long fork_id_ = 0;
  std::optional<Probe> probe_;
  std::optional<Sampler> sampler_;
  std::string source_text_, prompt_;
  double temperature_ = SamplingConfig{}.temperature;
  std::vector<std::string> wanted_;

  Goal goal_ = Goal::none;
  Phase phase_ = Phase::update;
  bool by_phases_ = false;       // the step that has begun is taken phase by phase
  long last_step_ = -1;          // where to pause; −1: nowhere
  long travel_to_ = -1;          // the step of Goal::travel
  bool gradients_known_ = true;  // those at hand led to this step
  double speed_ = 0;
  std::string error_;
  double refused_rate_ = 0;  // the learning rate with which a value was not finite

  std::vector<Baseline> baselines_;
  std::tuple<std::string, std::string, std::uint64_t, std::string, int> baselines_of_;

  unsigned long version_ = 0;
  bool picture_is_old_ = true;
  Governor watching_, sampling_;
  Clock::time_point published_{}, step_began_{}, sample_began_{}, rate_since_{};
  double step_seconds_ = 0;  // spent in the phases of this step
  double last_seconds_ = 0;  // and of the last one
  int rate_steps_ = 0;
  long rate_tokens_ = 0;
  double steps_per_second_ = 0, tokens_per_second_ = 0;
};

void RunThread::Worker::main() {
  const StandIns before = stand_ins_now();
  lower_thread_priority();
  begin_run();
  publish(true);
  while (take_commands()) {
    if (goal_ != Goal::none) {
      advance();
    } else if (picture_is_old_) {
      publish(true);
    } else if (writer()) {
      sample_while_paused();
    } else {
      wait_for_command();
    }
  }
  in_place_.put(before);
}

bool RunThread::Worker::take_commands() {
  // A goal of one step is reached before the next command is taken, so that none is lost; and two runs
  // on their way to a step are stopped only where they are together
  while (goal_ == Goal::none || goal_ == Goal::play || (goal_ == Goal::travel && together())) {
    Command command;
    {
      const std::lock_guard lock(mail_.mutex);
      if (mail_.stop) return false;
      if (mail_.commands.empty()) return true;
      command = std::move(mail_.commands.front());
      mail_.commands.pop_front();
    }
    command(*this);
  }
  const std::lock_guard lock(mail_.mutex);
  return !mail_.stop;
}

void RunThread::Worker::wait_for_command() {
  std::unique_lock lock(mail_.mutex);
  mail_.to_run.wait(lock, [&] { return mail_.stop || !mail_.commands.empty(); });
}

void RunThread::Worker::begin_run() {
  parts_ = newest_parts();
  next_parts_.reset();
  in_place_.put(parts_);
  // What simple guessers get, once for each text
  const std::tuple key(run_.options.text, run_.options.tokenizer, run_.options.seed,
                       run_.options.objective, run_.options.length);
  if (baselines_of_ != key || baselines_.empty()) baselines_ = run_.source->baselines();
  baselines_of_ = key;

  run_.trainer->keep_last_good(true);
  source_text_ = run_.source->describe();
  past_.begin(run_.trainer->state(), run_.trainer->config().schedule.peak, parts_);
  gradients_known_ = true;
  probe_.emplace(run_);
  sampler_.emplace(run_);
  sampler_->set_prompt(prompt_);
  sampler_->set_temperature(temperature_);
  sampler_->start(config_.sample_tokens);
  sample_began_ = Clock::now();

  if (goal_ == Goal::travel) goal_ = Goal::none;
  phase_ = run_.trainer->has_gradients() ? Phase::backward : Phase::update;
  by_phases_ = false;
  error_.clear();
  refused_rate_ = 0;
  rate_since_ = {};
  steps_per_second_ = tokens_per_second_ = 0;
  step_seconds_ = 0;
  picture_is_old_ = true;
}

// --- Steps and phases ------------------------------------------------------------------------------

void RunThread::Worker::advance() {
  try {
    if (goal_ == Goal::phase) {
      by_phases_ = true;
      if (phase_ == Phase::update) {
        phase_ = Phase::forward;  // the picture is of the weights that the batch will pass
      } else if (phase_ == Phase::forward) {
        compute_both();
      } else {
        update_both();
      }
      rest();
      return;
    }
    by_phases_ = false;
    if (goal_ == Goal::travel) {
      travel();
      return;
    }
    if (!run_.trainer->has_gradients()) {
      compute_both();
      return;
    }
    update_both();
    if (goal_ == Goal::step || run_.trainer->steps_done() == last_step_) {
      rest();
      return;
    }
    publish_if_affordable();
    sample_while_playing();
    keep_pace();
  } catch (const NotFinite& error) {
    stop_at(error);
  } catch (const std::exception& error) {
    give_up(error.what());
  }
}

/// The same phase of B follows that of A, and until then no command is taken.
void RunThread::Worker::compute_both() {
  busy_ = this;
  compute();
  if (!other_) return;
  busy_ = other_.get();
  other_->compute();
}

void RunThread::Worker::update_both() {
  busy_ = this;
  update();
  if (!other_) return;
  busy_ = other_.get();
  other_->update();
  watching_.earn(other_->last_seconds_);
  sampling_.earn(other_->last_seconds_);
}

void RunThread::Worker::compute() {
  const auto before = Clock::now();
  step_began_ = before;
  follow_the_past();
  in_place_.put(parts_);
  run_.trainer->watch_updates(true);
  run_.trainer->compute_gradients();
  phase_ = Phase::backward;
  step_seconds_ += seconds_between(before, Clock::now());
}

void RunThread::Worker::update() {
  const auto before = Clock::now();
  in_place_.put(parts_);
  const bool repeated = run_.trainer->steps_done() < past_.frontier();
  const StepReport report = run_.trainer->update();
  phase_ = Phase::update;
  by_phases_ = false;
  picture_is_old_ = true;
  gradients_known_ = true;
  if (next_parts_) {
    parts_ = *next_parts_;
    next_parts_.reset();
    past_.change_parts(report.step, parts_);
  }
  if (repeated) {  // its scalars are known: they were the same
    step_seconds_ = last_seconds_ = 0;
    if (goal_ == Goal::play)
      measure_rate(seconds_between(step_began_, Clock::now()), report.tokens);
    return;
  }
  if (past_.step_done(report.step)) past_.keep(run_.trainer->state());

  StepScalars scalars;
  scalars.step = report.step;
  scalars.loss = float(report.loss);
  scalars.learning_rate = float(report.learning_rate);
  scalars.gradient_norm = float(report.gradient_norm);
  scalars.clip_scale = float(report.clip_scale);
  scalars.parameters = run_.trainer->parameter_reports();
  if (report.step == 1 || report.step % config_.validate_every == 0) {
    scalars.validation = float(run_.trainer->evaluate(config_.validation_windows));
  }

  // What the step took is what looking at it may cost a share of
  step_seconds_ += seconds_between(before, Clock::now());
  scalars.tokens_per_second = float(double(report.tokens) / std::max(step_seconds_, 1e-9));
  watching_.earn(step_seconds_);
  sampling_.earn(step_seconds_);
  last_seconds_ = std::exchange(step_seconds_, 0);
  if (goal_ == Goal::play) measure_rate(seconds_between(step_began_, Clock::now()), report.tokens);

  const std::lock_guard lock(mail_.mutex);
  steps_.steps.push_back(std::move(scalars));
}

// --- Back in time ------------------------------------------------------------------------------------

/// A step that is taken again is taken as it was.
void RunThread::Worker::follow_the_past() {
  const long step = run_.trainer->steps_done();
  if (step > past_.frontier()) return;
  parts_ = past_.parts_at(step);
  run_.options.learning_rate = past_.rate_at(step);
  run_.trainer->set_peak_learning_rate(past_.rate_at(step));
}

void RunThread::Worker::seek() {
  long target = 0;
  {
    const std::lock_guard lock(mail_.mutex);
    if (!mail_.seek_to) return;  // a newer wish was answered already
    target = *mail_.seek_to;
    mail_.seek_to.reset();
    mail_.playing = false;
  }
  long first = past_.first();
  if (other_ && other_->past_.first() > first) {
    first = other_->past_.first();
    if (target < first) {
      tell("B begins at step " + std::to_string(first) +
           ", so both go back to there and no further. Close B to go on back with A.");
    }
  }
  target = std::clamp(target, first, past_.frontier());
  error_.clear();
  last_step_ = -1;
  by_phases_ = false;
  const bool here = run_.trainer->steps_done() == target && !run_.trainer->has_gradients();
  if (here && gradients_known_) {
    rest();
    return;
  }

  // The step that leads there is taken again, so that its gradients are there too
  const auto before = [&](const Worker& w) -> const TrainState& {
    return w.past_.nearest(std::max(w.past_.first(), target - 1));
  };
  begin_travel(before(*this), target);
  if (other_) other_->begin_travel(before(*other_), target);
}

void RunThread::Worker::begin_travel(const TrainState& from, long target) {
  const long now = run_.trainer->steps_done();
  const bool on_the_way = now >= from.step && now < target && !run_.trainer->has_gradients();
  if (!on_the_way) {
    run_.trainer->set_state(from);
    run_.trainer->keep_last_good(true);  // none of the future
    gradients_known_ = false;
    next_parts_.reset();
  }
  phase_ = Phase::update;
  goal_ = Goal::travel;
  travel_to_ = target;
  picture_is_old_ = true;
}

/// A phase on the way, of the run that is further behind. Both are there when that one is.
void RunThread::Worker::travel() {
  Worker& behind = other_ && other_->place() < place() ? *other_ : *this;
  busy_ = &behind;
  const long now = behind.run_.trainer->steps_done();
  if (behind.run_.trainer->has_gradients()) {
    behind.update();
  } else if (now >= travel_to_) {
    follow_the_past();  // the rate that the knob shows is the one of here
    if (other_) {
      other_->follow_the_past();
      run_.trainer->keep_last_good(true);  // of the same step
      other_->run_.trainer->keep_last_good(true);
    }
    rest();
  } else {
    behind.compute();
    return;
  }
  const bool shows = goal_ == Goal::travel && together() && !run_.trainer->has_gradients();
  if (shows && seconds_between(published_, Clock::now()) > 0.25) publish(true);  // how far it is
}

void RunThread::Worker::stop_at(const NotFinite& error) {
  const bool again = goal_ == Goal::travel;
  const std::string in = !other_ ? "" : busy_ == this ? "In A, " : "In B, ";
  long kept = run_.trainer->restore_last_good();
  long kept_b = other_ ? other_->run_.trainer->restore_last_good() : kept;
  refused_rate_ = run_.options.learning_rate;
  phase_ = Phase::update;
  if (other_) other_->phase_ = Phase::update;
  if (again && kept != kept_b) {
    lose_fork();
    kept_b = kept;
  }

  // One may have kept its state a step before the other failed
  const long target = std::min(kept, kept_b);
  error_ = in + error.value + " was not finite at step " + std::to_string(error.step) +
           (in.empty() ? ", so training has stopped." : ", so both have stopped.") +
           " The state of step " + std::to_string(target) +
           " is kept: lower the learning rate, or reset.";
  if (kept == kept_b) return rest();
  Worker& ahead = kept > target ? *this : *other_;
  ahead.begin_travel(ahead.past_.nearest(target), target);
  goal_ = Goal::travel;
  travel_to_ = target;
  const std::lock_guard lock(mail_.mutex);
  mail_.error = error_;
  mail_.playing = false;
}

/// Something went wrong that no learning rate mends. Two runs may stand apart now: B ends.
void RunThread::Worker::give_up(const std::string& why) {
  const std::string in = !other_         ? ""
                         : busy_ == this ? " in A, and B is closed"
                                         : " in B, which is closed";
  lose_fork();
  error_ = "The run has stopped" + in + ": " + why;
  rest();
}

void RunThread::Worker::rest() {
  goal_ = Goal::none;
  if (run_.trainer->steps_done() == last_step_) last_step_ = -1;
  rate_since_ = {};
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.error = error_;
    // A goal that waits has said already whether it plays
    if (mail_.goals_waiting == 0 || !error_.empty()) mail_.playing = false;
  }
  // While nothing trains there is time for a text of this very step
  for (Worker* w : {this, other_.get()}) {
    if (w && w->sampler_->step() != w->run_.trainer->steps_done())
      w->sampler_->start(config_.sample_tokens);
  }
  picture_is_old_ = true;
}

void RunThread::Worker::measure_rate(double seconds, int tokens) {
  const auto now = Clock::now();
  if (rate_since_ == Clock::time_point{}) {
    rate_since_ =
        now - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    rate_steps_ = 0;
    rate_tokens_ = 0;
  }
  ++rate_steps_;
  rate_tokens_ += tokens;
  const double passed = seconds_between(rate_since_, now);
  if (passed > 0.5 || steps_per_second_ == 0) {
    steps_per_second_ = rate_steps_ / std::max(passed, 1e-9);
    tokens_per_second_ = double(rate_tokens_) / std::max(passed, 1e-9);
  }
  if (passed > 1.0) {
    rate_since_ = now;
    rate_steps_ = 0;
    rate_tokens_ = 0;
  }
}

void RunThread::Worker::keep_pace() {
  if (!(speed_ > 0) || goal_ != Goal::play) return;
  const auto due = step_began_ + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(1 / speed_));
  const auto before = Clock::now();
  if (due <= before) return;
  // There is time: show this step
  if (picture_is_old_ && seconds_between(published_, before) >= 1 / config_.frames_per_second) {
    publish(false);
  }
  {
    std::unique_lock lock(mail_.mutex);
    mail_.to_run.wait_until(lock, due, [&] { return mail_.stop || !mail_.commands.empty(); });
  }
  const double idle = seconds_between(before, Clock::now());
  watching_.earn(0, idle);
  sampling_.earn(0, idle);
}

// --- Commands --------------------------------------------------------------------------------------

void RunThread::Worker::restart_trainer() {
  // A new trainer starts where the seed says; the model and the text have not changed
  TrainConfig config = run_.trainer->config();
  config.schedule.peak = run_.options.learning_rate;
  run_.trainer.reset();
  run_.trainer = std::make_unique<Trainer>(*run_.model, *run_.source, config);
  {
    const std::lock_guard lock(mail_.mutex);
    steps_.clear();
    mail_.error.clear();
  }
  begin_run();
}

void RunThread::Worker::reset() {
  goal_ = goal_ == Goal::play ? Goal::play : Goal::none;
  restart_trainer();
  if (!other_) return;
  other_->restart_trainer();
  forked_from_ = 0;
}

void RunThread::Worker::restart(Run run, std::optional<Run> b) {
  StandIns parts_b = other_ ? other_->newest_parts() : parts_;
  end_fork();
  sampler_.reset();
  probe_.reset();
  run_.trainer.reset();  // it refers to the model and the source
  run_ = std::move(run);
  {
    const std::lock_guard lock(mail_.mutex);
    steps_.clear();
    mail_.error.clear();
  }
  begin_run();
  if (b) adopt(std::move(*b), ForkAt::start, std::move(parts_b));
}

void RunThread::Worker::fork(Run run, ForkAt at, bool own_rate, long id, const StandIns& more,
                             bool keep) {
  StandIns parts = keep && other_ ? other_->newest_parts() : newest_parts();
  for (const StandIn& one : more) viewer::put_in(parts, one);
  end_fork();
  fork_id_ = id;
  if (at == ForkAt::start) {
    reset();
  } else {
    if (goal_ == Goal::travel) {
      goal_ = run_.trainer->has_gradients() ? Goal::step : Goal::none;
      if (goal_ == Goal::none) rest();
    }
    past_.cut(run_.trainer->steps_done());  // from here on both are new
    run_.trainer->keep_last_good(true);     // of the step at which B does
  }
  if (!own_rate) {  // it may have changed since B was asked for
    run.options.learning_rate = run_.options.learning_rate;
    run.trainer->set_peak_learning_rate(run_.options.learning_rate);
  }
  adopt(std::move(run), at, std::move(parts));
}

/// B takes its place beside A, at the same step and phase.
void RunThread::Worker::adopt(Run run, ForkAt at, StandIns parts) {
  try {
    if (at == ForkAt::here) {
      run.trainer->set_state(transplanted(run_.trainer->state(), run_.model->table(),
                                          run.trainer->state(), run.model->table(),
                                          same_moments(run_.options, run.options)));
    }
    other_ = std::make_unique<Worker>(std::move(run), config_, mail_, mail_.steps_b,
                                      std::move(parts), in_place_);
    for (Worker* w : {this, other_.get()}) w->past_.set_budget(config_.past_budget / 2);
    other_->baselines_ = baselines_;  // the text is the same
    other_->baselines_of_ = baselines_of_;
    other_->prompt_ = prompt_;
    other_->temperature_ = temperature_;
    other_->wanted_ = wanted_;
    other_->begin_run();
    other_->gradients_known_ = run_.trainer->steps_done() == 0;
    forked_from_ = run_.trainer->steps_done();
    picture_is_old_ = true;
    published_ = {};
    busy_ = other_.get();
    if (run_.trainer->has_gradients()) other_->compute();
  } catch (const NotFinite& error) {
    stop_at(error);
  } catch (const std::exception& error) {
    lose_fork();
    tell(std::string("B could not begin: ") + error.what());
  }
}

void RunThread::Worker::close_fork() {
  if (!other_) return;
  if (error_.starts_with("In B, ")) {  // A can go on
    error_.clear();
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
  }
  end_fork();
}

/// B ends by itself: the window is told.
void RunThread::Worker::lose_fork() {
  end_fork();
  const std::lock_guard lock(mail_.mutex);
  mail_.lost_fork = fork_id_;
}

void RunThread::Worker::end_fork() {
  if (!other_) return;
  other_.reset();
  past_.set_budget(config_.past_budget);
  busy_ = this;
  forked_from_ = -1;
  picture_is_old_ = true;
  const std::lock_guard lock(mail_.mutex);
  mail_.frame_b.reset();
  mail_.steps_b.clear();
}

void RunThread::Worker::change_rate(double peak) {
  past_.change_rate(run_.trainer->steps_done(), peak);
  run_.options.learning_rate = peak;
  run_.trainer->set_peak_learning_rate(peak);
}

void RunThread::Worker::set_learning_rate(double peak) {
  // Where the rates are what differs, they go on differing as much
  const double before = run_.options.learning_rate;
  if (other_) {
    other_->change_rate(scaled_rate(other_->run_.options.learning_rate, before, peak));
  }
  change_rate(peak);
  if (!error_.empty() && peak < refused_rate_) {
    error_.clear();
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
  }
  picture_is_old_ = true;
}

/// Another function in the model is another run from here on.
void RunThread::Worker::change_parts(bool of_b, const std::function<void(StandIns&)>& change) {
  Worker* w = of_b ? other_.get() : this;
  if (!w) return;
  StandIns parts = w->newest_parts();
  change(parts);
  if (parts == w->newest_parts()) return;
  if (goal_ == Goal::travel) {  // it stops where it is
    goal_ = run_.trainer->has_gradients() ? Goal::step : Goal::none;
    if (goal_ == Goal::none) rest();
  }
  const long step = run_.trainer->steps_done();
  if (run_.trainer->has_gradients()) {
    w->next_parts_ = parts;
  } else {
    w->parts_ = parts;
    w->past_.change_parts(step, parts);
  }
  if (!error_.empty()) {
    error_.clear();
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
  }
  picture_is_old_ = true;
}

void RunThread::Worker::set_prompt(const std::string& prompt) {
  if (other_) other_->set_prompt(prompt);
  prompt_ = prompt;
  sampler_->set_prompt(prompt);
  sampler_->start(config_.sample_tokens);
  sample_began_ = Clock::now();
  picture_is_old_ = true;
}

void RunThread::Worker::set_temperature(double temperature) {
  if (other_) other_->set_temperature(temperature);
  temperature_ = temperature;
  sampler_->set_temperature(temperature);
  sampler_->start(config_.sample_tokens);
  sample_began_ = Clock::now();
}

void RunThread::Worker::want(std::vector<std::string> taps) {
  wanted_ = std::move(taps);
  if (other_) other_->wanted_ = wanted_;
  picture_is_old_ = true;
  published_ = {};  // at the next step, whatever the frame rate
}

void RunThread::Worker::save(const std::string& path, const std::string& whose) {
  try {
    Metadata metadata = run_metadata(run_);
    metadata.erase("mine");  // the slots may hold the other run's functions now
    if (!parts_.empty()) metadata["mine"] = labels_of(parts_);
    save_checkpoint(path, run_.model->table(), run_.trainer->state(), metadata);
    tell("Saved step " + std::to_string(run_.trainer->steps_done()) + whose + " to " + path + ".");
  } catch (const std::exception& error) {
    tell(error.what());
  }
}

void RunThread::Worker::tell(std::string sentence) {
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.notices.push_back(std::move(sentence));
  }
  mail_.published.notify_all();
  if (config_.wake) config_.wake();
}

// --- Looking ---------------------------------------------------------------------------------------

void RunThread::Worker::publish_if_affordable() {
  if (!watching_.may_spend()) return;
  if (seconds_between(published_, Clock::now()) < 1 / config_.frames_per_second) return;
  publish(false);
}

/// A picture of A or of B, as both are now.
std::shared_ptr<Frame> RunThread::Worker::picture_of(Worker& worker) {
  auto frame = std::make_shared<Frame>();
  Worker& w = worker;
  frame->version = ++version_;
  frame->step = w.run_.trainer->steps_done();
  frame->phase = phase_;
  frame->playing = goal_ == Goal::play;
  frame->error = error_;
  frame->options = w.run_.options;
  frame->config = w.run_.model->config();
  frame->parameters = w.run_.model->table().list();
  frame->baselines = w.baselines_;
  frame->source = w.source_text_;
  frame->parts = w.parts_;
  in_place_.put(w.parts_);
  frame->first = w.past_.first();
  frame->frontier = w.past_.frontier();
  frame->travelling_to = goal_ == Goal::travel ? travel_to_ : -1;
  frame->kept = w.past_.kept();
  frame->past_bytes = w.past_.bytes();
  frame->past_budget = w.past_.budget();
  frame->fork = forked_from_;
  std::vector<std::string> shown = wanted_;
  if (!w.gradients_known_) {
    std::erase_if(shown, [](const std::string& name) { return name.starts_with("grad:"); });
  }
  w.probe_->fill(*frame, shown);

  const Sampler::Text& text = w.sampler_->shown(goal_ == Goal::none);
  frame->sample_prompt = text.prompt;
  frame->sample_text = text.text;
  frame->sample_step = text.step;
  frame->sample_whole = text.whole;
  if (!w.sampler_->fills_blanks()) {  // then there is no next token to ask for
    frame->next_tokens = w.probe_->next(w.sampler_->prompt_tokens(), 10);
  }

  frame->steps_per_second = steps_per_second_;
  frame->tokens_per_second = tokens_per_second_;
  frame->watch_share = watching_.share();
  frame->sample_share = sampling_.share();
  frame->watch_seconds = watching_.spent();
  frame->watch_trained = watching_.trained();
  frame->sample_seconds = sampling_.spent();
  frame->sample_trained = sampling_.trained();
  frame->memory_bytes =
      w.run_.trainer->memory_bytes() + w.probe_->memory_bytes() + w.sampler_->memory_bytes();
  return frame;
}

void RunThread::Worker::publish(bool free) {
  const auto before = Clock::now();
  std::shared_ptr<const Frame> frame = picture_of(*this), frame_b;
  if (other_) frame_b = picture_of(*other_);
  picture_is_old_ = false;
  published_ = Clock::now();
  const double cost = seconds_between(before, published_);
  if (free) {
    watching_.expect(cost);
  } else {
    watching_.spend(cost);
  }

  {
    const std::lock_guard lock(mail_.mutex);
    mail_.frame = std::move(frame);
    mail_.frame_b = std::move(frame_b);
    if (mail_.wanted == wanted_) mail_.unanswered = false;
  }
  mail_.published.notify_all();
  if (config_.wake) config_.wake();
}

RunThread::Worker* RunThread::Worker::writer() {
  if (sampler_->busy()) return this;
  return other_ && other_->sampler_->busy() ? other_.get() : nullptr;
}

void RunThread::Worker::sample_while_playing() {
  if (!writer()) {
    if (seconds_between(sample_began_, Clock::now()) < config_.sample_every) return;
    if (!sampling_.may_spend()) return;
    sampler_->start(config_.sample_tokens);
    if (other_) other_->sampler_->start(config_.sample_tokens);
    sample_began_ = Clock::now();
  }
  while (Worker* w = writer()) {
    if (!sampling_.may_spend()) return;
    const auto before = Clock::now();
    in_place_.put(w->parts_);
    try {
      w->sampler_->advance();
    } catch (const InputError&) {
      w->sampler_->stop();  // the model's numbers are no probabilities: the next step will say so
    }
    sampling_.spend(seconds_between(before, Clock::now()));
  }
}

void RunThread::Worker::sample_while_paused() {
  // A hundredth of a second at a time, so that commands need not wait
  const auto before = Clock::now();
  for (Worker* w = writer(); w && seconds_between(before, Clock::now()) < 0.01; w = writer()) {
    const auto token = Clock::now();
    in_place_.put(w->parts_);
    try {
      w->sampler_->advance();
      sampling_.expect(seconds_between(token, Clock::now()));
    } catch (const InputError&) {
      w->sampler_->stop();
    }
  }
  const bool due = seconds_between(published_, Clock::now()) >= 0.1;
  if (!writer() || due) picture_is_old_ = true;
}

// --- The window's side -------------------------------------------------------------------------------

RunThread::RunThread(const RunOptions& options, RunThreadConfig config)
    : RunThread(make_run(options, config.open(options), config.background), config) {}

RunThread::RunThread(Run run, RunThreadConfig config)
    : options_(run.options), config_(std::move(config)) {
  worker_ = std::make_unique<Worker>(std::move(run), config_, mail_, mail_.steps, stand_ins_now(),
                                     in_place_);
  thread_ = std::thread([this] { worker_->main(); });
}

RunThread::~RunThread() {
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.stop = true;
  }
  mail_.to_run.notify_one();
  thread_.join();
}

void RunThread::send(Command command) {
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.commands.push_back(std::move(command));
  }
  mail_.to_run.notify_one();
}

void RunThread::send_goal(Command command, bool play) {
  {
    const std::lock_guard lock(mail_.mutex);
    if (!mail_.error.empty()) throw InputError(mail_.error);
    // A key that is held down must not fill the queue faster than steps are taken
    constexpr int kMostWaiting = 16;
    if (mail_.goals_waiting >= kMostWaiting) return;
    ++mail_.goals_waiting;
    mail_.playing = play;
  }
  send([this, command = std::move(command)](Worker& w) {
    {
      const std::lock_guard lock(mail_.mutex);
      --mail_.goals_waiting;
    }
    command(w);
  });
}

void RunThread::play() {
  send_goal([](Worker& w) { w.play(); }, true);
}
void RunThread::play_until(long step) {
  send_goal([step](Worker& w) { w.play_until(step); }, true);
}
void RunThread::step() {
  send_goal([](Worker& w) { w.step(); }, false);
}
void RunThread::step_phase() {
  send_goal([](Worker& w) { w.step_phase(); }, false);
}

void RunThread::pause() {
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.playing = false;
  }
  send([](Worker& w) { w.pause(); });
}

void RunThread::reset() {
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
  }
  if (fork_) fork_->at = ForkAt::start;
  send([](Worker& w) { w.reset(); });
}

void RunThread::restart(const RunOptions& options) {
  const auto make = [&](const RunOptions& o) {
    return make_run(o, config_.open(o), config_.background);
  };
  auto a = std::make_shared<Run>(make(options));
  std::shared_ptr<Run> b;
  if (fork_) {  // it stays A with the same things set otherwise
    b = std::make_shared<Run>(make(with_swaps(options, fork_->swaps)));
    fork_->at = ForkAt::start;
  }
  options_ = options;
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
  }
  send([a, b](Worker& w) {
    w.restart(std::move(*a), b ? std::optional<Run>(std::move(*b)) : std::nullopt);
  });
}

void RunThread::fork(const Swaps& swaps, ForkAt at, const StandIns& more, bool keep) {
  const RunOptions options = with_swaps(options_, swaps);
  auto b = std::make_shared<Run>(make_run(options, config_.open(options), config_.background));
  fork_ = Fork{swaps_between(options_, options), at, ++forks_};
  const bool own_rate = options.learning_rate != options_.learning_rate;
  if (at == ForkAt::start) {
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
  }
  send([b, at, own_rate, id = forks_, more, keep](Worker& w) {
    w.fork(std::move(*b), at, own_rate, id, more, keep);
  });
}

void RunThread::close_fork() {
  fork_.reset();
  send([](Worker& w) { w.close_fork(); });
}

void RunThread::put_in(bool of_b, const StandIns& parts) {
  send([of_b, parts](Worker& w) {
    w.change_parts(of_b, [&](StandIns& all) {
      for (const StandIn& one : parts) viewer::put_in(all, one);
    });
  });
}

void RunThread::take_out(bool of_b, const StandIns& parts) {
  send([of_b, parts](Worker& w) {
    w.change_parts(of_b, [&](StandIns& all) {
      for (const StandIn& one : parts) viewer::take_out(all, one);
    });
  });
}

void RunThread::seek(long step) {
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
    const bool asked = mail_.seek_to.has_value();
    mail_.seek_to = step;
    if (asked) return;  // the command that waits will find the newer wish
  }
  send([](Worker& w) { w.seek(); });
}

void RunThread::set_speed(double steps_per_second) {
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.speed = steps_per_second;
  }
  send([steps_per_second](Worker& w) { w.set_speed(steps_per_second); });
}

void RunThread::set_learning_rate(double peak) {
  if (fork_) {
    for (auto& [name, value] : fork_->swaps) {
      if (name != "lr") continue;
      RunOptions b = options_;
      set_option(b, name, value);
      b.learning_rate = scaled_rate(b.learning_rate, options_.learning_rate, peak);
      value = get_option(b, name);
    }
  }
  options_.learning_rate = peak;
  send([peak](Worker& w) { w.set_learning_rate(peak); });
}
void RunThread::set_prompt(const std::string& prompt) {
  send([prompt](Worker& w) { w.set_prompt(prompt); });
}
void RunThread::set_temperature(double temperature) {
  send([temperature](Worker& w) { w.set_temperature(temperature); });
}

void RunThread::want(const std::vector<std::string>& taps) {
  // Asked in every frame of the window, sent when it changes
  {
    const std::lock_guard lock(mail_.mutex);
    if (mail_.wanted == taps) return;
    mail_.wanted = taps;
    mail_.unanswered = true;
  }
  send([taps](Worker& w) { w.want(taps); });
}

void RunThread::save(const std::string& path, bool of_b) {
  send([path, of_b, two = forked()](Worker& w) {
    if (of_b) {
      w.save_b(path);
    } else {
      w.save(path, two ? " of A" : "");
    }
  });
}

bool RunThread::answered() const {
  const std::lock_guard lock(mail_.mutex);
  return !mail_.unanswered;
}

bool RunThread::playing() const {
  const std::lock_guard lock(mail_.mutex);
  return mail_.playing;
}
double RunThread::speed() const {
  const std::lock_guard lock(mail_.mutex);
  return mail_.speed;
}

std::shared_ptr<const Frame> RunThread::frame() const {
  const std::lock_guard lock(mail_.mutex);
  return mail_.frame;
}

FramePair RunThread::frames() const {
  const std::lock_guard lock(mail_.mutex);
  return {mail_.frame, mail_.frame_b};
}

bool RunThread::drain(History& history) { return drain(mail_.steps, history); }
bool RunThread::drain_b(History& history) { return drain(mail_.steps_b, history); }

bool RunThread::drain(Scalars& from, History& history) {
  std::vector<StepScalars> steps;
  bool cleared = false;
  {
    const std::lock_guard lock(mail_.mutex);
    steps.swap(from.steps);
    cleared = std::exchange(from.cleared, false);
  }
  if (steps.empty() && !cleared) return false;
  if (cleared) {
    history.steps.clear();
    ++history.epoch;
  }
  for (StepScalars& step : steps) {
    // After a step back in time, what followed is replaced
    if (!history.steps.empty() && history.steps.back().step >= step.step) {
      while (!history.steps.empty() && history.steps.back().step >= step.step) {
        history.steps.pop_back();
      }
      ++history.epoch;
    }
    history.steps.push_back(std::move(step));
  }
  ++history.version;
  return true;
}

std::vector<std::string> RunThread::take_notices() {
  const std::lock_guard lock(mail_.mutex);
  if (fork_ && mail_.lost_fork == fork_->id) fork_.reset();
  return std::exchange(mail_.notices, {});
}

std::shared_ptr<const Frame> RunThread::wait_for(const std::function<bool(const Frame&)>& done,
                                                 double seconds) const {
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(seconds));
  std::unique_lock lock(mail_.mutex);
  while (true) {
    if (mail_.frame && done(*mail_.frame)) return mail_.frame;
    if (mail_.published.wait_until(lock, until) == std::cv_status::timeout) {
      return mail_.frame && done(*mail_.frame) ? mail_.frame : nullptr;
    }
  }
}

}  // namespace tpp::viewer
