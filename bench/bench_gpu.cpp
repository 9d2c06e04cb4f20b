// The twins on a GPU: how fast each version is, as a share of what the machine can do, and beside PyTorch. Method:
// bench/README.md.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/gpu/bench.h"
#include "bench/gpu/chapters.h"
#include "bench/gpu/curves.h"
#include "bench/gpu/targets.h"
#include "bench/table.h"

namespace tpp::bench {

void add_all_cases(Cases& cases);  // written by CMake: one call for each bench/gpu/<op>.cpp

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  std::vector<std::string> names;
  bool list = false;
  bool quick = false;
  bool write = false, check = false;
  bool emulated = false;
  std::string out, from, peers, curves;
  std::string into = TPP_SOURCE_DIR;
};

// --- Words ----------------------------------------------------------------------------------------------

std::string number(double value, int digits = 0) {
  if (!std::isfinite(value)) return "–";
  char text[64];
  (void)std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}
std::string thousands(double value) {
  std::string text = number(value);
  for (int at = int(text.size()) - 3; at > 0; at -= 3) text.insert(std::size_t(at), ",");
  return text;
}
std::string microseconds(double value) { return value < 100 ? number(value, 1) : thousands(value); }
std::string megabytes(double bytes) {
  return bytes < 1e7 ? number(bytes * 1e-6, 2) : thousands(bytes * 1e-6);
}

/// One line on a terminal that says what is being measured; one line each elsewhere.
void progress(const std::string& text) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  (void)std::fprintf(stderr, terminal ? "\r\033[K%s" : "%s\n", text.c_str());
  (void)std::fflush(stderr);
}

std::string title(const Case& c) {
  return c.twin + ", " + c.shape + ", " + c.storage + ", " + c.version;
}

constexpr const char* kLimitNames[] = {"copy", "float product", "tf32 product", "bf16 product"};

// --- Measure --------------------------------------------------------------------------------------------

/// Does a case have the words of one of the names? "rmsnorm bf16" is both.
bool chosen(const Case& c, const std::vector<std::string>& names) {
  if (names.empty()) return true;
  const std::string all = title(c);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    std::istringstream words(name);
    for (std::string word; words >> word;) {
      if (all.find(word) == std::string::npos) return false;
    }
    return true;
  });
}

