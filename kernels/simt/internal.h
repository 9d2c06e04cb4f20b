// The emulator's inside: lanes, warps, and the worker that runs one block at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/simt/emulator.h"
#include "kernels/simt/launch.h"
#include "kernels/simt/types.h"

namespace tpp::simt {

constexpr int kLanes = 32;
constexpr int kMaxThreads = 1024;
constexpr std::size_t kStackBytes = 64 * 1024;
constexpr std::size_t kSharedBytes = 227 * 1024;      // what a block can get at most
constexpr std::size_t kPlainSharedBytes = 48 * 1024;  // without asking, and for static arrays

struct Lane;

/// A function that lanes of a warp meet in. The last to arrive runs `combine` for all members.
struct Meeting {
  const char* name;
  void (*combine)(Lane* lanes, std::uint32_t members);
};

/// A copy that cp.async has begun and that a wait will finish.
struct AsyncCopy {
  void* to;
  const void* from;
  std::size_t bytes, zeros;
  const void* pc;
};

/// One CUDA thread.
struct Lane {
  void* context = nullptr;  // where its fiber goes on
  uint3 thread{};
  std::uint32_t index = 0;  // in the block

  // What it waits for, and what it brought.
  const Meeting* meeting = nullptr;
  std::uint32_t mask = 0;
  Site site{};
  std::uint64_t in = 0, out = 0;
  int argument = 0, width = 32;
  const void* from = nullptr;
  void* to = nullptr;

  std::vector<std::vector<AsyncCopy>> copies;  // committed groups, then the open one
};

struct Warp {
  std::uint32_t ready = 0, waiting = 0, at_barrier = 0, gone = 0;
};

struct Grid;

/// One OS thread's place to run blocks: fibers, lanes, dynamic shared memory.
struct Worker {
  Worker();
  ~Worker();

  Lane lanes[kMaxThreads];
  Warp warps[kMaxThreads / kLanes];
  std::uint32_t threads = 0, warp_count = 0;  // of the running block
  Lane* lane = nullptr;                       // the running one
  void* context = nullptr;                    // where the scheduler goes on
  Grid* grid = nullptr;
  std::uint64_t block = 0;   // linear
  std::uint32_t phase = 0;   // barriers passed by the block
  std::uint32_t random = 1;  // for Order::kRandom

  // Set by whoever finds a mistake; composed and thrown by the scheduler, since a fiber's stack is small.
  std::function<std::string()> failure;
  volatile int signal_failure = 0;  // 1: stack overflow, 2: watchdog, 3: bad address
  std::uint64_t meetings = 0;       // progress, for the watchdog

  char* stacks = nullptr;  // kMaxThreads of kStackBytes, the lowest page of each forbidden
  unsigned char* shared = nullptr;

  Warp& warp_of(const Lane& l) { return warps[l.index / kLanes]; }
  Lane* lanes_of(const Lane& l) { return lanes + l.index / kLanes * kLanes; }
};

/// One launch.
struct Grid {
  const Launch& launch;
  std::uint64_t blocks;
  std::uint32_t number;  // of the launch
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stop{false};
};

extern constinit thread_local Worker* worker;
extern constinit thread_local bool in_kernel;

/// Runtime code called from a kernel: hooks and the watchdog keep away meanwhile.
class Runtime {
 public:
  Runtime() : was_(in_kernel) { in_kernel = false; }
  ~Runtime() { in_kernel = was_; }
  Runtime(const Runtime&) = delete;

 private:
  bool was_;
};

std::string block_text(const Grid& grid, std::uint64_t block);
std::string thread_text(const Grid& grid, std::uint32_t index);
std::string kernel_text(const Grid& grid);
std::string site_text(Site site);
std::string where(const Worker& w);  // "in kernel k, block (0,0,0)"

// block.cpp
void run_block(Worker& w, Grid& grid, std::uint64_t block);
[[noreturn]] void fail(Worker& w, std::function<std::string()> failure);
void meet(const Meeting& meeting, std::uint32_t mask, Site site);
void prepare_lane(Worker& w, Lane& lane);
void copy_now(Worker& w, const AsyncCopy& copy);

// memory.cpp: one big lock, because launches and copies are rare and short
std::recursive_mutex& device_lock();
void require_host(const char* function);
void copy_memory(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind);
void fill_memory(void* to, int value, std::size_t bytes);
int asked_shared_limit(const void* kernel);  // by cudaFuncSetAttribute; 0: never asked

// stream.cpp
void refuse_in_capture(const char* function);  // what CUDA calls unsafe while this thread captures

// grid.cpp
void check_limits(const Launch& launch);
struct StaticShared;
void check_shared(const Launch& launch, const StaticShared& arrays);
void run_now(const Launch& launch);

// signals.cpp
class SignalGuard {  // while a worker runs blocks
 public:
  explicit SignalGuard(Worker& w);
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;

 private:
  bool watch_ = false, segv_ = false;
};

// symbols.cpp
struct SharedArray {
  std::size_t offset, bytes;  // in the thread-local block
  std::string name;
  std::string symbol;
};
const std::vector<SharedArray>& shared_arrays();
std::size_t shared_block_bytes();
std::uintptr_t shared_block_begin();  // of the calling OS thread
bool in_image(std::uintptr_t address);
std::string function_name(const void* function);
/// The static shared arrays of a kernel itself; those of functions that it calls have other names.
struct StaticShared {
  std::size_t bytes = 0;
  std::string names;  // "tile 4096 B, partial 128 B"
  void add(const std::string& name, std::size_t more);
};
const StaticShared& static_shared(const void* kernel);
struct SourceLine {
  std::string file;  // its name
  int line;
  std::string path = {};  // the whole of it
};
std::vector<SourceLine> source_lines(const std::vector<const void*>& return_addresses);
std::string source_text(const void* return_address);  // "file.cu:12"

// check.cpp
void begin_checks(Worker& w, Grid& grid);
void begin_block_checks(Worker& w);
void end_checks(Grid& grid);       // may throw Error
void end_phase_checks(Worker& w);  // at each barrier and at the end of the block; may throw Error
void synchronise_clocks(Worker& w, Lane* lanes, std::uint32_t members);
void note_fence(Worker& w);

// record.cpp
extern Recording* recording;
void record(Worker& w, char space, Access access, std::size_t bytes, std::uintptr_t address,
            std::uintptr_t array_begin, const std::string* array, const void* pc);
void record_phase_end(Worker& w);
void record_launch(const Grid& grid);

}  // namespace tpp::simt
