// What -fsanitize=thread,bounds calls, and nobody else defines: the sanitizers' runtimes are not linked.
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "kernels/simt/internal.h"

using tpp::simt::Access;

namespace {
// Compilers say "unaligned" when they do not know better: judge the bytes.
void touch_bytes(const void* address, std::size_t bytes, Access access, const void* pc) {
  const auto* first = static_cast<const char*>(address);
  if (reinterpret_cast<std::uintptr_t>(address) % bytes == 0) {
    return tpp::simt::touch(address, bytes, access, pc);
  }
  for (std::size_t i = 0; i < bytes; ++i) tpp::simt::touch(first + i, 1, access, pc);
}
}  // namespace

#define TPP_HOOK(name, bytes, access)                                              \
  extern "C" void name(void* address);                                             \
  extern "C" void name(void* address) {                                            \
    if (!tpp::simt::in_kernel) return;                                             \
    tpp::simt::touch(address, bytes, Access::access, __builtin_return_address(0)); \
  }
#define TPP_UNALIGNED_HOOK(name, bytes, access)                               \
  extern "C" void name(void* address);                                        \
  extern "C" void name(void* address) {                                       \
    if (!tpp::simt::in_kernel) return;                                        \
    touch_bytes(address, bytes, Access::access, __builtin_return_address(0)); \
  }
TPP_HOOK(__tsan_read1, 1, kRead)
TPP_HOOK(__tsan_read2, 2, kRead)
TPP_HOOK(__tsan_read4, 4, kRead)
TPP_HOOK(__tsan_read8, 8, kRead)
TPP_HOOK(__tsan_read16, 16, kRead)
TPP_HOOK(__tsan_write1, 1, kWrite)
TPP_HOOK(__tsan_write2, 2, kWrite)
TPP_HOOK(__tsan_write4, 4, kWrite)
TPP_HOOK(__tsan_write8, 8, kWrite)
TPP_HOOK(__tsan_write16, 16, kWrite)
TPP_UNALIGNED_HOOK(__tsan_unaligned_read2, 2, kRead)
TPP_UNALIGNED_HOOK(__tsan_unaligned_read4, 4, kRead)
TPP_UNALIGNED_HOOK(__tsan_unaligned_read8, 8, kRead)
TPP_UNALIGNED_HOOK(__tsan_unaligned_read16, 16, kRead)
TPP_UNALIGNED_HOOK(__tsan_unaligned_write2, 2, kWrite)
TPP_UNALIGNED_HOOK(__tsan_unaligned_write4, 4, kWrite)
TPP_UNALIGNED_HOOK(__tsan_unaligned_write8, 8, kWrite)
TPP_UNALIGNED_HOOK(__tsan_unaligned_write16, 16, kWrite)

// Newer clang: a read and a write of one place.
#define TPP_BOTH_HOOK(name, bytes)                                            \
  extern "C" void name(void* address);                                        \
  extern "C" void name(void* address) {                                       \
    if (!tpp::simt::in_kernel) return;                                        \
    touch_bytes(address, bytes, Access::kRead, __builtin_return_address(0));  \
    touch_bytes(address, bytes, Access::kWrite, __builtin_return_address(0)); \
  }
TPP_BOTH_HOOK(__tsan_read_write1, 1)
TPP_BOTH_HOOK(__tsan_read_write2, 2)
TPP_BOTH_HOOK(__tsan_read_write4, 4)
TPP_BOTH_HOOK(__tsan_read_write8, 8)
TPP_BOTH_HOOK(__tsan_read_write16, 16)
TPP_BOTH_HOOK(__tsan_unaligned_read_write2, 2)
TPP_BOTH_HOOK(__tsan_unaligned_read_write4, 4)
TPP_BOTH_HOOK(__tsan_unaligned_read_write8, 8)
TPP_BOTH_HOOK(__tsan_unaligned_read_write16, 16)

extern "C" {

void __tsan_func_entry(void*);
void __tsan_func_exit();
void __tsan_vptr_update(void**, void*);
void __tsan_vptr_read(void**);
void __tsan_ignore_thread_begin();
void __tsan_ignore_thread_end();
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}

void __tsan_read_range(void* address, unsigned long bytes);
void __tsan_write_range(void* address, unsigned long bytes);
void __tsan_read_range(void* address, unsigned long bytes) {
  tpp::simt::touch(address, bytes, Access::kRead, __builtin_return_address(0));
}
void __tsan_write_range(void* address, unsigned long bytes) {
  tpp::simt::touch(address, bytes, Access::kWrite, __builtin_return_address(0));
}

void* __tsan_memcpy(void* to, const void* from, std::size_t bytes);
void* __tsan_memmove(void* to, const void* from, std::size_t bytes);
void* __tsan_memset(void* to, int value, std::size_t bytes);
void* __tsan_memcpy(void* to, const void* from, std::size_t bytes) {
  tpp::simt::touch(from, bytes, Access::kRead, __builtin_return_address(0));
  tpp::simt::touch(to, bytes, Access::kWrite, __builtin_return_address(0));
  return std::memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, std::size_t bytes) {
  tpp::simt::touch(from, bytes, Access::kRead, __builtin_return_address(0));
  tpp::simt::touch(to, bytes, Access::kWrite, __builtin_return_address(0));
  return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, std::size_t bytes) {
  tpp::simt::touch(to, bytes, Access::kWrite, __builtin_return_address(0));
  return std::memset(to, value, bytes);
}

