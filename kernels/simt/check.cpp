// Judges every access of a checked kernel: is it inside an array, written before, and ordered against the others?
#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "kernels/simt/internal.h"
#include "kernels/simt/memory.h"

namespace tpp::simt {

namespace {

// One checked launch runs at a time, on one OS thread.
struct Checker {
  std::uintptr_t tls = 0;
  std::uint32_t block_epoch = 0;

  std::vector<Cell> dynamic_cells, static_cells;
  std::vector<bool> touched;  // the static arrays, of functions that the kernel calls too

  // A warp's small vector clocks: only __syncwarp moves them. Shuffles do not order memory.
  std::uint32_t clock[kMaxThreads];
  std::uint32_t known[kMaxThreads][kLanes];  // the other lanes' clocks at the last meeting

  // "The last block sums up": a block that fenced and then did an atomic is seen by blocks that did one later.
  std::unordered_set<std::uint32_t> fenced, published;
  bool did_atomic = false;

  // A read of unwritten shared memory waits for the end of the phase: if another thread writes the word
  // without a barrier, that race is the better message.
  struct Unwritten {
    std::uint32_t thread;
    std::string place;
    const void* pc;
  };
  std::vector<Unwritten> unwritten;
};

Checker& checker() {
  static auto* c = new Checker;
  return *c;
}

// The array that an access lies in.
struct Region {
  bool shared;
  std::uintptr_t begin;
  Cell* cells;  // of begin
  const std::string* name;
  std::uint32_t epoch;
};

const char* verb(Access access, bool past) {
  switch (access) {
    case Access::kRead:
      return past ? "read" : "reads";
    case Access::kWrite:
      return past ? "wrote" : "writes";
    case Access::kAtomic:
      return past ? "updated (atomically)" : "updates (atomically)";
  }
  return "";
}

std::string place_text(const std::string& name, std::uintptr_t offset) {
  return name + " + " + std::to_string(offset) + " B";
}

[[noreturn]] void report_race(Worker& w, const Region& region, std::uintptr_t address,
                              const Past& now, const Past& past) {
  const bool shared = region.shared;
  const std::string place = place_text(*region.name, address - region.begin);
  fail(w, [&w, shared, place, now, past] {
    std::string text = std::string("race (") + (shared ? "shared" : "global") + " memory) " +
                       where(w) + "\n  thread " + thread_text(*w.grid, now.thread) + " " +
                       verb(now.access, false) + " " + place + ", " + source_text(now.pc) +
                       "\n  thread " + thread_text(*w.grid, past.thread);
    if (past.block != now.block) text += " of block " + block_text(*w.grid, past.block);
    text += std::string(" ") + verb(past.access, true) + " it, " + source_text(past.pc) + "\n  ";
    if (past.block != now.block) return text + "blocks have no order";
    if (past.thread / kLanes == now.thread / kLanes) {
      return text + "same warp: no __syncwarp or __syncthreads between them";
    }
    return text + "no __syncthreads between them";
  });
}

bool ordered(const Checker& c, const Past& past, const Past& now) {
  if (past.block != now.block) return c.did_atomic && c.published.count(past.block) != 0;
  if (past.thread == now.thread || past.phase != now.phase) return true;
  return past.thread / kLanes == now.thread / kLanes &&
         past.clock <= c.known[now.thread][past.thread % kLanes];
}

bool conflict(const Checker& c, const Past& past, const Past& now) {
  if ((past.mask & now.mask) == 0) return false;
  if (past.access == Access::kRead && now.access == Access::kRead) return false;
  if (past.access == Access::kAtomic && now.access == Access::kAtomic) return false;
  return !ordered(c, past, now);
}

// Compare one word's history with this access, then add it.
void judge(Worker& w, const Region& region, Cell& cell, std::uintptr_t address, Past now) {
  Checker& c = checker();
  if (cell.epoch != region.epoch) {
    cell.epoch = region.epoch;
    cell.writer.mask = cell.readers[0].mask = cell.readers[1].mask = 0;
    if (region.shared) cell.written = 0;
  }
  if (conflict(c, cell.writer, now)) report_race(w, region, address, now, cell.writer);
  if (now.access != Access::kRead) {
    for (const Past& reader : cell.readers) {
      if (conflict(c, reader, now)) report_race(w, region, address, now, reader);
    }
  }
  if (now.access != Access::kWrite && (cell.written & now.mask) != now.mask) {
    const std::string place = place_text(*region.name, address - region.begin);
    if (!region.shared) {
      fail(w, [&w, now, place] {
        return "uninitialised memory " + where(w) + "\n  thread " +
               thread_text(*w.grid, now.thread) + " reads " + place +
               ", which nobody has written, " + source_text(now.pc);
      });
    }
    if (c.unwritten.empty()) c.unwritten.push_back({now.thread, place, now.pc});
  }
  if (now.access == Access::kRead) {
    // The first reader of a phase and the latest one.
    Past& first = cell.readers[0];
    const bool stale = first.mask == 0 || (first.block == now.block && first.phase != now.phase) ||
                       (first.block == now.block && first.thread == now.thread);
    (stale ? first : cell.readers[1]) = now;
  } else {
    cell.writer = now;
    cell.written |= now.mask;
  }
}

[[noreturn]] void report_outside(Worker& w, const char* space, std::uint32_t thread, Access access,
                                 const void* pc, const std::string& what) {
  fail(w, [&w, space, thread, access, pc, what] {
    return std::string("out of bounds (") + space + ") " + where(w) + "\n  thread " +
           thread_text(*w.grid, thread) + " " + verb(access, false) + " " + what + ", " +
           source_text(pc);
  });
}

// Find the array, or say why there is none. False: memory that is nobody's business.
bool find_region(Worker& w, std::uintptr_t address, std::size_t bytes, Access access,
                 const void* pc, Region* region) {
  Checker& c = checker();
  const std::uint32_t thread = w.lane->index;

  // Dynamic shared memory.
  static const std::string dynamic_name = "dynamic shared memory";
  const auto dynamic = reinterpret_cast<std::uintptr_t>(w.shared);
  const std::size_t asked = w.grid->launch.bytes;
  if (address - dynamic < kSharedBytes + 4096) {
    if (address - dynamic + bytes > asked) {
      report_outside(w, "dynamic shared memory", thread, access, pc,
                     "byte " + std::to_string(address - dynamic) + " of " + std::to_string(asked) +
                         " requested at launch");
    }
    *region = {true, dynamic, c.dynamic_cells.data(), &dynamic_name, c.block_epoch};
    return true;
  }

  // Static shared arrays; other thread-local variables are the emulator's.
  if (address - c.tls < shared_block_bytes()) {
    const auto& arrays = shared_arrays();
    const std::size_t offset = address - c.tls;
    auto it = std::upper_bound(arrays.begin(), arrays.end(), offset,
                               [](std::size_t o, const SharedArray& a) { return o < a.offset; });
    if (it == arrays.begin()) return false;
    --it;
    if (offset >= it->offset + it->bytes) return false;
    if (offset + bytes > it->offset + it->bytes) {
      report_outside(w, "shared memory", thread, access, pc,
                     std::to_string(bytes) + " bytes at the end of " + it->name);
    }
    c.touched[static_cast<std::size_t>(it - arrays.begin())] = true;
    *region = {true, c.tls + it->offset, c.static_cells.data() + it->offset / 4, &it->name,
               c.block_epoch};
    return true;
  }

  // Buffers.
  if (in_device_arena(address)) {
    const std::string accessed = std::to_string(bytes) + " bytes";
    const Buffer* buffer = find_buffer(address);
    if (buffer == nullptr) {
      report_outside(w, "global memory", thread, access, pc, accessed + " where no buffer is");
    }
    if (!buffer->live) {
      report_outside(w, "global memory", thread, access, pc,
                     accessed + ", use after cudaFree of " + buffer->name);
    }
    if (address < buffer->begin) {
      report_outside(w, "global memory", thread, access, pc,
                     accessed + ", " + std::to_string(buffer->begin - address) +
                         " bytes before the start of " + buffer->name);
    }
    const std::size_t offset = address - buffer->begin;
    if (offset + bytes > buffer->bytes) {
      const std::size_t past = offset < buffer->bytes ? 0 : offset - buffer->bytes;
      report_outside(w, "global memory", thread, access, pc,
                     accessed + ", " + std::to_string(past) + " bytes past the end of " +
                         buffer->name + " (" + std::to_string(buffer->bytes) + " bytes; element " +
                         std::to_string(offset / bytes) + " of " +
                         std::to_string(buffer->bytes / bytes) + ")");
    }
    *region = {false, buffer->begin, buffer->cells, &buffer->name, w.grid->number};
    return true;
  }

  // Constants, and the launch's arguments.
  if (in_image(address)) return false;
  const auto call = reinterpret_cast<std::uintptr_t>(w.grid->launch.call);
  if (address - call < w.grid->launch.call_bytes) return false;
  report_outside(w, "global memory", thread, access, pc,
                 std::to_string(bytes) +
                     " bytes at an address that is no device memory (a host pointer, or garbage)");
}

}  // namespace

void touch(const void* pointer, std::size_t bytes, Access access, const void* pc) {
  if (!in_kernel) return;
  Worker& w = *worker;
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (address - reinterpret_cast<std::uintptr_t>(w.stacks) < kMaxThreads * kStackBytes) return;
  const Runtime runtime;
  Region region{};
  if (!find_region(w, address, bytes, access, pc, &region)) return;

  const bool vector = bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16;
  if (vector && address % bytes != 0) {
    const std::string place = std::to_string(address - region.begin) + " of " + *region.name;
    const std::uint32_t thread = w.lane->index;
    fail(w, [&w, thread, access, bytes, pc, place] {
      return "misaligned access " + where(w) + "\n  thread " + thread_text(*w.grid, thread) + " " +
             verb(access, false) + " " + std::to_string(bytes) + " bytes at offset " + place +
             ", " + source_text(pc);
    });
  }

  Checker& c = checker();
  if (access == Access::kAtomic && !region.shared) {
    c.did_atomic = true;
    if (c.fenced.count(static_cast<std::uint32_t>(w.block)) != 0) {
      c.published.insert(static_cast<std::uint32_t>(w.block));
    }
  }
  Past now{static_cast<std::uint32_t>(w.block),
           w.phase,
           c.clock[w.lane->index],
           static_cast<std::uint16_t>(w.lane->index),
           0,
           access,
           pc};
  const std::size_t first = address - region.begin, last = first + bytes;
  for (std::size_t word = first / 4; word * 4 < last; ++word) {
    unsigned mask = 15;
    if (word * 4 < first) mask &= 15u << (first - word * 4);
    if (word * 4 + 4 > last) mask &= 15u >> (word * 4 + 4 - last);
    now.mask = static_cast<std::uint8_t>(mask);
    judge(w, region, region.cells[word], region.begin + std::max(first, word * 4), now);
  }
  if (recording != nullptr) {
    record(w, region.shared ? 's' : 'g', access, bytes, address, region.begin, region.name, pc);
  }
}

void begin_checks(Worker&, Grid&) {
  Checker& c = checker();
  c.tls = shared_block_begin();
  c.dynamic_cells.resize(kSharedBytes / 4 + 1);
  c.static_cells.resize(shared_block_bytes() / 4 + 1);
  c.touched.assign(shared_arrays().size(), false);
  c.fenced.clear();
  c.published.clear();
}

// What the launch could not know: the arrays of the functions that the kernel called.
void end_checks(Grid& grid) {
  StaticShared used;
  for (std::size_t i = 0; i < checker().touched.size(); ++i) {
    if (!checker().touched[i]) continue;
    used.add(shared_arrays()[i].name, shared_arrays()[i].bytes);
  }
  check_shared(grid.launch, used);
}

void begin_block_checks(Worker& w) {
  Checker& c = checker();
  ++c.block_epoch;
  c.did_atomic = false;
  c.unwritten.clear();
  for (std::uint32_t i = 0; i < w.threads; ++i) c.clock[i] = 1;
  std::memset(c.known, 0, sizeof(c.known[0]) * w.threads);
}

void end_phase_checks(Worker& w) {
  Checker& c = checker();
  if (c.unwritten.empty()) return;
  const auto u = c.unwritten.front();
  throw Error("simt: uninitialised memory " + where(w) + "\n  thread " +
              thread_text(*w.grid, u.thread) + " reads " + u.place +
              ", which nobody has written, " + source_text(u.pc));
}

void synchronise_clocks(Worker& w, Lane* lanes, std::uint32_t members) {
  Checker& c = checker();
  const std::uint32_t first = lanes[0].index;
  (void)w;
  std::uint32_t joined[kLanes] = {};
  for (int l = 0; l < kLanes; ++l) {
    if ((members >> l & 1u) == 0) continue;
    for (int k = 0; k < kLanes; ++k) joined[k] = std::max(joined[k], c.known[first + l][k]);
    joined[l] = std::max(joined[l], c.clock[first + l]);
  }
  for (int l = 0; l < kLanes; ++l) {
    if ((members >> l & 1u) == 0) continue;
    std::memcpy(c.known[first + l], joined, sizeof(joined));
    ++c.clock[first + l];
  }
}

void note_fence(Worker& w) { checker().fenced.insert(static_cast<std::uint32_t>(w.block)); }

}  // namespace tpp::simt
