// A run on a thread of its own.
#include "viewer/run/run_thread.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "chapters/01_tensor/errors.h"
#include "chapters/02_tape/slots.h"
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
  Worker(Run run, const RunThreadConfig& config, Mail& mail)
      : config_(config),
        mail_(mail),
        run_(std::move(run)),
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
  void step() { goal_ = Goal::step; }
  void step_phase() { goal_ = Goal::phase; }
  void reset();
  void restart(Run run);
  void seek();
  void set_speed(double speed) { speed_ = speed; }
  void set_learning_rate(double peak);
  void set_prompt(const std::string& prompt);
  void set_temperature(double temperature);
  void want(std::vector<std::string> taps);
  void save(const std::string& path);

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
  void rest();  // the goal is reached
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
  Run run_;
  Timeline past_;
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
  std::tuple<std::string, std::string, std::uint64_t> baselines_of_;

  unsigned long version_ = 0;
  bool picture_is_old_ = true;
  Governor watching_, sampling_;
  Clock::time_point published_{}, step_began_{}, sample_began_{}, rate_since_{};
  double step_seconds_ = 0;  // spent in the phases of this step
  int rate_steps_ = 0;
  long rate_tokens_ = 0;
  double steps_per_second_ = 0, tokens_per_second_ = 0;
};

void RunThread::Worker::main() {
  lower_thread_priority();
  begin_run();
  publish(true);
  while (take_commands()) {
    if (goal_ != Goal::none) {
      advance();
    } else if (picture_is_old_) {
      publish(true);
    } else if (sampler_->busy()) {
      sample_while_paused();
    } else {
      wait_for_command();
    }
  }
}

bool RunThread::Worker::take_commands() {
  // A goal of one step is reached before the next command is taken, so that none is lost
  while (goal_ == Goal::none || goal_ == Goal::play || goal_ == Goal::travel) {
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
  // What simple guessers get, once for each text
  const std::tuple key(run_.options.text, run_.options.tokenizer, run_.options.seed);
  if (baselines_of_ != key || baselines_.empty()) baselines_ = run_.source->baselines();
  baselines_of_ = key;

  run_.trainer->keep_last_good(true);
  source_text_ = run_.source->describe();
  past_.begin(run_.trainer->state(), run_.trainer->config().schedule.peak, slots_in_use());
  gradients_known_ = true;
  probe_.emplace(run_);
  sampler_.emplace(run_);
  sampler_->set_prompt(prompt_);
  sampler_->set_temperature(temperature_);
  sampler_->start(config_.sample_tokens);
  sample_began_ = Clock::now();

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
        compute();
      } else {
        update();
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
      compute();
      return;
    }
    update();
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
    error_ = std::string("The run has stopped: ") + error.what();
    rest();
  }
}

void RunThread::Worker::compute() {
  const auto before = Clock::now();
  step_began_ = before;
  follow_the_past();
  run_.trainer->watch_updates(true);
  run_.trainer->compute_gradients();
  phase_ = Phase::backward;
  step_seconds_ += seconds_between(before, Clock::now());
}

void RunThread::Worker::update() {
  const auto before = Clock::now();
  const bool repeated = run_.trainer->steps_done() < past_.frontier();
  const StepReport report = run_.trainer->update();
  phase_ = Phase::update;
  by_phases_ = false;
  picture_is_old_ = true;
  gradients_known_ = true;
  if (repeated) {  // its scalars are known: they were the same
    step_seconds_ = 0;
    if (goal_ == Goal::play)
      measure_rate(seconds_between(step_began_, Clock::now()), report.tokens);
    return;
  }
  if (past_.step_done(report.step, slots_in_use())) past_.keep(run_.trainer->state());

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
  step_seconds_ = 0;
  if (goal_ == Goal::play) measure_rate(seconds_between(step_began_, Clock::now()), report.tokens);

  const std::lock_guard lock(mail_.mutex);
  mail_.steps.push_back(std::move(scalars));
}

// --- Back in time ------------------------------------------------------------------------------------