void save(const json& report, const std::string& file) {
  if (file.empty()) return;
  std::ofstream out(file);
  out << report.dump(1) << "\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

std::string today() {
  char date[32] = "";
  const std::time_t now = std::time(nullptr);
  (void)std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  return date;
}

/// Training is measured by a program beside this one; it answers with a line of JSON for each row.
void measure_training(bool quick, const std::function<void(const json&)>& done) {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "bench_gpu_training";
  if (!fs::exists(program)) {
    return done({{"error", program.string() + " is not there: ./run bench gpu builds it"}});
  }
  const std::string command = "'" + program.string() + "'" + (quick ? " --quick" : "");
  std::FILE* answers = popen(command.c_str(), "r");
  std::string line;
  for (int c = 0; answers != nullptr && (c = std::fgetc(answers)) != EOF;) {
    if (c != '\n') {
      line += char(c);
      continue;
    }
    const json row = json::parse(line, nullptr, false);
    done(row.is_object() ? row : json{{"error", "it said: " + line}});
    line.clear();
  }
  if (answers == nullptr || pclose(answers) > 1 << 8) {
    done({{"error", command + " did not end well"}});
  }
}

/// Everything measured, as JSON; written to the file after each case, so that a run cut short keeps what it has.
json run_cases(const Options& args, const std::vector<Case>& cases,
               const twin::DeviceInfo& device) {
  Effort effort;
  if (args.quick) effort = {.repetitions = 5, .seconds = 0.01, .at_most = 0.3};
  json report = {{"device", device.name},
                 {"multiprocessors", device.multiprocessors},
                 {"capability", device.capability},
                 {"compiler", TPP_GPU_COMPILER},
                 {"date", today()},
                 {"quick", args.quick},
                 {"results", json::array()},
                 {"training", json::array()}};
  progress("the limits: copy, products");
  const Limits limits = measure_limits(effort);
  for (int i = 0; i < 4; ++i) report["limits"][kLimitNames[i]] = limits.of(Limit(i));
  save(report, args.out);

  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    progress(std::to_string(i + 1) + " of " + std::to_string(cases.size()) + ": " + title(c));
    json row = {{"twin", c.twin},
                {"shape", c.shape},
                {"storage", c.storage},
                {"version", c.version},
                {"bytes", c.bytes},
                {"flops", c.flops},
                {"limit", kLimitNames[int(c.limit)]}};
    try {
      const Result result = measure(c, effort);
      row["us"] = result.microseconds;
      row["lower"] = result.lower;
      row["upper"] = result.upper;
      row["repetitions"] = result.repetitions;
      const double most = limits.of(c.limit);
      const double speed =
          (c.limit == Limit::copy ? c.bytes : c.flops) / (1e-6 * result.microseconds);
      if (most > 0 && speed > 0) row["share"] = speed / most;
    } catch (const std::exception& e) {
      row["error"] = e.what();
      std::cerr << "FAILED: " << title(c) << ": " << e.what() << "\n";
    }
    report["results"].push_back(row);
    save(report, args.out);
  }

  if (args.names.empty() ||
      std::find(args.names.begin(), args.names.end(), "training") != args.names.end()) {
    measure_training(args.quick, [&](const json& row) {
      progress("training: " + row.dump());
      if (row.contains("error")) std::cerr << "FAILED: training: " << row.dump() << "\n";
      report["training"].push_back(row);
      save(report, args.out);
    });
  }
  if (isatty(STDERR_FILENO) != 0) progress("");
  return report;
}

/// Small cases once, on the emulator: do they run at all? Times there mean nothing.
int run_emulated(const std::vector<Case>& cases) {
  int ran = 0, large = 0, failed = 0;
  for (const Case& c : cases) {
    if (c.bytes > 4.2e6 || c.flops > 1e8) {
      ++large;
      continue;
    }
    ++ran;
    try {
      Arena arena;
      const Launch launch = c.prepare(arena);
      launch(nullptr);
      twin::synchronize(nullptr);
    } catch (const std::exception& e) {
      ++failed;
      std::cout << "FAILED: " << title(c) << ": " << e.what() << "\n";
    }
  }
  std::cout << ran << " cases ran on the emulator, " << failed << " failed; " << large
            << " are too large for it\n";
  return failed == 0 && ran > 0 ? 0 : 1;
}

// --- Tables ---------------------------------------------------------------------------------------------

/// PyTorch's answer to a row: the fastest of its ways.
struct Best {
  double value = NAN;
  std::string way;
};
Best best_peer(const json& peers, const std::string& name, const std::string& shape,
               const std::string& storage) {
  Best best;
  if (!peers.contains("results")) return best;
  for (const json& row : peers["results"]) {
    if (row.value("name", "") != name || row.value("shape", "") != shape ||
        row.value("storage", "") != storage || !row.contains("us")) {
      continue;
    }
    const double us = row["us"];
    if (!(us >= best.value)) best = {us, row.value("way", "")};
  }
  return best;
}

std::string machine(const json& report) {
  std::string text = report.value("device", "") + ", " +
                     std::to_string(report.value("multiprocessors", 0)) + " multiprocessors; " +
                     report.value("compiler", "") + "; " + report.value("date", "") + ".";
  if (report.value("quick", false)) text += " A quick run: rough figures.";
  const json limits = report.value("limits", json::object());
  text += "  \nLimits, measured in the same run: copy " +
          number(limits.value("copy", 0.0) * 1e-12, 2) + " TB/s (read and written)";
  if (limits.value("float product", 0.0) > 0) {
    text += "; cuBLASLt 8192³ float " + number(limits.value("float product", 0.0) * 1e-12, 1) +
            ", tf32 " + number(limits.value("tf32 product", 0.0) * 1e-12, 0) + ", bf16 " +
            number(limits.value("bf16 product", 0.0) * 1e-12, 0) + " TFLOP/s";
  }
  return text + ".\n";
}

