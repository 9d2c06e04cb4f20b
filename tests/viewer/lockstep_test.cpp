// Two runs in lockstep: the bits of a run alone, the same step whenever they are looked at, and
// nothing left when one is closed.
#include "viewer/run/lockstep.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <thread>

#include "chapters/11_gpt/checkpoint.h"
#include "tests/viewer/small_run.h"

using namespace tpp;
using namespace tpp::viewer;
using namespace tpp::viewer::testing;

namespace {

/// Counts how many of its kind there are: as many as runs.
std::atomic<int> sources{0};

class CountedSource final : public BatchSource {
 public:
  explicit CountedSource(std::uint64_t seed) : text_(story(), seed) { ++sources; }
  ~CountedSource() override { --sources; }
  CountedSource(const CountedSource&) = delete;
  CountedSource& operator=(const CountedSource&) = delete;
  void train(std::uint64_t step, Batch& batch) const override { text_.train(step, batch); }
  void validation(std::uint64_t i, Batch& batch) const override { text_.validation(i, batch); }
  void require(int T) const override { text_.require(T); }
  [[nodiscard]] const Tokenizer& tokenizer() const override { return text_.tokenizer(); }
  [[nodiscard]] std::string describe() const override { return text_.describe(); }
  [[nodiscard]] std::vector<Baseline> baselines() const override { return text_.baselines(); }
  [[nodiscard]] std::string prompt() const override { return text_.prompt(); }

 private:
  TextSource text_;
};

std::unique_ptr<BatchSource> open_counted(const RunOptions& options) {
  return std::make_unique<CountedSource>(options.seed);
}

RunThreadConfig counted_config() { return quick_config(open_counted); }

/// Wait for a pair; whatever is seen on the way must be of one step.
FramePair wait_pair(const RunThread& run, const std::function<bool(const FramePair&)>& done,
                    double seconds = kPatience) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < until) {
    const FramePair pair = run.frames();
    if (pair.a && pair.b) {
      REQUIRE(pair.a->step == pair.b->step);
      REQUIRE(pair.a->phase == pair.b->phase);
      REQUIRE(pair.a->playing == pair.b->playing);
    }
    if (pair.a && done(pair)) return pair;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return {};
}

auto rested_at(long step) {
  return [step](const FramePair& f) {
    return f.b && f.a->step == step && !f.a->playing && f.a->phase == Phase::update &&
           f.a->travelling_to < 0;
  };
}

auto alone_at(long step) {
  return [step](const FramePair& f) { return !f.b && f.a->step == step && !f.a->playing; };
}

}  // namespace

TEST_CASE("lockstep: what is set otherwise, and what must not be", "[viewer][lockstep]") {
  const RunOptions a = small_options();
  const RunOptions b = with_swaps(a, {{"norm", "layernorm"}, {"lr", "0.001"}});
  CHECK(b.norm == "layernorm");
  CHECK(b.learning_rate == 0.001);
  CHECK(with_swaps(a, swaps_between(a, b)) == b);
  CHECK(swaps_between(a, a).empty());
  CHECK(describe({}) == "nothing changed yet");
  CHECK(describe({{"ffn", "relu"}, {"bias", "true"}}) == "ffn relu, bias true");

  for (const auto& [name, value] : Swaps{{"batch", "8"},
                                         {"length", "8"},
                                         {"text", "induction"},
                                         {"tokenizer", "bpe:300"},
                                         {"seed", "2"}}) {
    INFO(name);
    CHECK_THROWS_AS(with_swaps(a, {{name, value}}), InputError);
    try {
      (void)with_swaps(a, {{name, value}});
    } catch (const InputError& error) {
      const std::string sentence = error.what();
      CHECK(sentence.find(name + " must be the same") != std::string::npos);
      CHECK(sentence.find(value) != std::string::npos);
    }
    CHECK_NOTHROW(with_swaps(a, {{name, get_option(a, name)}}));  // the same is the same
  }
  CHECK_THROWS_AS(with_swaps(a, {{"norm", "paranorm"}}), InputError);
  CHECK_THROWS_AS(with_swaps(a, {{"no-such", "1"}}), InputError);

  // As it is typed
  CHECK(parse_swaps("norm=layernorm,attention=gqa:1") ==
        Swaps{{"norm", "layernorm"}, {"attention", "gqa:1"}});
  CHECK(parse_swaps("").empty());
  for (const char* bad : {"norm", "=layernorm", "norm=layernorm,,", "norm=layernorm ffn"}) {
    INFO(bad);
    if (std::string(bad) == "norm=layernorm ffn") {
      CHECK_THROWS_AS(with_swaps(a, parse_swaps(bad)), InputError);
    } else {
      CHECK_THROWS_AS(parse_swaps(bad), InputError);
    }
  }

  // A rate that is ten times A's stays so, and one that an option can be
  CHECK(std::abs(scaled_rate(0.01, 0.001, 0.002) - 0.02) < 1e-12);
  CHECK(scaled_rate(0.001, 0.001, 0.002) == 0.002);
  CHECK(scaled_rate(0.01, 0, 0.002) == 0.002);
  CHECK(scaled_rate(0.01, 0.001, 1e9) == 1e9);

  RunOptions other = a;
  other.optimizer = "adam";
  CHECK(same_moments(a, other));
  other.optimizer = "momentum";
  CHECK_FALSE(same_moments(a, other));
}

