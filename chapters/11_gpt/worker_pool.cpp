#include "chapters/11_gpt/worker_pool.h"

#include <algorithm>

#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace tpp {

void lower_thread_priority() {
#ifdef __linux__
  // On Linux the nice value belongs to a thread
  constexpr int kNice = 10;
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
#endif
}

WorkerPool::WorkerPool(int threads, bool background) {
  if (threads <= 0) threads = std::max(1, int(std::thread::hardware_concurrency()));
  for (int worker = 1; worker < threads; ++worker) {
    threads_.emplace_back([this, worker, background] {
      if (background) lower_thread_priority();
      wait_for_work(worker);
    });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::run_pieces(int pieces, Call call, const void* work) {
  {
    const std::lock_guard lock(mutex_);
    next_ = 0;
    pieces_ = pieces;
    call_ = call;
    work_ = work;
    error_ = nullptr;
    busy_ = int(threads_.size());
    ++round_;
  }
  start_.notify_all();
  take_pieces(0);

  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return busy_ == 0; });
  if (error_) std::rethrow_exception(error_);
}

void WorkerPool::take_pieces(int worker) {
  for (int piece = next_++; piece < pieces_; piece = next_++) {
    try {
      call_(work_, piece, worker);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_ = pieces_;  // the others need not go on
    }
  }
}

void WorkerPool::wait_for_work(int worker) {
  std::size_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return stop_ || round_ != seen; });
      if (stop_) return;
      seen = round_;
    }
    take_pieces(worker);
    {
      const std::lock_guard lock(mutex_);
      --busy_;
    }
    done_.notify_one();
  }
}

}  // namespace tpp
