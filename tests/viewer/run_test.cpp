// A run on its own thread: the same bits as without one, whatever the window asks of it.
#include "viewer/run/run_thread.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "chapters/11_gpt/checkpoint.h"
#include "tests/viewer/small_run.h"
#include "viewer/run/governor.h"
#include "viewer/run/labels.h"

using namespace tpp;
using namespace tpp::viewer;
using namespace tpp::viewer::testing;

namespace {

/// All parameters of a run, by the taps that a window would ask for.
std::vector<std::string> all_parameters(const RunOptions& options) {
  return names_of(trained(options, 0));
}

auto rested_at(long step) {
  return
      [step](const Frame& f) { return f.step == step && !f.playing && f.phase == Phase::update; };
}

}  // namespace

TEST_CASE("a run on a thread: single steps give the bits of Trainer::step", "[viewer][run]") {
  const RunOptions options = small_options();
  RunThread run(options, quick_config());
  run.want(all_parameters(options));
  for (int i = 0; i < 5; ++i) run.step();
  const auto frame = run.wait_for(rested_at(5), kPatience);
  REQUIRE(frame);
  require_same(*frame, trained(options, 5));
  CHECK_FALSE(run.playing());
}

TEST_CASE("a run on a thread: three phases are one step", "[viewer][run]") {
  const RunOptions options = small_options();
  const std::vector<std::string> names = all_parameters(options);
  RunThread run(options, quick_config());
  std::vector<std::string> taps = names;
  taps.push_back("grad:" + names.back());
  run.want(taps);

  // Forward changes nothing, backward leaves gradients, update changes the parameters
  run.step_phase();
  auto frame = run.wait_for([](const Frame& f) { return f.phase == Phase::forward; }, kPatience);
  REQUIRE(frame);
  CHECK(frame->step == 0);
  require_same(*frame, trained(options, 0));
  run.step_phase();
  frame = run.wait_for([](const Frame& f) { return f.phase == Phase::backward; }, kPatience);
  REQUIRE(frame);
  CHECK(frame->step == 0);
  require_same(*frame, trained(options, 0));
  const TapValue* gradient = frame->tap("grad:" + names.back());
  REQUIRE(gradient != nullptr);
  CHECK(std::any_of(gradient->data.begin(), gradient->data.end(), [](float g) { return g != 0; }));
  run.step_phase();
  frame = run.wait_for(rested_at(1), kPatience);
  REQUIRE(frame);
  require_same(*frame, trained(options, 1));

  // A whole step that begins in the middle of one finishes it
  run.step_phase();
  run.step_phase();
  run.step();
  frame = run.wait_for(rested_at(2), kPatience);
  REQUIRE(frame);
  require_same(*frame, trained(options, 2));
}

TEST_CASE("a run on a thread: playing while looking gives the same bits", "[viewer][run]") {
  const RunOptions options = small_options();
  const std::vector<std::string> names = all_parameters(options);
  RunThreadConfig config = quick_config();
  config.watch_budget = 10;  // look after every step, at everything
  config.frames_per_second = 1e9;
  config.sample_budget = 10;
  config.sample_every = 0;
  RunThread run(options, config);
  std::vector<std::string> taps = names;
  for (const char* name : {"block0/attn/probs", "rms:block0/ffn/residual", "logits"}) {
    taps.emplace_back(name);
  }
  run.want(taps);
  run.play_until(60);
  const auto frame = run.wait_for(rested_at(60), kPatience);
  REQUIRE(frame);
  CHECK(frame->version > 20);

  // Every step's scalars arrive, once, in order
  std::vector<double> losses;
  require_same(*frame, trained(options, 60, &losses));
  History history;
  REQUIRE(run.drain(history));
  CHECK_FALSE(run.drain(history));
  REQUIRE(history.steps.size() == 60);
  for (std::size_t i = 0; i < 60; ++i) {
    CHECK(history.steps[i].step == long(i) + 1);
    CHECK(history.steps[i].loss == float(losses[i]));
    CHECK(history.steps[i].parameters.size() == names.size());
  }
  CHECK(std::isfinite(history.steps[0].validation));
  CHECK(std::isfinite(history.steps[49].validation));
  CHECK(std::isnan(history.steps[48].validation));
  CHECK(history.steps[59].loss < history.steps[0].loss);
}

