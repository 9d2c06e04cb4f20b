// Training a case and measuring it.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "assets/sources.h"
#include "bench/experiments/experiment.h"
#include "chapters/11_gpt/sampling.h"
#include "tools/cli/commands.h"

namespace tpp::experiments {
namespace {

constexpr int kCurvePoints = 60;

/// A tokenizer is learned once a process.
std::unique_ptr<BatchSource> open_source(const RunOptions& options) {
  static std::map<std::string, Tokenizer> learned;
  SourceConfig config = source_config(options);
  const std::string name = options.text + " " + options.tokenizer;
  if (const auto it = learned.find(name); it != learned.end()) config.learned = it->second;
  auto source = make_source(config);
  if (options.tokenizer != "bytes") learned.emplace(name, source->tokenizer());
  return source;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / double(values.size());
}

/// Add the losses of `targets`, one row of logits each.
void add_losses(const Mat<float>& logits, std::span<const int> targets, double* losses) {
  for (Index n = 0; n < logits.rows(); ++n) {
    const auto row = logits.row(n).cast<double>().array();
    const double largest = row.maxCoeff();
    losses[n] += largest + std::log((row - largest).exp().sum()) - row[targets[std::size_t(n)]];
  }
}

}  // namespace

Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::floor(value) && std::abs(value) < 1e15) return std::int64_t(value);
  char text[40];
  (void)std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

RunOptions recipe(std::string_view name, long steps) {
  RunOptions options;
  apply_recipe(options, name);
  options.steps = steps;
  return options;
}

std::string key_of(double number) {
  char text[40];
  (void)std::snprintf(text, sizeof text, "%.6g", number);
  std::string key = text;
  std::ranges::replace(key, '.', '_');
  std::ranges::replace(key, '-', '_');
  std::erase(key, '+');
  return key;
}

std::string text_of(double number) {
  char text[40];
  (void)std::snprintf(text, sizeof text, number >= 1000 ? "%.0f" : "%.6g", number);
  std::string digits = text;
  if (number < 1000) return digits;
  for (int at = int(digits.size()) - 3; at > 0; at -= 3) digits.insert(std::size_t(at), ",");
  return digits;
}

Run Lab::start(const RunOptions& other) {
  Run run = make_run(other, open_source(other));
  if (!result.contains("parameters")) {
    result["parameters"] = run.model->table().numbers();
    result["ffn_width"] = run.model->config().F;
    result["steps"] = other.steps;
    if (run.device) result["device"] = run.device->info().name + ", " + other.precision;
  }
  return run;
}

double Lab::validate(Run& run, int windows) { return run.trainer->evaluate(windows); }

bool Lab::train(Run& run, const std::function<void(const StepReport&)>& each) {
  const long steps = run.options.steps;
  const long points = std::min<long>(steps, kCurvePoints);
  std::vector<double> bin;
  Json curve_steps = Json::array(), curve = Json::array();
  double first_norm = NAN, largest_norm = 0;
  const auto begin = std::chrono::steady_clock::now();

  bool finite = true;
  try {
    while (run.trainer->steps_done() < steps) {
      const StepReport report = run.trainer->step();
      if (report.step == 1) first_norm = report.gradient_norm;
      largest_norm = std::max(largest_norm, report.gradient_norm);
      bin.push_back(report.loss);
      if (report.step * points / steps > (report.step - 1) * points / steps) {
        curve_steps.push_back(report.step);
        curve.push_back(number(std::round(mean(bin) * 1e4) / 1e4));
        bin.clear();
      }
      if (each) each(report);
      if (progress_ != nullptr) ++*progress_;
    }
    const double loss = validate(run);
    result["validation"] = number(loss);
    if (!std::isfinite(loss)) throw NotFinite("the validation loss", steps);
  } catch (const NotFinite& e) {
    finite = false;
    result["validation"] = nullptr;
    result["nan"] = {{"step", e.step}, {"value", e.value}};
  }

  result["curve"] = {{"steps", curve_steps}, {"loss", curve}};
  result["gradient"] = {{"first", number(first_norm)}, {"largest", number(largest_norm)}};
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result["seconds"] = number(std::round(seconds * 100) / 100);
  return finite;
}

void Lab::read_lengths(Run& run, const std::string& name, RunOptions options) {
  constexpr int kLongest = kLengths[std::size(kLengths) - 1], kTexts = 64, kBin = 32;
  // A table of learned positions has no rows beyond the trained length
  const bool ends = options.position == "learned";
  if (!ends) options.length = kLongest;
  const auto model = make_model<float>(options, run.source->vocabulary());
  require(model->table().extent() == run.model->table().extent(),
          "read_lengths: the same parameters");
  float* values = run.trainer->mutable_values();

  WorkerPool pool(options.device == "cpu" ? 1 : 4);
  std::vector<Tape<float>> tapes(std::size_t(pool.size()));
  std::vector<std::vector<Var<float>>> bound(tapes.size());
  Json lengths, positions = Json::array(), by_position = Json::array();
  for (const int length : kLengths) {
    if (ends && length > int(model->config().T)) {
      lengths[std::to_string(length)] = nullptr;
      continue;
    }
    std::vector<std::vector<double>> losses(kTexts, std::vector<double>(kLongest, 0));
    pool.run(kTexts, [&](int text, int worker) {
      Batch batch(1, kLongest);
      run.source->validation(std::uint64_t(text), batch);
      Tape<float>& tape = tapes[std::size_t(worker)];
      tape.reset(Grad::skip);
      model->bind(tape, values, nullptr, Write::set, bound[std::size_t(worker)]);
      const Var<float> logits =
          model->forward(tape, bound[std::size_t(worker)], batch.tokens, length);
      add_losses(logits.value(), batch.targets, losses[std::size_t(text)].data());
    });
    double sum = 0;
    for (const auto& row : losses) sum += mean(row);
    lengths[std::to_string(length)] = number(sum / kTexts);
    if (length != kLongest) continue;
    for (int from = 0; from < kLongest; from += kBin) {
      double here = 0;
      for (const auto& row : losses)
        for (int t = from; t < from + kBin; ++t) here += row[std::size_t(t)];
      positions.push_back(from + kBin / 2);
      by_position.push_back(number(here / kTexts / kBin));
    }
  }
  if (!by_position.empty()) lengths["by_position"] = {{"x", positions}, {"y", by_position}};
  result["length"][name] = lengths;
}

std::string Lab::sample(Run& run, int tokens) {
  Generator generator(*run.model, run.trainer->values(), run.options.seed, run.device.get());
  const std::string prompt = run.source->prompt();
  std::vector<int> all = run.source->tokenizer().encode(prompt);
  std::string text = prompt;
  generator.generate(all, tokens, {}, [&](int token) {
    text += run.source->tokenizer().bytes_of(token);
    return true;
  });
  return printable(text);
}

void measure_training(Lab& lab) {
  Run run = lab.start();
  (void)lab.train(run);
}

}  // namespace tpp::experiments
