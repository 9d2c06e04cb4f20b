// Figures from bench/results/*.json: the values that a text quotes, and its tables.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace tpp::weave {

/// The results files, each read once when it is first asked for.
class Results {
 public:
  explicit Results(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// Errors  InputError: the file is missing or is not JSON
  const nlohmann::json& file(const std::string& name);

 private:
  std::filesystem::path folder_;
  std::map<std::string, nlohmann::json> files_;
};

/// Arithmetic over figures: numbers, + − * /, brackets, and references FILE#path.to.number.
///
///   13_length#values.rope.at_512 / 13_length#values.rope.at_64
///   gpu#results[twin=rope,storage=float,shape=8 × 4096*,version=v3_vector_loads].us
///
/// A path's step is a name (it may hold spaces), a "name in quotes", [index] or [field=value,…], which must choose exactly one entry; a * at a
/// value's end: begins with. Value and fields are compared as text, so seed=3 finds the number 3.
/// Errors  InputError: what is wrong and where; also for a result that is not finite
[[nodiscard]] double evaluate(const std::string& expression, Results& results);

/// A number as a text writes it: [+][,][.digits](f|g|d|e|%). `,d` is 12,345; `.0%` is 42 %; `.3g` has three digits and
/// no exponent.
/// Errors  InputError: not such a format, or a number that is not finite
[[nodiscard]] std::string formatted(double value, const std::string& format);

/// tables.NAME of a results file as Markdown, and a line that says where it was measured.
/// Errors  InputError: no such table, a row of another width, a number that is not finite
[[nodiscard]] std::vector<std::string> results_table(const std::string& file,
                                                     const std::string& name, Results& results);

/// "NVIDIA H100, 2026-11-22": where and when, as far as the file says.
[[nodiscard]] std::string measured_on(const nlohmann::json& results);

}  // namespace tpp::weave