// --- Atomics of the standard library, in host code that is inlined into kernel files ------------------

#define TPP_ATOMIC_HOOKS(bits, T)                                                           \
  T __tsan_atomic##bits##_load(const volatile T* a, int);                                   \
  T __tsan_atomic##bits##_load(const volatile T* a, int) {                                  \
    return __atomic_load_n(a, __ATOMIC_SEQ_CST);                                            \
  }                                                                                         \
  void __tsan_atomic##bits##_store(volatile T* a, T v, int);                                \
  void __tsan_atomic##bits##_store(volatile T* a, T v, int) {                               \
    __atomic_store_n(a, v, __ATOMIC_SEQ_CST);                                               \
  }                                                                                         \
  T __tsan_atomic##bits##_exchange(volatile T* a, T v, int);                                \
  T __tsan_atomic##bits##_exchange(volatile T* a, T v, int) {                               \
    return __atomic_exchange_n(a, v, __ATOMIC_SEQ_CST);                                     \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_add(volatile T* a, T v, int);                               \
  T __tsan_atomic##bits##_fetch_add(volatile T* a, T v, int) {                              \
    return __atomic_fetch_add(a, v, __ATOMIC_SEQ_CST);                                      \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_sub(volatile T* a, T v, int);                               \
  T __tsan_atomic##bits##_fetch_sub(volatile T* a, T v, int) {                              \
    return __atomic_fetch_sub(a, v, __ATOMIC_SEQ_CST);                                      \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_and(volatile T* a, T v, int);                               \
  T __tsan_atomic##bits##_fetch_and(volatile T* a, T v, int) {                              \
    return __atomic_fetch_and(a, v, __ATOMIC_SEQ_CST);                                      \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_or(volatile T* a, T v, int);                                \
  T __tsan_atomic##bits##_fetch_or(volatile T* a, T v, int) {                               \
    return __atomic_fetch_or(a, v, __ATOMIC_SEQ_CST);                                       \
  }                                                                                         \
  T __tsan_atomic##bits##_fetch_xor(volatile T* a, T v, int);                               \
  T __tsan_atomic##bits##_fetch_xor(volatile T* a, T v, int) {                              \
    return __atomic_fetch_xor(a, v, __ATOMIC_SEQ_CST);                                      \
  }                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* a, T* e, T v, int, int);    \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* a, T* e, T v, int, int) {   \
    return __atomic_compare_exchange_n(a, e, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* a, T* e, T v, int, int);      \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* a, T* e, T v, int, int) {     \
    return __atomic_compare_exchange_n(a, e, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  }                                                                                         \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* a, T e, T v, int, int);          \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* a, T e, T v, int, int) {         \
    __atomic_compare_exchange_n(a, &e, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
    return e;                                                                               \
  }
TPP_ATOMIC_HOOKS(8, std::uint8_t)
TPP_ATOMIC_HOOKS(16, std::uint16_t)
TPP_ATOMIC_HOOKS(32, std::uint32_t)
TPP_ATOMIC_HOOKS(64, std::uint64_t)
void __tsan_atomic_thread_fence(int);
void __tsan_atomic_signal_fence(int);
void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

// --- a[i] with i outside of a's type ------------------------------------------------------------------

struct UbsanType {
  std::uint16_t kind, info;
  char name[1];
};
struct UbsanOutOfBounds {
  const char* file;
  std::uint32_t line, column;
  const UbsanType *array, *index;
};

void __ubsan_handle_out_of_bounds(UbsanOutOfBounds* data, std::uintptr_t index);
void __ubsan_handle_out_of_bounds_abort(UbsanOutOfBounds* data, std::uintptr_t index);
void __ubsan_handle_out_of_bounds(UbsanOutOfBounds* data, std::uintptr_t index) {
  using namespace tpp::simt;
  if (!in_kernel) {
    std::fprintf(stderr, "%s:%u: index %ld out of bounds of %s\n", data->file, data->line,
                 static_cast<long>(index), data->array->name);
    return;
  }
  const Runtime runtime;
  Worker& w = *worker;
  const std::uint32_t thread = w.lane->index;
  fail(w, [&w, thread, data, index] {
    return "out of bounds (array) " + where(w) + "\n  thread " + thread_text(*w.grid, thread) +
           ": index " + std::to_string(static_cast<long>(index)) + " out of bounds of " +
           data->array->name + ", " + site_text({data->file, static_cast<int>(data->line)});
  });
}
void __ubsan_handle_out_of_bounds_abort(UbsanOutOfBounds* data, std::uintptr_t index) {
  __ubsan_handle_out_of_bounds(data, index);
}

}  // extern "C"
