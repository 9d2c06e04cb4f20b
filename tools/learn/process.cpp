#include "tools/learn/process.h"

#include <fcntl.h>
#include <poll.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "chapters/01_tensor/errors.h"

namespace tpp::learn {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void limit(decltype(RLIMIT_CPU) what, rlim_t value) {
  const rlimit both{value, value};
  setrlimit(what, &both);
}

}  // namespace

Ended run_process(const std::vector<std::string>& command, const Limits& limits,
                  const std::filesystem::path& folder) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);

  int out[2], failed[2];
  if (pipe2(out, O_CLOEXEC) != 0) throw InputError("Cannot make a pipe: too many open files?");
  if (pipe2(failed, O_CLOEXEC) != 0) {
    close(out[0]), close(out[1]);
    throw InputError("Cannot make a pipe: too many open files?");
  }
  const Clock::time_point start = Clock::now();
  const pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);  // its children die with it
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // and it dies with us
#endif
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0), dup2(out[1], 1), dup2(out[1], 2);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, rlim_t(limits.seconds) * 8 + 5);
    if (limits.memory != 0) limit(RLIMIT_AS, rlim_t(limits.memory));
    if (chdir(folder.c_str()) == 0) execvp(argv[0], argv.data());
    const int reason = errno;
    (void)!write(failed[1], &reason, sizeof reason);
    _exit(127);
  }
  close(out[1]), close(failed[1]);
  if (child < 0) {
    close(out[0]), close(failed[0]);
    throw InputError("Cannot start another process: the machine has no room for one.");
  }
  setpgid(child, child);

  // Read until it ends or its time is up; keep the beginning of what it prints
  Ended ended;
  bool open_ = true;
  int status = 0;
  bool reaped = false;
  while (true) {
    const bool stopped = limits.stop != nullptr && limits.stop->load();
    const double left = stopped ? -1 : limits.seconds - since(start);
    if (left <= 0 && !ended.out_of_time) {
      ended.out_of_time = true;
      kill(-child, limits.ask_first ? SIGTERM : SIGKILL);
    }
    if (left < -0.5) kill(-child, SIGKILL);
    if (!reaped && waitpid(child, &status, WNOHANG) == child) {
      reaped = true;
      kill(-child, SIGKILL);  // whatever it left behind
    }
    pollfd waiting{out[0], POLLIN, 0};
    if (open_ && poll(&waiting, 1, 5) > 0) {
      char bytes[16384];
      const ssize_t n = read(out[0], bytes, sizeof bytes);
      if (n > 0) {
        const std::size_t room = limits.output - std::min(limits.output, ended.output.size());
        ended.output.append(bytes, std::min(room, std::size_t(n)));
        ended.printed += std::size_t(n);
      } else if (n == 0) {
        open_ = false;
      }
      continue;
    }
    if (reaped) break;
    if (!open_) usleep(2000);
  }
  close(out[0]);
  int reason = 0;
  const bool not_started = read(failed[0], &reason, sizeof reason) == ssize_t(sizeof reason);
  close(failed[0]);
  if (not_started)
    throw InputError("Cannot start " + command[0] + ": " + std::strerror(reason) + ".");
  ended.seconds = since(start);
  if (WIFSIGNALED(status)) {
    ended.signal = WTERMSIG(status);
  } else {
    ended.code = WEXITSTATUS(status);
  }
  return ended;
}

}  // namespace tpp::learn