TEST_CASE("a run on a thread: a frame holds what was asked for and nothing else", "[viewer][run]") {
  const RunOptions options = small_options();
  RunThread run(options, quick_config());
  run.want({"block0/attn/probs", "rms:block0/attn/out", "block0/attn/norm/gain", "no/such/value",
            "grad:block0/attn/wo", "grad:nothing"});
  const auto frame = run.wait_for([](const Frame& f) { return !f.taps.empty(); }, kPatience);
  REQUIRE(frame);
  CHECK(frame->taps.size() == 4);
  const TapValue* probs = frame->tap("block0/attn/probs");
  REQUIRE(probs);
  CHECK(probs->rows == 2 * 16);
  CHECK(probs->cols == 16);
  for (int row = 0; row < probs->rows; ++row) {
    double sum = 0;
    for (int t = 0; t < probs->cols; ++t) sum += double((*probs)(row, t));
    CHECK(sum == tpp::testing::Approx(1).margin(1e-5));
  }
  REQUIRE(frame->tap("rms:block0/attn/out"));
  CHECK(frame->tap("rms:block0/attn/out")->rows == 16);
  CHECK(frame->tap("rms:block0/attn/out")->cols == 1);
  CHECK(frame->tap("block0/attn/norm/gain")->cols == 16);
  CHECK(frame->probe_tokens.size() == 16);
  CHECK(frame->probe_labels.size() == 16);
  CHECK(frame->probe_loss == tpp::testing::Approx(std::log(256)).margin(0.3));
  REQUIRE(frame->next_tokens.size() == 10);
  for (std::size_t i = 1; i < 10; ++i) {
    CHECK(frame->next_tokens[i - 1].probability >= frame->next_tokens[i].probability);
  }
  CHECK(frame->memory_bytes > 10000);
  REQUIRE(frame->baselines.size() >= 2);

  // The root-mean-square is that of the value
  run.want({"block0/attn/out", "rms:block0/attn/out"});
  const auto second =
      run.wait_for([](const Frame& f) { return f.tap("block0/attn/out") != nullptr; }, kPatience);
  REQUIRE(second);
  const TapValue& out = *second->tap("block0/attn/out");
  double square = 0;
  for (int d = 0; d < out.cols; ++d) square += double(out(3, d)) * double(out(3, d));
  CHECK((*second->tap("rms:block0/attn/out"))(3, 0) ==
        tpp::testing::Approx(std::sqrt(square / out.cols)).epsilon(1e-4));
}

TEST_CASE("a run on a thread: what cannot be is refused, and the run goes on", "[viewer][run]") {
  RunOptions wrong = small_options();
  wrong.text = "nowhere";
  CHECK_THROWS_AS(RunThread(wrong, quick_config()), InputError);

  const RunOptions options = small_options();
  RunThread run(options, quick_config());
  run.step();
  REQUIRE(run.wait_for(rested_at(1), kPatience));
  CHECK_THROWS_AS(run.restart(wrong), InputError);
  wrong = options;
  wrong.heads = 3;  // does not divide 16
  CHECK_THROWS_AS(run.restart(wrong), InputError);
  run.step();
  const auto frame = run.wait_for(rested_at(2), kPatience);
  REQUIRE(frame);
  CHECK(frame->options == options);

  // What can be begins anew, and parameters that stay the same start the same
  RunOptions other = options;
  other.norm = "layernorm";
  run.want({"embed/table"});
  run.restart(other);
  const auto fresh = run.wait_for(
      [](const Frame& f) {
        return f.step == 0 && f.options.norm == "layernorm" && f.tap("embed/table");
      },
      kPatience);
  REQUIRE(fresh);
  CHECK(same_bits(fresh->tap("embed/table")->data, trained(options, 0).at("embed/table")));
  History history;
  history.steps.resize(7);
  CHECK(run.drain(history));
  CHECK(history.steps.empty());
  CHECK(history.epoch == 1);
}

