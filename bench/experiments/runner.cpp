#include "bench/experiments/runner.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include "assets/sources.h"
#include "chapters/02_tape/slots.h"
#include "chapters/11_gpt/atomic_file.h"
#include "tools/cli/commands.h"
#include "tools/cli/progress.h"
#include "tools/learn/mine.h"

namespace tpp::experiments {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

// --- The results on disk --------------------------------------------------------------------------------

/// Objects a line a member, lists of numbers in one line.
void write_json(const Json& json, int indent, std::string& out) {
  const bool flat =
      json.is_array() && std::ranges::none_of(json, [](const Json& v) { return v.is_object(); });
  if (!json.is_structured() || json.empty() || flat) {
    out += json.dump();
    return;
  }
  const bool object = json.is_object();
  out += object ? "{" : "[";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    out += first ? "\n" : ",\n";
    out.append(std::size_t(indent) + 1, ' ');
    if (object) out += Json(key).dump() + ": ";
    write_json(value, indent + 1, out);
    first = false;
  }
  out += "\n";
  out.append(std::size_t(indent), ' ');
  out += object ? "}" : "]";
}

/// What decides a case's result, as text: a result of another text is measured again.
std::string fingerprint(const Case& c, const RunOptions& options) {
  std::string text;
  const RunOptions standard;
  for (const std::string& name : differing_options(standard, options)) {
    if (name == "seed" || name == "threads" || name == "device" || name == "precision") continue;
    text += (text.empty() ? "" : " ") + name + "=" + get_option(options, name);
  }
  if (c.version > 1) text += (text.empty() ? "" : " ") + ("version " + std::to_string(c.version));
  if (!c.mine.empty()) text += (text.empty() ? "" : " ") + ("mine " + c.mine);
  return text;
}

/// One experiment's file.
class Store {
 public:
  Store(const Experiment& experiment, const fs::path& folder, std::string command)
      : experiment_(experiment),
        path_(folder / (experiment.name + ".json")),
        command_(std::move(command)) {
    std::ifstream file(path_);
    if (!file) return;
    try {
      document_ = Json::parse(file);
    } catch (const Json::exception&) {
      throw InputError(path_.string() + " is damaged: delete it, or take it from git again");
    }
    if (document_.contains("runs")) runs_ = document_["runs"];
  }

  [[nodiscard]] bool has(const std::string& name, const std::string& options) const {
    const auto it = runs_.find(name);
    return it != runs_.end() && it->value("options", "?") == options;
  }

  void add(const std::string& name, Json result) {
    runs_[name] = std::move(result);
    changed_ = true;
    save();
  }

  /// What is there, with its tables: whole or not at all.
  void save() {
    Json runs = Json::object();  // in the order of the cases, and none that are not among them
    for (const Case& c : experiment_.cases) {
      for (int seed = 1; seed <= 64; ++seed) {
        const std::string name = c.key + "/" + std::to_string(seed);
        if (runs_.contains(name)) runs[name] = runs_[name];
      }
    }
    Report report(experiment_, runs);
    make_report(report);
    Json document = {{"name", experiment_.name},
                     {"question", experiment_.question},
                     {"refuted", experiment_.refuted}};
    document["command"] =
        changed_ || !document_.contains("command") ? Json(command_) : document_["command"];
    document["device"] = devices(runs);
    document["date"] = changed_ || !document_.contains("date") ? Json(today()) : document_["date"];
    document["values"] = report.values;
    document["tables"] = report.tables;
    document["plots"] = report.plots;
    document["runs"] = runs;
    std::string text;
    write_json(document, 0, text);
    fs::create_directories(path_.parent_path());
    AtomicFile file(path_);
    file.write(text + "\n");
    file.commit();
  }

  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] bool exists() const { return !runs_.empty(); }

 private:
  static std::string devices(const Json& runs) {
    std::string all;
    for (const auto& [name, run] : runs.items()) {
      const std::string device = run.value("device", "");
      if (!device.empty() && all.find(device) == std::string::npos)
        all += (all.empty() ? "" : "; ") + device;
    }
    return all;
  }
  static std::string today() {
    const std::time_t now = std::time(nullptr);
    char text[32];
    (void)std::strftime(text, sizeof text, "%Y-%m-%d", std::localtime(&now));
    return text;
  }

  const Experiment& experiment_;
  fs::path path_;
  std::string command_;
  Json document_ = Json::object();
  Json runs_ = Json::object();
  bool changed_ = false;
};

// --- What is to be done -----------------------------------------------------------------------------------

