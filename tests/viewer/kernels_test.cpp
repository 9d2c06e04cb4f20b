// Recordings of kernels: read whole or refused with a sentence, and taken apart into sectors and banks.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "assets/repository.h"
#include "chapters/01_tensor/errors.h"
#include "tests/testing.h"
#include "tests/viewer/synthetic_trace.h"
#include "viewer/kernels/recorder.h"
#include "viewer/kernels/replay.h"
#include "viewer/kernels/request.h"
#include "viewer/kernels/trace.h"

namespace tpp::viewer::testing {
namespace {

namespace fs = std::filesystem;

TraceRequest request_of(const std::function<int(int)>& offset, int base = 0) {
  TraceRequest r;
  r.base = base;
  r.offset.fill(-1);
  for (int lane = 0; lane < kLanes; ++lane) {
    if (offset(lane) < 0) continue;
    r.active |= 1u << lane;
    r.offset[std::size_t(lane)] = offset(lane);
  }
  return r;
}

TraceLine global(int bytes) {
  TraceLine line;
  line.bytes = bytes;
  return line;
}
TraceLine shared(int bytes, TraceLine::Op op = TraceLine::Op::load) {
  TraceLine line;
  line.bytes = bytes;
  line.shared = true;
  line.op = op;
  return line;
}

TEST_CASE("kernel lens: sectors of the textbook", "[viewer][kernels]") {
  // 32 neighbouring floats: 4 sectors, nothing in vain
  SectorPicture p = sectors_of(global(4), request_of([](int l) { return 4 * l; }));
  CHECK(p.sectors.size() == 4);
  CHECK(p.used == 128);
  CHECK(p.fetched() == 128);
  CHECK(p.ideal == 4);
  CHECK(p.sectors[1].begin == 32);
  CHECK(p.sectors[1].by[0] == 1u << 8);
  CHECK(p.sectors[1].lanes() == 0xff00u);

  // A column: a sector each, 4 bytes of 32
  p = sectors_of(global(4), request_of([](int l) { return 1024 * l; }));
  CHECK(p.sectors.size() == 32);
  CHECK(p.used == 128);
  CHECK(p.sectors[31].begin == 31 * 1024);
  CHECK(p.sectors[31].used() == 4);

  // Everybody the same float; one lane alone; no lane
  p = sectors_of(global(4), request_of([](int) { return 36; }));
  CHECK(p.sectors.size() == 1);
  CHECK(p.used == 4);
  CHECK(p.ideal == 1);
  CHECK(p.sectors[0].by[4] == 0xffffffffu);
  CHECK(sectors_of(global(16), request_of([](int l) { return l == 7 ? 48 : -1; }))
            .sectors[0]
            .used() == 16);
  CHECK(sectors_of(global(4), TraceRequest{}).sectors.empty());

  // An array that begins in the middle of a sector: one more of them
  p = sectors_of(global(4), request_of([](int l) { return 4 * l; }, 16));
  CHECK(p.sectors.size() == 5);
  CHECK(p.sectors[0].begin == -16);
  CHECK(p.sectors[0].used() == 16);
}

TEST_CASE("kernel lens: banks of the textbook", "[viewer][kernels]") {
  BankPicture p = banks_of(shared(4), request_of([](int l) { return 4 * l; }));
  CHECK(p.wavefronts() == 1);
  CHECK(p.ideal() == 1);
  CHECK(p.passes[0].banks[5].size() == 1);
  CHECK(p.passes[0].banks[5][0].lanes == 1u << 5);

  // A column of a 32-wide tile is one bank; with a word of padding, 32 of them
  CHECK(banks_of(shared(4), request_of([](int l) { return 128 * l; })).wavefronts() == 32);
  CHECK(banks_of(shared(4), request_of([](int l) { return 132 * l; })).wavefronts() == 1);
  CHECK(banks_of(shared(4), request_of([](int l) { return 8 * l; })).wavefronts() == 2);

  // One word for all is given at once, but atomics of all wait
  p = banks_of(shared(4), request_of([](int) { return 12; }));
  CHECK(p.wavefronts() == 1);
  CHECK(p.passes[0].banks[3][0].lanes == 0xffffffffu);
  CHECK(banks_of(shared(4, TraceLine::Op::atom), request_of([](int) { return 12; })).wavefronts() ==
        32);

  // Wide accesses pass in parts
  CHECK(banks_of(shared(8), request_of([](int l) { return 8 * l; })).wavefronts() == 2);
  CHECK(banks_of(shared(16), request_of([](int l) { return 16 * l; })).wavefronts() == 4);
  CHECK(banks_of(shared(16), request_of([](int l) { return l < 8 ? 16 * l : -1; })).wavefronts() ==
        1);

  // The array's begin turns the banks
  p = banks_of(shared(4), request_of([](int l) { return 4 * l; }, 20));
  CHECK(p.passes[0].banks[5][0].lanes == 1u);
  CHECK(p.passes[0].banks[4][0].lanes == 1u << 31);
  CHECK(p.passes[0].banks[5][0].begin == 0);
}

TEST_CASE("kernel lens: random requests, against another way to count", "[viewer][kernels]") {
  std::mt19937 bits(7);
  for (const char space : {'g', 's'}) {
    for (const char* op : {"load", "store", "atom"}) {
      for (const int bytes : {1, 2, 4, 8, 16}) {
        TraceText text;
        const int line = text.line("x", 3, space, op, bytes);
        for (int i = 0; i < 40; ++i) {
          const int spread = 1 << bits() % 12, base = int(bits() % 8) * 16,
                    stride = int(bits() % 40);
          const bool straight = bits() % 2 == 0;
          std::vector<int> at(32);
          for (int l = 0; l < 32; ++l) {
            at[std::size_t(l)] = (straight ? l * stride : int(bits() % unsigned(spread))) * bytes;
            if (bits() % 6 == 0) at[std::size_t(l)] = -1;
          }
          at[bits() % 32] = 0;
          text.request(
              line, 0, [&](int l) { return at[std::size_t(l)]; }, 0, base);
        }
        // read_trace compares each; the sums stand here
        const Trace trace = read_trace(TraceText::file({text}), "random");
        const TraceVersion& v = trace.versions[0];
        REQUIRE(v.requests.size() == 40);
        std::uint64_t cost = 0, ideal = 0;
        for (const TraceRequest& r : v.requests) {
          cost += std::uint64_t(cost_of(v.lines[0], r));
          ideal += std::uint64_t(r.ideal);
        }
        CHECK(cost == v.lines[0].cost);
        CHECK(ideal == v.lines[0].ideal);
      }
    }
  }
}

TEST_CASE("kernel lens: a recording is read", "[viewer][kernels]") {
  const Trace trace = read_trace(toy_trace(), "toy");
  CHECK(trace.chapter == "05");
  CHECK(trace.title == "a toy");
  REQUIRE(trace.versions.size() == 2);
  const TraceVersion& v = trace.versions[0];
  CHECK(v.name == "v1_strided");
  CHECK(v.kernels[0].block[0] == 64);
  CHECK(v.lines.size() == 4);
  CHECK(v.requests.size() == 6 * 7);
  CHECK(v.totals.requests == 18);
  CHECK(v.totals.sectors == 12 * 32 + 6);
  CHECK(v.totals.shared == 24);
  CHECK(v.totals.wavefronts == 12 * 32 + 12 * 4);
  CHECK(v.totals.bytes() == 32 * v.totals.sectors);
  CHECK(trace.versions[1].totals.sectors == 12 * 4 + 6);
  REQUIRE(v.source("kernel.cuh"));
  CHECK(v.source("kernel.cuh")->lines.size() == 40);
  CHECK(v.source("other.cuh") == nullptr);
  CHECK(v.lines[std::size_t(v.worst_line())].line ==
        12);  // 31 wavefronts too many, beats 28 sectors
  CHECK(TraceVersion{}.worst_line() == -1);
}

/// What it says about a file, which is one sentence.
std::string refusal(const std::string& text) {
  try {
    (void)read_trace(text, "FILE");
  } catch (const InputError& error) {
    const std::string words = error.what();
    CHECK(words.find("FILE") != std::string::npos);
    CHECK(words.size() < 300);
    CHECK(words.find('\n') == std::string::npos);
    CHECK(words.back() == '.');
    return words;
  }
  return "";
}

TEST_CASE("kernel lens: what is no recording is refused with a sentence", "[viewer][kernels]") {
  const std::string good = toy_trace();
  CHECK(refusal(good).empty());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  CHECK(refusal("").find("no JSON") != std::string::npos);
  CHECK(refusal("{").find("no JSON") != std::string::npos);
  CHECK(refusal("[1, 2]").find("no recording") != std::string::npos);
  CHECK(refusal(std::string(100000, '[')).find("no JSON") != std::string::npos);
  CHECK(refusal(with("tpp-trace 1", "tpp-trace 9")).find("no recording") != std::string::npos);
  CHECK(refusal(with("\"title\"", "\"titles\"")).find("\"title\" is missing") != std::string::npos);
  CHECK(refusal(with("\"a toy\"", "7")).find("no text") != std::string::npos);
  CHECK(refusal(with("\"a toy\"", "\"a\\nb\"")).find("more than one line") != std::string::npos);
  CHECK(refusal(with("\"a toy\"", "\"" + std::string(1000, 'x') + "\"")).find("too long") !=
        std::string::npos);
  CHECK(refusal(with("\"space\": \"g\"", "\"space\": \"h\"")).find("space") != std::string::npos);
  CHECK(refusal(with("\"op\": \"load\"", "\"op\": \"jump\"")).find("op") != std::string::npos);
  CHECK(refusal(with("\"bytes\": 4", "\"bytes\": 0")).find("bytes") != std::string::npos);
  CHECK(refusal(with("\"bytes\": 4", "\"bytes\": 4000")).find("too large") != std::string::npos);
  CHECK(refusal(with("\"bytes\": 4", "\"bytes\": -4")).find("no whole number") !=
        std::string::npos);
  CHECK(refusal(with("\"bytes\": 4", "\"bytes\": 1e99")).find("no whole number") !=
        std::string::npos);
  CHECK(refusal(with("\"grid\": [2,1,1]", "\"grid\": [2,1]")).find("triple") != std::string::npos);
  CHECK(refusal(with("[0,0,0,4294967295,", "[9,0,0,4294967295,")).find("too large") !=
        std::string::npos);
  CHECK(refusal(with("[0,0,0,4294967295,", "[0,0,0,0,")).find("no lane") != std::string::npos);
  CHECK(refusal(with("[0,0,0,4294967295,", "[0,0,0,4294967294,")).find("active lane") !=
        std::string::npos);
  CHECK(refusal(with("[0,0,0,4294967295,32,", "[0,0,0,4294967295,31,"))
            .find("not those of its lanes") != std::string::npos);
  CHECK(refusal(with("[0,1024,", "[0,-1024,")).find("no whole number") != std::string::npos);
  CHECK(refusal(with("[0,1024,", "[0,9999999999999,")).find("too large") != std::string::npos);
  CHECK(refusal(with("\"requests\": 12", "\"requests\": 2")).find("more requests") !=
        std::string::npos);
  CHECK(refusal(with("\"files\": {", "\"files\": 3, \"filed\": {")).find("files") !=
        std::string::npos);
  // Cut off anywhere
  for (std::size_t n = 0; n + 2 < good.size(); n += 97)
    CHECK_FALSE(refusal(good.substr(0, n)).empty());
}

TEST_CASE("kernel lens: going through the requests", "[viewer][kernels]") {
  Replay replay;
  CHECK(replay.request() == nullptr);
  CHECK(replay.version() == nullptr);
  replay.go(5);
  replay.only_warp(3);
  replay.go_to_worst();
  CHECK(replay.at() == 0);

  replay.open(std::make_shared<const Trace>(read_trace(toy_trace(), "toy")));
  CHECK(replay.shown().size() == 42);
  CHECK(replay.warps() == 2);
  CHECK(replay.request_line()->line == 10);
  replay.go(3);
  CHECK(replay.request_line()->line == 12);
  CHECK(replay.request()->warp == 1);

  // A filter keeps the present request, or takes the next that passes
  replay.only_line("kernel.cuh", 12);
  CHECK(replay.shown().size() == 12);
  CHECK(replay.at() == 1);
  replay.only_warp(0);
  CHECK(replay.shown().size() == 6);
  CHECK(replay.request_line()->line == 12);
  CHECK(replay.request()->warp == 0);
  CHECK(replay.at() == 1);
  replay.go(100);
  CHECK(replay.last());
  replay.go(-100);
  CHECK(replay.at() == 0);
  replay.only_warp(7);  // there is none
  CHECK(replay.warp() == -1);
  replay.only_line("kernel.cuh", 11);  // nothing happens there
  CHECK(replay.shown().empty());
  CHECK(replay.request() == nullptr);
  replay.only_line("", -1);
  CHECK(replay.shown().size() == 42);

  replay.go_to_worst();
  CHECK(replay.request_line()->line == 12);
  CHECK(replay.request()->cost == 32);

  const auto& sums = replay.sums("kernel.cuh");
  REQUIRE(sums.count(12) == 1);
  CHECK(sums.at(12).totals.wavefronts == 12 * 32);
  CHECK(sums.at(12).totals.ideal_wavefronts == 12);
  CHECK(sums.at(12).totals.requests == 0);
  CHECK(replay.sums("none").empty());

  replay.choose_version(1);
  CHECK(replay.sums("kernel.cuh").at(12).totals.wavefronts == 12);
  replay.choose_version(9);
  CHECK(replay.version_index() == 1);
}

// --- The programs that record -----------------------------------------------------------------------

/// A folder of this test's own.
struct Folder {
  Folder() {
    path = fs::temp_directory_path() / ("tpp-traces-" + std::to_string(std::random_device()()));
    fs::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;

  fs::path script(const std::string& name, const std::string& body) const {
    const fs::path file = path / name;
    std::ofstream(file) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(file, fs::perms::owner_all);
    return file;
  }
};

KernelRecorder::Result wait_for(KernelRecorder& recorder) {
  for (int i = 0; i < 6000; ++i) {
    if (auto result = recorder.take()) return std::move(*result);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL("the recording never came");
  return {};
}

TEST_CASE("kernel lens: recordings are made by another program, and kept", "[viewer][kernels]") {
  const Folder folder;
  std::ofstream(folder.path / "toy.json") << toy_trace();
  KernelPrograms programs;
  programs.traces = folder.path / "kept";
  programs.learn = folder.path / "no-learn";
  programs.counts =
      folder.script("counts", "echo run >> " + (folder.path / "log").string() + "; cp " +
                                  (folder.path / "toy.json").string() + " \"$4\"");
  fs::last_write_time(programs.counts, fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto runs = [&] {
    std::ifstream in(folder.path / "log");
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  KernelRecorder recorder(programs);
  CHECK_FALSE(recorder.busy());
  recorder.want({"05", "softmax"});
  KernelRecorder::Result result = wait_for(recorder);
  CHECK(result.problem == "");
  REQUIRE(result.trace);
  CHECK(result.trace->versions.size() == 2);
  CHECK(runs() == 1);

  // Kept as long as it is newer than the program
  recorder.want({"05", "softmax"});
  CHECK(wait_for(recorder).trace);
  CHECK(runs() == 1);
  fs::last_write_time(programs.counts, fs::file_time_type::clock::now() + std::chrono::hours(1));
  recorder.want({"05", "softmax"});
  CHECK(wait_for(recorder).trace);
  CHECK(runs() == 2);
}

TEST_CASE("kernel lens: a recording that fails says why", "[viewer][kernels]") {
  const Folder folder;
  KernelPrograms programs;
  programs.traces = folder.path / "kept";
  programs.learn = folder.path / "no-learn";
  const auto problem_with = [&](const std::string& body) {
    programs.counts = folder.script("counts", body);
    KernelRecorder recorder(programs);
    recorder.want({"05", "softmax"});
    const KernelRecorder::Result result = wait_for(recorder);
    CHECK_FALSE(result.trace);
    return result.problem;
  };
  CHECK(problem_with("echo 'There are no such counts.'; exit 2") == "There are no such counts.");
  CHECK(problem_with("exit 3").find("without a word") != std::string::npos);
  CHECK(problem_with("echo hello > \"$4\"").find("no JSON") != std::string::npos);
  CHECK(problem_with("kill -9 $$").find("without a word") != std::string::npos);
  programs.counts = folder.path / "nothing";
  KernelRecorder recorder(programs);
  recorder.want({"05", "softmax"});
  CHECK(wait_for(recorder).problem.find("is missing") != std::string::npos);
}

TEST_CASE("kernel lens: a program that is missing is built first", "[viewer][kernels]") {
  const Folder folder;
  std::ofstream(folder.path / "toy.json") << toy_trace();
  KernelPrograms programs;
  programs.traces = folder.path / "kept";
  programs.learn = folder.path / "no-learn";
  programs.counts = folder.path / "counts";
  const fs::path built =
      folder.script("built", "cp " + (folder.path / "toy.json").string() + " \"$4\"");
  programs.run = folder.script(
      "run", "[ \"$1 $2\" = \"counts --help\" ] && [ -n \"$TPP_SKIP_PACKAGES\" ] && cp " +
                 built.string() + " " + programs.counts.string());
  KernelRecorder recorder(programs);
  recorder.want({"05", "softmax"});
  const KernelRecorder::Result result = wait_for(recorder);
  CHECK(result.problem == "");
  CHECK(result.trace);
  CHECK_FALSE(recorder.building());

  fs::remove(programs.counts);
  programs.run = folder.script("run", "echo 'The disk is full.'; exit 2");
  KernelRecorder other(programs);
  other.want({"08", "forward"});
  const std::string problem = wait_for(other).problem;
  CHECK(problem.find("./run counts") != std::string::npos);
  CHECK(problem.find("The disk is full.") != std::string::npos);
}

TEST_CASE("kernel lens: another choice gives up the first", "[viewer][kernels]") {
  const Folder folder;
  std::ofstream(folder.path / "toy.json") << toy_trace();
  KernelPrograms programs;
  programs.traces = folder.path / "kept";
  programs.learn = folder.path / "no-learn";
  programs.counts = folder.script("counts", "[ \"$1\" = 05 ] && sleep 600; cp " +
                                                (folder.path / "toy.json").string() + " \"$4\"");
  {
    KernelRecorder recorder(programs);
    recorder.want({"05", "softmax"});
    CHECK(recorder.busy());
    recorder.want({"08", "forward"});
    CHECK(wait_for(recorder).choice.chapter == "08");
    recorder.want({"05", "softmax"});
  }  // and so does the end
  CHECK(fs::exists(programs.traces / "08-forward.json"));
  CHECK_FALSE(fs::exists(programs.traces / "05-softmax.json"));
}

TEST_CASE("kernel lens: every ladder of the book, recorded and taken apart",
          "[viewer][kernels][emulated]") {
  KernelPrograms programs = KernelPrograms::of_this_build();
  if (!fs::exists(programs.counts)) SKIP("tpp-counts is not built here");
  const Folder folder;
  programs.traces = folder.path;
  programs.learn = folder.path / "no-learn";
  const fs::path root = repository_root();
  CHECK(kernel_ladders().size() == 27);
  KernelRecorder recorder(programs);
  for (const KernelLadder& ladder : kernel_ladders()) {
    INFO(ladder.choice.chapter << " " << ladder.choice.section);
    CHECK(fs::exists(root / "chapters" / ladder.folder / "README.md"));
    recorder.want(ladder.choice);
    const KernelRecorder::Result result = wait_for(recorder);
    CHECK(result.problem == "");
    REQUIRE(result.trace);
    CHECK(result.trace->chapter == ladder.choice.chapter);
    CHECK(result.trace->versions.size() >= 2);
    for (const TraceVersion& v : result.trace->versions) {
      INFO(v.name);
      CHECK(v.least > 0);
      CHECK(v.requests.size() > 0);
      CHECK(v.worst_line() >= 0);
      // Every line is there to be read, and says what it does
      for (const TraceLine& l : v.lines) {
        const TraceSource* source = v.source(l.file);
        REQUIRE(source);
        CHECK(l.line <= int(source->lines.size()));
        CHECK(l.array.find('#') == std::string::npos);  // each buffer has a name
      }
    }
  }
}

}  // namespace
}  // namespace tpp::viewer::testing
