#include "chapters/02_tape/arena.h"

#include <algorithm>
#include <cstdint>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace tpp {
namespace {

constexpr std::size_t kSmallestBlock = std::size_t(1) << 18;

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

/// A pass walks over megabytes. In pages of 4 KB a core forgets where they lie and looks them up again
/// and again, so ask for pages of 2 MB, where the system has them.
void ask_for_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef __linux__
  constexpr std::size_t kHugePage = std::size_t(1) << 21;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = round_up(begin, kHugePage),
                       last = (begin + bytes) / kHugePage * kHugePage;
  if (first < last) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace

void Arena::Free::operator()(std::byte* p) const {
  if (source != nullptr) {
    source->give_back(p);
  } else {
    ::operator delete(p, std::align_val_t(kAlignment));
  }
}

Arena::Block Arena::make_block(std::size_t bytes) const {
  void* memory = nullptr;
  if (source_ != nullptr) {
    memory = source_->take(bytes);
  } else {
    memory = ::operator new(bytes, std::align_val_t(kAlignment));
    ask_for_huge_pages(memory, bytes);
  }
  return {std::unique_ptr<std::byte, Free>(static_cast<std::byte*>(memory), Free{source_}), bytes};
}

// [snip allocate]
void* Arena::allocate(std::size_t bytes) {
  bytes = round_up(std::max<std::size_t>(bytes, 1), kAlignment);
  if (blocks_.empty() || used_ + bytes > blocks_.back().size) {
    // Start a block as large as all before it: few blocks, however large the pass
    const std::size_t size = std::max({bytes, kSmallestBlock, capacity()});
    used_before_ += used_;
    blocks_.push_back(make_block(size));
    used_ = 0;
  }
  std::byte* memory = blocks_.back().memory.get() + used_;
  used_ += bytes;
  return memory;
}
// [/snip]

void Arena::reset() {
  if (blocks_.size() > 1) {
    const std::size_t needed = used();
    blocks_.clear();
    blocks_.push_back(make_block(needed));
  }
  used_ = 0;
  used_before_ = 0;
}

std::size_t Arena::capacity() const {
  std::size_t sum = 0;
  for (const Block& block : blocks_) sum += block.size;
  return sum;
}

}  // namespace tpp
