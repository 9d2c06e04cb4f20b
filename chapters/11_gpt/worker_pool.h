// A few threads that take numbered pieces of work until none is left.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace tpp {

/// The caller and size() − 1 threads beside it. run() hands out pieces by a counter: whoever is free
/// takes the next. What a piece computes must not depend on who takes it.
class WorkerPool {
 public:
  /// threads 0: one for each core. `background` lowers the threads' priority, so that a window stays
  /// smooth; it has no effect where the system does not let us.
  explicit WorkerPool(int threads = 0, bool background = false);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] int size() const { return int(threads_.size()) + 1; }

  /// Call work(piece, worker) for every piece in [0, pieces), worker in [0, size()). Returns when all
  /// are done; the first exception of a piece is thrown here. No allocation.
  template <class F>
  void run(int pieces, const F& work) {
    run_pieces(
        pieces,
        [](const void* f, int piece, int worker) { (*static_cast<const F*>(f))(piece, worker); },
        &work);
  }

 private:
  using Call = void (*)(const void* work, int piece, int worker);
  void run_pieces(int pieces, Call call, const void* work);
  void take_pieces(int worker);
  void wait_for_work(int worker);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  std::size_t round_ = 0;  // counts run()s; a thread wakes when it changes
  int busy_ = 0;           // threads that have not finished this round
  bool stop_ = false;
  std::exception_ptr error_;  // the first of this round

  std::atomic<int> next_{0};
  int pieces_ = 0;
  Call call_ = nullptr;
  const void* work_ = nullptr;
};

/// Lower the priority of the calling thread, if the system lets us.
void lower_thread_priority();

}  // namespace tpp
