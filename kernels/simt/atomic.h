// Atomics on shared and global memory: real ones, since blocks run on several cores.
#pragma once

#include "kernels/simt/language.h"

inline namespace TPP_SIMT_VARIANT {

namespace simt_detail {

template <std::size_t kBytes>
struct word;
template <>
struct word<4> {
  using type = std::uint32_t;
};
template <>
struct word<8> {
  using type = std::uint64_t;
};

// Change *address by a plain function of its value, as one step.
template <class T, class Change>
__attribute__((always_inline, no_sanitize("thread"))) inline T atomically(T* address,
                                                                          Change change) {
  using Word = typename word<sizeof(T)>::type;
  auto* place = reinterpret_cast<Word*>(address);
  Word seen = __atomic_load_n(place, __ATOMIC_RELAXED);
  for (;;) {
    T value;
    __builtin_memcpy(&value, &seen, sizeof(T));
    const T next = change(value);
    Word wanted;
    __builtin_memcpy(&wanted, &next, sizeof(T));
    if (__atomic_compare_exchange_n(place, &seen, wanted, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
      return value;
    }
  }
}

}  // namespace simt_detail

#define TPP_SIMT_ATOMIC(name, T, expression)                                                 \
  TPP_SIMT_QUIET T name(T* address, T operand) {                                             \
    TPP_SIMT_TOUCH(address, sizeof(T), tpp::simt::Access::kAtomic);                          \
    return simt_detail::atomically(                                                          \
        address, [operand](T old) __attribute__((always_inline, no_sanitize("thread")))->T { \
          (void)old;                                                                         \
          return expression;                                                                 \
        });                                                                                  \
  }
#define TPP_SIMT_ATOMICS(T)                                                          \
  TPP_SIMT_ATOMIC(atomicAdd, T, static_cast<T>(old + operand))                       \
  TPP_SIMT_ATOMIC(atomicSub, T, static_cast<T>(old - operand))                       \
  TPP_SIMT_ATOMIC(atomicExch, T, operand)                                            \
  TPP_SIMT_ATOMIC(atomicMin, T, operand < old ? operand : old)                       \
  TPP_SIMT_ATOMIC(atomicMax, T, old < operand ? operand : old)                       \
  TPP_SIMT_ATOMIC(atomicAnd, T, static_cast<T>(old & operand))                       \
  TPP_SIMT_ATOMIC(atomicOr, T, static_cast<T>(old | operand))                        \
  TPP_SIMT_ATOMIC(atomicXor, T, static_cast<T>(old ^ operand))                       \
  TPP_SIMT_QUIET T atomicCAS(T* address, T expected, T wanted) {                     \
    TPP_SIMT_TOUCH(address, sizeof(T), tpp::simt::Access::kAtomic);                  \
    __atomic_compare_exchange_n(address, &expected, wanted, false, __ATOMIC_SEQ_CST, \
                                __ATOMIC_SEQ_CST);                                   \
    return expected;                                                                 \
  }
TPP_SIMT_ATOMICS(int)
TPP_SIMT_ATOMICS(unsigned)
TPP_SIMT_ATOMICS(unsigned long long)
TPP_SIMT_ATOMIC(atomicAdd, float, old + operand)
TPP_SIMT_ATOMIC(atomicAdd, double, old + operand)
TPP_SIMT_ATOMIC(atomicExch, float, operand)
TPP_SIMT_ATOMIC(atomicInc, unsigned, old >= operand ? 0u : old + 1u)
TPP_SIMT_ATOMIC(atomicDec, unsigned, old == 0 || old > operand ? operand : old - 1u)

}  // namespace TPP_SIMT_VARIANT
