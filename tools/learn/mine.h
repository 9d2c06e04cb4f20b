// A reader's own functions, or wrong answers, in the model that trains.
#pragma once

#include <string>
#include <vector>

#include "chapters/02_tape/slots.h"

namespace tpp {

/// A function that was built and loaded, and the slot that it is for.
struct LoadedFunction {
  std::string slot;
  AnyFunction function = nullptr;
  std::string label;  // "12.1 RMSNorm forward: yours"
};

/// Build and load what `list` names, "12.1,rope" or "12.1=eps_outside", and put it nowhere yet. tpp-learn, which stands
/// beside this program, compiles: seconds, or half a minute the first time.
///
/// Errors  InputError with its reason, also where the program or what it needs is missing
[[nodiscard]] std::vector<LoadedFunction> load_functions(const std::string& list);

/// Build and load what `list` names, "12.1,rope" or "12.1=eps_outside", and fill the slots of the chapters. tpp-learn,
/// which stands beside this program, compiles. Does nothing for an empty list.
///
/// Errors  InputError: an exercise that is unknown, not passed, without a place in the model; a device other than "cpu",
///         whose kernels would run instead
void put_mine_in_place(const std::string& list, const std::string& device);

}  // namespace tpp
