// cudaMalloc and its relatives.
#include "kernels/simt/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "kernels/simt/host_api.h"
#include "kernels/simt/internal.h"

namespace tpp::simt {

namespace {

constexpr std::size_t kRedZone = 256;

struct Memory {
  std::uintptr_t begin = 0, end = 0, next = 0;
  std::map<std::uintptr_t, Buffer> buffers;  // by begin
  std::map<const void*, int> shared_limits;  // by kernel
  int count = 0;
  Buffer* last = nullptr;

  // Address space costs nothing until it is touched.
  Memory() {
    for (std::size_t bytes = std::size_t{64} << 30; bytes >= std::size_t{1} << 28; bytes /= 2) {
      void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (p == MAP_FAILED) continue;
      begin = next = reinterpret_cast<std::uintptr_t>(p);
      end = begin + bytes;
      return;
    }
    throw Error("simt: no address space for device memory");
  }

  static std::size_t room(std::size_t bytes) { return (bytes + 255) / 256 * 256 + 2 * kRedZone; }

  // Never used addresses first, so that use after free is seen; then the gaps between live buffers.
  std::uintptr_t place(std::size_t bytes) {
    if (next + room(bytes) <= end) {
      const std::uintptr_t at = next + kRedZone;
      next += room(bytes);
      return at;
    }
    last = nullptr;
    for (auto it = buffers.begin(); it != buffers.end();) {
      it = it->second.live ? std::next(it) : buffers.erase(it);
    }
    std::uintptr_t gap = begin;
    for (const auto& [start, buffer] : buffers) {
      if (start - kRedZone >= gap + room(bytes)) return gap + kRedZone;
      gap = start - kRedZone + room(buffer.bytes);
    }
    return gap + room(bytes) <= end ? gap + kRedZone : 0;
  }
};

Memory& memory() {
  static auto* m = new Memory;
  return *m;
}

// What a copy or a fill touches must lie inside one live buffer.
Buffer& live_range(const void* pointer, std::size_t bytes, const char* function) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  Buffer* buffer = in_device_arena(address) ? find_buffer(address) : nullptr;
  const std::string start = std::string("simt: ") + function + ": ";
  if (buffer == nullptr) {
    throw Error(start + "this address is no device memory (a host pointer, or garbage)");
  }
  if (!buffer->live) throw Error(start + "use after cudaFree of " + buffer->name);
  if (address < buffer->begin || address + bytes > buffer->begin + buffer->bytes) {
    throw Error(start + std::to_string(bytes) + " bytes at offset " +
                std::to_string(static_cast<std::ptrdiff_t>(address - buffer->begin)) +
                " are not inside " + buffer->name + " (" + std::to_string(buffer->bytes) +
                " bytes)");
  }
  return *buffer;
}

void mark_written(Buffer& buffer, std::uintptr_t address, std::size_t bytes) {
  if (buffer.cells == nullptr) return;
  const std::size_t first = address - buffer.begin, last = first + bytes;
  for (std::size_t word = first / 4; word * 4 < last; ++word) {
    unsigned mask = 15;
    if (word * 4 < first) mask &= 15u << (first - word * 4);
    if (word * 4 + 4 > last) mask &= 15u >> (word * 4 + 4 - last);
    buffer.cells[word].written |= static_cast<std::uint8_t>(mask);
  }
}

void copy_written(const Buffer& from_buffer, std::uintptr_t from, Buffer& to_buffer,
                  std::uintptr_t to, std::size_t bytes) {
  if (from_buffer.cells == nullptr || to_buffer.cells == nullptr) return;
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::size_t f = from - from_buffer.begin + i, t = to - to_buffer.begin + i;
    const bool known = (from_buffer.cells[f / 4].written >> f % 4 & 1) != 0;
    auto& written = to_buffer.cells[t / 4].written;
    written = static_cast<std::uint8_t>((written & ~(1u << t % 4)) | (known ? 1u : 0u) << t % 4);
  }
}

}  // namespace

void require_host(const char* function) {
  if (worker != nullptr && worker->lane != nullptr) {
    refuse((std::string(function) + " inside a kernel is not supported").c_str());
  }
}

void host_reads(const void* device, std::size_t bytes, const char* who) {
  const std::lock_guard lock(device_lock());
  if (bytes == 0) return;
  const Buffer& buffer = live_range(device, bytes, who);
  if (buffer.cells == nullptr) return;
  const std::size_t first = reinterpret_cast<std::uintptr_t>(device) - buffer.begin;
  for (std::size_t i = first; i < first + bytes; ++i) {
    if ((buffer.cells[i / 4].written >> i % 4 & 1) == 0) {
      throw Error(std::string("simt: ") + who + " reads " + buffer.name + " + " +
                  std::to_string(i) + " B, which nobody has written");
    }
  }
}

void host_writes(void* device, std::size_t bytes, const char* who) {
  const std::lock_guard lock(device_lock());
  if (bytes == 0) return;
  mark_written(live_range(device, bytes, who), reinterpret_cast<std::uintptr_t>(device), bytes);
}

