// 12: is the mean needed, or does the root mean square do? The loss over five seeds, and the time of a step.
#include <algorithm>
#include <chrono>
#include <ctime>

#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

const std::pair<std::string, std::string> kNorms[] = {
    {"layernorm", "LayerNorm"}, {"rmsnorm", "RMSNorm"}, {"scalenorm", "ScaleNorm"}};

double median(std::vector<double> v) {
  std::ranges::sort(v);
  return v[v.size() / 2];
}

/// On one thread the time that the processor gave; on a GPU the time on the clock.
double now(bool cpu) {
  if (!cpu)
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  timespec t{};
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

/// The three take turns, a few steps each, so that the machine's mood is the same for all; and each is the first as often.
void measure_time(Lab& lab) {
  const bool cpu = lab.options.device == "cpu";
  std::vector<Run> runs;
  for (const auto& [norm, label] : kNorms) {
    RunOptions options = lab.options;
    options.norm = norm;
    runs.push_back(lab.start(options));
    for (int i = 0; i < (cpu ? 2 : 20); ++i) (void)runs.back().trainer->step();
  }
  const int rounds = int(std::min<long>(cpu ? 30 : 15, lab.options.steps)), steps = cpu ? 3 : 100;
  std::vector<std::vector<double>> seconds(std::size(kNorms)), ratio(std::size(kNorms));
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t turn = 0; turn < runs.size(); ++turn) {
      const std::size_t n = (turn + std::size_t(round)) % runs.size();
      const double begin = now(cpu);
      for (int i = 0; i < steps; ++i) (void)runs[n].trainer->step();
      seconds[n].push_back((now(cpu) - begin) / steps);
    }
    for (std::size_t n = 0; n < runs.size(); ++n)
      ratio[n].push_back(seconds[n].back() / seconds[0].back());
  }
  for (std::size_t n = 0; n < runs.size(); ++n) {
    lab.result["milliseconds"][kNorms[n].first] = number(1000 * median(seconds[n]));
    lab.result["of_layernorm"][kNorms[n].first] = number(median(ratio[n]));
  }
}

void report(Report& r) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [norm, label] : kNorms) {
    if (!r.has(norm)) continue;
    std::vector<std::string> row = {
        label, text_of(r.summary(norm, "/parameters").mean), r.loss_text(norm),
        norm == "layernorm" ? "" : r.difference(norm, "layernorm", "/validation").text(4, true)};
    for (const std::string where : {"cpu", "gpu"}) {
      const Summary time = r.summary("time_" + where, "/milliseconds/" + norm);
      const Summary share = r.summary("time_" + where, "/of_layernorm/" + norm);
      if (time.count > 0)
        r.values[norm][where] = {{"milliseconds", number(time.mean)},
                                 {"of_layernorm", number(share.mean)}};
      row.push_back(time.text(where == "cpu" ? 1 : 3));
    }
    rows.push_back(row);
  }
  r.table("main",
          {"norm", "parameters", "validation loss", "minus LayerNorm", "a step on one core, ms",
           "a step on the GPU, ms"},
          rows);
}

}  // namespace

Experiment norms_12() {
  Experiment e{.name = "12_norms",
               .question = "Is the mean needed, or does the root mean square do?",
               .refuted = "RMSNorm's loss is above LayerNorm's by more than the seeds differ",
               .baseline = "layernorm",
               .seeds = 5};
  e.cases.push_back({.key = "time_cpu",
                     .label = "time, CPU",
                     .options = recipe("llama", 1000),
                     .measure = measure_time,
                     .listed = false,
                     .alone = true,
                     .on_cpu = true,
                     .seeds = 1,
                     .version = 2});
  e.cases.push_back({.key = "time_gpu",
                     .label = "time, GPU",
                     .options = recipe("llama", 1000),
                     .measure = measure_time,
                     .listed = false,
                     .alone = true,
                     .on_gpu = true,
                     .seeds = 1,
                     .version = 2});
  for (const auto& [norm, label] : kNorms) {
    Case c{.key = norm, .label = label, .options = recipe("llama", 2000)};
    c.options.norm = norm;
    e.cases.push_back(c);
  }
  e.report = report;
  return e;
}

}  // namespace tpp::experiments
