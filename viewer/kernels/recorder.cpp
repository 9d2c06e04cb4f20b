#include "viewer/kernels/recorder.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "chapters/01_tensor/errors.h"
#include "tools/counts/sections.h"
#include "tools/learn/process.h"

namespace tpp::viewer {
namespace {

namespace fs = std::filesystem;

constexpr double kRecordSeconds = 60, kBuildSeconds = 1800;

std::optional<fs::file_time_type> time_of(const fs::path& file) {
  std::error_code error;
  const fs::file_time_type time = fs::last_write_time(file, error);
  if (error) return {};
  return time;
}

/// Was it written after all that it depends on?
bool is_fresh(const fs::path& file, std::initializer_list<fs::path> sources) {
  const auto written = time_of(file);
  if (!written) return false;
  return std::all_of(sources.begin(), sources.end(), [&](const fs::path& source) {
    const auto time = time_of(source);
    return time && *time < *written;
  });
}

std::string without_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string read_all(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

const std::vector<KernelLadder>& kernel_ladders() {
  static const std::vector<KernelLadder> all = [] {
    std::vector<KernelLadder> ladders;
    const auto add = [&](std::string folder, std::string section, std::string title) {
      std::replace(title.begin(), title.end(), '_', ' ');
      std::string chapter = folder.substr(0, 2);
      ladders.push_back({{std::move(chapter), std::move(section)}, std::move(folder), title});
    };
#define TPP_LADDER(folder, section, function) add(folder, section, #function);
    TPP_COUNTED(TPP_LADDER)
#undef TPP_LADDER
    return ladders;
  }();
  return all;
}

KernelPrograms KernelPrograms::of_this_build() {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  KernelPrograms programs;
  programs.counts = here / "tpp-counts";
  programs.learn = here / "tpp-learn";
  programs.traces = here.parent_path() / "traces";
  const fs::path build = here.parent_path(), run = build.parent_path() / "run";
  if (build.filename() == "build" && fs::exists(run, error)) programs.run = run;
  return programs;
}

void KernelRecorder::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  stop_ = false;
  busy_ = building_ = false;
}

void KernelRecorder::want(const KernelChoice& choice) {
  stop();
  result_.reset();
  busy_ = true;
  thread_ = std::thread([this, choice] { work(choice); });
}

std::optional<KernelRecorder::Result> KernelRecorder::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(result_, std::nullopt);
}

/// Is the program there? If not, ./run builds it, as far as it can without asking.
bool KernelRecorder::ready(const fs::path& program, const char* command, std::string& problem) {
  std::error_code error;
  if (fs::exists(program, error)) return true;
  if (programs_.run.empty()) {
    problem = "The program that records kernels is missing: " + program.string() +
              ". Build it, then choose a kernel again.";
    return false;
  }
  building_ = true;
  const learn::Ended built =
      learn::run_process({"env", "TPP_SKIP_PACKAGES=1", programs_.run.string(), command, "--help"},
                         {.seconds = kBuildSeconds, .stop = &stop_}, programs_.run.parent_path());
  building_ = false;
  if (fs::exists(program, error)) return true;
  problem = std::string("./run ") + command +
            " could not build the program that records kernels: " +
            without_end(built.output.substr(0, 400));
  return false;
}

/// The exercises with kernels that the reader has begun: a line "5.3 <tab> title <tab> file" each.
std::vector<MyKernel> KernelRecorder::list_mine() {
  std::vector<MyKernel> all;
  std::error_code error;
  if (!fs::exists(programs_.learn, error)) return all;
  const learn::Ended said = learn::run_process({programs_.learn.string(), "trace", "--list"},
                                               {.seconds = kRecordSeconds, .stop = &stop_}, "/");
  if (said.code != 0 || said.signal != 0) return all;
  std::size_t begin = 0;
  while (begin < said.output.size()) {
    const std::size_t end = std::min(said.output.find('\n', begin), said.output.size());
    const std::string line = said.output.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t a = line.find('\t'), b = line.find('\t', a + 1);
    if (b == std::string::npos) continue;
    all.push_back({line.substr(0, a), line.substr(a + 1, b - a - 1), line.substr(b + 1)});
  }
  return all;
}

void KernelRecorder::work(const KernelChoice& choice) {
  Result result{.choice = choice, .trace = {}, .problem = {}, .mine = {}};
  try {
    result.mine = list_mine();
    const fs::path& program = choice.mine() ? programs_.learn : programs_.counts;
    const fs::path trace = programs_.traces / (choice.chapter + "-" + choice.section + ".json");
    const auto mine = std::find_if(result.mine.begin(), result.mine.end(),
                                   [&](const MyKernel& k) { return k.id == choice.section; });
    const bool fresh = !choice.mine()              ? is_fresh(trace, {program})
                       : mine != result.mine.end() ? is_fresh(trace, {program, mine->file})
                                                   : false;
    if (fresh || ready(program, choice.mine() ? "learn" : "counts", result.problem)) {
      if (!fresh) {
        std::error_code ignored;  // writing says it better
        fs::create_directories(programs_.traces, ignored);
        const fs::path part = trace.string() + "." + std::to_string(getpid()) + ".part";
        std::vector<std::string> command{program.string()};
        if (choice.mine()) {
          command.insert(command.end(), {"trace", choice.section, "--out", part.string()});
        } else {
          command.insert(command.end(), {choice.chapter, choice.section, "--trace", part.string()});
        }
        const learn::Ended ended = learn::run_process(
            command, {.seconds = choice.mine() ? kBuildSeconds : kRecordSeconds, .stop = &stop_},
            "/");
        if (ended.code == 0 && ended.signal == 0) {
          fs::rename(part, trace, ignored);
        } else {
          fs::remove(part, ignored);
          result.problem = without_end(ended.output.substr(0, 1500));
          if (result.problem.empty()) {
            result.problem = ended.out_of_time
                                 ? "The recording did not come to an end in time."
                                 : "The program that records the kernel ended without a word.";
          }
        }
      }
      if (result.problem.empty()) {
        result.trace = std::make_shared<const Trace>(read_trace(read_all(trace), trace.string()));
      }
    }
  } catch (const std::exception& error) {
    result.problem = error.what();
  }
  building_ = false;
  if (!stop_) {
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
  }
  busy_ = false;
}

}  // namespace tpp::viewer
