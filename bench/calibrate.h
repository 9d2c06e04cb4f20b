// What a core could do at most: the rate of fused multiply-adds with nothing to wait for.
//
// Figures in GFLOP/s move with the clock, the neighbours on the machine and its make. Divided by this
// peak, measured a moment before and after on the same core, they stay within a few percent.
#pragma once

#include <ctime>

namespace tpp::bench {

/// Seconds of CPU that the calling thread has used. Other programs' turns do not count.
inline double thread_cpu_seconds() {
  timespec t{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

#if defined(__GNUC__) && (defined(__AVX512F__) || defined(__AVX2__))

// The widest registers that this program was compiled for, as Eigen uses them
#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
inline constexpr const char* kPeakName = "12 chains of AVX-512 multiply-adds";
#else
inline constexpr int kLanes = 8;
inline constexpr const char* kPeakName = "12 chains of AVX2 multiply-adds";
#endif
using Lanes = float __attribute__((vector_size(4 * kLanes)));

// Twelve chains: a multiply-add takes at least four cycles, and two or more start in each
inline double multiply_add_peak() {
  Lanes a0{}, a1{}, a2{}, a3{}, a4{}, a5{}, a6{}, a7{}, a8{}, a9{}, a10{}, a11{};
  Lanes x = Lanes{} + 0.999f, y = Lanes{} + 0.5f;

  // The compiler must not know that the chains hold the same numbers, or it would compute one
#define TPP_HIDE(...) asm volatile("" : __VA_ARGS__)
#define TPP_REG(a) "+v"(a)
  TPP_HIDE(TPP_REG(x), TPP_REG(y));
  TPP_HIDE(TPP_REG(a0), TPP_REG(a1), TPP_REG(a2), TPP_REG(a3), TPP_REG(a4), TPP_REG(a5));
  TPP_HIDE(TPP_REG(a6), TPP_REG(a7), TPP_REG(a8), TPP_REG(a9), TPP_REG(a10), TPP_REG(a11));
  constexpr int kRounds = 250'000;  // a millisecond or two
  const double start = thread_cpu_seconds();
  for (int i = 0; i < kRounds; ++i) {
    a0 = a0 * x + y, a1 = a1 * x + y, a2 = a2 * x + y, a3 = a3 * x + y;
    a4 = a4 * x + y, a5 = a5 * x + y, a6 = a6 * x + y, a7 = a7 * x + y;
    a8 = a8 * x + y, a9 = a9 * x + y, a10 = a10 * x + y, a11 = a11 * x + y;
  }
  TPP_HIDE(TPP_REG(a0), TPP_REG(a1), TPP_REG(a2), TPP_REG(a3), TPP_REG(a4), TPP_REG(a5));
  TPP_HIDE(TPP_REG(a6), TPP_REG(a7), TPP_REG(a8), TPP_REG(a9), TPP_REG(a10), TPP_REG(a11));
#undef TPP_REG
#undef TPP_HIDE
  return 2.0 * 12 * kLanes * kRounds / (thread_cpu_seconds() - start) * 1e-9;
}

#else

// Without vectors of a known width: what the compiler makes of sixty-four chains of single numbers
inline constexpr const char* kPeakName = "64 chains of multiply-adds, as compiled";
inline double multiply_add_peak() {
  constexpr int kChains = 64, kRounds = 100'000;
  volatile float seed = 0.5f;
  float a[kChains];
  for (int k = 0; k < kChains; ++k) a[k] = seed;
  const float x = 0.999f * (seed + 0.5f), y = seed;
  const double start = thread_cpu_seconds();
  for (int i = 0; i < kRounds; ++i) {
    for (float& chain : a) chain = chain * x + y;
  }
  const double seconds = thread_cpu_seconds() - start;
  for (const float chain : a) seed = chain;
  return 2.0 * kChains * kRounds / seconds * 1e-9;
}

#endif

}  // namespace tpp::bench
