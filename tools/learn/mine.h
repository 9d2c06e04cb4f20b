// A reader's own functions, or wrong answers, in the model that trains.
#pragma once

#include <string>

namespace tpp {

/// Build and load what `list` names, "12.1,rope" or "12.1=eps_outside", and fill the slots of the chapters. tpp-learn,
/// which stands beside this program, compiles. Does nothing for an empty list.
///
/// Errors  InputError: an exercise that is unknown, not passed, without a place in the model; a device other than "cpu",
///         whose kernels would run instead
void put_mine_in_place(const std::string& list, const std::string& device);

}  // namespace tpp