/// What was reached of what was wanted: one row a target, by the twin's last version.
std::string target_table(const json& report, const json& peers) {
  const bool with_peers = peers.contains("results");
  std::string text = machine(report);
  if (with_peers)
    text += "Beside it, on the same machine: PyTorch " + peers.value("torch", "") + ".\n";
  Table table({"twin", "shape", "storage", "version", "MB moved", "µs", "share of the limit",
               "target", "PyTorch's best, µs", "its share", "times PyTorch", "met"});
  int met = 0, rows = 0;
  for (const Target& target : kTargets) {
    const json* last = nullptr;
    for (const json& row : report["results"]) {
      if (row.value("twin", "") == target.twin && row.value("shape", "") == target.shape &&
          row.value("storage", "") == target.storage) {
        last = &row;
      }
    }
    ++rows;
    const std::string twin(target.twin), shape(target.shape), storage(target.storage);
    const Best peer = best_peer(peers, twin, shape, storage);
    if (last == nullptr || !last->contains("us")) {
      table.row({twin, shape, storage, last == nullptr ? "not measured" : "failed", "", "", "",
                 number(target.share, 2),
                 std::isfinite(peer.value) ? microseconds(peer.value) + " (" + peer.way + ")" : "",
                 "", "", "no"});
      continue;
    }
    const double us = (*last)["us"], share = last->value("share", NAN);
    const bool reached = share >= target.share;
    // A product's peer is its limit, cuBLAS; everything else must be ahead of PyTorch as well
    const bool product = (*last)["limit"] != "copy";
    const bool ahead = product || !std::isfinite(peer.value) || us <= peer.value;
    met += reached && ahead;
    table.row({twin, shape, storage, last->value("version", ""),
               product ? "" : megabytes(last->value("bytes", 0.0)), microseconds(us),
               number(share, 2), number(target.share, 2),
               std::isfinite(peer.value) ? microseconds(peer.value) + " (" + peer.way + ")" : "",
               std::isfinite(peer.value) ? number(share * us / peer.value, 2) : "",
               std::isfinite(peer.value) ? number(peer.value / us, 2) : "",
               reached && ahead ? "yes"
               : reached        ? "behind"
                                : "no"});
  }
  return text + std::to_string(met) + " of " + std::to_string(rows) + " targets met.\n\n" +
         table.text();
}

/// The result of a case; null when there is none.
const json* find_result(const json& report, const Case& c) {
  for (const json& row : report["results"]) {
    if (row.value("twin", "") == c.twin && row.value("shape", "") == c.shape &&
        row.value("storage", "") == c.storage && row.value("version", "") == c.version) {
      return &row;
    }
  }
  return nullptr;
}

/// What the rows below it have in common.
std::string group_title(const std::string& twin, const std::string& shape,
                        const std::string& storage) {
  return "**" + twin + "**, " + shape + ", " + storage;
}