TEST_CASE("a run on a thread: reset goes to the start of the same run", "[viewer][run]") {
  const RunOptions options = small_options();
  RunThread run(options, quick_config());
  run.want(all_parameters(options));
  run.step();
  run.step();
  REQUIRE(run.wait_for(rested_at(2), kPatience));
  run.reset();
  const auto start = run.wait_for(rested_at(0), kPatience);
  REQUIRE(start);
  require_same(*start, trained(options, 0));
  run.play_until(3);
  const auto frame = run.wait_for(rested_at(3), kPatience);
  REQUIRE(frame);
  require_same(*frame, trained(options, 3));
  History history;
  run.drain(history);
  CHECK(history.steps.size() == 3);
}

TEST_CASE("a run on a thread: a value that is not finite stops it and is named", "[viewer][run]") {
  RunOptions options = small_options();
  RunThread run(options, quick_config());
  run.play_until(3);
  REQUIRE(run.wait_for(rested_at(3), kPatience));

  run.set_learning_rate(1e30);
  run.play();
  const auto frame = run.wait_for([](const Frame& f) { return !f.error.empty(); }, kPatience);
  REQUIRE(frame);
  INFO(frame->error);
  CHECK_FALSE(frame->playing);
  CHECK_FALSE(run.playing());
  CHECK(frame->error.find(" was not finite at step ") != std::string::npos);
  CHECK(frame->error.find("The state of step " + std::to_string(frame->step) + " is kept") !=
        std::string::npos);
  CHECK((frame->error.find('/') != std::string::npos || frame->error.find("logits") == 0));
  CHECK(std::isfinite(frame->probe_loss));

  // Playing is refused with the same sentence, until something is done about it
  CHECK_THROWS_WITH(run.play(), frame->error);
  CHECK_THROWS_AS(run.step(), InputError);
  CHECK_THROWS_AS(run.step_phase(), InputError);
  CHECK_FALSE(run.playing());
  run.set_learning_rate(2e30);
  CHECK(run.wait_for([](const Frame& f) { return f.options.learning_rate > 1.5e30; }, kPatience));
  CHECK_THROWS_AS(run.play(), InputError);
  run.set_learning_rate(1e-3);
  const auto mended = run.wait_for([](const Frame& f) { return f.error.empty(); }, kPatience);
  REQUIRE(mended);
  const long kept = mended->step;
  run.play_until(kept + 2);
  const auto after = run.wait_for(rested_at(kept + 2), kPatience);
  REQUIRE(after);
  CHECK(std::isfinite(after->probe_loss));

  // The curve has each step once
  History history;
  run.drain(history);
  REQUIRE(history.steps.size() == std::size_t(kept + 2));
  for (std::size_t i = 0; i < history.steps.size(); ++i)
    CHECK(history.steps[i].step == long(i) + 1);
}

TEST_CASE("a run on a thread: reset and restart make an error forgotten", "[viewer][run]") {
  RunOptions options = small_options();
  options.learning_rate = 1e30;
  options.warmup = 0;
  RunThread run(options, quick_config());
  const auto broken = [](const Frame& f) { return !f.error.empty(); };
  run.play();
  REQUIRE(run.wait_for(broken, kPatience));
  run.reset();
  REQUIRE(run.wait_for([](const Frame& f) { return f.error.empty() && f.step == 0; }, kPatience));
  run.play();
  REQUIRE(run.wait_for(broken, kPatience));
  options.learning_rate = 1e-3;
  run.restart(options);
  REQUIRE(run.wait_for([](const Frame& f) { return f.error.empty(); }, kPatience));
  run.step();
  CHECK(run.wait_for(rested_at(1), kPatience));
}