struct Job {
  const Experiment* experiment = nullptr;
  const Case* which = nullptr;
  Store* store = nullptr;
  RunOptions options = {};
  std::string options_text = {};
  [[nodiscard]] std::string name() const { return which->key + "/" + std::to_string(options.seed); }
  [[nodiscard]] bool on_cpu() const { return options.device == "cpu"; }
  /// Numbers that go through the model: what its time is guessed from.
  [[nodiscard]] double weight() const {
    return double(options.steps) * options.layers * options.batch * options.length;
  }
};

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "processor";
}

/// In the child: measure, and give back what is to be kept.
Json measure(const Job& job, std::atomic<long>* progress) {
  Json answer;
  try {
    Lab lab(*job.which, job.options, progress);
    if (job.which->measure) {
      job.which->measure(lab);
    } else {
      measure_training(lab);
    }
    Json result = {{"options", job.options_text}};
    result["device"] = processor() + ", one thread, float32";  // unless the run says otherwise
    result.update(lab.result);
    answer["result"] = result;
  } catch (const std::exception& e) {
    answer["error"] = e.what();
  }
  return answer;
}

// --- Processes --------------------------------------------------------------------------------------------

bool write_all(int fd, const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n, size -= std::size_t(n);
  }
  return true;
}
bool read_all(int fd, void* data, std::size_t size) {
  char* bytes = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t n = read(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n, size -= std::size_t(n);
  }
  return true;
}

/// A process that measures jobs, one after another. It has read the jobs before it was born, and is told their numbers.
/// A crash is the loss of one case.
struct Worker {
  pid_t pid = -1;
  int to = -1, from = -1;
  std::atomic<long>* progress = nullptr;  // steps done of the current job, in memory that both see
  std::optional<std::size_t> job = {};
  bool on_cpu = true;
};

