// Breaking the model on purpose.
#include "viewer/break/break_it.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <utility>

#include "chapters/01_tensor/errors.h"
#include "viewer/widgets/rich_text.h"

namespace tpp::viewer {
namespace {

/// `more` over `swaps`: each name once.
Swaps together(Swaps swaps, const Swaps& more) {
  for (const auto& [name, value] : more) {
    std::erase_if(swaps, [&, &key = name](const auto& swap) { return swap.first == key; });
    swaps.emplace_back(name, value);
  }
  return swaps;
}

bool has_option(const RunOptions& options, const std::string& name, const std::string& value) {
  RunOptions wanted = options;
  set_option(wanted, name, value);
  return get_option(wanted, name) == get_option(options, name);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

BreakIt::BreakIt(RunThread& run, LoadStandIns load, std::function<void()> wake)
    : run_(run), builder_(std::move(load), std::move(wake)) {}

void BreakIt::tell(std::string sentence, bool error) {
  wishes_.push_back({.toast = std::move(sentence), .error = error});
}

bool BreakIt::refuses_device() {
  if (!options_a_ || options_a_->device == "cpu") return false;
  tell("Wrong answers stand in the model on the processor only: on " + options_a_->device +
           " it runs kernels.",
       true);
  return true;
}

void BreakIt::remember(Applied one) {
  std::erase_if(applied_, [&](const Applied& a) { return a.what.id == one.what.id; });
  applied_.push_back(std::move(one));
}

bool BreakIt::holds_in(const Applied& one, bool in_b) const {
  const std::optional<RunOptions>& options = in_b ? options_b_ : options_a_;
  const StandIns& parts = in_b ? parts_b_ : parts_a_;
  if (!options || (one.functions.empty() && one.what.swaps.empty())) return false;
  for (const StandIn& part : one.functions) {
    if (!holds(parts, part)) return false;
  }
  for (const auto& [name, value] : one.what.swaps) {
    if (!has_option(*options, name, value)) return false;
  }
  return true;
}

bool BreakIt::is_on(const std::string& id, bool in_b) const {
  return std::any_of(applied_.begin(), applied_.end(),
                     [&](const Applied& one) { return one.what.id == id && holds_in(one, in_b); });
}

bool BreakIt::is_building(const std::string& id) const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const Waiting& w) { return w.what.id == id; });
}

// --- Break and mend --------------------------------------------------------------------------------

void BreakIt::apply(const Breakage& what, bool to_b) {
  if (is_building(what.id)) return;
  if (what.wrong.empty()) {
    put(what, to_b, {});
    return;
  }
  if (refuses_device()) return;
  if (!builder_.find(what.wrong))
    tell("Building the wrong answer of exercise " + what.wrong.substr(0, what.wrong.find('=')) +
         ": seconds, or half a minute the first time.");
  builder_.begin(what.wrong);
  waiting_.push_back({what, to_b});
}

void BreakIt::put(const Breakage& what, bool in_b, const StandIns& functions) {
  if (!options_a_) return;
  Applied one{what, functions, {}};
  try {
    if (!in_b && !what.swaps.empty()) {
      for (const auto& [name, value] : what.swaps)
        one.undo.emplace_back(name, get_option(run_.options(), name));
      RunOptions options = run_.options();
      for (const auto& [name, value] : what.swaps) set_option(options, name, value);
      run_.restart(options);
    }
    if (!in_b) {
      run_.put_in(false, functions);
    } else if (!what.swaps.empty()) {
      run_.fork(together(run_.forked() ? run_.swaps() : Swaps{}, what.swaps), ForkAt::start,
                functions, run_.forked());
    } else if (run_.forked()) {
      run_.put_in(true, functions);
    } else {
      run_.fork({}, ForkAt::here, functions);
    }
  } catch (const InputError& error) {
    tell(error.what(), true);
    return;
  }
  remember(std::move(one));
  std::string where = in_b ? "Broken in B: " : "Broken: ";
  if (!what.swaps.empty())
    where = in_b ? "Broken in B, from the start: " : "Broken, and started again: ";
  wishes_.push_back({.panel = what.panel,
                     .view = what.view,
                     .place = what.place,
                     .show_b = in_b,
                     .toast = where + what.title + ". " + what.look});
}

