// A launch: limits first, then blocks over the cores, then the first mistake as an exception.
#include <sys/mman.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

#include "kernels/simt/internal.h"

namespace tpp::simt {

namespace {

// The checked build's files all call __tsan_init before main.
bool hooks_linked = false;

[[noreturn]] void bad_launch(const Launch& launch, const std::string& why) {
  throw Error("simt: launch of " + function_name(launch.kernel) + ": " + why);
}

// --- Blocks over cores --------------------------------------------------------------------------------

void run_blocks(Worker& w, Grid& grid) {
  const SignalGuard guard(w);
  while (!grid.stop) {
    const std::uint64_t block = grid.next++;
    if (block >= grid.blocks) return;
    run_block(w, grid, block);
  }
}

Worker& this_thread_worker() {
  thread_local Worker mine;
  return *(worker = &mine);
}

// Threads that wait for a grid. They live until the process ends.
class Pool {
 public:
  explicit Pool(int helpers) {
    for (int i = 0; i < helpers; ++i) std::thread([this] { help(); }).detach();
    helpers_ = helpers;
  }

  void run(Grid& grid) {
    {
      const std::lock_guard lock(mutex_);
      grid_ = &grid;
      ++serial_;
      busy_ = helpers_;
      error_ = nullptr;
    }
    begin_.notify_all();
    take_part(grid);
    std::unique_lock lock(mutex_);
    end_.wait(lock, [this] { return busy_ == 0; });
    grid_ = nullptr;
    if (error_) std::rethrow_exception(error_);
  }

  int helpers() const { return helpers_; }

 private:
  void help() {
    std::uint64_t seen = 0;
    for (;;) {
      Grid* grid;
      {
        std::unique_lock lock(mutex_);
        begin_.wait(lock, [&] { return serial_ != seen; });
        seen = serial_;
        grid = grid_;
      }
      take_part(*grid);
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) end_.notify_all();
    }
  }