TEST_CASE("lockstep: what B takes from A at a fork", "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunOptions swapped = options;
  swapped.ffn = "relu";  // two matrices instead of three; one of them has another shape
  Run a = make_run(options, open_story(options));
  for (int i = 0; i < 5; ++i) a.trainer->step();
  Run b = make_run(swapped, open_story(swapped));
  const Values fresh = values_of(b);
  const TrainState& before = a.trainer->state();

  for (const bool moments : {true, false}) {
    const TrainState state =
        transplanted(before, a.model->table(), b.trainer->state(), b.model->table(), moments);
    CHECK(state.step == 5);
    int shared = 0, own = 0;
    for (const ParameterInfo& info : b.model->table().list()) {
      INFO(info.name);
      const ParameterInfo* from = nullptr;
      for (const ParameterInfo& other : a.model->table().list())
        if (is_shared(other, info)) from = &other;
      const auto piece = [](const auto& line, const ParameterInfo& of) {
        return std::vector<float>(line.begin() + of.offset, line.begin() + of.offset + of.size());
      };
      const std::vector<float> zeros(std::size_t(info.size()), 0.0f);
      if (from) {
        ++shared;
        CHECK(same_bits(piece(state.values, info), piece(before.values, *from)));
        CHECK(same_bits(piece(state.m, info), moments ? piece(before.m, *from) : zeros));
        CHECK(same_bits(piece(state.v, info), moments ? piece(before.v, *from) : zeros));
      } else {
        ++own;
        CHECK(same_bits(piece(state.values, info), fresh.at(info.name)));
        CHECK(same_bits(piece(state.m, info), zeros));
        CHECK(same_bits(piece(state.v, info), zeros));
      }
    }
    CHECK(shared > 3);
    CHECK(own > 0);
  }
}

