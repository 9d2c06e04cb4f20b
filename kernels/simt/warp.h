// Barriers and warp functions: the last lane to arrive computes for everybody.
#pragma once

#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/simt/types.h"

namespace tpp::simt {

enum class Shuffle : std::uint8_t { kIndex, kUp, kDown, kXor };
enum class Vote : std::uint8_t { kBallot, kAny, kAll, kMatchAny, kMatchAll };
enum class Reduce : std::uint8_t { kAdd, kMin, kMax, kMinSigned, kMaxSigned, kAnd, kOr, kXor };

struct Tally {
  int count, all, any;
};

Tally block_barrier(int predicate, Site site);
void warp_barrier(unsigned mask, Site site);
std::uint64_t warp_shuffle(Shuffle how, unsigned mask, std::uint64_t bits, int argument, int width,
                           Site site);
std::uint64_t warp_vote(Vote how, unsigned mask, std::uint64_t bits, Site site);
std::uint32_t warp_reduce(Reduce how, unsigned mask, std::uint32_t bits, Site site);
unsigned active_lanes();
void fence();

}  // namespace tpp::simt

// The caller's place, as two last parameters of a function.
#define TPP_SIMT_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline namespace TPP_SIMT_VARIANT {

TPP_SIMT_INLINE void __syncthreads(TPP_SIMT_SITE) { tpp::simt::block_barrier(0, {file, line}); }
TPP_SIMT_INLINE int __syncthreads_count(int predicate, TPP_SIMT_SITE) {
  return tpp::simt::block_barrier(predicate, {file, line}).count;
}
TPP_SIMT_INLINE int __syncthreads_and(int predicate, TPP_SIMT_SITE) {
  return tpp::simt::block_barrier(predicate, {file, line}).all;
}
TPP_SIMT_INLINE int __syncthreads_or(int predicate, TPP_SIMT_SITE) {
  return tpp::simt::block_barrier(predicate, {file, line}).any;
}
TPP_SIMT_INLINE void __syncwarp(unsigned mask = 0xffffffffu, TPP_SIMT_SITE) {
  tpp::simt::warp_barrier(mask, {file, line});
}

namespace simt_detail {
template <class T>
TPP_SIMT_INLINE T shuffle(tpp::simt::Shuffle how, unsigned mask, T value, int argument, int width,
                          tpp::simt::Site site) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_destructible_v<T>,
                "shuffle values of at most 8 bytes");
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  bits = tpp::simt::warp_shuffle(how, mask, bits, argument, width, site);
  T result;
  __builtin_memcpy(static_cast<void*>(&result), &bits, sizeof(T));
  return result;
}
template <class T>
TPP_SIMT_INLINE std::uint64_t bits_of(T value) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  return bits;
}
}  // namespace simt_detail

template <class T>
TPP_SIMT_INLINE T __shfl_sync(unsigned mask, T value, int lane, int width = 32, TPP_SIMT_SITE) {
  return simt_detail::shuffle(tpp::simt::Shuffle::kIndex, mask, value, lane, width, {file, line});
}
template <class T>
TPP_SIMT_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                                 TPP_SIMT_SITE) {
  return simt_detail::shuffle(tpp::simt::Shuffle::kUp, mask, value, static_cast<int>(delta), width,
                              {file, line});
}
template <class T>
TPP_SIMT_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                                   TPP_SIMT_SITE) {
  return simt_detail::shuffle(tpp::simt::Shuffle::kDown, mask, value, static_cast<int>(delta),
                              width, {file, line});
}
template <class T>
TPP_SIMT_INLINE T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                                  TPP_SIMT_SITE) {
  return simt_detail::shuffle(tpp::simt::Shuffle::kXor, mask, value, lanes, width, {file, line});
}

TPP_SIMT_INLINE unsigned __ballot_sync(unsigned mask, int predicate, TPP_SIMT_SITE) {
  return static_cast<unsigned>(
      tpp::simt::warp_vote(tpp::simt::Vote::kBallot, mask, predicate != 0, {file, line}));
}
TPP_SIMT_INLINE int __any_sync(unsigned mask, int predicate, TPP_SIMT_SITE) {
  return static_cast<int>(
      tpp::simt::warp_vote(tpp::simt::Vote::kAny, mask, predicate != 0, {file, line}));
}
TPP_SIMT_INLINE int __all_sync(unsigned mask, int predicate, TPP_SIMT_SITE) {
  return static_cast<int>(
      tpp::simt::warp_vote(tpp::simt::Vote::kAll, mask, predicate != 0, {file, line}));
}
template <class T>
TPP_SIMT_INLINE unsigned __match_any_sync(unsigned mask, T value, TPP_SIMT_SITE) {
  return static_cast<unsigned>(tpp::simt::warp_vote(tpp::simt::Vote::kMatchAny, mask,
                                                    simt_detail::bits_of(value), {file, line}));
}
template <class T>
TPP_SIMT_INLINE unsigned __match_all_sync(unsigned mask, T value, int* all, TPP_SIMT_SITE) {
  const auto same = static_cast<unsigned>(tpp::simt::warp_vote(
      tpp::simt::Vote::kMatchAll, mask, simt_detail::bits_of(value), {file, line}));
  *all = same != 0;
  return same;
}
TPP_SIMT_INLINE unsigned __activemask() { return tpp::simt::active_lanes(); }

#define TPP_SIMT_REDUCE(name, T, how)                                                    \
  TPP_SIMT_INLINE T name(unsigned mask, T value, TPP_SIMT_SITE) {                        \
    return static_cast<T>(tpp::simt::warp_reduce(                                        \
        tpp::simt::Reduce::how, mask, static_cast<std::uint32_t>(value), {file, line})); \
  }
TPP_SIMT_REDUCE(__reduce_add_sync, int, kAdd)
TPP_SIMT_REDUCE(__reduce_add_sync, unsigned, kAdd)
TPP_SIMT_REDUCE(__reduce_min_sync, int, kMinSigned)
TPP_SIMT_REDUCE(__reduce_min_sync, unsigned, kMin)
TPP_SIMT_REDUCE(__reduce_max_sync, int, kMaxSigned)
TPP_SIMT_REDUCE(__reduce_max_sync, unsigned, kMax)
TPP_SIMT_REDUCE(__reduce_and_sync, unsigned, kAnd)
TPP_SIMT_REDUCE(__reduce_or_sync, unsigned, kOr)
TPP_SIMT_REDUCE(__reduce_xor_sync, unsigned, kXor)

TPP_SIMT_INLINE void __threadfence() { tpp::simt::fence(); }
TPP_SIMT_INLINE void __threadfence_block() {}
TPP_SIMT_INLINE void __threadfence_system() { tpp::simt::fence(); }

}  // namespace TPP_SIMT_VARIANT
