// What kernels and the emulator share: coordinates, places in the source, and how an access is told.
#pragma once

#include <cstddef>
#include <cstdint>

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3() = default;
  constexpr dim3(unsigned x_, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};

// Who the running thread is: real variables, so that a debugger can print them.
extern constinit thread_local uint3 threadIdx, blockIdx;
extern constinit thread_local dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace tpp::simt {

/// A line of a kernel; functions take their caller's by default argument.
struct Site {
  const char* file;
  int line;
};

enum class Access : std::uint8_t { kRead, kWrite, kAtomic };

/// Tell the checker and the recorder of one access. Cheap outside of kernels.
void touch(const void* address, std::size_t bytes, Access access, const void* pc);

/// End the kernel with this sentence, as an Error from launch.
[[noreturn]] void refuse(const char* sentence);

}  // namespace tpp::simt

// Is this file compiled with the checked build's hooks?
#if defined(__SANITIZE_THREAD__)
#define TPP_SIMT_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TPP_SIMT_CHECKED 1
#endif
#endif
#ifndef TPP_SIMT_CHECKED
#define TPP_SIMT_CHECKED 0
#endif

// A function that tells of its accesses itself, for its caller's line: no hooks inside. Callees do not inherit that.
#if TPP_SIMT_CHECKED
#define TPP_SIMT_QUIET inline __attribute__((noinline, no_sanitize("thread")))
#define TPP_SIMT_VARIANT simt_checked
#else
#define TPP_SIMT_QUIET inline
#define TPP_SIMT_VARIANT simt_fast
#endif
#define TPP_SIMT_INLINE inline __attribute__((always_inline))

// Tell of an access where the caller stands.
#define TPP_SIMT_TOUCH(address, bytes, access)                                 \
  do {                                                                         \
    if (TPP_SIMT_CHECKED) {                                                    \
      ::tpp::simt::touch(address, bytes, access, __builtin_return_address(0)); \
    }                                                                          \
  } while (false)
