// Memory for one pass: handed out by moving a pointer, given back all at once.
//
// A training step makes the same few hundred values again and again. An arena keeps the memory of
// the last step, so after the first one nothing is asked of the system, and the values of a pass lie
// close together.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace tpp {

/// Where an arena's blocks come from, when it is not the system's memory: a device.
struct MemorySource {
  virtual ~MemorySource() = default;
  [[nodiscard]] virtual void* take(std::size_t bytes) = 0;
  virtual void give_back(void* memory) = 0;
};

class Arena {
 public:
  static constexpr std::size_t kAlignment = 64;  // a cache line; more than any vector register

  /// Without a source the memory is the system's. `source` must outlive the arena.
  explicit Arena(MemorySource* source = nullptr) : source_(source) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Memory for `bytes` bytes, aligned to a cache line, until reset(). Its contents are undefined.
  [[nodiscard]] void* allocate(std::size_t bytes);

  template <class T>
  [[nodiscard]] T* allocate_array(std::ptrdiff_t count) {
    return static_cast<T*>(allocate(sizeof(T) * static_cast<std::size_t>(count)));
  }

  /// Everything handed out becomes free again. When the last pass needed several blocks they are
  /// replaced by one that holds it whole.
  void reset();

  [[nodiscard]] std::size_t capacity() const;  // bytes held from the system
  [[nodiscard]] std::size_t used() const { return used_before_ + used_; }  // bytes handed out

 private:
  struct Free {
    MemorySource* source = nullptr;
    void operator()(std::byte* p) const;
  };
  struct Block {
    std::unique_ptr<std::byte, Free> memory;
    std::size_t size = 0;
  };
  [[nodiscard]] Block make_block(std::size_t bytes) const;

  MemorySource* source_ = nullptr;
  std::vector<Block> blocks_;    // the last one is being handed out
  std::size_t used_ = 0;         // of the last block
  std::size_t used_before_ = 0;  // of the blocks before it
};

/// A vector that starts at a cache line. Eigen adds up a row in an order that depends on where it
/// starts within a register, so numbers that must repeat to the last bit live here or in an Arena.
template <class T>
struct LineAllocator {
  using value_type = T;
  LineAllocator() = default;
  template <class U>
  LineAllocator(const LineAllocator<U>&) {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(Arena::kAlignment)));
  }
  void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t(Arena::kAlignment)); }
  friend bool operator==(LineAllocator, LineAllocator) { return true; }
};
template <class T>
using LineVector = std::vector<T, LineAllocator<T>>;

}  // namespace tpp