std::recursive_mutex& device_lock() {
  static auto* lock = new std::recursive_mutex;
  return *lock;
}

int asked_shared_limit(const void* kernel) {
  const auto& limits = memory().shared_limits;
  const auto found = limits.find(kernel);
  return found == limits.end() ? 0 : found->second;
}

bool in_device_arena(std::uintptr_t address) {
  return address >= memory().begin && address < memory().end;
}

Buffer* find_buffer(std::uintptr_t address) {
  Memory& m = memory();
  const auto holds = [address](const Buffer& b) {
    return address >= b.begin - kRedZone && address < b.begin - kRedZone + Memory::room(b.bytes);
  };
  if (m.last != nullptr && holds(*m.last)) return m.last;
  auto it = m.buffers.upper_bound(address + kRedZone);
  if (it == m.buffers.begin()) return nullptr;
  --it;
  return holds(it->second) ? m.last = &it->second : nullptr;
}

void name_buffer(const void* device_pointer, std::string name) {
  const std::lock_guard lock(device_lock());
  live_range(device_pointer, 0, "name_buffer").name = std::move(name);
}

}  // namespace tpp::simt

using namespace tpp::simt;

cudaError_t simt_malloc(void** pointer, std::size_t bytes) {
  require_host("cudaMalloc");
  refuse_in_capture("cudaMalloc");
  const std::lock_guard lock(device_lock());
  Memory& m = memory();
  if (bytes == 0) return *pointer = nullptr, cudaSuccess;
  const std::uintptr_t at = m.place(bytes);
  if (at == 0) return *pointer = nullptr, cudaErrorMemoryAllocation;
  Buffer buffer;
  buffer.begin = at;
  buffer.bytes = bytes;
  buffer.name = "buffer #" + std::to_string(m.count++);
  if (checked()) buffer.cells = static_cast<Cell*>(std::calloc(bytes / 4 + 1, sizeof(Cell)));
  m.buffers[at] = buffer;
  *pointer = reinterpret_cast<void*>(at);
  std::memset(*pointer, 0xff, bytes);  // NaN: what nobody wrote should not look like zero
  return cudaSuccess;
}

cudaError_t cudaFree(void* pointer) {
  if (pointer == nullptr) return cudaSuccess;
  require_host("cudaFree");
  refuse_in_capture("cudaFree");
  const std::lock_guard lock(device_lock());
  Buffer& buffer = live_range(pointer, 0, "cudaFree");
  if (reinterpret_cast<std::uintptr_t>(pointer) != buffer.begin) {
    throw Error("simt: cudaFree: this pointer is inside " + buffer.name + ", not its start");
  }
  buffer.live = false;
  std::free(buffer.cells);
  buffer.cells = nullptr;
  const std::uintptr_t first = (buffer.begin + 4095) / 4096 * 4096;
  const std::uintptr_t last = (buffer.begin + buffer.bytes) / 4096 * 4096;
  if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  return cudaSuccess;
}

void tpp::simt::copy_memory(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const std::lock_guard lock(device_lock());
  if (bytes == 0) return;
  const auto to_address = reinterpret_cast<std::uintptr_t>(to);
  const auto from_address = reinterpret_cast<std::uintptr_t>(from);
  bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind == cudaMemcpyDefault) {
    to_device = in_device_arena(to_address);
    from_device = in_device_arena(from_address);
  }
  if (!to_device && in_device_arena(to_address)) {
    throw Error("simt: cudaMemcpy: the destination is device memory, but the kind says host");
  }
  if (!from_device && in_device_arena(from_address)) {
    throw Error("simt: cudaMemcpy: the source is device memory, but the kind says host");
  }
  Buffer* source = from_device ? &live_range(from, bytes, "cudaMemcpy") : nullptr;
  Buffer* target = to_device ? &live_range(to, bytes, "cudaMemcpy") : nullptr;
  std::memmove(to, from, bytes);
  if (target != nullptr && source != nullptr) {
    copy_written(*source, from_address, *target, to_address, bytes);
  } else if (target != nullptr) {
    mark_written(*target, to_address, bytes);
  }
}

void tpp::simt::fill_memory(void* to, int value, std::size_t bytes) {
  const std::lock_guard lock(device_lock());
  if (bytes == 0) return;
  Buffer& buffer = live_range(to, bytes, "cudaMemset");
  std::memset(to, value, bytes);
  mark_written(buffer, reinterpret_cast<std::uintptr_t>(to), bytes);
}

cudaError_t simt_set_shared_limit(const void* kernel, int bytes) {
  const std::lock_guard lock(device_lock());
  const StaticShared& arrays = static_shared(kernel);
  if (bytes < 0 || static_cast<std::size_t>(bytes) + arrays.bytes > kSharedBytes) {
    throw Error("simt: cudaFuncSetAttribute: " + std::to_string(bytes) +
                " bytes of dynamic shared memory" +
                (arrays.bytes == 0 ? "" : " beside " + arrays.names) + "; 227 KB is the most");
  }
  memory().shared_limits[kernel] = bytes;
  return cudaSuccess;
}