/// A chapter's twins, version by version. The rows are the program's cases: what a result lacks was not measured.
std::string chapter_table(const json& report, const json& peers, const Cases& cases,
                          const ChapterTable& chapter) {
  const auto belongs = [](const ChapterRow& row, const Case& c) {
    return c.twin == row.twin && c.shape.compare(0, row.shape.size(), row.shape) == 0;
  };
  const bool products = std::any_of(cases.begin(), cases.end(), [&](const Case& c) {
    return c.flops > 0 && belongs(chapter.rows.front(), c);
  });
  struct Line {
    std::string group;
    std::vector<std::string>
        cells;  // version, µs, what was moved or computed, share, PyTorch, target
  };
  std::vector<Line> lines;
  for (const ChapterRow& row : chapter.rows) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Case& c = cases[i];
      if (!belongs(row, c)) continue;
      const bool last =
          std::none_of(cases.begin() + std::ptrdiff_t(i) + 1, cases.end(), [&](const Case& later) {
            return later.twin == c.twin && later.shape == c.shape && later.storage == c.storage;
          });
      if (!last && row.versions == Versions::last) continue;

      // The last version trains: it is held to the target, and stands beside PyTorch
      const Best peer = last ? best_peer(peers, c.twin, c.shape, c.storage) : Best{};
      const Target* target = nullptr;
      for (const Target& t : kTargets) {
        if (last && t.twin == c.twin && t.shape == c.shape && t.storage == c.storage) target = &t;
      }
      const std::string group = group_title(c.twin, c.shape, c.storage);
      const std::string beside =
          std::isfinite(peer.value) ? microseconds(peer.value) + " (" + peer.way + ")" : "";
      const std::string wanted = target != nullptr ? number(target->share, 2) : "";
      const json* result = find_result(report, c);
      if (result == nullptr || !result->contains("us")) {
        lines.push_back(
            {group,
             {c.version, result == nullptr ? "not measured" : "failed", "", "", beside, wanted}});
        continue;
      }
      const double us = (*result)["us"], share = result->value("share", NAN);
      const bool reached = target != nullptr && share >= target->share;
      const bool ahead = products || !std::isfinite(peer.value) || us <= peer.value;
      lines.push_back({group,
                       {c.version, microseconds(us),
                        products ? number(c.flops / us * 1e-6, 1) : megabytes(c.bytes),
                        number(share, 2), beside,
                        target == nullptr  ? ""
                        : reached && ahead ? wanted + ", met"
                        : reached          ? wanted + ", but behind PyTorch"
                                           : wanted + ", missed"}});
    }
  }

  // A column that nobody fills is left out
  std::vector<std::string> header{"version",
                                  "µs",
                                  products ? "TFLOP/s" : "MB moved",
                                  products ? "share of cuBLASLt" : "share of the limit",
                                  "PyTorch's best, µs",
                                  "wanted share"};
  for (std::size_t column = header.size(); column-- > 4;) {
    if (std::any_of(lines.begin(), lines.end(),
                    [&](const Line& line) { return !line.cells[column].empty(); })) {
      continue;
    }
    header.erase(header.begin() + std::ptrdiff_t(column));
    for (Line& line : lines) line.cells.erase(line.cells.begin() + std::ptrdiff_t(column));
  }
  Table table(header, 1);
  for (const Line& line : lines) {
    table.group(line.group);
    table.row(line.cells);
  }
  return machine(report) + "\n" + table.text();
}

/// Every version that was measured, the slow ones too.
std::string version_table(const json& report) {
  // A version's forward and backward were measured one after the other: bring together what is compared
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::vector<std::string>>> rows;
  for (const json& row : report["results"]) {
    const std::string group =
        group_title(row.value("twin", ""), row.value("shape", ""), row.value("storage", ""));
    if (rows.find(group) == rows.end()) groups.push_back(group);
    const std::string version = row.value("version", "");
    if (!row.contains("us")) {
      rows[group].push_back({version, "", "failed", "", ""});
      continue;
    }
    const double us = row["us"], bytes = row.value("bytes", 0.0), flops = row.value("flops", 0.0);
    std::string speed;
    if (flops > 0) speed = number(flops / us * 1e-6, 2) + " TFLOP/s";
    if (flops <= 0 && bytes > 0) speed = thousands(bytes / us * 1e-3) + " GB/s";
    rows[group].push_back({version, bytes > 0 ? megabytes(bytes) : "", microseconds(us), speed,
                           row.contains("share") ? number(row["share"], 2) : ""});
  }
  Table table({"version", "MB moved", "µs", "speed", "share of the limit"}, 1);
  for (const std::string& group : groups) {
    table.group(group);
    for (const std::vector<std::string>& row : rows[group]) table.row(row);
  }
  return machine(report) + "\n" + table.text();
}