class Pool {
 public:
  Pool(const std::vector<Job>& jobs, int most) : jobs_(jobs) {
    void* memory = mmap(nullptr, std::size_t(most) * 64, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw InputError("There is not enough memory.");
    for (int i = 0; i < most; ++i)
      free_.push_back(new (static_cast<char*>(memory) + 64 * i) std::atomic<long>(0));
  }
  ~Pool() {
    for (Worker& w : workers_) {
      (void)kill(w.pid, SIGTERM);
      end(w);
    }
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  [[nodiscard]] std::vector<Worker>& workers() { return workers_; }

  void start(std::size_t job) {
    const bool on_cpu = jobs_[job].on_cpu();
    for (Worker& w : workers_) {  // a process that has opened a GPU is worth keeping
      if (!on_cpu && !w.on_cpu && !w.job) return give(w, job);
    }
    put_in_place(jobs_[job].which->mine);
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) throw InputError("There are no more pipes: --jobs less");
    Worker worker{.to = to[1], .from = from[0], .progress = free_.back(), .on_cpu = on_cpu};
    free_.pop_back();
    (void)std::fflush(nullptr);
    worker.pid = fork();
    if (worker.pid < 0) throw InputError("There are no more processes: --jobs less");
    if (worker.pid == 0) {
      (void)std::signal(SIGINT, SIG_IGN);  // the parent says when
      (void)std::signal(SIGTERM, SIG_DFL);
      close(to[1]), close(from[0]);
      for (const Worker& other : workers_) close(other.to), close(other.from);
      serve(to[0], from[1], worker.progress);
    }
    close(to[0]), close(from[1]);
    workers_.push_back(worker);
    give(workers_.back(), job);
  }

  /// Wait a moment for a result. Nothing yet: no value. A worker that died: "error".
  struct Result {
    std::size_t job;
    Json answer;
  };
  std::optional<Result> wait() {
    std::vector<pollfd> fds;
    for (const Worker& w : workers_) fds.push_back({w.from, POLLIN, 0});
    if (poll(fds.data(), fds.size(), 100) <= 0) return {};
    for (std::size_t i = 0; i < fds.size(); ++i) {
      Worker& w = workers_[i];
      if ((fds[i].revents & (POLLIN | POLLHUP)) == 0 || !w.job) continue;
      Result result{*w.job, {}};
      std::size_t size = 0;
      std::string text;
      if (read_all(w.from, &size, sizeof size)) text.resize(size);
      if (!text.empty() && read_all(w.from, text.data(), size)) {
        result.answer = Json::parse(text);
        w.job.reset();
        if (!w.on_cpu) return result;
      } else {
        result.answer["error"] = "its process ended before it was done";
      }
      end(w);
      workers_.erase(workers_.begin() + std::ptrdiff_t(i));
      return result;
    }
    return {};
  }

 private:
  static void give(Worker& w, std::size_t job) {
    *w.progress = 0;
    w.job = job;
    (void)write_all(w.to, &job, sizeof job);
  }

  void end(Worker& w) {
    close(w.to), close(w.from);
    (void)waitpid(w.pid, nullptr, 0);
    *w.progress = 0;
    free_.push_back(w.progress);
  }

  [[noreturn]] void serve(int in, int out, std::atomic<long>* progress) {
    std::size_t job = 0;
    while (read_all(in, &job, sizeof job)) {
      const std::string text = measure(jobs_[job], progress).dump();
      const std::size_t size = text.size();
      if (!write_all(out, &size, sizeof size) || !write_all(out, text.data(), size)) break;
    }
    _exit(0);
  }

  /// The wrong answer that the next process is to have in its model, and no other. Each is built once.
  void put_in_place(const std::string& mine) {
    for (Slot* s : filled_slots()) switch_slot(*s, false);
    if (mine.empty()) return;
    const auto known = built_.find(mine);
    if (known == built_.end()) {
      put_mine_in_place(mine, "cpu");
      for (Slot* s : filled_slots()) {
        if (s->function != nullptr) built_[mine].push_back({s->name, s->offered, s->label});
      }
      return;
    }
    for (const Filled& f : known->second) fill_slot(f.name, f.function, f.label);
  }

  struct Filled {
    std::string name;
    AnyFunction function;
    std::string label;
  };
  const std::vector<Job>& jobs_;
  std::vector<Worker> workers_;
  std::vector<std::atomic<long>*> free_;
  std::map<std::string, std::vector<Filled>> built_;
};

// --- The bar ----------------------------------------------------------------------------------------------

class Bar {
 public:
  Bar() : terminal_(isatty(STDERR_FILENO) != 0) {}
  void show(std::size_t done, std::size_t all, double share, double seconds_left,
            const std::string& now) {
    const auto time = Clock::now();
    if (time - shown_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(20)))
      return;
    shown_ = time;
    const std::string text = std::to_string(done) + "/" + std::to_string(all) + " runs  " +
                             std::to_string(int(100 * share)) + " %  " + short_time(seconds_left) +
                             " left  " + now;
    if (!terminal_) {
      (void)std::fprintf(stderr, "%s\n", text.c_str());
      return;
    }
    winsize size{};
    const int columns =
        ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
    std::string bar;
    const int full = std::clamp(int(std::lround(20 * share)), 0, 20);
    for (int i = 0; i < 20; ++i) bar += i < full ? "━" : "╌";
    (void)std::fprintf(stderr, "\r\033[K%s  %.*s", bar.c_str(), std::max(columns - 24, 10),
                       text.c_str());
    (void)std::fflush(stderr);
    on_line_ = true;
  }
  void say(const std::string& text) {
    (void)std::fprintf(stderr, "%s%s\n", on_line_ ? "\r\033[K" : "", text.c_str());
    on_line_ = false;
  }

 private:
  bool terminal_, on_line_ = false;
  Clock::time_point shown_{};
};

std::string outcome(const Json& result) {
  if (result.contains("nan")) {
    return result["nan"]["value"].get<std::string>() + " became NaN or infinite at step " +
           std::to_string(result["nan"]["step"].get<long>());
  }
  if (result.contains("validation") && result["validation"].is_number()) {
    char text[64];
    (void)std::snprintf(text, sizeof text, "validation %.4f", result["validation"].get<double>());
    return text;
  }
  return "measured";
}

}  // namespace

