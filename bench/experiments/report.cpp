// From what was measured to values, tables and plots.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bench/experiments/experiment.h"

namespace tpp::experiments {
namespace {

std::string fixed(double value, int digits, bool sign = false) {
  char text[64];
  (void)std::snprintf(text, sizeof text, sign ? "%+.*f" : "%.*f", digits, value);
  std::string s = text;
  if (s.starts_with("-")) s.replace(0, 1, "−");
  return s;
}

}  // namespace

Summary summarise(std::vector<double> seeds) {
  Summary s;
  for (const double v : seeds) {
    if (std::isfinite(v)) s.mean += v, ++s.count;
  }
  s.mean = s.count > 0 ? s.mean / s.count : NAN;
  for (const double v : seeds) {
    if (std::isfinite(v)) s.sd += (v - s.mean) * (v - s.mean);
  }
  s.sd = s.count > 1 ? std::sqrt(s.sd / (s.count - 1)) : 0;
  s.seeds = std::move(seeds);
  return s;
}

Json Summary::json() const {
  Json list = Json::array();
  for (const double v : seeds) list.push_back(number(v));
  return {{"mean", number(mean)}, {"sd", number(sd)}, {"count", count}, {"seeds", list}};
}

std::string Summary::text(int digits, bool sign) const {
  if (count == 0) return "–";
  std::string s = fixed(mean, digits, sign);
  if (count > 1) s += " ± " + fixed(sd, digits);
  return s;
}

Report::Report(const Experiment& experiment, const Json& runs)
    : experiment_(experiment), runs_(runs) {
  values = Json::object(), tables = Json::object(), plots = Json::object();
}

const Case& Report::of(const std::string& key) const {
  for (const Case& c : experiment_.cases) {
    if (c.key == key) return c;
  }
  throw InputError(experiment_.name + " has no case " + key);
}

bool Report::has(const std::string& key) const {
  for (int seed = 1; seed <= 64; ++seed) {
    if (!result(key, seed).is_null()) return true;
  }
  return false;
}

const Json& Report::result(const std::string& key, int seed) const {
  static const Json none = nullptr;
  const auto it = runs_.find(key + "/" + std::to_string(seed));
  return it == runs_.end() ? none : *it;
}

Summary Report::summary(const std::string& key, const std::string& path) const {
  const Json::json_pointer pointer(path);
  std::vector<double> seeds;
  for (int seed = 1; seed <= 64; ++seed) {
    const Json& r = result(key, seed);
    if (r.is_null()) continue;
    const bool there = r.contains(pointer) && r[pointer].is_number();
    seeds.push_back(there ? r[pointer].get<double>() : NAN);
  }
  return summarise(seeds);
}

Summary Report::difference(const std::string& key, const std::string& from,
                           const std::string& path) const {
  const Json::json_pointer pointer(path);
  std::vector<double> seeds;
  for (int seed = 1; seed <= 64; ++seed) {
    const Json &a = result(key, seed), &b = result(from, seed);
    if (a.is_null() || b.is_null()) continue;
    const bool both = a.contains(pointer) && a[pointer].is_number() && b.contains(pointer) &&
                      b[pointer].is_number();
    seeds.push_back(both ? a[pointer].get<double>() - b[pointer].get<double>() : NAN);
  }
  return summarise(seeds);
}

std::string Report::loss_text(const std::string& key, int digits) const {
  const Summary loss = summary(key, "/validation"), nan = summary(key, "/nan/step");
  if (nan.count == 0) return loss.text(digits);
  std::vector<double> steps;
  for (const double s : nan.seeds) {
    if (std::isfinite(s)) steps.push_back(s);
  }
  const auto [least, most] = std::ranges::minmax(steps);
  std::string text = "NaN at step " + fixed(least, 0);
  if (most > least) text += " to " + fixed(most, 0);
  if (loss.count > 0)
    text += " in " + std::to_string(nan.count) + " of " + std::to_string(nan.seeds.size()) +
            ", else " + loss.text(digits);
  return text;
}

void Report::add_values() {
  for (const Case& c : experiment_.cases) {
    if (!c.listed || !has(c.key)) continue;
    Json v = {{"label", c.label}};
    const Summary parameters = summary(c.key, "/parameters");
    v["parameters"] = number(parameters.mean);
    v["ffn_width"] = number(summary(c.key, "/ffn_width").mean);
    v["steps"] = number(summary(c.key, "/steps").mean);
    v["validation"] = summary(c.key, "/validation").json();
    if (!experiment_.baseline.empty() && c.key != experiment_.baseline)
      v["difference"] = difference(c.key, experiment_.baseline, "/validation").json();
    v["gradient"] = {{"first", number(summary(c.key, "/gradient/first").mean)},
                     {"largest", number(summary(c.key, "/gradient/largest").mean)}};
    const Summary nan = summary(c.key, "/nan/step");
    v["nan"] = {{"count", nan.count}, {"step", number(nan.mean)}};
    v["seconds"] = number(summary(c.key, "/seconds").mean);
    values[c.key] = v;
  }
}

void Report::table(const std::string& name, std::vector<std::string> columns,
                   std::vector<std::vector<std::string>> rows) {
  tables[name] = {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

void Report::loss_table(const std::string& name, const std::vector<std::string>& keys,
                        const std::string& baseline) {
  std::vector<std::string> columns = {"case", "parameters", "validation loss"};
  if (!baseline.empty()) columns.push_back("minus " + of(baseline).label);
  std::vector<std::vector<std::string>> rows;
  for (const std::string& key : keys) {
    if (!has(key)) continue;
    std::vector<std::string> row = {of(key).label, text_of(summary(key, "/parameters").mean),
                                    loss_text(key)};
    if (!baseline.empty()) {
      row.push_back(key == baseline ? "" : difference(key, baseline, "/validation").text(4, true));
    }
    rows.push_back(std::move(row));
  }
  table(name, std::move(columns), std::move(rows));
}

void Report::plot(const std::string& name, const std::string& title, const std::string& x,
                  const std::string& y, bool log_x, bool log_y) {
  plots[name] = {{"title", title},
                 {"x", {{"label", x}, {"log", log_x}}},
                 {"y", {{"label", y}, {"log", log_y}}},
                 {"series", Json::array()}};
}

void Report::series(const std::string& plot, const std::string& label, const std::vector<double>& x,
                    const std::vector<Summary>& y) {
  Json s = {{"label", label}, {"x", Json::array()}, {"y", Json::array()}};
  Json low = Json::array(), high = Json::array();
  bool range = false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (y[i].count == 0) continue;
    double least = INFINITY, most = -INFINITY;
    for (const double v : y[i].seeds) {
      if (std::isfinite(v)) least = std::min(least, v), most = std::max(most, v);
    }
    s["x"].push_back(number(x[i]));
    s["y"].push_back(number(y[i].mean));
    low.push_back(number(least));
    high.push_back(number(most));
    range = range || y[i].count > 1;
  }
  if (s["x"].empty()) return;
  if (range) s["low"] = low, s["high"] = high;
  plots[plot]["series"].push_back(s);
}

void Report::curves(const std::string& name, const std::string& title,
                    const std::vector<std::string>& keys) {
  plot(name, title, "step", "training loss, nats a token");
  for (const std::string& key : keys) {
    std::vector<double> x;
    for (int seed = 1; seed <= 64; ++seed) {
      const Json& r = result(key, seed);
      if (!r.contains("curve")) continue;
      const Json& steps = r["curve"]["steps"];
      if (steps.size() > x.size()) x = steps.get<std::vector<double>>();
    }
    std::vector<Summary> y;
    for (std::size_t i = 0; i < x.size(); ++i)
      y.push_back(summary(key, "/curve/loss/" + std::to_string(i)));
    series(name, of(key).label, x, y);
  }
}

void make_report(Report& report) {
  std::vector<std::string> keys;
  for (const Case& c : report.experiment().cases) {
    if (c.listed) keys.push_back(c.key);
  }
  report.add_values();
  report.loss_table("main", keys, report.experiment().baseline);
  report.curves("main", report.experiment().question, keys);
  if (report.experiment().report) report.experiment().report(report);
}

}  // namespace tpp::experiments
