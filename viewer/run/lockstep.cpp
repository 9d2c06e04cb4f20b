// What may differ between two runs in lockstep, and what the second takes from the first.
#include "viewer/run/lockstep.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "chapters/01_tensor/errors.h"

namespace tpp::viewer {
namespace {

constexpr std::array<std::string_view, 6> kShared{"text", "tokenizer", "objective",
                                                  "seed", "batch",     "length"};

}  // namespace

Swaps parse_swaps(std::string_view text) {
  Swaps swaps;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, end);
    const std::size_t equals = part.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      throw InputError("'" + std::string(part) +
                       "' does not say what B has otherwise: write option=value, and a comma "
                       "between two, like norm=layernorm,warmup=0.");
    }
    swaps.emplace_back(part.substr(0, equals), part.substr(equals + 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return swaps;
}

RunOptions with_swaps(const RunOptions& a, const Swaps& swaps) {
  RunOptions b = a;
  for (const auto& [name, value] : swaps) {
    set_option(b, name, value);
    const bool shared = std::find(kShared.begin(), kShared.end(), name) != kShared.end();
    if (shared && get_option(a, name) != get_option(b, name)) {
      throw InputError("A and B learn from the same batches, so " + name +
                       " must be the same in both: it is " + get_option(a, name) + " in A, and " +
                       get_option(b, name) + " was asked for in B. Set it in A, or close B.");
    }
  }
  return b;
}

Swaps swaps_between(const RunOptions& a, const RunOptions& b) {
  Swaps swaps;
  for (const std::string& name : differing_options(a, b)) {
    swaps.emplace_back(name, get_option(b, name));
  }
  return swaps;
}

double scaled_rate(double b, double a_before, double a) {
  constexpr double kMost = 1e9;  // that the option can be
  if (b == a_before || !(a_before > 0)) return a;
  return std::min(kMost, b * (a / a_before));
}

std::string describe(const Swaps& swaps) {
  std::string text;
  for (const auto& [name, value] : swaps) {
    if (!text.empty()) text += ", ";
    text += name + " " + value;
  }
  return text.empty() ? "nothing changed yet" : text;
}

bool is_shared(const ParameterInfo& a, const ParameterInfo& b) {
  return a.name == b.name && a.rows == b.rows && a.cols == b.cols;
}

bool same_moments(const RunOptions& a, const RunOptions& b) {
  const auto is_adam = [](const RunOptions& o) { return o.optimizer.starts_with("adam"); };
  return a.optimizer == b.optimizer || (is_adam(a) && is_adam(b));
}

TrainState transplanted(const TrainState& a, const ParameterTable& a_table, TrainState b,
                        const ParameterTable& b_table, bool moments) {
  b.step = a.step;
  std::fill(b.m.begin(), b.m.end(), 0.0f);
  std::fill(b.v.begin(), b.v.end(), 0.0f);
  for (const ParameterInfo& to : b_table.list()) {
    const auto from = std::find_if(a_table.list().begin(), a_table.list().end(),
                                   [&](const ParameterInfo& info) { return is_shared(info, to); });
    if (from == a_table.list().end()) continue;
    const auto copy = [&](const auto& source, auto& target) {
      if (source.empty() || target.empty()) return;  // an optimiser without that moment
      std::copy_n(source.begin() + from->offset, from->size(), target.begin() + to.offset);
    };
    copy(a.values, b.values);
    if (!moments) continue;
    copy(a.m, b.m);
    copy(a.v, b.v);
  }
  return b;
}

}  // namespace tpp::viewer