TEST_CASE("a run on a thread: back in time, bit for bit", "[viewer][run]") {
  const RunOptions options = small_options();
  std::vector<std::string> taps = all_parameters(options);
  const std::string gradient = "grad:" + taps.back();

  // What the trainer alone makes of it: every step's parameters and a gradient, the rate halved at 30
  Run alone = make_run(options, open_story(options));
  std::vector<std::map<std::string, std::vector<float>>> values(1, trained(options, 0));
  std::vector<std::vector<float>> gradients(1);
  for (long step = 0; step < 60; ++step) {
    if (step == 30) alone.trainer->set_peak_learning_rate(options.learning_rate / 2);
    alone.trainer->step();
    auto& now = values.emplace_back();
    for (const ParameterInfo& info : alone.model->table().list()) {
      const float* begin = alone.trainer->values() + info.offset;
      now[info.name].assign(begin, begin + info.size());
    }
    const ParameterInfo& last = alone.model->table().list().back();
    const float* begin = alone.trainer->gradients() + last.offset;
    gradients.emplace_back(begin, begin + last.size());
  }

  RunThreadConfig config = quick_config();
  config.past_budget = 0;  // the fewest states
  RunThread run(options, config);
  taps.push_back(gradient);
  run.want(taps);
  run.play_until(30);
  REQUIRE(run.wait_for(rested_at(30), kPatience));
  run.set_learning_rate(options.learning_rate / 2);
  run.play_until(60);
  const auto newest = run.wait_for(rested_at(60), kPatience);
  REQUIRE(newest);
  CHECK(newest->frontier == 60);
  CHECK(newest->kept.size() <= 4);
  CHECK(newest->travelling_to == -1);

  for (const long step : {59L, 13L, 14L, 30L, 31L, 1L, 47L, 60L}) {
    INFO(step);
    run.seek(step);
    const auto frame = run.wait_for(
        [&](const Frame& f) { return rested_at(step)(f) && f.travelling_to < 0; }, kPatience);
    REQUIRE(frame);
    require_same(*frame, values[std::size_t(step)]);
    REQUIRE(frame->tap(gradient));
    CHECK(same_bits(frame->tap(gradient)->data, gradients[std::size_t(step)]));
    CHECK(frame->frontier == 60);
    CHECK(frame->options.learning_rate ==
          (step < 30 ? options.learning_rate : options.learning_rate / 2));
  }

  // There are no steps before the first or after the last; at the start there is no gradient yet
  run.seek(1000);
  CHECK(run.wait_for(rested_at(60), kPatience));
  run.seek(-5);
  const auto start = run.wait_for(rested_at(0), kPatience);
  REQUIRE(start);
  require_same(*start, values[0]);
  CHECK(start->tap(gradient) == nullptr);

  // Playing on goes the same way; each step is told once
  run.seek(20);
  REQUIRE(run.wait_for(rested_at(20), kPatience));
  run.play_until(62);
  const auto again = run.wait_for(rested_at(62), kPatience);
  REQUIRE(again);
  History history;
  run.drain(history);
  REQUIRE(history.steps.size() == 62);
  for (std::size_t i = 0; i < 62; ++i) CHECK(history.steps[i].step == long(i) + 1);

  // Another rate in the past is another way: what followed is forgotten
  run.seek(20);
  REQUIRE(run.wait_for(rested_at(20), kPatience));
  run.set_learning_rate(options.learning_rate / 8);
  run.play_until(25);
  const auto other = run.wait_for(rested_at(25), kPatience);
  REQUIRE(other);
  CHECK(other->frontier == 25);
  CHECK_FALSE(same_bits(other->tap(taps.front())->data, values[25].at(taps.front())));
  run.drain(history);
  CHECK(history.steps.size() == 25);
}

