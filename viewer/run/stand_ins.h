// What stands in a run's model in the place of the book's functions: a reader's answers, or wrong ones.
//
// The chapters' slots (chapters/02_tape/slots.h) are one for the whole program. Two runs in lockstep take
// turns on one thread, so each puts its own functions there before its turn.
#pragma once

#include <string>
#include <vector>

namespace tpp::viewer {

struct StandIn {
  std::string place;             // the slot's name: "rmsnorm_forward"
  void (*function)() = nullptr;  // of the type of the book's
  std::string label;             // "12.1 RMSNorm forward: yours"

  bool operator==(const StandIn&) const = default;
};

/// At most one for each place. The same functions in another order are not equal: add with put_in().
using StandIns = std::vector<StandIn>;

/// What the slots hold now: those that were filled, and are switched on.
[[nodiscard]] StandIns stand_ins_now();

/// Put one in, in its place's order, instead of what stands there; or take it out, if it stands there.
void put_in(StandIns& all, const StandIn& one);
void take_out(StandIns& all, const StandIn& one);
[[nodiscard]] bool holds(const StandIns& all, const StandIn& one);

/// "12.1 RMSNorm forward: yours, …", each label once; empty when all is the book's.
[[nodiscard]] std::string labels_of(const StandIns& all);

/// Puts what a run has into the slots, just before the run computes. On the thread that computes.
class InPlace {
 public:
  InPlace() : there_(stand_ins_now()) {}

  /// Nothing is written when the same functions stand there already.
  void put(const StandIns& wanted);

 private:
  StandIns there_;
};

}  // namespace tpp::viewer