TEST_CASE("lockstep: with nothing swapped both are the run alone, whatever is done",
          "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunThreadConfig config = counted_config();
  config.past_budget = 0;  // the fewest states
  config.watch_budget = 10;
  config.frames_per_second = 1e9;
  RunThread run(options, config);
  std::vector<std::string> taps = names_of(trained(options, 0));
  const std::string gradient = "grad:" + taps.back();
  taps.push_back(gradient);
  run.want(taps);
  const auto require_both = [&](const FramePair& pair, const Values& values) {
    REQUIRE(pair.b);
    require_same(*pair.a, values);
    require_same(*pair.b, values);
  };

  // From the start, though A has gone some steps
  run.play_until(7);
  REQUIRE(run.wait_for([](const Frame& f) { return f.step == 7 && !f.playing; }, kPatience));
  run.fork({}, ForkAt::start);
  FramePair pair = wait_pair(run, rested_at(0));
  require_both(pair, trained(options, 0));
  CHECK(pair.a->fork == 0);
  run.step();
  require_both(wait_pair(run, rested_at(1)), trained(options, 1));
  for (int i = 0; i < 3; ++i) run.step_phase();
  require_both(wait_pair(run, rested_at(2)), trained(options, 2));
  run.step_phase();
  run.step_phase();
  pair = wait_pair(run, [](const FramePair& f) { return f.a->phase == Phase::backward; });
  REQUIRE(pair.b);
  REQUIRE(pair.b->tap(gradient));
  CHECK(same_bits(pair.a->tap(gradient)->data, pair.b->tap(gradient)->data));
  run.play_until(60);
  require_both(wait_pair(run, rested_at(60)), trained(options, 60));

  // Back and forth
  for (const long step : {59L, 13L, 14L, 1L, 0L, 47L, 60L}) {
    INFO(step);
    run.seek(step);
    require_both(wait_pair(run, rested_at(step)), trained(options, step));
  }
  run.seek(20);
  REQUIRE(wait_pair(run, rested_at(20)).b);

  // Closed, and forked again in the middle; the rate is changed for both
  run.close_fork();
  pair = wait_pair(run, alone_at(20));
  REQUIRE(pair.a);
  CHECK_FALSE(run.forked());
  run.fork({}, ForkAt::here);
  pair = wait_pair(run, rested_at(20));
  require_both(pair, trained(options, 20));
  CHECK(pair.b->fork == 20);
  CHECK(pair.a->frontier == 20);
  run.play_until(30);
  require_both(wait_pair(run, rested_at(30)), trained(options, 30));
  run.set_learning_rate(options.learning_rate / 2);
  run.play_until(45);
  pair = wait_pair(run, rested_at(45));
  Run alone = make_run(options, open_story(options));
  Values at_33;
  for (int i = 0; i < 45; ++i) {
    if (i == 30) alone.trainer->set_peak_learning_rate(options.learning_rate / 2);
    if (i == 33) at_33 = values_of(alone);
    alone.trainer->step();
  }
  require_both(pair, values_of(alone));
  CHECK(pair.b->options == pair.a->options);
  run.seek(33);
  pair = wait_pair(run, rested_at(33));
  require_both(pair, at_33);
  REQUIRE(pair.b->tap(gradient));
  CHECK(same_bits(pair.a->tap(gradient)->data, pair.b->tap(gradient)->data));

  // No further back than B goes, and said so
  (void)run.take_notices();
  run.seek(4);
  pair = wait_pair(run, rested_at(20));
  require_both(pair, trained(options, 20));
  const auto notices = run.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].find("B begins at step 20") == 0);
  run.close_fork();
  REQUIRE(wait_pair(run, alone_at(20)).a);
  run.seek(4);  // A still has all of its past
  pair = wait_pair(run, alone_at(4));
  REQUIRE(pair.a);
  require_same(*pair.a, trained(options, 4));
}

TEST_CASE("lockstep: paused and played at any moment, both stand at the same step",
          "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunThread run(options, counted_config());
  run.want(names_of(trained(options, 0)));
  run.fork({}, ForkAt::here);
  run.set_speed(300);
  for (int round = 0; round < 10; ++round) {
    run.play();
    std::this_thread::sleep_for(std::chrono::milliseconds(round));
    run.pause();
    if (round % 3 == 1) run.step_phase();
    if (round % 3 == 1) run.step();  // finishes it
    REQUIRE(wait_pair(run, [](const FramePair& f) { return f.b && !f.a->playing; }).b);
  }
  run.set_speed(0);
  const long step = 97;  // beyond all that was played
  run.play_until(step + 3);
  const FramePair pair = wait_pair(run, rested_at(step + 3));
  REQUIRE(pair.b);
  require_same(*pair.a, trained(options, step + 3));
  require_same(*pair.b, trained(options, step + 3));

  // Each step is told once for each of the two, with the same numbers
  History a, b;
  run.drain(a);
  run.drain_b(b);
  REQUIRE(a.steps.size() == std::size_t(step + 3));
  REQUIRE(b.steps.size() == a.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    CHECK(a.steps[i].step == b.steps[i].step);
    CHECK(a.steps[i].loss == b.steps[i].loss);
    CHECK(a.steps[i].gradient_norm == b.steps[i].gradient_norm);
  }
}

