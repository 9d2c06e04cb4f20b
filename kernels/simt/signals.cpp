// Stack overflow and endless loops: a signal takes the thread out of its fiber, back to the scheduler.
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>

#include "kernels/simt/fiber.h"
#include "kernels/simt/internal.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace tpp::simt {

namespace {

constexpr int kTicks = 8;  // looks within the watchdog's time

int watchdog_signal() { return SIGRTMAX - 3; }

struct Watch {
  timer_t timer{};
  bool has_timer = false;
  std::uint64_t meetings = 0, block = 0;
  int idle_ticks = 0, block_ticks = 0;
  struct sigaction old_segv {};
  stack_t old_stack{};
  char* stack = nullptr;
  Watch() = default;
  ~Watch() {
    if (has_timer) timer_delete(timer);
    delete[] stack;
  }
};
thread_local Watch watch;

// Go on in the scheduler once the handler returns.
void go_to_scheduler([[maybe_unused]] void* context, int failure) {
  worker->signal_failure = failure;
  in_kernel = false;
#if TPP_SIMT_OWN_SWITCH
  auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  registers[REG_RIP] = static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(&tpp_simt_resume));
  registers[REG_RSI] = static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(worker->context));
#else
  setcontext(static_cast<ucontext_t*>(worker->context));
#endif
}

void on_tick(int, siginfo_t*, void* context) {
  Worker* w = worker;
  if (w == nullptr || !in_kernel) return;  // the runtime is short; look again at the next tick
  if (w->block != watch.block) watch.block_ticks = watch.idle_ticks = 0;
  if (w->meetings != watch.meetings) watch.idle_ticks = 0;
  watch.block = w->block;
  watch.meetings = w->meetings;
  if (++watch.idle_ticks > kTicks || ++watch.block_ticks > 10 * kTicks) go_to_scheduler(context, 2);
}

void on_fault(int number, siginfo_t* info, void* context) {
  Worker* w = worker;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  const auto stacks = w ? reinterpret_cast<std::uintptr_t>(w->stacks) : 0;
  if (w != nullptr && w->lane != nullptr) {
    const bool on_stack = address - stacks < kMaxThreads * kStackBytes;
    if (in_kernel || on_stack) return go_to_scheduler(context, on_stack ? 1 : 3);
  }
  sigaction(number, &watch.old_segv, nullptr);  // not ours: happens again, with the old handler
}

}  // namespace

SignalGuard::SignalGuard(Worker&) {
  // A timer that ticks on this very thread.
  const double seconds = options().watchdog_seconds;
  if (seconds > 0) {
    if (!watch.has_timer) {
      struct sigaction action {};
      action.sa_sigaction = &on_tick;
      action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
      sigaction(watchdog_signal(), &action, nullptr);
      sigevent event{};
      event.sigev_notify = SIGEV_THREAD_ID;
      event.sigev_signo = watchdog_signal();
      event.sigev_notify_thread_id = static_cast<pid_t>(syscall(SYS_gettid));
      watch.has_timer = timer_create(CLOCK_MONOTONIC, &event, &watch.timer) == 0;
    }
    if (watch.has_timer) {
      const double tick = seconds / kTicks;
      itimerspec spec{};
      spec.it_interval.tv_sec = static_cast<time_t>(tick);
      spec.it_interval.tv_nsec = static_cast<long>((tick - std::floor(tick)) * 1e9);
      spec.it_value = spec.it_interval;
      watch.idle_ticks = watch.block_ticks = 0;
      watch_ = timer_settime(watch.timer, 0, &spec, nullptr) == 0;
    }
  }

  // A fiber that has overflowed has no stack for a handler: give it one. Checked builds only; it costs a microsecond.
  if (checked()) {
    constexpr std::size_t kBytes = 64 * 1024;
    if (watch.stack == nullptr) watch.stack = new char[kBytes];
    stack_t stack{};
    stack.ss_sp = watch.stack;
    stack.ss_size = kBytes;
    sigaltstack(&stack, &watch.old_stack);
    struct sigaction action {};
    action.sa_sigaction = &on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    segv_ = sigaction(SIGSEGV, &action, &watch.old_segv) == 0;
  }
}

SignalGuard::~SignalGuard() {
  if (watch_) {
    const itimerspec never{};
    timer_settime(watch.timer, 0, &never, nullptr);
  }
  if (segv_) {
    sigaction(SIGSEGV, &watch.old_segv, nullptr);
    sigaltstack(&watch.old_stack, nullptr);
  }
}

}  // namespace tpp::simt
