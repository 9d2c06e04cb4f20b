// What an experiment is: a question, the cases that are compared, and what is measured of each.
//
// A chapter's file (03_vocabulary.cpp, …) describes one and nothing else: which runs, with which seeds, and how the numbers
// become a table. The runner trains the cases, side by side, and keeps each result as soon as it is there.
#pragma once

#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "chapters/31_transformer_pp/catalogue.h"

namespace tpp::experiments {

using Json = nlohmann::ordered_json;

class Lab;
class Report;

/// One case: what values and tables call it, and what it trains.
struct Case {
  std::string key = {};    // in values: letters, digits and _
  std::string label = {};  // in tables and plots
  RunOptions options = {};
  std::string mine = {};  // "6.1=no_scale": a wrong answer in the model. On the processor only
  std::function<void(Lab&)> measure = {};  // empty: train, and measure the validation loss
  bool listed = true;                      // in the standard table and plot
  bool alone = false;                      // nothing else runs beside it: it measures time
  bool on_cpu = false;                     // also with --device gpu
  bool on_gpu = false;                     // left out without --device gpu
  int seeds = 0;                           // 0: the experiment's
  int version = 1;  // one more when `measure` changes: old results are then measured again
};

struct Experiment {
  std::string name = {};      // "07_positions": bench/results/07_positions.json
  std::string question = {};  // one sentence
  std::string refuted = {};   // what would refute the chapter's claim
  std::string baseline = {};  // the key of the case that others are compared with, seed by seed
  int seeds = 3;
  std::vector<Case> cases = {};
  std::function<void(Report&)> report = {};  // beyond the standard table, values and plot
};

/// Every experiment, in the order in which they are run when all are: the chapters that need them most first.
[[nodiscard]] std::vector<Experiment> all_experiments();

// --- Measuring ------------------------------------------------------------------------------------------

/// Where one case is trained with one seed. What is put into `result` is kept.
class Lab {
 public:
  Lab(const Case& which, RunOptions options, std::atomic<long>* progress)
      : which_(which), options(std::move(options)), progress_(progress) {}

 private:
  const Case& which_;

 public:
  const RunOptions options;  // with this seed and this device
  Json result;

  [[nodiscard]] const Case& which() const { return which_; }

  /// The run that these options ask for; its parameters are counted.
  [[nodiscard]] Run start() { return start(options); }
  [[nodiscard]] Run start(const RunOptions& other);

  /// All steps of the run, then the validation loss. Calls each(report) after every step. Keeps the training loss, smoothed,
  /// and the gradient's norm. Returns false when a value became NaN or infinite: that is a result, too.
  bool train(Run& run, const std::function<void(const StepReport&)>& each = {});

  /// Mean loss of the same validation sequences as in every other case.
  [[nodiscard]] static double validate(Run& run, int windows = kWindows);
  static constexpr int kWindows = 512;

  /// The loss of a trained model that reads pieces of 64, 128, 256 and 512 tokens of one and the same text, and by position
  /// in the longest. `options` may differ from the run's in what has no parameters. Kept as result["length"][name].
  void read_lengths(Run& run, const std::string& name, RunOptions options);
  static constexpr int kLengths[] = {64, 128, 256, 512};

  /// What the model writes after the source's prompt.
  [[nodiscard]] static std::string sample(Run& run, int tokens);

 private:
  std::atomic<long>* progress_;
};

/// Train and nothing else: what a case without `measure` does.
void measure_training(Lab& lab);

/// Rounded to six digits; null unless finite.
[[nodiscard]] Json number(double value);

[[nodiscard]] RunOptions recipe(std::string_view name, long steps);
/// 0.003 as "0_003": for keys.
[[nodiscard]] std::string key_of(double number);
/// 0.003 as "0.003", 1000000 as "1,000,000".
[[nodiscard]] std::string text_of(double number);

// --- Reporting ------------------------------------------------------------------------------------------

/// A number over the seeds.
struct Summary {
  std::vector<double> seeds;  // NaN where a run has none
  double mean = 0, sd = 0;    // of those that are finite; sd 0 for one
  int count = 0;              // of those
  [[nodiscard]] Json json() const;
  /// "1.234 ± 0.005", "1.234" for one seed, "–" for none
  [[nodiscard]] std::string text(int digits = 3, bool sign = false) const;
};
[[nodiscard]] Summary summarise(std::vector<double> seeds);

/// What was measured, and the document that it becomes.
class Report {
 public:
  Report(const Experiment& experiment, const Json& runs);

  Json values, tables, plots;

  [[nodiscard]] const Experiment& experiment() const { return experiment_; }
  [[nodiscard]] const Case& of(const std::string& key) const;
  [[nodiscard]] bool has(const std::string& key) const;

  /// One seed's result (null if it is not there); path as in "/length/rope/128".
  [[nodiscard]] const Json& result(const std::string& key, int seed) const;
  [[nodiscard]] Summary summary(const std::string& key, const std::string& path) const;
  /// Seed by seed: this case minus another.
  [[nodiscard]] Summary difference(const std::string& key, const std::string& from,
                                   const std::string& path) const;
  [[nodiscard]] double difference_or_nan(const std::string& key, const std::string& path) const {
    return summary(key, path).mean;
  }
  /// The validation loss, or "NaN at step 41".
  [[nodiscard]] std::string loss_text(const std::string& key, int digits = 3) const;

  /// Values of these cases: parameters, validation, difference to the baseline, gradients, NaNs.
  void add_values();
  void table(const std::string& name, std::vector<std::string> columns,
             std::vector<std::vector<std::string>> rows);
  /// parameters, loss and difference of these cases.
  void loss_table(const std::string& name, const std::vector<std::string>& keys,
                  const std::string& baseline);
  void plot(const std::string& name, const std::string& title, const std::string& x,
            const std::string& y, bool log_x = false, bool log_y = false);
  void series(const std::string& plot, const std::string& label, const std::vector<double>& x,
              const std::vector<Summary>& y);
  /// The training loss of these cases by step: mean, and the range of the seeds.
  void curves(const std::string& plot, const std::string& title,
              const std::vector<std::string>& keys);

 private:
  const Experiment& experiment_;
  const Json& runs_;
};

/// The table, values and plot that every experiment has, then its own.
void make_report(Report& report);

}  // namespace tpp::experiments
