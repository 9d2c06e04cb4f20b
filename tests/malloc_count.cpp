#include "tests/malloc_count.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) &&                 \
    !__has_feature(memory_sanitizer)
#define TPP_COUNT_MALLOC 1
#else
#define TPP_COUNT_MALLOC 0
#endif

namespace {
std::atomic<std::uint64_t> count{0};
}

bool tpp::testing::can_count_malloc() { return TPP_COUNT_MALLOC; }
std::uint64_t tpp::testing::malloc_count() { return count.load(std::memory_order_relaxed); }

#if TPP_COUNT_MALLOC
// The program's own malloc comes before glibc's; glibc's is still there under another name
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(number, size);
}
void* realloc(void* memory, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  count.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  void* const p = memalign(alignment, size);
  if (p == nullptr) return ENOMEM;
  *memory = p;
  return 0;
}
}
#endif