TEST_CASE("lockstep: forked while it plays, with one component swapped", "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunThread run(options, counted_config());
  RunOptions swapped = options;
  swapped.ffn = "relu";
  const Values own = trained(swapped, 0);
  std::vector<std::string> taps = names_of(trained(options, 0));
  for (const std::string& name : names_of(own)) taps.push_back(name);
  run.want(taps);
  run.set_speed(200);
  run.play();
  REQUIRE(run.wait_for([](const Frame& f) { return f.step >= 12; }, kPatience));
  run.fork({{"ffn", "relu"}}, ForkAt::here);
  run.pause();
  FramePair pair = wait_pair(run, [](const FramePair& f) { return f.b && !f.a->playing; });
  REQUIRE(pair.b);
  const long begun = pair.b->fork;
  CHECK(begun >= 12);
  CHECK(pair.b->first == begun);
  CHECK(pair.b->options.ffn == "relu");
  CHECK(pair.a->options.ffn == "swiglu");
  CHECK(differing_options(pair.a->options, pair.b->options) == std::vector<std::string>{"ffn"});

  // At the fork what they share is A's, bit for bit, and the rest is as the seed says
  run.seek(begun);
  pair = wait_pair(run, rested_at(begun));
  REQUIRE(pair.b);
  const Values alone = trained(options, begun);
  require_same(*pair.a, alone);
  int shared = 0;
  for (const auto& [name, initial] : own) {
    INFO(name);
    const auto same = alone.find(name);
    const bool both = same != alone.end() && same->second.size() == initial.size();
    shared += both;
    CHECK(same_bits(pair.b->tap(name)->data, both ? same->second : initial));
  }
  CHECK(shared > 3);

  // From there on they part, and A is the run alone all the same
  run.play_until(begun + 9);
  pair = wait_pair(run, rested_at(begun + 9));
  REQUIRE(pair.b);
  require_same(*pair.a, trained(options, begun + 9));
  CHECK_FALSE(same_bits(pair.a->tap("embed/table")->data, pair.b->tap("embed/table")->data));

  // B's way can be repeated like A's
  const std::vector<float> there = pair.b->tap("block0/ffn/w1") ? pair.b->tap("block0/ffn/w1")->data
                                                                : pair.b->tap("embed/table")->data;
  run.seek(begun + 2);
  REQUIRE(wait_pair(run, rested_at(begun + 2)).b);
  run.seek(begun + 9);
  pair = wait_pair(run, rested_at(begun + 9));
  REQUIRE(pair.b);
  CHECK(same_bits(pair.b->tap("block0/ffn/w1") ? pair.b->tap("block0/ffn/w1")->data
                                               : pair.b->tap("embed/table")->data,
                  there));
}

TEST_CASE("lockstep: from the start, B is the swapped run alone", "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunOptions swapped = options;
  swapped.norm = "layernorm";
  RunThread run(options, counted_config());
  std::vector<std::string> taps = names_of(trained(options, 0));
  for (const std::string& name : names_of(trained(swapped, 0))) taps.push_back(name);
  run.want(taps);
  run.fork({{"norm", "layernorm"}}, ForkAt::start);
  run.play_until(12);
  FramePair pair = wait_pair(run, rested_at(12));
  REQUIRE(pair.b);
  require_same(*pair.a, trained(options, 12));
  require_same(*pair.b, trained(swapped, 12));

  // Back to the start together
  run.reset();
  pair = wait_pair(run, rested_at(0));
  REQUIRE(pair.b);
  require_same(*pair.b, trained(swapped, 0));
  run.play_until(5);
  pair = wait_pair(run, rested_at(5));
  REQUIRE(pair.b);
  require_same(*pair.a, trained(options, 5));
  require_same(*pair.b, trained(swapped, 5));

  // Another A: what is swapped stays swapped
  RunOptions wider = options;
  wider.width = 32;
  run.restart(wider);
  pair = wait_pair(
      run, [](const FramePair& f) { return f.b && f.a->options.width == 32 && f.a->step == 0; });
  REQUIRE(pair.b);
  CHECK(pair.b->options.width == 32);
  CHECK(pair.b->options.norm == "layernorm");
  CHECK(pair.a->options.norm == "rmsnorm");
  wider.heads = 3;  // does not divide 32: nothing changes
  CHECK_THROWS_AS(run.restart(wider), InputError);
  run.step();
  CHECK(wait_pair(run, rested_at(1)).b);
}

