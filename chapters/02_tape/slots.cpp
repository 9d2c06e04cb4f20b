#include "chapters/02_tape/slots.h"

#include <map>
#include <mutex>

namespace tpp {
namespace {

std::mutex guard;

std::map<std::string, Slot, std::less<>>& all_slots() {
  static std::map<std::string, Slot, std::less<>> slots;  // its elements stay where they are
  return slots;
}

}  // namespace

Slot& slot(std::string_view name) {
  const std::lock_guard lock(guard);
  Slot& place = all_slots()[std::string(name)];
  place.name = name;
  return place;
}

void fill_slot(std::string_view name, AnyFunction function, std::string label) {
  Slot& place = slot(name);
  place.offered = function;
  place.label = std::move(label);
  switch_slot(place, true);
}

void switch_slot(Slot& place, bool mine) { place.function = mine ? place.offered : nullptr; }

std::vector<Slot*> filled_slots() {
  const std::lock_guard lock(guard);
  std::vector<Slot*> filled;
  for (auto& [name, place] : all_slots()) {
    if (place.offered != nullptr) filled.push_back(&place);
  }
  return filled;
}

std::string slots_in_use() {
  std::string text;
  for (const Slot* place : filled_slots()) {
    if (place->function.load() == nullptr) continue;
    if (text.find(place->label) == std::string::npos)  // one exercise may fill several
      text += (text.empty() ? "" : ", ") + place->label;
  }
  return text;
}

}  // namespace tpp