/// A step that is taken again is taken as it was; with another part in the model it is another step.
void RunThread::Worker::follow_the_past() {
  const long step = run_.trainer->steps_done();
  if (step >= past_.frontier()) return;
  if (past_.parts_at(step) != slots_in_use()) {
    past_.cut(step);
    return;
  }
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
  target = std::clamp(target, past_.first(), past_.frontier());
  error_.clear();
  last_step_ = -1;
  by_phases_ = false;
  const bool here = run_.trainer->steps_done() == target && !run_.trainer->has_gradients();
  if (here && gradients_known_) {
    rest();
    return;
  }

  // The step that leads there is taken again, so that its gradients are there too
  const TrainState* from = &past_.nearest(std::max(past_.first(), target - 1));
  const std::string parts = slots_in_use();
  for (long step = from->step; step < target; ++step) {
    if (past_.parts_at(step) == parts) continue;
    from = &past_.nearest(target);
    const std::string& then = past_.parts_at(step);
    tell("Step " + std::to_string(target) + " was reached with " +
         (then.empty() ? "the book's own functions" : then) +
         " in the model, so it cannot be repeated now. This is step " + std::to_string(from->step) +
         ", which was kept.");
    target = from->step;
    break;
  }
  const long now = run_.trainer->steps_done();
  const bool on_the_way = now >= from->step && now < target && !run_.trainer->has_gradients();
  if (!on_the_way) {
    run_.trainer->set_state(*from);
    run_.trainer->keep_last_good(true);  // none of the future
    gradients_known_ = false;
  }
  phase_ = Phase::update;
  goal_ = Goal::travel;
  travel_to_ = target;
  picture_is_old_ = true;
}

void RunThread::Worker::travel() {
  if (run_.trainer->has_gradients()) {
    update();
  } else if (run_.trainer->steps_done() < travel_to_) {
    if (past_.parts_at(run_.trainer->steps_done()) != slots_in_use()) {  // switched on the way
      rest();
      return;
    }
    compute();
    return;
  }
  if (run_.trainer->steps_done() >= travel_to_) {
    follow_the_past();  // the rate that the knob shows is the one of here
    rest();
    return;
  }
  if (seconds_between(published_, Clock::now()) > 0.25) publish(true);  // how far it is
}

void RunThread::Worker::stop_at(const NotFinite& error) {
  const long kept = run_.trainer->restore_last_good();
  refused_rate_ = run_.options.learning_rate;
  error_ = error.value + " was not finite at step " + std::to_string(error.step) +
           ", so training has stopped. The state of step " + std::to_string(kept) +
           " is kept: lower the learning rate, or reset.";
  phase_ = Phase::update;
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
  if (sampler_->step() != run_.trainer->steps_done()) sampler_->start(config_.sample_tokens);
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

void RunThread::Worker::reset() {
  // A new trainer starts where the seed says; the model and the text have not changed
  TrainConfig config = run_.trainer->config();
  config.schedule.peak = run_.options.learning_rate;
  run_.trainer.reset();
  run_.trainer = std::make_unique<Trainer>(*run_.model, *run_.source, config);
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.steps.clear();
    mail_.cleared = true;
    mail_.error.clear();
  }
  goal_ = goal_ == Goal::play ? Goal::play : Goal::none;
  begin_run();
}

void RunThread::Worker::restart(Run run) {
  sampler_.reset();
  probe_.reset();
  run_.trainer.reset();  // it refers to the model and the source
  run_ = std::move(run);
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.steps.clear();
    mail_.cleared = true;
    mail_.error.clear();
  }
  begin_run();
}

void RunThread::Worker::set_learning_rate(double peak) {
  past_.change_rate(run_.trainer->steps_done(), peak);
  run_.options.learning_rate = peak;
  run_.trainer->set_peak_learning_rate(peak);
  if (!error_.empty() && peak < refused_rate_) {
    error_.clear();
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
  }
  picture_is_old_ = true;
}

void RunThread::Worker::set_prompt(const std::string& prompt) {
  prompt_ = prompt;
  sampler_->set_prompt(prompt);
  sampler_->start(config_.sample_tokens);
  sample_began_ = Clock::now();
  picture_is_old_ = true;
}

void RunThread::Worker::set_temperature(double temperature) {
  temperature_ = temperature;
  sampler_->set_temperature(temperature);
  sampler_->start(config_.sample_tokens);
  sample_began_ = Clock::now();
}

void RunThread::Worker::want(std::vector<std::string> taps) {
  wanted_ = std::move(taps);
  picture_is_old_ = true;
  published_ = {};  // at the next step, whatever the frame rate
}