TEST_CASE("a run on a thread: on the way through time it can be stopped, sent elsewhere, closed",
          "[viewer][run]") {
  const RunOptions options = small_options();
  RunThreadConfig config = quick_config();
  config.past_budget = 0;
  RunThread run(options, config);
  run.play_until(150);
  REQUIRE(run.wait_for(rested_at(150), kPatience));
  for (long step = 149; step > 100; --step) run.seek(step);  // a hand on the strip
  run.seek(42);
  CHECK(run.wait_for(rested_at(42), kPatience));
  run.seek(140);
  run.pause();
  const auto stopped =
      run.wait_for([](const Frame& f) { return !f.playing && f.travelling_to < 0; }, kPatience);
  REQUIRE(stopped);
  run.seek(150);
  run.play();
  CHECK(run.wait_for([](const Frame& f) { return f.step > 160; }, kPatience));
  run.seek(3);  // and closed on the way
}

TEST_CASE("a run on a thread: closing in the middle of anything", "[viewer][run]") {
  for (int round = 0; round < 12; ++round) {
    std::atomic<int> woken = 0;
    RunThreadConfig config = quick_config();
    config.wake = [&woken] { ++woken; };
    RunThread run(small_options(), config);
    run.want({"logits"});
    if (round % 3 == 1) run.play();
    if (round % 3 == 2) run.step_phase();
    if (round % 4 == 3) run.set_speed(2);
    std::this_thread::sleep_for(std::chrono::milliseconds(round * 3));
    if (round % 2) run.pause();
  }
  SUCCEED();
}

TEST_CASE("a run on a thread: the newest frame is what one gets, from any thread",
          "[viewer][run]") {
  RunThreadConfig config = quick_config();
  config.watch_budget = 1;
  config.frames_per_second = 1e9;
  RunThread run(small_options(), config);
  run.want({"block0/attn/probs"});
  run.play();
  unsigned long last = 0;
  long step = 0;
  History history;
  bool cooler = false, asked = false;
  while (step < 150) {
    const auto frame = run.frame();
    if (frame) {
      REQUIRE(frame->version >= last);
      REQUIRE(frame->step >= step);
      last = frame->version;
      step = frame->step;
    }
    run.drain(history);
    if (step > 20 && !std::exchange(cooler, true)) run.set_temperature(0.5);
    if (step > 60 && !std::exchange(asked, true)) run.set_prompt("the hen ");
    std::this_thread::yield();
  }
  run.pause();
  REQUIRE(run.wait_for([](const Frame& f) { return !f.playing; }, kPatience));
  run.drain(history);
  CHECK(long(history.steps.size()) == run.frame()->step);
  CHECK(run.frame()->sample_prompt == "the hen ");
}

TEST_CASE("a run on a thread: pause always shows, and a text is written then", "[viewer][run]") {
  RunThreadConfig config = quick_config();
  config.watch_budget = 0;  // nothing may be spent while playing
  config.sample_budget = 0;
  RunThread run(small_options(), config);
  run.play();
  while (true) {
    History history;
    run.drain(history);
    if (!history.steps.empty() && history.steps.back().step > 5) break;
    std::this_thread::yield();
  }
  run.pause();
  const auto frame = run.wait_for(
      [](const Frame& f) { return !f.playing && f.step > 5 && f.sample_step == f.step; },
      kPatience);
  REQUIRE(frame);
  const auto whole =
      run.wait_for([](const Frame& f) { return f.sample_text.size() >= 12; }, kPatience);
  CHECK(whole);
}

TEST_CASE("a run on a thread: it can be slowed down", "[viewer][run]") {
  RunThread run(small_options(), quick_config());
  run.set_speed(20);
  CHECK(run.speed() == 20);
  const auto before = std::chrono::steady_clock::now();
  run.play_until(6);
  const auto frame = run.wait_for(rested_at(6), kPatience);
  REQUIRE(frame);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  CHECK(seconds > 0.2);  // five pauses of 50 ms
}

