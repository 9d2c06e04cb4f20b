// The CPU's training step: how fast, where the time goes, and beside whom. Method: bench/README.md.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "assets/repository.h"
#include "assets/sources.h"
#include "bench/calibrate.h"
#include "bench/measuring.h"
#include "bench/table.h"
#include "chapters/31_transformer_pp/catalogue.h"
#include "tests/malloc_count.h"
#include "tools/cli/commands.h"
#include "viewer/run/probe.h"

namespace tpp::bench {
namespace {

namespace fs = std::filesystem;

struct Options {
  bool quick = false;
  bool write = false;
  int rounds = 0;   // 0: 9, or 3 when quick
  int threads = 0;  // 0: one for each core
  std::vector<std::string> peers;
};

// --- Our step -----------------------------------------------------------------------------------------

RunOptions tiny() {
  RunOptions options;
  return options;
}
RunOptions baby() {
  RunOptions options;
  options.layers = 6;
  options.width = 384;
  options.heads = 6;
  options.attention = "mha";
  options.ffn_width = 1024;
  options.length = 256;
  options.batch = 4;
  return options;
}

/// One run with its samples: of each measurement one number.
struct Ours {
  explicit Ours(RunOptions options, int threads, int steps_) : steps(steps_) {
    options.threads = threads;
    run = make_run(options, make_source(source_config(options)));
    for (int i = 0; i < 3; ++i) (void)run.trainer->step();
  }

  void measure() {
    Trainer& trainer = *run.trainer;
    const double peak_before = measure_peak();
    const double cpu = process_cpu_seconds();
    std::vector<double> seconds;
    int tokens = 0;
    for (int i = 0; i < steps; ++i) {
      const double start = wall_seconds();
      tokens = trainer.step().tokens;
      seconds.push_back(wall_seconds() - start);
    }
    const double cpu_a_step = (process_cpu_seconds() - cpu) / steps;
    const double peak_now = (peak_before + measure_peak()) / 2;
    const double flops = run.model->flops_per_token() * tokens * 1e-9;
    peak.push_back(peak_now);
    got.push_back(cpu_a_step / median(seconds) / trainer.pool().size());
    tokens_per_second.push_back(tokens / median(seconds));
    tokens_per_cpu_second.push_back(tokens / cpu_a_step);
    gflops.push_back(flops / cpu_a_step);
    share.push_back(flops / cpu_a_step / peak_now);
    wall_share.push_back(flops / median(seconds) / peak_now / trainer.pool().size());
  }

  /// The mean of the threads' peaks, all at once: cores share a clock.
  double measure_peak() {
    const int threads = run.trainer->pool().size();
    std::vector<double> peaks(std::size_t(threads), 0);
    run.trainer->pool().run(
        threads, [&](int piece, int) { peaks[std::size_t(piece)] = multiply_add_peak(); });
    double sum = 0;
    for (const double p : peaks) sum += p;
    return sum / threads;
  }

  Run run;
  int steps;
  std::vector<double> peak, tokens_per_second, tokens_per_cpu_second, gflops, share, wall_share;
  std::vector<double> got;  // of the cores that its threads could have had
};

// --- Where the time goes --------------------------------------------------------------------------------

/// A pass like the trainer's own, on a tape that is watched: the time since the last value (or gradient)
/// belongs to the operation that made this one.
class OperationTimes {
 public:
  explicit OperationTimes(Run& run) : run_(run), batch_(2, int(run.model->config().T)) {
    gradient_.assign(std::size_t(run.model->table().extent()), 0);
    tape_.observe("*", [this](std::string_view name, const ConstMatMap<float>&) {
      const double now = thread_cpu_seconds();
      add(group(name), now);
    });
    tape_.observe_gradient("*", [this](std::string_view name, const ConstMatMap<float>&) {
      add(last_, thread_cpu_seconds());
      last_ = group(name) + ", backward";
    });
  }

