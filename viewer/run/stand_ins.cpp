// What stands in a run's model in the place of the book's functions.
#include "viewer/run/stand_ins.h"

#include <algorithm>

#include "chapters/02_tape/slots.h"

namespace tpp::viewer {

StandIns stand_ins_now() {
  StandIns all;
  for (tpp::Slot* place : filled_slots()) {
    if (const AnyFunction function = place->function.load())
      put_in(all, {place->name, function, place->label});
  }
  return all;
}

void put_in(StandIns& all, const StandIn& one) {
  const auto at =
      std::lower_bound(all.begin(), all.end(), one,
                       [](const StandIn& a, const StandIn& b) { return a.place < b.place; });
  if (at != all.end() && at->place == one.place) {
    *at = one;
  } else {
    all.insert(at, one);
  }
}

void take_out(StandIns& all, const StandIn& one) { std::erase(all, one); }

bool holds(const StandIns& all, const StandIn& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string labels_of(const StandIns& all) {
  std::string text;
  for (const StandIn& one : all) {
    if (text.find(one.label) == std::string::npos)  // one exercise may fill several
      text += (text.empty() ? "" : ", ") + one.label;
  }
  return text;
}

void InPlace::put(const StandIns& wanted) {
  if (there_ == wanted) return;
  for (const StandIn& old : there_) slot(old.place).function = nullptr;
  for (const StandIn& one : wanted) slot(one.place).function = one.function;
  there_ = wanted;
}

}  // namespace tpp::viewer
