// Runs one block: each lane until it waits, each meeting when its last lane arrives, each barrier when all have.
#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/simt/fiber.h"
#include "kernels/simt/internal.h"
#include "kernels/simt/warp.h"

constinit thread_local uint3 threadIdx{}, blockIdx{};
constinit thread_local dim3 blockDim{}, gridDim{};

namespace tpp::simt {

constinit thread_local Worker* worker = nullptr;
constinit thread_local bool in_kernel = false;

namespace {

// --- Whose turn it is ---------------------------------------------------------------------------------

std::uint32_t next_random(Worker& w) {
  w.random ^= w.random << 13;
  w.random ^= w.random >> 17;
  return w.random ^= w.random << 5;
}

int pick(Worker& w, std::uint32_t ready) {
  switch (options().order) {
    case Order::kForward:
      return std::countr_zero(ready);
    case Order::kReverse:
      return 31 - std::countl_zero(ready);
    case Order::kRandom:
      break;
  }
  for (auto skip = next_random(w) % static_cast<std::uint32_t>(std::popcount(ready)); skip > 0;
       --skip) {
    ready &= ready - 1;
  }
  return std::countr_zero(ready);
}

void enter(Worker& w, Lane& lane) {
  w.warp_of(lane).ready &= ~(1u << lane.index % kLanes);
  w.lane = &lane;
  threadIdx = lane.thread;
}

// Let the next ready lane of this warp run, else the scheduler.
void leave(Worker& w, Lane& lane) {
  ++w.meetings;
  const std::uint32_t ready = w.warp_of(lane).ready;
  if (ready == 0) {
    switch_context(&lane.context, w.context);
    return;
  }
  Lane& next = w.lanes_of(lane)[pick(w, ready)];
  enter(w, next);
  switch_context(&lane.context, next.context);
}

// --- Meetings -----------------------------------------------------------------------------------------

std::string lane_text(const Lane& lane) {
  return "lane " + std::to_string(lane.index % kLanes) + " in " + lane.meeting->name + " at " +
         site_text(lane.site);
}

// Finish the meeting that `lane` waits in, if all members are there.
bool complete(Worker& w, Lane& lane) {
  Warp& warp = w.warp_of(lane);
  Lane* lanes = w.lanes_of(lane);
  const std::uint32_t members = lane.mask & ~warp.gone;
  if ((warp.waiting & members) != members) return false;

  // Everybody must be in the same function, at the same line, with the same mask.
  for (std::uint32_t rest = members; rest != 0; rest &= rest - 1) {
    const Lane& other = lanes[std::countr_zero(rest)];
    if (other.meeting == lane.meeting && other.mask == lane.mask &&
        other.site.line == lane.site.line && std::strcmp(other.site.file, lane.site.file) == 0) {
      continue;
    }
    const bool masks = other.meeting == lane.meeting && other.mask != lane.mask;
    const Lane &first = other.index < lane.index ? other : lane,
               &second = other.index < lane.index ? lane : other;
    fail(w, [&w, &first, &second, masks] {
      char text[64];
      std::snprintf(text, sizeof(text), " (masks 0x%08x and 0x%08x)", first.mask, second.mask);
      return "kernel " + kernel_text(*w.grid) + ", block " + block_text(*w.grid, w.block) +
             ": lanes of warp " + std::to_string(first.index / kLanes) +
             (masks ? " name different masks: " : " are in different warp functions: ") +
             lane_text(first) + ", " + lane_text(second) + (masks ? text : "");
    });
  }
  lane.meeting->combine(lanes, members);
  warp.waiting &= ~members;
  warp.ready |= members;
  return true;
}

// The lanes that are left may have waited for this one only.
void depart(Worker& w, Lane& lane) {
  Warp& warp = w.warp_of(lane);
  warp.gone |= 1u << lane.index % kLanes;
  std::uint32_t rest = warp.waiting;
  while (rest != 0) {
    Lane& other = w.lanes_of(lane)[std::countr_zero(rest)];
    rest &= rest - 1;
    if (complete(w, other)) rest &= warp.waiting;
  }
}

const Meeting kBarrier{"__syncthreads", nullptr};

// --- The life of a lane -------------------------------------------------------------------------------

void lane_main() {
  Worker& w = *worker;
  Lane& lane = *w.lane;
  try {
    in_kernel = true;
    w.grid->launch.run(w.grid->launch.call);
    in_kernel = false;
  } catch (const std::exception& e) {
    in_kernel = false;
    const std::string what = e.what();
    fail(w, [&w, &lane, what] {
      return "exception " + where(w) + ", thread " + thread_text(*w.grid, lane.index) + ": " + what;
    });
  }
  depart(w, lane);
  leave(w, lane);
  __builtin_unreachable();
}

// --- The scheduler ------------------------------------------------------------------------------------

void resume(Worker& w, Lane& lane) {
  enter(w, lane);
  switch_context(&w.context, lane.context);
  in_kernel = false;
}

[[noreturn]] void throw_failure(Worker& w) {
  if (w.failure) {
    const auto failure = std::move(w.failure);
    w.failure = nullptr;
    throw Error("simt: " + failure());
  }
  const int kind = w.signal_failure;
  w.signal_failure = 0;
  const std::string place =
      where(w) + ", thread " + (w.lane ? thread_text(*w.grid, w.lane->index) : "?");
  if (kind == 1) {
    throw Error("simt: stack overflow (a thread has " + std::to_string(kStackBytes / 1024 - 4) +
                " KB) " + place);
  }
  if (kind == 2) {
    throw Error("simt: hang " + place +
                " ran on without meeting another thread: spinning on a value that another thread "
                "or block should write does not work here; use a barrier or a second launch");
  }
  throw Error("simt: bad address " + place);
}

std::string first_of(const Worker& w, std::uint32_t index) { return thread_text(*w.grid, index); }

// Say who waits where.
[[noreturn]] void throw_stuck(Worker& w) {
  struct Group {
    std::string text;
    int count;
    std::uint32_t first;
  };
  std::vector<Group> groups;
  const auto add = [&](const std::string& text, std::uint32_t index) {
    for (Group& g : groups) {
      if (g.text == text) return void(++g.count);
    }
    groups.push_back({text, 1, index});
  };
  bool in_warp = false;
  for (std::uint32_t i = 0; i < w.threads; ++i) {
    const Warp& warp = w.warps[i / kLanes];
    const std::uint32_t bit = 1u << i % kLanes;
    const Lane& lane = w.lanes[i];
    if (warp.gone & bit) {
      add("returned from the kernel", i);
    } else if (warp.at_barrier & bit) {
      add("wait at __syncthreads, " + site_text(lane.site), i);
    } else {
      in_warp = true;
      char mask[32];
      std::snprintf(mask, sizeof(mask), " (mask 0x%08x), ", lane.mask);
      add(std::string("wait in ") + lane.meeting->name + mask + site_text(lane.site), i);
    }
  }
  std::string text = "simt: kernel " + kernel_text(*w.grid) + ", block " +
                     block_text(*w.grid, w.block) + ": " +
                     (in_warp ? "a warp function waits for lanes that never come"
                              : "not every thread of the block reached the same __syncthreads");
  for (const Group& g : groups) {
    text += "\n  " + std::to_string(g.count) + " thread(s) " + g.text + ", first " +
            first_of(w, g.first);
  }
  throw Error(text);
}

// All have arrived: count the votes, open the barrier.
void release_barrier(Worker& w) {
  std::uint64_t count = 0;
  for (std::uint32_t i = 0; i < w.threads; ++i) {
    if (w.lanes[i].site.line != w.lanes[0].site.line ||
        std::strcmp(w.lanes[i].site.file, w.lanes[0].site.file) != 0) {
      throw_stuck(w);
    }
    count += w.lanes[i].in;
  }
  if (checked()) {
    end_phase_checks(w);
    if (recording != nullptr) record_phase_end(w);
  }
  ++w.phase;
  for (std::uint32_t i = 0; i < w.threads; ++i) w.lanes[i].out = count;
  for (std::uint32_t i = 0; i < w.warp_count; ++i) {
    w.warps[i].ready = w.warps[i].at_barrier;
    w.warps[i].at_barrier = 0;
  }
}

}  // namespace

void prepare_lane(Worker& w, Lane& lane) {
  // Tops are staggered: equal distances of 64 KB would share the same lines of the cache.
  char* stack = w.stacks + lane.index * kStackBytes;
  lane.context = make_context(stack, kStackBytes - lane.index % 16 * 256, &lane_main);
  lane.copies.clear();
}

void run_block(Worker& w, Grid& grid, std::uint64_t block) {
  // Place the block.
  const Launch& launch = grid.launch;
  w.grid = &grid;
  w.block = block;
  w.phase = 0;
  w.lane = nullptr;
  gridDim = launch.grid;
  blockDim = launch.block;
  blockIdx = {static_cast<unsigned>(block % launch.grid.x),
              static_cast<unsigned>(block / launch.grid.x % launch.grid.y),
              static_cast<unsigned>(block / launch.grid.x / launch.grid.y)};
  w.threads = launch.block.x * launch.block.y * launch.block.z;
  w.warp_count = (w.threads + kLanes - 1) / kLanes;
  w.random = options().seed * 2654435761u + static_cast<std::uint32_t>(block) * 40503u + 1u;

  // Place its threads.
  uint3 thread{0, 0, 0};
  for (std::uint32_t i = 0; i < w.threads; ++i) {
    w.lanes[i].index = i;
    w.lanes[i].thread = thread;
    prepare_lane(w, w.lanes[i]);
    if (++thread.x < launch.block.x) continue;
    thread.x = 0;
    if (++thread.y < launch.block.y) continue;
    thread.y = 0;
    ++thread.z;
  }
  for (std::uint32_t i = 0; i < w.warp_count; ++i) {
    const std::uint32_t lanes = std::min<std::uint32_t>(kLanes, w.threads - i * kLanes);
    const std::uint32_t all = lanes == kLanes ? ~0u : (1u << lanes) - 1;
    w.warps[i] = {all, 0, 0, ~all};
  }
  if (checked()) begin_block_checks(w);

  // Run what is ready; then either all are gone, or all wait at one barrier, or the kernel is wrong.
  for (;;) {
    for (std::uint32_t i = 0; i < w.warp_count; ++i) {
      const std::uint32_t number = options().order == Order::kForward ? i : w.warp_count - 1 - i;
      while (w.warps[number].ready != 0) {
        resume(w, w.lanes[number * kLanes + pick(w, w.warps[number].ready)]);
        if (w.failure || w.signal_failure != 0) throw_failure(w);
      }
    }
    std::uint32_t gone = 0, at_barrier = 0;
    for (std::uint32_t i = 0; i < w.warp_count; ++i) {
      gone += static_cast<std::uint32_t>(std::popcount(w.warps[i].gone));
      at_barrier += static_cast<std::uint32_t>(std::popcount(w.warps[i].at_barrier));
    }
    gone -= w.warp_count * kLanes - w.threads;
    if (gone == w.threads) break;
    if (at_barrier != w.threads) throw_stuck(w);
    release_barrier(w);
  }
  if (checked()) {
    end_phase_checks(w);
    if (recording != nullptr) record_phase_end(w);
  }
}

void fail(Worker& w, std::function<std::string()> failure) {
  in_kernel = false;
  w.failure = std::move(failure);
  void* nowhere;
  switch_context(&nowhere, w.context);
  __builtin_unreachable();
}

void refuse(const char* sentence) {
  if (worker == nullptr || worker->lane == nullptr) throw Error(std::string("simt: ") + sentence);
  Worker& w = *worker;
  const std::uint32_t index = w.lane->index;
  fail(w, [&w, index, sentence] {
    return where(w) + ", thread " + thread_text(*w.grid, index) + ": " + sentence;
  });
}

// Wait for the other lanes named in the mask.
void meet(const Meeting& meeting, std::uint32_t mask, Site site) {
  Worker& w = *worker;
  Lane& lane = *w.lane;
  const std::uint32_t bit = 1u << lane.index % kLanes;
  lane.meeting = &meeting;
  lane.mask = mask;
  lane.site = site;
  Warp& warp = w.warp_of(lane);
  if ((mask & bit) == 0) {
    fail(w, [&w, &lane] {
      char text[32];
      std::snprintf(text, sizeof(text), "0x%08x", lane.mask);
      return where(w) + ": thread " + thread_text(*w.grid, lane.index) + " calls " +
             lane.meeting->name + " with mask " + text + ", which does not name it, " +
             site_text(lane.site);
    });
  }
  warp.waiting |= bit;
  if (complete(w, lane)) {
    warp.ready &= ~bit;  // it runs on
  } else {
    leave(w, lane);
  }
}

Tally block_barrier(int predicate, Site site) {
  const Runtime runtime;
  Worker& w = *worker;
  Lane& lane = *w.lane;
  lane.meeting = &kBarrier;
  lane.site = site;
  lane.in = predicate != 0;
  w.warp_of(lane).at_barrier |= 1u << lane.index % kLanes;
  leave(w, lane);
  const int count = static_cast<int>(lane.out);
  return {count, count == static_cast<int>(w.threads), count != 0};
}

void* dynamic_shared_memory() { return worker->shared; }

unsigned active_lanes() {
  const Runtime runtime;
  const Warp& warp = worker->warp_of(*worker->lane);
  return ~(warp.gone | warp.waiting | warp.at_barrier);
}

void fence() {
  const Runtime runtime;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (checked()) note_fence(*worker);
}

// --- Asynchronous copies ------------------------------------------------------------------------------

void copy_now(Worker&, const AsyncCopy& copy) {
  const std::size_t copied = copy.bytes - copy.zeros;
  in_kernel = checked();
  if (copied != 0) touch(copy.from, copied, Access::kRead, copy.pc);
  touch(copy.to, copy.bytes, Access::kWrite, copy.pc);
  in_kernel = false;
  std::memcpy(copy.to, copy.from, copied);
  std::memset(static_cast<char*>(copy.to) + copied, 0, copy.zeros);
}

void copy_async(void* to, const void* from, std::size_t bytes, std::size_t zeros, const void* pc) {
  const Runtime runtime;
  if ((bytes != 4 && bytes != 8 && bytes != 16) || zeros > bytes) {
    refuse("__pipeline_memcpy_async copies 4, 8 or 16 bytes");
  }
  auto& copies = worker->lane->copies;
  if (copies.empty()) copies.emplace_back();
  copies.back().push_back({to, from, bytes, zeros, pc});
}

void commit_async() {
  const Runtime runtime;
  auto& copies = worker->lane->copies;
  if (copies.empty()) copies.emplace_back();
  copies.emplace_back();
}

void wait_async(std::size_t groups_in_flight) {
  const Runtime runtime;
  Worker& w = *worker;
  auto& copies = w.lane->copies;
  while (!copies.empty() && copies.size() - 1 > groups_in_flight) {
    for (const AsyncCopy& copy : copies.front()) copy_now(w, copy);
    copies.erase(copies.begin());
  }
}

}  // namespace tpp::simt