TEST_CASE("a run on a thread: a checkpoint can be saved, or not, and it says so", "[viewer][run]") {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("tpp-run-test-" + std::to_string(std::uintptr_t(&kPatience)) + "-" +
                       std::to_string(std::hash<std::thread::id>{}(std::this_thread::get_id())));
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "a.safetensors").string();
  const RunOptions options = small_options();
  RunThread run(options, quick_config());
  run.play_until(4);
  REQUIRE(run.wait_for(rested_at(4), kPatience));
  run.save(path);
  run.save((folder / "no" / "such" / "folder.safetensors").string());
  std::vector<std::string> notices;
  for (int i = 0; i < 2000 && notices.size() < 2; ++i) {
    for (std::string& notice : run.take_notices()) notices.push_back(std::move(notice));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].find("Saved step 4") == 0);
  CHECK(notices[1].find("no/such") != std::string::npos);

  // And it goes on from there to the same bits
  Run resumed = make_run(options, open_story(options));
  resumed.trainer->set_state(read_state(SafeTensors::open(path), resumed.model->table()));
  RunThread second(std::move(resumed), quick_config());
  second.want(all_parameters(options));
  second.play_until(9);
  const auto frame = second.wait_for(rested_at(9), kPatience);
  REQUIRE(frame);
  require_same(*frame, trained(options, 9));
  std::filesystem::remove_all(folder);
}

TEST_CASE("the governor keeps looking within its share", "[viewer][run]") {
  Governor governor(0.03);
  int looks = 0;
  for (int step = 0; step < 2000; ++step) {
    governor.earn(0.05);
    if (governor.may_spend()) {
      governor.spend(0.004);
      ++looks;
    }
  }
  CHECK(looks > 600);
  CHECK(looks * 0.004 <= 0.03 * 2000 * 0.05 + 0.06);
  CHECK(governor.share() < 0.034);
  CHECK(governor.share() > 0.02);

  // What is saved up is bounded; idle time may be spent
  Governor other(0.03);
  for (int i = 0; i < 1000; ++i) other.earn(1);
  CHECK(other.credit() <= 0.05);
  Governor idle(0);
  idle.spend(0.01);
  CHECK_FALSE(idle.may_spend());
  idle.earn(1);
  CHECK_FALSE(idle.may_spend());
  idle.earn(0, 0.02);
  CHECK(idle.may_spend());

  // A look that takes longer than all that may be saved is still had, rarely
  Governor slow(0.03);
  slow.expect(0.5);
  int seen = 0;
  for (int step = 0; step < 1000; ++step) {
    slow.earn(0.5);
    if (!slow.may_spend()) continue;
    slow.spend(0.5);
    ++seen;
    CHECK(slow.share() <= 0.036);
  }
  CHECK(seen > 25);
  CHECK(seen * 0.5 <= 0.03 * 500 + 1e-9);
}

TEST_CASE("labels of tokens are readable, whatever the bytes", "[viewer][run]") {
  CHECK(token_label("e") == "e");
  CHECK(token_label(" the") == "␣the");
  CHECK(token_label("\n") == "⏎");
  CHECK(token_label("\t") == "⇥");
  CHECK(token_label("\xE2") == "xE2");
  CHECK(token_label(std::string_view("\0", 1)) == "x00");
  CHECK(token_label("θ") == "θ");
  CHECK(token_label("θ\xCE") == "θxCE");
  CHECK(valid_utf8("a\xFFz\n") == "a\xEF\xBF\xBDz\n");
  CHECK(valid_utf8("\xC0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD");              // overlong
  CHECK(valid_utf8("\xED\xA0\x80").find("\xED\xA0") == std::string::npos);  // a surrogate
  CHECK(valid_utf8("日本") == "日本");
  CHECK(valid_utf8("\xF0\x9F\x98") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}
