// How many times was the C heap asked? operator new asks malloc, and so does Eigen for a temporary, so
// this count misses nothing.
#pragma once

#include <cstdint>

namespace tpp::testing {

/// Whether this program can count: glibc, and no sanitizer (those replace malloc themselves).
[[nodiscard]] bool can_count_malloc();

/// Calls of malloc and its kin since the program started, on all threads. Take it before and after.
[[nodiscard]] std::uint64_t malloc_count();

}  // namespace tpp::testing