/// Training: tokens a second, beside PyTorch's three ways.
std::string training_table(const json& report, const json& peers) {
  Table table({"model", "precision", "tokens/s", "PyTorch eager", "compiled",
               "compiled + CUDA graphs", "times its best"},
              2);
  std::map<std::pair<std::string, std::string>, std::map<std::string, double>> rows;
  std::vector<std::pair<std::string, std::string>> order;
  const auto add = [&](const std::string& model, const std::string& precision,
                       const std::string& way, double value) {
    const std::pair key{model, precision};
    if (rows.find(key) == rows.end()) order.push_back(key);
    double& best = rows[key][way];
    best = std::max(best, value);
  };
  for (const json& row : report.value("training", json::array())) {
    add(row.value("model", ""), row.value("precision", ""), "ours",
        row.value("tokens_per_second", 0.0));
  }
  for (const json& row : peers.value("training", json::array())) {
    if (row.contains("tokens_per_second")) {
      add(row.value("model", ""), row.value("precision", ""), row.value("way", ""),
          row["tokens_per_second"]);
    }
  }
  if (order.empty()) return "";
  for (const auto& key : order) {
    std::map<std::string, double>& row = rows[key];
    const double best = std::max({row["eager"], row["compiled"], row["graphs"]});
    const auto cell = [&](const std::string& way) {
      return row[way] > 0 ? thousands(row[way]) : std::string();
    };
    table.row({key.first, key.second, cell("ours"), cell("eager"), cell("compiled"), cell("graphs"),
               row["ours"] > 0 && best > 0 ? number(row["ours"] / best, 2) : ""});
  }
  return machine(report) + "\n" + table.text();
}

// --- The program ------------------------------------------------------------------------------------------

/// Why there is nothing to measure with, or nothing.
std::string what_is_missing(twin::DeviceInfo& device) {
  try {
    device = twin::device_info();
  } catch (const std::exception& e) {
    return std::string("This program was compiled for GPUs (") + TPP_GPU_COMPILER +
           "), but finds none to use: " + e.what() +
           ".\nIt needs an NVIDIA GPU of compute capability 8.0 or newer and its driver "
           "(`nvidia-smi` should list it).";
  }
  if (device.capability != 0) return "";
  return "This program was compiled without CUDA: its twins run on the emulator, whose times mean "
         "nothing.\n"
         "CMake looked for nvcc on PATH, in $CUDA_PATH/bin and /usr/local/cuda/bin, and for a "
         "device /dev/nvidia0; it decided: " TPP_GPU_STATE
         ".\nOn a machine with an NVIDIA GPU install the CUDA Toolkit 12 or 13, then: rm -rf build "
         "&& ./run bench gpu\n"
         "To turn a result from elsewhere into tables: ./run bench gpu --from FILE --write";
}

json read(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file);
  json value = json::parse(in, nullptr, false);
  if (!value.is_object()) throw std::runtime_error(file + " is not a result in JSON");
  return value;
}