  void measure() {
    now_.clear();
    run_.source->train(0, batch_);
    tape_.reset();
    before_ = thread_cpu_seconds();
    run_.model->bind(tape_, run_.trainer->mutable_values(), gradient_.data(), Write::add, bound_);
    add("the tape", thread_cpu_seconds());
    const Var<float> loss =
        run_.model->loss(tape_, bound_, batch_.tokens, batch_.targets, batch_.T);
    last_ = "the tape";
    tape_.backward(loss);
    add(last_, thread_cpu_seconds());

    // The optimiser, and what is left of a step: the batch, the shards' sum, waiting
    const double chunks = double(run_.trainer->batch().B) / 2;
    double pass = 0;
    for (auto& [name, seconds] : now_) pass += (seconds *= chunks);
    const double start = thread_cpu_seconds();
    (void)run_.trainer->compute_gradients();
    const double computed = thread_cpu_seconds();
    (void)run_.trainer->update();
    now_["batch, sum of the shards"] = std::max(0.0, computed - start - pass);
    now_["optimiser, clipping"] = thread_cpu_seconds() - computed;
    for (const auto& [name, seconds] : now_) samples_[name].push_back(seconds);
  }

  [[nodiscard]] std::map<std::string, double> medians() const {
    std::map<std::string, double> out;
    for (const auto& [name, samples] : samples_) out[name] = median(samples);
    return out;
  }

  /// Useful operations of a group in one step, in GFLOP, where counting them makes sense; else 0.
  [[nodiscard]] double gflop(const std::string& group) const {
    const ModelConfig& c = run_.model->config();
    const double tokens = double(run_.trainer->batch().tokens.size());
    const double attention = 2.0 * double(c.layers * c.T * c.D) * tokens * 1e-9;  // forward
    const double products = run_.model->flops_per_token() * tokens * 1e-9 / 3 - attention;
    const bool backward = group.ends_with("backward");
    if (group.starts_with("products")) return (backward ? 2 : 1) * products;
    if (group.starts_with("attention")) return (backward ? 2 : 1) * attention;
    return 0;
  }

 private:
  static std::string group(std::string_view name) {
    const std::string last(name.substr(name.find_last_of('/') + 1));
    static const std::map<std::string, std::string> kGroups = {{"qkv", "products"},
                                                               {"gate_value", "products"},
                                                               {"logits", "products"},
                                                               {"q", "products"},
                                                               {"k", "products"},
                                                               {"v", "products"},
                                                               {"gate", "products"},
                                                               {"value", "products"},
                                                               {"probs", "attention"},
                                                               {"heads", "attention"},
                                                               {"norm", "norm"},
                                                               {"q_rotated", "rope"},
                                                               {"k_rotated", "rope"},
                                                               {"hidden", "gate"},
                                                               {"residual", "residual sums"},
                                                               {"loss", "cross-entropy"},
                                                               {"token_loss", "cross-entropy"}};
    if (name == "embed/out") return "embedding";
    if (last == "out") return "products";
    const auto it = kGroups.find(last);
    return it == kGroups.end() ? "the tape" : it->second;
  }
  void add(const std::string& name, double now) {
    now_[name] += now - before_;
    before_ = thread_cpu_seconds();  // the map's own time belongs to nobody
  }