TEST_CASE("lockstep: forked in the middle of a step, and after a step back in time",
          "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunThread run(options, counted_config());
  std::vector<std::string> taps = names_of(trained(options, 0));
  const std::string gradient = "grad:" + taps.back();
  taps.push_back(gradient);
  run.want(taps);

  // B has the gradients of A's batch, too, and the step is finished by both
  run.step();
  run.step_phase();
  run.step_phase();
  run.fork({}, ForkAt::here);
  run.step_phase();
  FramePair pair = wait_pair(run, rested_at(2));
  REQUIRE(pair.b);
  require_same(*pair.a, trained(options, 2));
  require_same(*pair.b, trained(options, 2));
  run.close_fork();

  // Where A is back at a step before its rate was changed, B has that step's rate
  run.play_until(10);
  REQUIRE(wait_pair(run, alone_at(10)).a);
  run.set_learning_rate(options.learning_rate / 4);
  run.play_until(20);
  REQUIRE(wait_pair(run, alone_at(20)).a);
  run.seek(6);
  REQUIRE(wait_pair(run, alone_at(6)).a);
  run.fork({}, ForkAt::here);
  pair = wait_pair(run, rested_at(6));
  REQUIRE(pair.b);
  CHECK(pair.b->options == pair.a->options);
  CHECK(pair.b->options.learning_rate == options.learning_rate);
  run.play_until(15);
  pair = wait_pair(run, rested_at(15));
  REQUIRE(pair.b);
  require_same(*pair.a, trained(options, 15));
  require_same(*pair.b, trained(options, 15));
}

TEST_CASE("lockstep: stopped on the way through time, both are at one step", "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunThreadConfig config = counted_config();
  config.past_budget = 0;  // long ways, and of different lengths
  RunThread run(options, config);
  run.want(names_of(trained(options, 0)));
  run.play_until(37);
  REQUIRE(wait_pair(run, alone_at(37)).a);
  run.fork({}, ForkAt::here);
  run.play_until(150);
  REQUIRE(wait_pair(run, rested_at(150)).b);
  long last = 150;
  for (const long step : {63L, 149L, 62L, 38L, 131L, 99L}) {
    INFO(step);
    run.seek(step);
    std::this_thread::sleep_for(std::chrono::microseconds(step * 7));
    run.step();
    run.play_until(++last);
    const FramePair pair = wait_pair(run, rested_at(last));
    REQUIRE(pair.b);
    require_same(*pair.a, trained(options, last));
    require_same(*pair.b, trained(options, last));
  }
}

TEST_CASE("lockstep: rates that differ go on differing as much", "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunThread run(options, counted_config());
  run.fork({{"lr", get_option(with_swaps(options, {{"lr", "0.006"}}), "lr")}}, ForkAt::start);
  FramePair pair = wait_pair(run, rested_at(0));
  REQUIRE(pair.b);
  CHECK(pair.a->options.learning_rate == 3e-3);
  CHECK(pair.b->options.learning_rate == 6e-3);
  run.set_learning_rate(1e-3);
  pair = wait_pair(run, [](const FramePair& f) { return f.a->options.learning_rate == 1e-3; });
  REQUIRE(pair.b);
  CHECK(pair.b->options.learning_rate == tpp::testing::Approx(2e-3).epsilon(1e-12));
  REQUIRE(run.swaps().size() == 1);
  CHECK(std::stod(run.swaps()[0].second) == tpp::testing::Approx(2e-3).epsilon(1e-12));
}

TEST_CASE("lockstep: a value that is not finite in B stops both and names B",
          "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunThread run(options, counted_config());
  run.want(names_of(trained(options, 0)));
  run.play_until(48);
  REQUIRE(run.wait_for([](const Frame& f) { return f.step == 48 && !f.playing; }, kPatience));
  run.fork({{"lr", "1e+09"}}, ForkAt::here);
  run.play();
  FramePair pair = wait_pair(
      run, [](const FramePair& f) { return f.b && !f.a->error.empty() && f.a->travelling_to < 0; });
  REQUIRE(pair.b);
  INFO(pair.a->error);
  CHECK(pair.a->error.find("In B, ") == 0);
  CHECK(pair.a->error.find("both have stopped") != std::string::npos);
  CHECK(pair.b->error == pair.a->error);
  CHECK_FALSE(run.playing());
  CHECK_THROWS_AS(run.play(), InputError);
  CHECK(pair.a->error.find("The state of step " + std::to_string(pair.a->step) + " is kept") !=
        std::string::npos);
  require_same(*pair.a, trained(options, pair.a->step));
  for (const auto& [name, value] : pair.b->taps) {
    INFO(name);
    CHECK(std::all_of(value.data.begin(), value.data.end(),
                      [](float x) { return std::isfinite(x); }));
  }

  // Without B, A goes on as if nothing had been
  run.close_fork();
  pair = wait_pair(run, [](const FramePair& f) { return !f.b && f.a->error.empty(); });
  REQUIRE(pair.a);
  const long kept = pair.a->step;
  run.play_until(kept + 6);
  pair = wait_pair(run, alone_at(kept + 6));
  REQUIRE(pair.a);
  require_same(*pair.a, trained(options, kept + 6));

  // And where A is the one
  RunOptions wild = options;
  wild.learning_rate = 1e30;
  wild.warmup = 0;
  RunThread other(wild, counted_config());
  other.fork({{"lr", "0.001"}}, ForkAt::start);
  other.play();
  pair = wait_pair(other, [](const FramePair& f) { return f.b && !f.a->error.empty(); });
  REQUIRE(pair.b);
  CHECK(pair.a->error.find("In A, ") == 0);
}

