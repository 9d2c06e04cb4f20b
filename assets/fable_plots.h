// The plots: each is a little story with several endings, and a moral that follows from the ending.
#pragma once

#include <span>

#include "assets/fable_tale.h"

namespace tpp::fable {

using Plot = void (*)(Tale&);

[[nodiscard]] std::span<const Plot> plots();

}  // namespace tpp::fable