int run_bench(const Options& args) {
  Cases all;
  add_all_cases(all);
  Cases cases;
  std::copy_if(all.begin(), all.end(), std::back_inserter(cases),
               [&](const Case& c) { return chosen(c, args.names); });
  if (args.list) {
    for (const Case& c : cases) std::cout << title(c) << "\n";
    return 0;
  }
  const bool training_only = args.names == std::vector<std::string>{"training"};
  if (cases.empty() && !training_only && args.from.empty()) {
    std::cerr << "No case has these words. `./run bench gpu --list` shows all.\n";
    return 2;
  }

  twin::DeviceInfo device;
  if (args.from.empty()) {
    if (args.emulated) {
      if (twin::device_info().capability != 0) {
        std::cerr << "--emulated is for a build without CUDA (-DTPP_GPU=OFF).\n";
        return 2;
      }
      return run_emulated(cases);
    }
    const std::string missing = what_is_missing(device);
    if (!missing.empty()) {
      std::cerr << missing << "\n";
      return 2;
    }
  }
  const json report = args.from.empty() ? run_cases(args, cases, device) : read(args.from);
  const json peers = args.peers.empty() ? json::object() : read(args.peers);
  const std::string targets = target_table(report, peers), versions = version_table(report),
                    training = training_table(report, peers);
  if (!args.check) std::cout << targets << "\n" << versions << "\n" << training;
  const std::vector<Curve> curves =
      args.curves.empty() ? std::vector<Curve>() : read_curves(args.curves);
  if (!curves.empty() && !args.check) std::cout << "\n" << curves_table(curves);
  bool failed = false;
  if (args.write || args.check) {
    const fs::path into = args.into, readme = into / "bench" / "README.md",
                   model = into / "chapters" / "11_gpt" / "README.md";
    // Put a table into a text, or see that it stands there
    const auto write_table = [&](const fs::path& file, const std::string& name,
                                 const std::string& text) {
      if (!args.check) return bench::write_table(file, name, text);
      if (has_table(file, name, text)) return;
      std::cerr << fs::relative(file, into).string() << ": stale: the table '" << name
                << "' is not what " << args.from << " says\n    mend: ./run bench gpu --from "
                << args.from << " --peers " << args.peers << " --write\n";
      failed = true;
    };
    write_table(readme, "gpu", targets);
    write_table(readme, "gpu-versions", versions);
    for (const ChapterTable& chapter : chapter_tables()) {
      write_table(into / "chapters" / chapter.folder / "README.md", "gpu",
                  chapter_table(report, peers, all, chapter));
    }
    if (!training.empty()) {
      write_table(readme, "gpu-training", training);
      write_table(model, "gpu-training", training);
    }
    if (!curves.empty()) {
      const std::string text = machine(report) + "\n" + curves_table(curves);
      write_table(readme, "curves", text);
      write_table(model, "curves", text);
      if (args.check) return failed;
      const fs::path picture = into / "assets" / "pictures" / "precision.svg";
      std::ofstream out(picture);
      out << curves_picture(curves);
      if (!out.flush()) throw std::runtime_error("cannot write " + picture.string());
    }
    if (args.check) return failed;
    std::cout << "\nWritten into " << readme.string() << " and the chapters\n";
  }
  for (const json& row : report["results"]) failed = failed || row.contains("error");
  for (const json& row : report["training"]) failed = failed || row.contains("error");
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace tpp::bench

int main(int argc, char** argv) {
  tpp::bench::Options args;
  CLI::App program{
      "Measures the twins on a GPU: each version's time and its share of what the machine can do."};
  program.add_option("names", args.names,
                     "only cases with these words: \"rmsnorm bf16\"; \"training\"");
  program.add_flag("--list", args.list, "say what there is to measure");
  program.add_flag("--quick", args.quick, "rough figures, ten times as fast");
  program.add_option("--json", args.out, "write what was measured to this file, as it comes");
  program.add_option("--from", args.from, "measure nothing: make the tables from such a file");
  program.add_option("--peers", args.peers,
                     "PyTorch's figures: what bench/peers/torch_gpu.py wrote");
  program.add_option("--curves", args.curves,
                     "a folder with curve_cpu.csv, curve_float32.csv, …: a table and a picture");
  program.add_flag("--write", args.write, "put the tables into bench/README.md and the chapters");
  program.add_flag("--check", args.check, "with --from: exit code 1 when a text has other tables");
  program.add_option("--into", args.into, "the project that --write writes to (this one)");
  program.add_flag("--emulated", args.emulated,
                   "run the small cases once on the emulator, to see that they run");
  CLI11_PARSE(program, argc, argv);
  try {
    return tpp::bench::run_bench(args);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