void RunThread::Worker::save(const std::string& path) {
  try {
    save_checkpoint(path, run_.model->table(), run_.trainer->state(), run_metadata(run_));
    tell("Saved step " + std::to_string(run_.trainer->steps_done()) + " to " + path + ".");
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

void RunThread::Worker::publish(bool free) {
  const auto before = Clock::now();
  auto frame = std::make_shared<Frame>();
  frame->version = ++version_;
  frame->step = run_.trainer->steps_done();
  frame->phase = phase_;
  frame->playing = goal_ == Goal::play;
  frame->error = error_;
  frame->options = run_.options;
  frame->config = run_.model->config();
  frame->parameters = run_.model->table().list();
  frame->baselines = baselines_;
  frame->source = source_text_;
  frame->first = past_.first();
  frame->frontier = past_.frontier();
  frame->travelling_to = goal_ == Goal::travel ? travel_to_ : -1;
  frame->kept = past_.kept();
  frame->past_bytes = past_.bytes();
  frame->past_budget = past_.budget();
  std::vector<std::string> shown = wanted_;
  if (!gradients_known_) {
    std::erase_if(shown, [](const std::string& name) { return name.starts_with("grad:"); });
  }
  probe_->fill(*frame, shown);

  const Sampler::Text& text = sampler_->shown(goal_ == Goal::none);
  frame->sample_prompt = text.prompt;
  frame->sample_text = text.text;
  frame->sample_step = text.step;
  frame->sample_whole = text.whole;
  frame->next_tokens = probe_->next(sampler_->prompt_tokens(), 10);

  frame->steps_per_second = steps_per_second_;
  frame->tokens_per_second = tokens_per_second_;
  frame->watch_share = watching_.share();
  frame->sample_share = sampling_.share();
  frame->memory_bytes = run_.trainer->memory_bytes() + probe_->memory_bytes() +
                        sampler_->memory_bytes();
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
    if (mail_.wanted == wanted_) mail_.unanswered = false;
  }
  mail_.published.notify_all();
  if (config_.wake) config_.wake();
}

void RunThread::Worker::sample_while_playing() {
  if (!sampler_->busy()) {
    if (seconds_between(sample_began_, Clock::now()) < config_.sample_every) return;
    if (!sampling_.may_spend()) return;
    sampler_->start(config_.sample_tokens);
    sample_began_ = Clock::now();
  }
  try {
    while (sampler_->busy() && sampling_.may_spend()) {
      const auto before = Clock::now();
      sampler_->advance();
      sampling_.spend(seconds_between(before, Clock::now()));
    }
  } catch (const InputError&) {
    sampler_->stop();  // the model's numbers are no probabilities: the next step will say so
  }
}

void RunThread::Worker::sample_while_paused() {
  // A hundredth of a second at a time, so that commands need not wait
  const auto before = Clock::now();
  try {
    while (sampler_->busy() && seconds_between(before, Clock::now()) < 0.01) {
      const auto token = Clock::now();
      sampler_->advance();
      sampling_.expect(seconds_between(token, Clock::now()));
    }
  } catch (const InputError&) {
    sampler_->stop();
  }
  const bool due = seconds_between(published_, Clock::now()) >= 0.1;
  if (!sampler_->busy() || due) picture_is_old_ = true;
}

// --- The window's side -------------------------------------------------------------------------------

RunThread::RunThread(const RunOptions& options, RunThreadConfig config)
    : RunThread(make_run(options, config.open(options), config.background), config) {}

RunThread::RunThread(Run run, RunThreadConfig config) : config_(std::move(config)) {
  worker_ = std::make_unique<Worker>(std::move(run), config_, mail_);
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
  send([](Worker& w) { w.reset(); });
}

void RunThread::restart(const RunOptions& options) {
  auto run = std::make_shared<Run>(make_run(options, config_.open(options), config_.background));
  {
    const std::lock_guard lock(mail_.mutex);
    mail_.error.clear();
  }
  send([run](Worker& w) { w.restart(std::move(*run)); });
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

void RunThread::save(const std::string& path) {
  send([path](Worker& w) { w.save(path); });
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

bool RunThread::drain(History& history) {
  std::vector<StepScalars> steps;
  bool cleared = false;
  {
    const std::lock_guard lock(mail_.mutex);
    steps.swap(mail_.steps);
    cleared = std::exchange(mail_.cleared, false);
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
