// How many heap allocations did this piece of code make? Every operator new of the test program
// counts.
#pragma once

#include <cstdint>

namespace tpp::testing {

/// Allocations by operator new since the program started, on all threads. Take it before and after.
[[nodiscard]] std::uint64_t allocation_count();

}  // namespace tpp::testing
