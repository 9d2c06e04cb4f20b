// Functions that stand in one run's model and not in the other's: A's bits are those of the book, B's
// those of a run alone with that function, and the way back in time keeps both true.
#include "viewer/run/stand_ins.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <thread>

#include "chapters/02_tape/slots.h"
#include "chapters/03_tokens/dataset.h"
#include "chapters/06_attention/attention.h"
#include "chapters/11_gpt/safetensors.h"
#include "tests/testing.h"
#include "tests/viewer/small_run.h"
#include "viewer/run/run_thread.h"

using namespace tpp;
using namespace tpp::viewer;

namespace {

RunOptions small_options() {
  RunOptions options = viewer::testing::small_options();
  options.threads = 2;  // that read the slots, too
  return options;
}

RunThreadConfig quick_config() {
  RunThreadConfig config = viewer::testing::quick_config();
  config.watch_budget = 10;  // many frames: each looks with its own run's functions
  config.frames_per_second = 1e9;
  config.past_budget = 0;  // the fewest states, so that steps are taken again
  return config;
}

using viewer::testing::kPatience;

void no_scale(In<Mat<float>> q, In<Mat<float>> k, In<Mat<float>> v, In<RowVec<float>> bias,
              Mask mask, float, Out<Mat<float>> out, Out<Mat<float>> probs) {
  attention_head_forward<float>(q, k, v, bias, mask, 1, out, probs);
}
void all_broken(In<Mat<float>> q, In<Mat<float>>, In<Mat<float>>, In<RowVec<float>>, Mask, float,
                Out<Mat<float>> out, Out<Mat<float>> probs) {
  out.setConstant(std::numeric_limits<float>::quiet_NaN());
  probs.setConstant(1.0f / float(q.rows()));
}
StandIn stand_in(void (*function)(In<Mat<float>>, In<Mat<float>>, In<Mat<float>>, In<RowVec<float>>,
                                  Mask, float, Out<Mat<float>>, Out<Mat<float>>),
                 const char* label) {
  return {"attention_head_forward", reinterpret_cast<AnyFunction>(function), label};
}
const StandIns kNoScale{stand_in(no_scale, "6.1 no scale")};
const StandIns kNan{stand_in(all_broken, "6.1 nothing but NaN")};

using Values = std::map<std::string, std::vector<float>>;

/// What the trainer alone makes of the parameters, where `parts(step)` stands in the model: at each step.
/// The slots are the whole program's, so ask before there is a run on a thread.
std::vector<Values> trained(long steps, const std::function<StandIns(long)>& parts) {
  Run run = make_run(small_options(), viewer::testing::open_story(small_options()));
  std::vector<Values> all(std::size_t(steps) + 1);
  InPlace in_place;
  for (long i = 0; i <= steps; ++i) {
    for (const ParameterInfo& info : run.model->table().list()) {
      const float* begin = run.trainer->values() + info.offset;
      all[std::size_t(i)][info.name].assign(begin, begin + info.size());
    }
    if (i == steps) break;
    in_place.put(parts(i));
    run.trainer->step();
  }
  in_place.put({});
  return all;
}
auto always(const StandIns& parts) {
  return [parts](long) { return parts; };
}
auto between(long from, long to, const StandIns& parts) {
  return [=](long step) { return step >= from && step < to ? parts : StandIns(); };
}

bool same(const Frame& frame, const Values& values) {
  for (const auto& [name, expected] : values) {
    const TapValue* tap = frame.tap(name);
    REQUIRE(tap != nullptr);
    REQUIRE(tap->data.size() == expected.size());
    if (std::memcmp(tap->data.data(), expected.data(), 4 * expected.size()) != 0) return false;
  }
  return true;
}
bool same(const TapValue& a, const TapValue& b) {
  return a.data.size() == b.data.size() &&
         std::memcmp(a.data.data(), b.data.data(), 4 * a.data.size()) == 0;
}

const char* const kProbs = "block0/attn/probs";
void want_all(RunThread& run) {
  std::vector<std::string> names{kProbs};
  for (const ParameterInfo& info :
       run.wait_for([](const Frame&) { return true; }, kPatience)->parameters)
    names.push_back(info.name);
  run.want(names);
}

FramePair wait_pair(const RunThread& run, const std::function<bool(const FramePair&)>& done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(kPatience);
  while (std::chrono::steady_clock::now() < until) {
    const FramePair pair = run.frames();
    if (pair.a && done(pair)) return pair;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("waited in vain");
  return {};
}
FramePair rested(const RunThread& run, long step, bool forked) {
  return wait_pair(run, [=](const FramePair& f) {
    return bool(f.b) == forked && f.a->step == step && !f.a->playing &&
           f.a->phase == Phase::update && f.a->travelling_to < 0;
  });
}

}  // namespace

TEST_CASE("stand-ins: one for a place, in the places' order", "[viewer][run]") {
  const auto& first = slot("test_a").function;
  const auto& second = slot("test_b").function;
  const auto f = [](int i) { return reinterpret_cast<AnyFunction>(std::uintptr_t(i)); };
  StandIns x, y;
  put_in(x, {"test_b", f(2), "two"});
  put_in(x, {"test_a", f(1), "one"});
  put_in(y, {"test_a", f(3), "three"});
  put_in(y, {"test_b", f(2), "two"});
  CHECK(x != y);
  put_in(y, {"test_a", f(1), "one"});
  CHECK(x == y);
  CHECK(labels_of(x) == "one, two");
  take_out(x, {"test_a", f(3), "three"});  // it does not stand there
  CHECK(x == y);
  take_out(x, {"test_a", f(1), "one"});
  CHECK_FALSE(holds(x, {"test_a", f(1), "one"}));
  CHECK(labels_of(x) == "two");

  {
    InPlace in_place;
    in_place.put(y);
    CHECK(first.load() == f(1));
    CHECK(second.load() == f(2));
    in_place.put(x);
    CHECK(first.load() == nullptr);
    in_place.put({});
    CHECK(second.load() == nullptr);
  }
}

TEST_CASE("stand-ins: B is broken, and A has the bits of the book", "[viewer][run][lockstep]") {
  const auto book = trained(24, always({})), broken = trained(24, always(kNoScale));
  const auto mended = trained(20, between(0, 10, kNoScale));
  const auto late = trained(16, between(12, 99, kNoScale));
  REQUIRE(book[24] != broken[24]);
  RunThread alone(small_options(), quick_config());
  want_all(alone);
  alone.play_until(24);
  const FramePair plain = rested(alone, 24, false);

  RunThread run(small_options(), quick_config());
  want_all(run);
  run.fork({}, ForkAt::start, kNoScale);
  run.play_until(24);
  FramePair pair = rested(run, 24, true);
  CHECK(same(*pair.a, book[24]));
  CHECK(same(*pair.b, broken[24]));
  CHECK(pair.a->parts.empty());
  CHECK(pair.b->parts == kNoScale);
  // They look with their own functions, too
  CHECK(same(*pair.a->tap(kProbs), *plain.a->tap(kProbs)));
  CHECK_FALSE(same(*pair.b->tap(kProbs), *plain.a->tap(kProbs)));
  CHECK(pair.a->probe_loss == plain.a->probe_loss);

  // Back in time and on again, phase by phase
  run.seek(9);
  pair = rested(run, 9, true);
  CHECK(same(*pair.a, book[9]));
  CHECK(same(*pair.b, broken[9]));
  for (int i = 0; i < 3; ++i) run.step_phase();
  pair = rested(run, 10, true);
  CHECK(same(*pair.a, book[10]));
  CHECK(same(*pair.b, broken[10]));

  // Mended here: from now on B is the book's, with another past
  run.take_out(true, kNoScale);
  run.play_until(20);
  pair = rested(run, 20, true);
  CHECK(same(*pair.a, book[20]));
  CHECK(same(*pair.b, mended[20]));
  CHECK(pair.b->parts.empty());

  // Forked here, and broken from here; a switch of a component takes the functions along
  run.seek(12);
  (void)rested(run, 12, true);
  run.fork({}, ForkAt::here, kNoScale);
  run.play_until(16);
  pair =
      wait_pair(run, [](const FramePair& f) { return f.b && f.b->fork == 12 && f.a->step == 16; });
  CHECK(same(*pair.a, book[16]));
  CHECK(same(*pair.b, late[16]));
  run.restart(small_options());
  pair = rested(run, 0, true);
  CHECK(pair.b->parts == kNoScale);
  CHECK(pair.a->parts.empty());
  run.close_fork();
  (void)rested(run, 0, false);
  run.play_until(24);
  CHECK(same(*rested(run, 24, false).a, book[24]));
}

TEST_CASE("stand-ins: a run that was broken on its way goes back through it truly",
          "[viewer][run]") {
  const auto way = trained(30, between(10, 20, kNoScale));
  const auto other_way = trained(30, between(10, 12, kNoScale));
  RunThread run(small_options(), quick_config());
  want_all(run);
  run.play_until(10);
  (void)rested(run, 10, false);
  run.put_in(false, kNoScale);
  CHECK(wait_pair(run, [](const FramePair& f) { return !f.a->parts.empty(); }).a->step == 10);
  run.play_until(20);
  (void)rested(run, 20, false);
  run.take_out(false, kNoScale);
  run.play_until(30);
  CHECK(same(*rested(run, 30, false).a, way[30]));
  for (const long step : {15L, 5L, 29L, 11L, 10L, 20L}) {
    INFO(step);
    run.seek(step);
    const FramePair there = rested(run, step, false);
    CHECK(same(*there.a, way[std::size_t(step)]));
    CHECK(there.a->parts.empty() == (step < 10 || step >= 20));
    CHECK(there.a->frontier == 30);
  }

  // Played on from before the break: the same way again, with the function in its place by itself
  run.seek(5);
  (void)rested(run, 5, false);
  run.play_until(30);
  CHECK(same(*rested(run, 30, false).a, way[30]));

  // What was changed last has not had an effect yet, and stays when one comes back
  run.put_in(false, kNoScale);
  run.seek(25);
  CHECK(rested(run, 25, false).a->parts.empty());
  run.seek(30);
  CHECK(rested(run, 30, false).a->parts == kNoScale);

  // Changed in the past: another way from there
  run.seek(12);
  (void)rested(run, 12, false);
  run.take_out(false, kNoScale);
  CHECK(wait_pair(run, [](const FramePair& f) { return f.a->parts.empty(); }).a->frontier == 12);
  run.play_until(30);
  CHECK(same(*rested(run, 30, false).a, other_way[30]));
}

TEST_CASE("stand-ins: a step that has begun is finished with what it began with", "[viewer][run]") {
  const auto late = trained(2, between(1, 9, kNoScale)), broken = trained(1, always(kNoScale));
  RunThread run(small_options(), quick_config());
  want_all(run);
  run.step_phase();
  run.step_phase();
  (void)wait_pair(run, [](const FramePair& f) { return f.a->phase == Phase::backward; });
  run.put_in(false, kNoScale);
  run.step_phase();
  CHECK(rested(run, 1, false).a->parts == kNoScale);
  run.step();
  CHECK(same(*rested(run, 2, false).a, late[2]));
  run.reset();
  run.step();
  CHECK(same(*rested(run, 1, false).a, broken[1]));
}

TEST_CASE("stand-ins: a checkpoint says what stands in the run that is saved, not in the other",
          "[viewer][run]") {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("tpp-stand-ins-" + std::to_string(std::random_device{}()));
  std::filesystem::create_directories(folder);
  const auto mine = [](const std::filesystem::path& path) {
    const SafeTensors file = SafeTensors::open(path);
    const auto found = file.metadata().find("mine");
    return found == file.metadata().end() ? std::string() : found->second;
  };
  fill_slot(kNoScale[0].place, kNoScale[0].function, kNoScale[0].label);  // as --mine does
  {
    RunThread run(small_options(), quick_config());
    want_all(run);
    run.fork({}, ForkAt::here);
    run.take_out(false, kNoScale);
    run.play_until(3);  // B's turn is the last
    const FramePair pair = rested(run, 3, true);
    REQUIRE(pair.a->parts.empty());
    REQUIRE(pair.b->parts == kNoScale);
    run.save((folder / "a.safetensors").string(), false);
    run.save((folder / "b.safetensors").string(), true);
    std::size_t told = 0;
    for (int i = 0; i < 6000 && told < 2; ++i) {
      told += run.take_notices().size();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    REQUIRE(told == 2);
  }
  switch_slot(slot(kNoScale[0].place), false);
  CHECK(mine(folder / "a.safetensors").empty());
  CHECK(mine(folder / "b.safetensors") == kNoScale[0].label);
  std::filesystem::remove_all(folder);
}

TEST_CASE("stand-ins: what stops B can be mended, and in the end the slots are the book's",
          "[viewer][run]") {
  const auto book = trained(12, always({}));
  {
    RunThread run(small_options(), quick_config());
    want_all(run);
    run.play_until(5);
    (void)rested(run, 5, false);
    run.fork({}, ForkAt::here, kNan);
    run.play_until(12);
    FramePair pair = wait_pair(run, [](const FramePair& f) { return !f.a->error.empty(); });
    CHECK(pair.a->error.find("In B, ") == 0);
    run.take_out(true, kNan);
    pair = wait_pair(run, [](const FramePair& f) { return f.a->error.empty(); });
    run.play_until(12);
    pair = rested(run, 12, true);
    CHECK(same(*pair.a, book[12]));
    CHECK(same(*pair.b, book[12]));
    run.put_in(true, kNoScale);
    run.step();
    (void)rested(run, 13, true);
  }
  CHECK(slot("attention_head_forward").function.load() == nullptr);
}
