#include "chapters/10_optimizer/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "chapters/01_tensor/tensor.h"

namespace tpp {

// [snip learning_rate]
double learning_rate(const ScheduleConfig& cfg, long step) {
  require(step >= 0 && cfg.warmup >= 0 && cfg.total >= 0,
          "learning_rate: step, warmup and total cannot be negative");
  require(
      cfg.floor_ratio >= 0 && cfg.floor_ratio <= 1 && cfg.decay_share >= 0 && cfg.decay_share <= 1,
      "learning_rate: floor_ratio and decay_share must lie in [0, 1]");
  const bool is_known = cfg.total > 0;
  const double now = double(step) + 1;
  const double total = double(cfg.total);
  const double warmup = is_known ? std::min(double(cfg.warmup), total / 2) : double(cfg.warmup);

  // Climb to the peak
  if (now < warmup) return cfg.peak * now / warmup;
  if (!is_known || cfg.kind == ScheduleKind::constant) return cfg.peak;

  // Fall from `begin` to the last step
  const bool is_wsd = cfg.kind == ScheduleKind::wsd;
  const double begin = is_wsd ? std::max(warmup, total * (1 - cfg.decay_share)) : warmup;
  if (begin >= total) return cfg.peak;  // no part of the run is left to decay
  const double p = std::clamp((now - begin) / (total - begin), 0.0, 1.0);
  const double fall =
      cfg.kind == ScheduleKind::cosine ? 0.5 * (1 + std::cos(std::numbers::pi * p)) : 1 - p;
  return cfg.peak * (cfg.floor_ratio + (1 - cfg.floor_ratio) * fall);
}
// [/snip]

}  // namespace tpp