  void take_part(Grid& grid) {
    try {
      run_blocks(this_thread_worker(), grid);
    } catch (...) {
      grid.stop = true;
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }

  std::mutex mutex_;
  std::condition_variable begin_, end_;
  Grid* grid_ = nullptr;
  std::uint64_t serial_ = 0;
  int busy_ = 0, helpers_ = 0;
  std::exception_ptr error_;
};

int wanted_threads() {
  if (checked()) return 1;  // the checker sees one block after another
  const int asked = options().threads;
  return asked > 0 ? asked : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

// One launch at a time: the device's lock is held.
void run_all(Grid& grid) {
  // Small grids finish before a sleeping thread wakes.
  using Clock = std::chrono::steady_clock;
  Worker& w = this_thread_worker();
  const int threads = wanted_threads();
  if (threads == 1 || grid.blocks == 1) return run_blocks(w, grid);
  const auto start = Clock::now();
  {
    const SignalGuard guard(w);
    while (Clock::now() - start < std::chrono::microseconds(50)) {
      const std::uint64_t block = grid.next++;
      if (block >= grid.blocks) return;
      run_block(w, grid, block);
    }
  }
  static Pool* pool = nullptr;  // never destroyed: its threads wait in it
  if (pool == nullptr || pool->helpers() < threads - 1) pool = new Pool(threads - 1);
  pool->run(grid);
}

Options options_from_environment() {
  Options o;
  if (const char* threads = std::getenv("SIMT_THREADS")) o.threads = std::atoi(threads);
  if (const char* order = std::getenv("SIMT_ORDER")) {
    if (std::strcmp(order, "reverse") == 0) o.order = Order::kReverse;
    if (std::strncmp(order, "random", 6) == 0) {
      o.order = Order::kRandom;
      if (order[6] == ':') o.seed = static_cast<std::uint32_t>(std::atoi(order + 7));
    }
  }
  return o;
}

}  // namespace

extern "C" void __tsan_init() { hooks_linked = true; }

bool checked() { return hooks_linked; }

Options& options() {
  static Options o = options_from_environment();
  return o;
}

Worker::Worker() {
  // Pages are only taken when they are touched. The lowest page of a stack is a fence; where the system has no room
  // for so many mappings, stacks go without.
  const auto map = [](std::size_t bytes) {
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw Error("simt: no memory for the stacks of a block's threads");
    return static_cast<char*>(p);
  };
  stacks = map(kMaxThreads * kStackBytes);
  for (int i = 0; i < kMaxThreads; ++i) {
    if (mprotect(stacks + i * kStackBytes, 4096, PROT_NONE) != 0) break;
  }
  shared = reinterpret_cast<unsigned char*>(map(kSharedBytes + 4096));
}

Worker::~Worker() {
  munmap(stacks, kMaxThreads * kStackBytes);
  munmap(shared, kSharedBytes + 4096);
  worker = nullptr;
}

void check_limits(const Launch& l) {
  const auto dims = [](const dim3& d) {
    return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
  };
  const std::uint64_t threads = std::uint64_t{l.block.x} * l.block.y * l.block.z;
  if (threads == 0 || threads > kMaxThreads) {
    bad_launch(l, std::to_string(threads) + " threads in a block; 1 to 1024 are allowed");
  }
  if (l.block.z > 64) bad_launch(l, "block " + dims(l.block) + ": at most 64 in z");
  if (l.grid.x == 0 || l.grid.y == 0 || l.grid.z == 0) {
    bad_launch(l, "grid " + dims(l.grid) + " has no blocks");
  }
  if (l.grid.x > 0x7fffffffu || l.grid.y > 65535 || l.grid.z > 65535) {
    bad_launch(l, "grid " + dims(l.grid) + ": at most 2147483647 in x, 65535 in y and z");
  }
  check_shared(l, static_shared(l.kernel));
}

// Static arrays have 48 KB; so have static and dynamic together, unless the kernel asked for more.
void check_shared(const Launch& l, const StaticShared& arrays) {
  if (arrays.bytes > kPlainSharedBytes) {
    bad_launch(l, "static shared arrays of " + std::to_string(arrays.bytes) + " bytes (" +
                      arrays.names + "): above 48 KB they must be dynamic");
  }
  const std::size_t asked = static_cast<std::size_t>(asked_shared_limit(l.kernel));
  if (l.bytes > std::max(asked, kPlainSharedBytes - arrays.bytes) ||
      l.bytes + arrays.bytes > kSharedBytes) {
    bad_launch(l, std::to_string(l.bytes) + " bytes of dynamic shared memory" +
                      (arrays.bytes == 0 ? "" : " beside " + arrays.names) +
                      ": above 48 KB needs cudaFuncSetAttribute, above 227 KB never fits");
  }
}

void run_now(const Launch& launch) {
  const std::lock_guard lock(device_lock());
  static std::uint32_t launches = 0;
  Grid grid{launch, std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z, ++launches};
  if (checked()) {
    begin_checks(this_thread_worker(), grid);
    if (recording != nullptr) record_launch(grid);
  }
  struct Leave {  // from now on accesses are the host's again
    ~Leave() {
      in_kernel = false;
      if (worker != nullptr) worker->lane = nullptr;
    }
  } leave;
  run_all(grid);
  if (checked()) end_checks(grid);
}

// --- Words for messages -------------------------------------------------------------------------------

std::string kernel_text(const Grid& grid) { return function_name(grid.launch.kernel); }

namespace {
std::string triple(std::uint64_t index, const dim3& size) {
  return "(" + std::to_string(index % size.x) + "," + std::to_string(index / size.x % size.y) +
         "," + std::to_string(index / size.x / size.y) + ")";
}
}  // namespace

std::string block_text(const Grid& grid, std::uint64_t block) {
  return triple(block, grid.launch.grid);
}
std::string thread_text(const Grid& grid, std::uint32_t index) {
  return triple(index, grid.launch.block);
}
std::string site_text(Site site) {
  const char* slash = std::strrchr(site.file, '/');
  return std::string(slash ? slash + 1 : site.file) + ":" + std::to_string(site.line);
}
std::string where(const Worker& w) {
  return "in kernel " + kernel_text(*w.grid) + ", block " + block_text(*w.grid, w.block);
}

}  // namespace tpp::simt
