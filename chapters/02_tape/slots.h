// Places where a reader's own function can stand instead of the book's: what an exercise taught, live in the model.
//
//   static Slot& mine = slot("rmsnorm_forward");
//   in_slot<T>(mine, rmsnorm_forward<T>)(x.value(), …);
//
// The book's function stands beside the slot, so the code reads as it did. A slot is read once a call; it may be
// switched while the model trains. Only float can be exchanged: double is the oracle of the tests.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "chapters/01_tensor/tensor.h"

namespace tpp {

using AnyFunction = void (*)();

struct Slot {
  std::string name;                             // "rmsnorm_forward"
  std::atomic<AnyFunction> function = nullptr;  // what runs; null: the book's
  AnyFunction offered = nullptr;                // what switch_slot() puts there
  std::string label;                            // "12.1 RMSNorm forward: yours"
};

/// The slot of this name; made when it is asked for first. The reference stays good.
[[nodiscard]] Slot& slot(std::string_view name);

/// Offer a function, which must be of the type of the book's, and switch it on.
/// Call before other threads run the model.
void fill_slot(std::string_view name, AnyFunction function, std::string label);

void switch_slot(Slot& place, bool mine);

/// Those that have an offer, by name.
[[nodiscard]] std::vector<Slot*> filled_slots();

/// "12.1 RMSNorm forward: yours, …" of those that are switched on; empty when all is the book's.
[[nodiscard]] std::string slots_in_use();

/// What stands in the slot, or the book's function.
template <Real T, class F>
[[nodiscard]] F* in_slot(const Slot& place, F* book) {
  if constexpr (std::is_same_v<T, float>) {
    if (const AnyFunction mine = place.function.load(std::memory_order_relaxed)) {
      return reinterpret_cast<F*>(mine);
    }
  }
  return book;
}

/// What stands in the slot, or nullptr for the book's: where the book's function is a few numbers' work and must be
/// inlined, ask once and keep the loop of the book apart.
template <Real T, class F>
[[nodiscard]] F* mine_in(const Slot& place, [[maybe_unused]] F* book) {
  F* const found = in_slot<T, F>(place, nullptr);
  return found;
}

}  // namespace tpp