TEST_CASE(
    "lockstep: one that fails where the other has just kept its state: both go back to one step",
    "[viewer][lockstep]") {
  // It takes some steps until the numbers overflow: from one of these starts B fails in the step
  // before which A keeps its state
  const RunOptions options = small_options();
  for (long raised = 42; raised <= 50; ++raised) {
    INFO(raised);
    RunThread run(options, counted_config());
    run.want(names_of(trained(options, 0)));
    run.play_until(raised - 1);
    REQUIRE(run.wait_for([&](const Frame& f) { return f.step == raised - 1 && !f.playing; },
                         kPatience));
    run.fork({{"lr", "1e+09"}}, ForkAt::here);
    run.play();
    const FramePair pair = wait_pair(run, [](const FramePair& f) {
      return f.b && !f.a->error.empty() && f.a->travelling_to < 0 && !f.a->playing;
    });
    REQUIRE(pair.b);
    INFO(pair.a->error);
    CHECK(pair.a->error.find("In B, ") == 0);
    require_same(*pair.a, trained(options, pair.a->step));
    CHECK(pair.b->step == pair.a->step);
  }
}

TEST_CASE("lockstep: closing in the middle of anything, and nothing is left",
          "[viewer][lockstep]") {
  REQUIRE(sources == 0);
  const RunOptions options = small_options();
  const auto threads = [] {
    namespace fs = std::filesystem;
    std::error_code error;
    long count = 0;
    for (fs::directory_iterator i("/proc/self/task", error), end; !error && i != end;
         i.increment(error))
      ++count;
    return count;
  };
  RunOptions three = options;
  three.threads = 3;
  RunThread run(three, counted_config());
  REQUIRE(run.wait_for([](const Frame&) { return true; }, kPatience));
  const long before = threads();
  for (int round = 0; round < 24; ++round) {
    INFO(round);
    run.fork({{"norm", round % 2 ? "layernorm" : "rmsnorm"}},
             round % 3 == 2 ? ForkAt::start : ForkAt::here);
    if (round % 4 == 1) run.play();
    if (round % 4 == 2) run.step_phase();
    if (round % 4 == 3) run.seek(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 7));
    if (round % 6 == 5) {
      run.fork({{"ffn", "gelu"}}, ForkAt::here);  // one B takes the place of another
    }
    run.close_fork();
    // What waits in the queue holds a run, too
    const FramePair pair = wait_pair(run, [](const FramePair& f) { return !f.b && sources == 1; });
    REQUIRE(pair.a);
    if (before > 0) CHECK(threads() == before);
    run.pause();
  }
  History b;
  b.steps.resize(3);
  run.drain_b(b);
  CHECK(b.steps.empty());
  {
    RunThread second(options, counted_config());
    second.fork({}, ForkAt::here);
    second.play();  // and both closed while they play
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(sources == 1);
}