void BreakIt::mend(const std::string& id) {
  std::erase_if(waiting_, [&](const Waiting& w) { return w.what.id == id; });
  const auto found = std::find_if(applied_.begin(), applied_.end(),
                                  [&](const Applied& one) { return one.what.id == id; });
  if (found == applied_.end()) return;
  const Applied one = *found;
  applied_.erase(found);
  try {
    // B's options first: A's may begin both anew
    if (run_.forked() && !one.what.swaps.empty()) {
      Swaps rest = run_.swaps();
      for (const auto& [name, value] : one.what.swaps)
        std::erase_if(rest, [&, &key = name](const auto& swap) { return swap.first == key; });
      if (rest != run_.swaps()) {
        const bool others = std::any_of(applied_.begin(), applied_.end(),
                                        [](const Applied& a) { return !a.functions.empty(); });
        if (rest.empty() && !others) {
          run_.close_fork();
        } else {
          run_.fork(rest, run_.forked_at(), {}, true);
        }
      }
    }
    if (!one.undo.empty()) {
      RunOptions options = run_.options();
      for (const auto& [name, value] : one.undo) set_option(options, name, value);
      run_.restart(options);
    }
    run_.take_out(false, one.functions);
    run_.take_out(true, one.functions);
    tell("Mended: " + one.what.title + " no more.");
  } catch (const InputError& error) {
    tell(error.what(), true);
  }
}

void BreakIt::mend_all() {
  std::vector<std::string> ids;
  for (const Applied& one : applied_) ids.push_back(one.what.id);
  for (const std::string& id : ids) mend(id);
  waiting_.clear();
}

// --- Predict, then reveal ----------------------------------------------------------------------------

void BreakIt::ask(const Breakage& what) {
  trial_ = Trial{.what = what};
  wishes_.push_back({.panel = "break"});
}

void BreakIt::predict(int choice) {
  if (!trial_ || trial_->stage != Trial::Stage::asked) return;
  Trial& t = *trial_;
  t.answer.chosen.reset();
  if (choice >= 0 && choice < int(t.what.question.choices.size())) t.answer.chosen = choice;
  if (t.what.wrong.empty() && t.what.swaps.empty()) {  // a question about what is there
    t.stage = Trial::Stage::revealed;
    t.answer.revealed = true;
    write_down();
  } else if (t.what.wrong.empty()) {
    begin_trial({});
  } else if (!refuses_device()) {
    t.stage = Trial::Stage::building;
    builder_.begin(t.what.wrong);
  }
}

void BreakIt::begin_trial(const StandIns& functions) {
  Trial& t = *trial_;
  try {
    run_.pause();
    run_.fork(t.what.swaps, ForkAt::start, functions);
  } catch (const InputError& error) {
    t.stage = Trial::Stage::asked;
    tell(error.what(), true);
    return;
  }
  remember({t.what, functions, {}});
  t.stage = Trial::Stage::starting;
  t.until = t.what.steps;
  wishes_.push_back({.panel = t.what.panel,
                     .view = t.what.view,
                     .place = t.what.place,
                     .show_b = true,
                     .toast = "Both go from the start. Only B is broken: " + t.what.title + "."});
}

void BreakIt::leave() { trial_.reset(); }

void BreakIt::go_on() {
  if (!trial_ || trial_->stage != Trial::Stage::running) return;
  try {
    run_.play_until(trial_->until);
  } catch (const InputError& error) {
    tell(error.what(), true);
  }
}

float BreakIt::progress() const {
  if (!trial_ || trial_->until <= 0 || trial_->stage < Trial::Stage::running) return 0;
  return std::clamp(float(step_) / float(trial_->until), 0.0f, 1.0f);
}

std::vector<std::string> BreakIt::taps(const Frame* a) const {
  std::vector<std::string> names;
  if (!trial_ || !a || trial_->stage == Trial::Stage::asked) return names;
  for (const Measure measure : trial_->what.measures)
    for (std::string& name : taps_of(measure, a->config)) names.push_back(std::move(name));
  return names;
}

void BreakIt::reveal(const Frame& a, const Frame& b, const History& history,
                     const History& history_b) {
  Trial& t = *trial_;
  for (const Measure m : t.what.measures) {
    t.numbers.push_back(
        {m, measured(m, history, a, 0, t.until), measured(m, history_b, b, 0, t.until)});
  }
  for (const Claim& claim : t.what.claims) {
    if (t.stopped.empty() && !holds(claim, measured(claim.measure, history, a, 0, t.until),
                                    measured(claim.measure, history_b, b, 0, t.until)))
      t.otherwise = true;
  }
  t.stage = Trial::Stage::revealed;
  t.answer.revealed = true;
  write_down();
  wishes_.push_back({.panel = "break"});
}

