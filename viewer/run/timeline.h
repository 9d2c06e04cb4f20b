// The past of a run: states kept every so often, within a budget of memory, and what was changed by
// hand on the way. From the nearest state the run is taken again to any step, bit for bit.
//
// The random numbers and the place in the data are functions of the seed and the step, so a state is
// the weights and the optimiser's moments. When the budget is full, every other state goes: the
// distance between two doubles, and the whole past stays within reach.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "chapters/11_gpt/trainer.h"
#include "viewer/run/stand_ins.h"

namespace tpp::viewer {

class Timeline {
 public:
  /// Room for at least two states, whatever the budget.
  explicit Timeline(std::size_t budget_bytes) : budget_(budget_bytes) {}

  /// With less than before, states go at once.
  void set_budget(std::size_t bytes);

  /// Forget everything: the run begins, or goes on, with this state.
  /// `parts` are the functions that stand in the model in the place of the book's.
  void begin(const TrainState& state, double peak_rate, const StandIns& parts);

  /// A step was taken for the first time, and led to this one. True when the state is due to be kept:
  /// call keep() then.
  [[nodiscard]] bool step_done(long step);
  void keep(const TrainState& state);

  /// The peak learning rate, or what stands in the model, is another from this step on. What came after
  /// it is forgotten.
  void change_rate(long step, double peak_rate);
  void change_parts(long step, const StandIns& parts);

  /// What came after this step is forgotten: the run takes another way from here.
  void cut(long step);

  /// The newest kept state at or before a step; the first for steps before it. Call after begin().
  [[nodiscard]] const TrainState& nearest(long step) const;

  /// The step from `step` to the next: what it was taken with.
  [[nodiscard]] double rate_at(long step) const;
  [[nodiscard]] const StandIns& parts_at(long step) const;

  [[nodiscard]] long first() const { return first_; }        // step that can be reached
  [[nodiscard]] long frontier() const { return frontier_; }  // the last that was taken
  [[nodiscard]] std::vector<long> kept() const;              // steps, ascending
  [[nodiscard]] long distance() const { return distance_; }  // between two kept states
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t budget() const { return budget_; }

 private:
  struct Rate {
    long from = 0;
    double peak = 0;
  };
  struct Parts {
    long from = 0;
    StandIns in_place;
  };

  static constexpr long kFirstDistance = 8;  // steps
  static constexpr std::size_t kLeast = 2;   // states

  [[nodiscard]] std::size_t room() const;  // for so many states
  void thin(std::size_t most);

  std::size_t budget_;
  std::vector<TrainState> states_;  // by step, ascending; never empty after begin()
  std::vector<Rate> rates_;
  std::vector<Parts> parts_;
  long first_ = 0, frontier_ = 0, distance_ = kFirstDistance;
};

/// FNV-1a over the bits of a state: equal for equal bits, and in practice only then.
[[nodiscard]] std::uint64_t hash_of(const TrainState& state);

}  // namespace tpp::viewer