  Run& run_;
  Batch batch_;
  Tape<float> tape_;
  std::vector<Var<float>> bound_;
  LineVector<float> gradient_;
  double before_ = 0;
  std::string last_;
  std::map<std::string, double> now_;
  std::map<std::string, std::vector<double>> samples_;
};

// --- Looking in ------------------------------------------------------------------------------------------

/// What the viewer's panels ask for when nothing is selected.
std::vector<std::string> default_taps(const Run& run) {
  std::vector<std::string> taps = {"logits", "rms:embed/out", "rms:final/norm", "final/norm/gain"};
  for (Index l = 0; l < run.model->config().layers; ++l) {
    const std::string block = "block" + std::to_string(l);
    taps.push_back(block + "/attn/probs");
    for (const std::string part : {"/attn", "/ffn"}) {
      taps.push_back("rms:" + block + part + "/residual");
      taps.push_back("rms:" + block + part + "/norm");
      taps.push_back(block + part + "/norm/gain");
    }
  }
  for (const std::string name : {"q", "k", "q_rotated", "k_rotated"})
    taps.push_back("block0/attn/" + name);
  return taps;
}

/// CPU seconds of one picture: the probe's pass, the copies, the likely next tokens.
double picture_seconds(const Run& run, int times) {
  viewer::Probe probe(run);
  const std::vector<std::string> taps = default_taps(run);
  const std::vector<int> prompt = run.source->tokenizer().encode(run.source->prompt());
  std::vector<double> samples;
  for (int i = 0; i < times + 2; ++i) {
    const double start = thread_cpu_seconds();
    const auto frame = std::make_shared<viewer::Frame>();
    probe.fill(*frame, taps);
    frame->next_tokens = probe.next(prompt, 10);
    if (i >= 2) samples.push_back(thread_cpu_seconds() - start);
  }
  return median(samples);
}

// --- Memory ------------------------------------------------------------------------------------------------

/// The largest resident size of `tpp train` in bytes, or 0 if there is no such program beside this one.
double train_memory(int threads) {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "tpp";
  if (!fs::exists(program)) return 0;
  const fs::path folder = fs::temp_directory_path() / ("tpp-bench-" + std::to_string(getpid()));
  const std::string checkpoint = (folder / "model.safetensors").string();
  const std::string count = std::to_string(threads);
  fs::create_directories(folder);
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stdout) == nullptr) _exit(1);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    execl(program.c_str(), "tpp", "train", "--steps", "40", "--checkpoint", checkpoint.c_str(),
          "--threads", count.c_str(), static_cast<char*>(nullptr));
    _exit(1);
  }

  // Ask while it runs: what the system tells at its end would count this program's size as the child's
  double most = 0;
  int status = 0;
  while (child > 0 && waitpid(child, &status, WNOHANG) == 0) {
    std::ifstream file("/proc/" + std::to_string(child) + "/status");
    std::string line;
    bool is_train = false;
    while (std::getline(file, line)) {
      if (line.starts_with("Name:")) is_train = line.ends_with("\ttpp");
      if (is_train && line.starts_with("VmHWM:")) most = 1024 * std::atof(line.c_str() + 6);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  fs::remove_all(folder);
  return status == 0 ? most : 0;
}

// --- Peers ---------------------------------------------------------------------------------------------------

/// A program that measures itself once for each line "go", and answers with a line of JSON.
class Peer {
 public:
  Peer(const std::string& command, const RunOptions& options, int threads, bool compiled,
       int steps) {
    const auto option = [](const char* name, auto value) {
      return std::string(" --") + name + " " + std::to_string(value);
    };
    const ModelConfig c = model_config(options, 256);
    std::string line = "exec " + command + " --wait" + option("layers", options.layers) +
                       option("width", options.width) + option("heads", options.heads) +
                       option("key-heads", c.G) + option("ffn-width", c.F) +
                       option("length", options.length) + option("batch", options.batch) +
                       option("threads", threads) + option("steps", steps);
    if (compiled) line += " --compile";
    std::array<int, 2> in{}, out{};
    // A later peer must not hold an earlier one's pipe open: that one would never see its end
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      execl("/bin/sh", "sh", "-c", line.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_ = fdopen(in[1], "w");
    from_ = fdopen(out[0], "r");
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    if (to_ != nullptr) (void)std::fclose(to_);
    if (from_ != nullptr) (void)std::fclose(from_);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }

  /// False when the peer does not answer.
  bool measure() {
    if (to_ == nullptr || std::fputs("go\n", to_) < 0 || std::fflush(to_) != 0) return false;
    std::string line;
    for (int c = std::fgetc(from_); c != EOF && c != '\n'; c = std::fgetc(from_)) line += char(c);
    const nlohmann::json answer = nlohmann::json::parse(line, nullptr, false);
    if (!answer.is_object()) return false;
    name = answer.value("name", "peer");
    tokens_per_second.push_back(answer.value("tokens_per_second", NAN));
    tokens_per_cpu_second.push_back(answer.value("tokens_per_cpu_second", NAN));
    return true;
  }

  std::string name;
  std::vector<double> tokens_per_second, tokens_per_cpu_second;

 private:
  pid_t child_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

// --- The report ------------------------------------------------------------------------------------------------

std::string sizes(const Run& run) {
  const ModelConfig& c = run.model->config();
  return std::to_string(c.layers) + " layers, D " + std::to_string(c.D) + ", H " +
         std::to_string(c.H) + ", G " + std::to_string(c.G) + ", F " + std::to_string(c.F) +
         ", V " + std::to_string(c.V) + ", T " + std::to_string(c.T) + ", batch " +
         std::to_string(run.trainer->batch().B) + ", " +
         number(double(run.model->table().numbers()) * 1e-6, 2) + " M parameters";
}

int run_bench(const Options& args) {
  const int rounds = args.rounds > 0 ? args.rounds : args.quick ? 3 : 9;
  const int steps = args.quick ? 4 : 10;
  const int threads =
      args.threads > 0 ? args.threads : std::max(1, int(std::thread::hardware_concurrency()));
  const double load_before = one_minute_load();

  progress("warming up");
  Ours one(tiny(), 1, steps), all(tiny(), threads, steps),
      larger(baby(), threads, args.quick ? 1 : 2);
  OperationTimes operations(one.run);
  struct Beside {
    std::unique_ptr<Peer> peer;
    Ours* ours;
    bool answers = true;
  };
  std::vector<Beside> peers;
  for (const std::string& command : args.peers) {
    for (const bool compiled : {false, true}) {
      peers.push_back({std::make_unique<Peer>(command, tiny(), threads, compiled, steps), &all});
      peers.push_back({std::make_unique<Peer>(command, tiny(), 1, compiled, steps), &one});
      peers.push_back({std::make_unique<Peer>(command, baby(), threads, compiled, 2), &larger});
    }
  }

  // Everything in turn, and again
  for (int round = 0; round < rounds; ++round) {
    const std::string which =
        "round " + std::to_string(round + 1) + " of " + std::to_string(rounds) + ": ";
    progress(which + "one thread");
    one.measure();
    progress(which + std::to_string(threads) + " threads");
    all.measure();
    progress(which + "operations");
    for (int i = 0; i < (args.quick ? 2 : 4); ++i) operations.measure();
    progress(which + "the larger model");
    larger.measure();
    for (Beside& beside : peers) {
      progress(which + (beside.peer->name.empty() ? "a peer (compiling takes a minute)"
                                                  : beside.peer->name));
      if (beside.answers) beside.answers = beside.peer->measure();
    }
  }

  progress("allocations, memory, looking in");
  std::string allocations = "not counted here";
  if (testing::can_count_malloc()) {
    const std::uint64_t before = testing::malloc_count();
    for (int i = 0; i < 4; ++i) (void)all.run.trainer->step();
    allocations = std::to_string(testing::malloc_count() - before) + " in 4 steps";
  }
  const double picture = picture_seconds(one.run, 20);
  const double step_cpu =
      double(one.run.trainer->batch().tokens.size()) / median(one.tokens_per_cpu_second);
  const double memory_one = train_memory(1), memory_all = train_memory(threads);
  progress_done();

  // Beside busy neighbours the clock on the wall tells about them, not about us
  const double got = std::min(median(one.got), median(all.got));
  const bool quiet = got > 0.9;
  const std::string busy_text = quiet ? ""
                                      : "\nThe machine was busy: the run got " + percent(got, 0) +
                                            " of the processor time that it asked for. Figures by "
                                            "the clock on\nthe wall are left out.\n";
  const auto on_the_wall = [&](double x, int digits = 0) {
    return quiet ? (digits == 0 ? thousands(x) : number(x, digits)) : std::string("–");
  };

  // The model
  const std::string header = machine() + ". Load before " + number(load_before, 1) + ", after " +
                             number(one_minute_load(), 1) + "; medians of " +
                             std::to_string(rounds) + " rounds.\n\n" + "Tiny: " + sizes(one.run) +
                             ".  \nBaby: " + sizes(larger.run) + ".  \nPeak: " + kPeakName +
                             ".\n\n";
  const std::string all_name = std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  Table model({"", "tiny, 1 thread", "tiny, " + all_name, "baby, " + all_name});
  const auto line = [&](const std::string& name, auto member, auto format) {
    model.row({name, format(median(one.*member)), format(median(all.*member)),
               format(median(larger.*member))});
  };
  const auto fixed2 = [](double x) { return number(x, 2); };
  const auto fixed1 = [](double x) { return number(x, 1); };
  line("tokens/s", &Ours::tokens_per_second, [&](double x) { return on_the_wall(x); });
  line("tokens per CPU second", &Ours::tokens_per_cpu_second, thousands);
  line("GFLOP/s of a core", &Ours::gflops, fixed1);
  line("multiply-add peak of a core, GFLOP/s", &Ours::peak, fixed1);
  line("share of the peak, by CPU time", &Ours::share, fixed2);
  line("share of the peak, by the clock on the wall", &Ours::wall_share,
       [&](double x) { return on_the_wall(x, 2); });
  model.row({"1 → " + all_name + ", by the clock on the wall", "1",
             on_the_wall(median(all.tokens_per_second) / median(one.tokens_per_second), 2), ""});
  model.row(
      {"1 → " + all_name + ", by CPU time", "1",
       number(threads * median(all.tokens_per_cpu_second) / median(one.tokens_per_cpu_second), 2),
       ""});
  model.row({"heap allocations", "", allocations, ""});
  const auto megabytes = [](double bytes) {
    return bytes > 0 ? number(bytes * 1e-6) + " MB" : std::string("–");
  };
  model.row(
      {"largest resident size of `tpp train`", megabytes(memory_one), megabytes(memory_all), ""});
  model.row(
      {"one picture for the viewer, of a step's CPU time", percent(picture / step_cpu), "", ""});
  const std::string model_text =
      header + model.text() + busy_text +
      "\nThe viewer takes a picture (a pass over one sequence, and copies of what the panels show) "
      "as often as 3 % of the\n"
      "training time allow, and at most 30 times a second: on one thread here, every " +
      number(std::max(1.0, std::ceil(picture / step_cpu / 0.03))) + " steps.\n";

  // Operations
  double total = 0;
  for (const auto& [name, seconds] : operations.medians()) total += seconds;
  std::vector<std::pair<std::string, double>> rows;
  for (const auto& entry : operations.medians()) rows.push_back(entry);
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.second > b.second; });
  Table shares({"operation", "ms", "share", "GFLOP/s", "of the peak"});
  const double peak = median(one.peak);
  for (const auto& [name, seconds] : rows) {
    const double rate = operations.gflop(name) / seconds;
    shares.row({name, number(1e3 * seconds, 2), percent(seconds / total),
                rate > 0 ? number(rate) : "", rate > 0 ? number(rate / peak, 2) : ""});
  }
  const std::string shares_text = "Tiny, one thread, a step of " + number(1e3 * total) + " ms. " +
                                  machine() + ".\n\n" + shares.text();

  // Peers
  std::string peers_text;
  if (peers.empty()) {
    peers_text = "Left out: no peer was given.\n";
  } else {
    Table table({"peer", "model", "threads", "its tokens/s", "ours", "ratio", "ratio by CPU time"});
    for (const Beside& beside : peers) {
      const double theirs = median(beside.peer->tokens_per_second),
                   ours = median(beside.ours->tokens_per_second);
      const double cpu =
          median(beside.ours->tokens_per_cpu_second) / median(beside.peer->tokens_per_cpu_second);
      // Threads of a peer that wait for one another burn processor time when the machine is busy
      const int of = beside.ours->run.trainer->pool().size();
      table.row({beside.peer->name.empty() ? "(no answer)" : beside.peer->name,
                 beside.ours == &larger ? "baby" : "tiny", std::to_string(of), on_the_wall(theirs),
                 on_the_wall(ours), on_the_wall(ours / theirs, 2),
                 quiet || of == 1 ? number(cpu, 2) : "–"});
    }
    peers_text = machine() + ". Load before " + number(load_before, 1) + ", after " +
                 number(one_minute_load(), 1) + ".\n\n" + table.text() + busy_text;
  }

  std::cout << model_text << "\n" << shares_text << "\n" << peers_text;
  if (args.peers.empty()) {
    std::cout << "\nA peer in PyTorch (it needs no place in this project's build):\n"
                 "  python3 -m venv torch && torch/bin/pip install torch numpy\n"
                 "  ./run bench cpu --peer \"torch/bin/python bench/peers/torch_tiny.py\"\n";
  }
  if (args.write) {
    const fs::path readme = repository_root() / "bench" / "README.md";
    const std::string avx2 = std::string(TPP_FLAGS).find("v3") != std::string::npos ? "-avx2" : "";
    write_table(readme, "cpu" + avx2, model_text);
    if (avx2.empty()) write_table(readme, "operations", shares_text);
    if (!peers.empty()) write_table(readme, "peers" + avx2, peers_text);
    std::cout << "\nWritten into " << readme.string() << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace tpp::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that died is a missing answer, not our end
  tpp::bench::Options args;
  CLI::App program{
      "Measures the training step on the CPU: speed, where the time goes, memory, peers."};
  program.add_flag("--quick", args.quick, "a rough answer in half a minute");
  program.add_flag("--write", args.write, "put the tables into bench/README.md");
  program.add_option("--rounds", args.rounds, "how often everything is measured (9)")
      ->check(CLI::Range(1, 1000));
  program.add_option("--threads", args.threads, "threads beside one (one for each core)")
      ->check(CLI::Range(1, 1024));
  program
      .add_option(
          "--peer", args.peers,
          "a command to compare with, as bench/peers/torch_tiny.py; may be given several times")
      ->type_name("COMMAND");
  CLI11_PARSE(program, argc, argv);
  try {
    return tpp::bench::run_bench(args);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