void BreakIt::update(const Frame* a, const Frame* b, const History& history,
                     const History& history_b) {
  options_a_ = a ? std::optional(a->options) : std::nullopt;
  options_b_ = b ? std::optional(b->options) : std::nullopt;
  parts_a_ = a ? a->parts : StandIns{};
  parts_b_ = b ? b->parts : StandIns{};
  step_ = a ? a->step : 0;

  // What has been built takes its place
  for (const Waiting& w : std::exchange(waiting_, {})) {
    if (const auto functions = builder_.find(w.what.wrong)) {
      put(w.what, w.in_b, *functions);
    } else if (builder_.is_building(w.what.wrong)) {
      waiting_.push_back(w);
    } else {
      tell(builder_.problem(w.what.wrong), true);
    }
  }

  badge_.clear();
  for (const bool in_b : {false, true}) {
    std::string titles;
    for (const Applied& one : applied_)
      if (holds_in(one, in_b)) titles += (titles.empty() ? "" : ", ") + one.what.title;
    if (titles.empty()) continue;
    badge_ += (badge_.empty() ? "broken" : " · broken") +
              std::string(in_b ? " in B: "
                          : b  ? " in A: "
                               : ": ") +
              titles;
  }

  if (!trial_) return;
  Trial& t = *trial_;
  if (t.stage == Trial::Stage::building) {
    if (const auto functions = builder_.find(t.what.wrong)) {
      begin_trial(*functions);
    } else if (!builder_.is_building(t.what.wrong)) {
      t.stage = Trial::Stage::asked;
      tell(builder_.problem(t.what.wrong), true);
    }
    return;
  }
  if (t.stage != Trial::Stage::starting && t.stage != Trial::Stage::running) return;
  if (!run_.forked()) {  // B was closed
    leave();
    return;
  }
  if (!a || !b || !is_on(t.what.id, true)) return;
  if (t.stage == Trial::Stage::starting) {
    if (a->fork != 0 || a->step != 0 || a->playing) return;
    t.stage = Trial::Stage::running;
    go_on();
    return;
  }
  if (!a->error.empty()) {
    t.stopped = a->error;
    t.until = a->step;
    reveal(*a, *b, history, history_b);
    return;
  }
  const auto reached = [&](const History& h) {
    return !h.steps.empty() && h.steps.back().step >= t.until;
  };
  if (a->step < t.until || !reached(history) || !reached(history_b)) return;
  for (const std::string& name : taps(a)) {
    if (!a->tap(name) || !b->tap(name)) return;  // the next frame has it
  }
  reveal(*a, *b, history, history_b);
}

std::vector<BreakWish> BreakIt::take_wishes() { return std::exchange(wishes_, {}); }

// --- A session's questions -----------------------------------------------------------------------------

void BreakIt::set_asks(std::vector<Breakage> asks, const std::filesystem::path& predictions) {
  asks_ = std::move(asks);
  predictions_ = predictions;
  asked_ = 0;
  trial_.reset();
  if (!asks_.empty()) next();
}

bool BreakIt::has_next() const { return asked_ < asks(); }

void BreakIt::next() {
  if (!has_next()) return;
  ask(asks_[std::size_t(asked_)]);
  trial_->number = ++asked_;
}

void BreakIt::write_down() {
  const Trial& t = *trial_;
  if (t.number == 0 || predictions_.empty()) return;
  std::error_code ignored;
  if (predictions_.has_parent_path())
    std::filesystem::create_directories(predictions_.parent_path(), ignored);
  const bool begins = !std::filesystem::exists(predictions_, ignored);
  std::ofstream out(predictions_, std::ios::app);
  if (begins) out << "time,number,id,question,predicted,right,is_right,steps,measured\n";
  const std::time_t now = std::time(nullptr);
  char when[32] = "";
  std::tm parts{};
  if (gmtime_r(&now, &parts)) std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
  const Question& q = t.what.question;
  std::string numbers;
  for (const Measured& m : t.numbers) {
    numbers += (numbers.empty() ? "" : "; ") + std::string(info_of(m.measure).name) + " " +
               text_of(m.measure, m.a) + " against " + text_of(m.measure, m.b);
  }
  if (!t.stopped.empty()) numbers += (numbers.empty() ? "" : "; ") + t.stopped;
  const auto choice = [&](int i) { return plain_text(q.choices[std::size_t(i)]); };
  out << when << ',' << t.number << ',' << quoted(t.what.id) << ',' << quoted(plain_text(q.text))
      << ',' << (t.answer.chosen ? quoted(choice(*t.answer.chosen)) : "") << ','
      << quoted(choice(q.right)) << ','
      << (!t.answer.chosen              ? ""
          : *t.answer.chosen == q.right ? "yes"
                                        : "no")
      << ',' << t.until << ',' << quoted(numbers) << '\n';
  out.flush();
  if (!out) tell("The answer could not be written to " + predictions_.string() + ".", true);
}

}  // namespace tpp::viewer
