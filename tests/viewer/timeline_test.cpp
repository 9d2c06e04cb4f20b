// Back in time: which states are kept, and that a step taken again has the same bits.
#include "viewer/run/timeline.h"

#include <algorithm>
#include <numeric>

#include "tests/testing.h"

using namespace tpp;
using namespace tpp::viewer;

namespace {

TrainState state_at(long step, int size = 100) {
  TrainState state;
  state.step = step;
  for (auto* line : {&state.values, &state.m, &state.v})
    line->assign(std::size_t(size), float(step));
  return state;
}

void take_steps(Timeline& past, long from, long to) {
  for (long step = from + 1; step <= to; ++step) {
    if (past.step_done(step)) past.keep(state_at(step));
  }
}

}  // namespace

TEST_CASE("timeline: it stays within its budget, and the whole past within reach",
          "[viewer][run]") {
  const std::size_t each = 3 * 100 * sizeof(float);
  Timeline past(10 * each);
  past.begin(state_at(0), 1e-3, {});
  for (long step = 1; step <= 5000; ++step) {
    take_steps(past, step - 1, step);
    REQUIRE(past.bytes() <= past.budget());
  }
  CHECK(past.first() == 0);
  CHECK(past.frontier() == 5000);
  const std::vector<long> kept = past.kept();
  REQUIRE(kept.size() >= 5);  // half of what there is room for, at least
  CHECK(kept.front() == 0);
  CHECK(std::is_sorted(kept.begin(), kept.end()));
  for (std::size_t i = 1; i < kept.size(); ++i) CHECK(kept[i] - kept[i - 1] == past.distance());
  CHECK(5000 - kept.back() <= past.distance());

  for (const long step : {0L, 1L, 777L, 2500L, 4999L, 5000L}) {
    const TrainState& near = past.nearest(step);
    CHECK(near.step <= step);
    CHECK(step - near.step < past.distance());
    CHECK(near.values.front() == float(near.step));
  }
}

TEST_CASE("timeline: with less room states go at once, with more they come as the run goes on",
          "[viewer][run]") {
  const std::size_t each = 3 * 100 * sizeof(float);
  Timeline past(16 * each);
  past.begin(state_at(0), 1e-3, {});
  take_steps(past, 0, 120);
  REQUIRE(past.kept().size() == 16);
  past.set_budget(8 * each);
  CHECK(past.bytes() <= 8 * each);
  CHECK(past.kept() == std::vector<long>{0, 16, 32, 48, 64, 80, 96, 112});
  CHECK(past.nearest(120).step == 112);
  past.set_budget(16 * each);
  take_steps(past, 120, 300);
  CHECK(past.bytes() <= 16 * each);
  CHECK(past.kept().size() > 8);

  // Two states at least, the first and one more
  past.set_budget(0);
  CHECK(past.kept().size() <= 2);
  take_steps(past, 300, 1100);
  CHECK(past.kept() == std::vector<long>{0, 1024});
}

TEST_CASE("timeline: a run that begins late cannot go before its beginning", "[viewer][run]") {
  Timeline past(1 << 20);
  past.begin(state_at(300), 1e-3, {});
  take_steps(past, 300, 350);
  CHECK(past.first() == 300);
  CHECK(past.nearest(10).step == 300);
  CHECK(past.nearest(309).step == 308);
}

TEST_CASE("timeline: rates and parts are remembered by step, and a cut forgets what came after",
          "[viewer][run]") {
  Timeline past(1 << 20);
  past.begin(state_at(0), 1e-3, {});
  take_steps(past, 0, 20);
  past.change_rate(20, 5e-4);
  const StandIns mine{{"rmsnorm_forward", nullptr, "12.1 RMSNorm: yours"}};
  past.change_parts(20, mine);
  take_steps(past, 20, 40);
  past.change_parts(40, {});
  CHECK(past.rate_at(19) == 1e-3);
  CHECK(past.rate_at(20) == 5e-4);
  CHECK(past.parts_at(19).empty());
  CHECK(past.parts_at(20) == mine);
  CHECK(past.parts_at(39) == mine);
  CHECK(past.parts_at(40).empty());

  past.change_rate(10, 2e-3);
  CHECK(past.frontier() == 10);
  CHECK(past.kept() == std::vector<long>{0, 8});
  CHECK(past.rate_at(9) == 1e-3);
  CHECK(past.rate_at(10) == 2e-3);
  CHECK(past.rate_at(25) == 2e-3);
  CHECK(past.parts_at(30).empty());
}

TEST_CASE("timeline: the hash of a state sees a single bit", "[viewer][run]") {
  const TrainState state = state_at(7);
  TrainState other = state;
  CHECK(hash_of(other) == hash_of(state));
  other.v[42] = std::nextafter(other.v[42], 10.f);
  CHECK(hash_of(other) != hash_of(state));
  other = state;
  other.step = 8;
  CHECK(hash_of(other) != hash_of(state));
}