int run_plan(const Plan& plan) {
  // Which results are missing?
  std::deque<Store> stores;
  std::vector<Job> jobs;
  std::size_t kept = 0;
  for (const Experiment& experiment : plan.experiments) {
    std::string command = "./run bench experiments " + experiment.name + " --device " + plan.device;
    if (plan.precision != "float32") command += " --precision " + plan.precision;
    if (plan.steps > 0) command += " --steps " + std::to_string(plan.steps);
    for (const auto& [name, value] : plan.set) command += " --set " + name + "=" + value;
    Store& store = stores.emplace_back(experiment, plan.folder, command);

    int most = 0;
    for (const Case& c : experiment.cases) {
      most = std::max({most, plan.seeds, c.seeds > 0 ? c.seeds : experiment.seeds});
    }
    for (int seed = 1; seed <= most; ++seed) {
      for (const Case& c : experiment.cases) {
        int seeds = c.seeds > 0 ? c.seeds : experiment.seeds;
        if (plan.seeds > 0 && !c.alone) seeds = plan.seeds;
        if (seed > seeds || (c.on_gpu && plan.device == "cpu")) continue;
        if (!plan.only.empty() && std::ranges::find(plan.only, c.key) == plan.only.end()) continue;
        Job job{.experiment = &experiment, .which = &c, .store = &store, .options = c.options};
        if (plan.steps > 0) job.options.steps = plan.steps;
        for (const auto& [name, value] : plan.set) set_option(job.options, name, value);
        job.options.seed = std::uint64_t(seed);
        job.options.threads = 1;
        // A wrong answer is a function of the processor's
        const bool on_cpu = plan.device == "cpu" || c.on_cpu || !c.mine.empty();
        job.options.device = on_cpu ? "cpu" : plan.device;
        job.options.precision = on_cpu ? "float32" : plan.precision;
        job.options_text = fingerprint(c, job.options);
        if (!plan.again && store.has(job.name(), job.options_text)) {
          ++kept;
          continue;
        }
        (void)make_model<float>(job.options, 256);  // an impossible case ends here
        jobs.push_back(std::move(job));
      }
    }
  }
  if (kept > 0)
    std::cerr << kept << " results are there already (--again measures them once more).\n";
  if (jobs.empty()) {
    for (Store& store : stores) {
      if (store.exists()) store.save();
    }
    std::cerr << "Nothing is missing; the tables were made again.\n";
    return 0;
  }

  // The text, before several processes want to write it
  (void)make_source(source_config(jobs.front().options));

  const int cores = std::max(1, int(std::thread::hardware_concurrency()));
  const int gpu_jobs = plan.device == "cpu" ? 0 : (plan.jobs > 0 ? plan.jobs : 2);
  const int cpu_jobs = plan.device != "cpu" ? std::max(1, cores - gpu_jobs - 1)
                       : plan.jobs > 0      ? plan.jobs
                                            : cores;
  std::deque<std::size_t> alone, waiting[2];  // [on_cpu]
  double all_work = 0, done_work = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    all_work += jobs[i].weight();
    (jobs[i].which->alone ? alone : waiting[jobs[i].on_cpu()]).push_back(i);
  }

  Pool pool(jobs, gpu_jobs + cpu_jobs);
  Bar bar;
  const auto begin = Clock::now();
  std::size_t done = 0, failed = 0;
  catch_interrupts();
  while (done + failed < jobs.size() && !interrupted()) {
    // Keep everybody busy; what measures time has the machine for itself
    int busy[2] = {0, 0};
    bool is_alone = false;
    for (const Worker& w : pool.workers()) {
      if (!w.job) continue;
      ++busy[w.on_cpu];
      is_alone = is_alone || jobs[*w.job].which->alone;
    }
    if (!alone.empty()) {
      if (busy[0] + busy[1] == 0) {
        pool.start(alone.front());
        alone.pop_front();
        is_alone = true;
      }
    } else if (!is_alone) {
      for (const int on_cpu : {0, 1}) {
        const int most = on_cpu != 0 ? cpu_jobs : gpu_jobs;
        for (; busy[on_cpu] < most && !waiting[on_cpu].empty(); ++busy[on_cpu]) {
          pool.start(waiting[on_cpu].front());
          waiting[on_cpu].pop_front();
        }
      }
    }

    const auto result = pool.wait();
    double work = done_work;
    std::string now;
    for (const Worker& w : pool.workers()) {
      if (!w.job) continue;
      const Job& job = jobs[*w.job];
      work += job.weight() * std::min(1.0, double(*w.progress) / double(job.options.steps));
      now += (now.empty() ? "" : ", ") + job.name();
    }
    const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
    bar.show(done, jobs.size(), work / all_work, elapsed * (all_work - work) / work, now);
    if (!result) continue;

    Job& job = jobs[result->job];
    done_work += job.weight();
    const std::string name = job.experiment->name + " " + job.name();
    if (result->answer.contains("error")) {
      ++failed;
      bar.say(name + ": " + result->answer["error"].get<std::string>());
      // No device: the others would say the same
      if (done == 0 && result->answer["error"].get<std::string>().starts_with("--device")) return 2;
    } else {
      ++done;
      job.store->add(job.name(), result->answer["result"]);
      bar.say(name + ": " + outcome(result->answer["result"]));
    }
  }
  if (interrupted()) {
    std::cerr << "\nStopped. " << done << " results are kept; the same command goes on.\n";
    return 130;
  }
  for (const Store& store : stores) {
    if (store.exists()) std::cerr << store.path().string() << "\n";
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace tpp::experiments