TEST_CASE("lockstep: the pasts of both share one budget, and A has it back when B ends",
          "[viewer][lockstep]") {
  const RunOptions options = small_options();
  const std::size_t each = 3 * sizeof(float) * [&] {
    std::size_t numbers = 0;
    for (const auto& [name, values] : trained(options, 0)) numbers += values.size();
    return numbers;
  }();
  RunThreadConfig config = counted_config();
  config.past_budget = 12 * each;
  RunThread run(options, config);
  run.play_until(96);
  const auto alone = wait_pair(run, alone_at(96));
  REQUIRE(alone.a);
  CHECK(alone.a->past_budget == 12 * each);
  CHECK(alone.a->past_bytes > 6 * each);
  const Values at_end = trained(options, 150);
  run.want(names_of(at_end));
  run.fork({}, ForkAt::here);
  FramePair pair = wait_pair(run, rested_at(96));
  REQUIRE(pair.b);
  CHECK(pair.a->past_budget + pair.b->past_budget == 12 * each);
  CHECK(pair.a->past_bytes <= 6 * each);
  run.play_until(150);
  pair = wait_pair(run, rested_at(150));
  REQUIRE(pair.b);
  CHECK(pair.a->past_bytes + pair.b->past_bytes <= 12 * each);
  run.seek(101);  // a way that got longer is the same way
  pair = wait_pair(run, rested_at(101));
  REQUIRE(pair.b);
  require_same(*pair.a, trained(options, 101));
  require_same(*pair.b, trained(options, 101));
  run.close_fork();
  CHECK(
      wait_pair(run, [&](const FramePair& p) { return !p.b && p.a->past_budget == 12 * each; }).a);
}

TEST_CASE(
    "lockstep: from a step of the past a fork is the one that was made when it was the newest",
    "[viewer][lockstep]") {
  const RunOptions options = small_options();
  for (const Swaps& swaps :
       {Swaps{{"ffn", "relu"}}, Swaps{{"norm", "layernorm"}, {"lr", "0.01"}}}) {
    std::vector<std::string> taps = names_of(trained(with_swaps(options, swaps), 0));
    for (const char* name :
         {"logits", "block0/attn/probs", "block0/attn/q", "rms:embed/out", "grad:embed/table"})
      taps.emplace_back(name);

    // Forked at step 20, before anything came after it
    RunThread first(options, counted_config());
    first.want(taps);
    first.play_until(20);
    REQUIRE(wait_pair(first, alone_at(20)).a);
    first.fork(swaps, ForkAt::here);
    first.play_until(37);
    const FramePair expected = wait_pair(first, rested_at(37));
    REQUIRE(expected.b);

    // Gone back to step 20 from 60, and forked there: the same A, the same B
    RunThread run(options, counted_config());
    run.want(taps);
    run.play_until(60);
    REQUIRE(wait_pair(run, alone_at(60)).a);
    run.seek(20);
    REQUIRE(wait_pair(run, alone_at(20)).a);
    run.fork(swaps, ForkAt::here);
    FramePair pair = wait_pair(run, rested_at(20));
    REQUIRE(pair.b);
    CHECK(pair.b->fork == 20);
    CHECK(pair.a->frontier == 20);
    run.play_until(37);
    pair = wait_pair(run, rested_at(37));
    REQUIRE(pair.b);
    const auto same = [](const Frame& frame, const Frame& like) {
      REQUIRE(frame.taps.size() == like.taps.size());
      for (const auto& [name, value] : like.taps) {
        INFO(name);
        REQUIRE(frame.tap(name));
        CHECK(same_bits(frame.tap(name)->data, value.data));
      }
      CHECK(frame.probe_loss == like.probe_loss);
    };
    CHECK(pair.b->taps.size() > 8);
    same(*pair.a, *expected.a);
    same(*pair.b, *expected.b);
    require_same(*pair.a, [&] {  // and A is the run alone
      Values alone = trained(options, 37);
      std::erase_if(alone, [&](const auto& entry) { return !pair.a->tap(entry.first); });
      return alone;
    }());

    // Any value of any past step, as it was at that step; and again from the other side
    std::map<long, FramePair> seen;
    for (const long step : {22L, 31L, 23L, 36L, 22L, 31L}) {
      INFO(step);
      run.seek(step);
      pair = wait_pair(run, rested_at(step));
      REQUIRE(pair.b);
      REQUIRE(pair.b->tap("grad:embed/table"));
      if (seen.contains(step)) {
        same(*pair.a, *seen[step].a);
        same(*pair.b, *seen[step].b);
      }
      seen[step] = pair;
    }

    // The numbers of each step were told once, through the way back and the fork, and A keeps its own
    // when B goes
    History a, b;
    run.drain(a);
    run.drain_b(b);
    REQUIRE(a.steps.size() == 37);
    REQUIRE(b.steps.size() == 17);
    CHECK(b.steps.front().step == 21);
    History a_first, b_first;
    first.drain(a_first);
    first.drain_b(b_first);
    REQUIRE(b_first.steps.size() == 17);
    for (std::size_t i = 0; i < a.steps.size(); ++i) {
      CHECK(a.steps[i].step == long(i) + 1);
      CHECK(a.steps[i].loss == a_first.steps[i].loss);
    }
    for (std::size_t i = 0; i < b.steps.size(); ++i)
      CHECK(b.steps[i].loss == b_first.steps[i].loss);
    run.seek(30);
    REQUIRE(wait_pair(run, rested_at(30)).b);
    run.close_fork();
    REQUIRE(wait_pair(run, alone_at(30)).a);
    run.play_until(40);
    REQUIRE(wait_pair(run, alone_at(40)).a);
    run.drain(a);
    run.drain_b(b);
    CHECK(b.steps.empty());
    REQUIRE(a.steps.size() == 40);
    for (std::size_t i = 0; i < a.steps.size(); ++i) CHECK(a.steps[i].step == long(i) + 1);
  }
}

