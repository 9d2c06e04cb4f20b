// The past of a run.
#include "viewer/run/timeline.h"

#include <algorithm>
#include <bit>

namespace tpp::viewer {
namespace {

std::size_t size_of(const TrainState& state) {
  return sizeof(float) * (state.values.size() + state.m.size() + state.v.size());
}

/// The last entry that began at or before a step.
template <class Entries>
const auto& entry_at(const Entries& entries, long step) {
  auto after = std::upper_bound(entries.begin(), entries.end(), step,
                                [](long s, const auto& entry) { return s < entry.from; });
  return after == entries.begin() ? *after : *std::prev(after);
}

}  // namespace

void Timeline::begin(const TrainState& state, double peak_rate, const StandIns& parts) {
  states_.clear();
  states_.push_back(state);
  first_ = frontier_ = state.step;
  distance_ = kFirstDistance;
  rates_.assign(1, {state.step, peak_rate});
  parts_.assign(1, {state.step, parts});
}

bool Timeline::step_done(long step) {
  frontier_ = step;
  return (step - first_) % distance_ == 0;
}

void Timeline::keep(const TrainState& state) {
  thin(room() - 1);
  if ((state.step - first_) % distance_ == 0) states_.push_back(state);
}

void Timeline::set_budget(std::size_t bytes) {
  budget_ = bytes;
  if (!states_.empty()) thin(room());
}

std::size_t Timeline::room() const {
  const std::size_t each = std::max<std::size_t>(1, size_of(states_.front()));
  return std::max(kLeast, budget_ / each);
}

/// Every other state goes until there are no more than so many; the first stays.
void Timeline::thin(std::size_t most) {
  while (states_.size() > most) {
    distance_ *= 2;
    std::erase_if(states_, [&](const TrainState& s) { return (s.step - first_) % distance_ != 0; });
  }
}

void Timeline::change_rate(long step, double peak_rate) {
  cut(step);
  if (rates_.back().from == step) {
    rates_.back().peak = peak_rate;
  } else {
    rates_.push_back({step, peak_rate});
  }
}

void Timeline::change_parts(long step, const StandIns& parts) {
  cut(step);
  if (parts_.back().from == step) {
    parts_.back().in_place = parts;
  } else {
    parts_.push_back({step, parts});
  }
}

void Timeline::cut(long step) {
  frontier_ = std::max(first_, std::min(frontier_, step));
  std::erase_if(states_, [&](const TrainState& s) { return s.step > frontier_; });
  // What was chosen later had no effect yet, but for the first entry
  while (rates_.size() > 1 && rates_.back().from > frontier_) rates_.pop_back();
  while (parts_.size() > 1 && parts_.back().from > frontier_) parts_.pop_back();
}

const TrainState& Timeline::nearest(long step) const {
  auto after = std::upper_bound(states_.begin(), states_.end(), step,
                                [](long s, const TrainState& state) { return s < state.step; });
  return after == states_.begin() ? *after : *std::prev(after);
}

double Timeline::rate_at(long step) const { return entry_at(rates_, step).peak; }
const StandIns& Timeline::parts_at(long step) const { return entry_at(parts_, step).in_place; }

std::vector<long> Timeline::kept() const {
  std::vector<long> steps;
  for (const TrainState& state : states_) steps.push_back(state.step);
  return steps;
}

std::size_t Timeline::bytes() const {
  std::size_t sum = 0;
  for (const TrainState& state : states_) sum += size_of(state);
  return sum;
}

std::uint64_t hash_of(const TrainState& state) {
  std::uint64_t hash = 14695981039346656037u;
  const auto mix = [&](std::uint64_t word) {
    for (int byte = 0; byte < 8; ++byte)
      hash = (hash ^ (word >> (8 * byte) & 0xff)) * 1099511628211u;
  };
  mix(std::uint64_t(state.step));
  for (const auto* line : {&state.values, &state.m, &state.v}) {
    for (const float value : *line) mix(std::bit_cast<std::uint32_t>(value));
  }
  return hash;
}

}  // namespace tpp::viewer