TEST_CASE("lockstep: each of the two is saved by itself", "[viewer][lockstep]") {
  const RunOptions options = small_options();
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("tpp-lockstep-" + std::to_string(std::random_device{}()));
  fs::create_directories(folder);
  RunThread run(options, counted_config());
  const auto saved = [&](const char* name, bool of_b) {
    const std::string path = (folder / name).string();
    (void)run.take_notices();
    run.save(path, of_b);
    for (int i = 0; i < 30000; ++i) {
      if (const auto told = run.take_notices(); !told.empty()) return told.front();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::string("nothing was told");
  };
  CHECK(saved("none", true) == "There is no B to save.");
  CHECK_FALSE(fs::exists(folder / "none"));
  run.fork({{"ffn", "relu"}}, ForkAt::here);
  run.play_until(9);
  REQUIRE(wait_pair(run, rested_at(9)).b);
  CHECK(saved("a", false).find("Saved step 9 of A") == 0);
  CHECK(saved("b", true).find("Saved step 9 of B") == 0);
  for (const char* which : {"a", "b"}) {
    RunOptions own = options;
    if (*which == 'b') own.ffn = "relu";
    Run opened = make_run(own, open_story(own));
    const auto file = SafeTensors::open((folder / which).string());
    const TrainState state = read_state(file, opened.model->table());  // throws for another model
    CHECK(state.step == 9);
    opened.trainer->set_state(state);
    Values there = values_of(opened);
    if (*which == 'a') {
      const Values alone = trained(options, 9);
      for (const auto& [name, value] : alone) CHECK(same_bits(there[name], value));
    }
  }
  fs::remove_all(folder);
}

TEST_CASE("lockstep: a fork that cannot be is refused, and all goes on", "[viewer][lockstep]") {
  const RunOptions options = small_options();
  RunThread run(options, counted_config());
  run.fork({{"norm", "layernorm"}}, ForkAt::here);
  REQUIRE(wait_pair(run, rested_at(0)).b);
  CHECK_THROWS_AS(run.fork({{"length", "8"}}, ForkAt::here), InputError);
  CHECK_THROWS_AS(run.fork({{"heads", "3"}}, ForkAt::start), InputError);
  REQUIRE(run.forked());
  CHECK(run.swaps() == Swaps{{"norm", "layernorm"}});
  run.step();
  const FramePair pair = wait_pair(run, rested_at(1));
  REQUIRE(pair.b);
  CHECK(pair.b->options.norm == "layernorm");
}

TEST_CASE("lockstep: resting, two runs compute nothing", "[viewer][lockstep]") {
  std::atomic<int> woken = 0;
  RunThreadConfig config = counted_config();
  config.wake = [&woken] { ++woken; };
  RunThread run(small_options(), config);
  run.fork({{"norm", "layernorm"}}, ForkAt::here);
  run.step();
  REQUIRE(wait_pair(run, [](const FramePair& f) {
            return f.b && f.a->step == 1 && f.a->sample_whole && f.b->sample_whole &&
                   f.a->sample_step == 1 && f.b->sample_step == 1;
          }).b);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const int before = woken;
  const std::clock_t worked = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(woken == before);
  CHECK(double(std::clock() - worked) / CLOCKS_PER_SEC < 0.05);
}
