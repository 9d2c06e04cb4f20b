#include "viewer/panels/told_rate.h"

#include <algorithm>
#include <cmath>

#include "chapters/10_optimizer/schedule.h"
#include "viewer/widgets/curve.h"

namespace tpp::viewer {

Told told_rate(const RunOptions& options, long step, double rate) {
  Told told;
  told.name = "Learning rate of step " + whole_number(step + 1);
  told.value = rate;
  told.source = "chapters/10_optimizer/schedule.cpp: learning_rate";
  const ScheduleConfig cfg = train_config(options).schedule;
  const double total = double(cfg.total), now = double(step) + 1;
  const double warmup = total > 0 ? std::min(double(cfg.warmup), total / 2) : double(cfg.warmup);
  const bool wsd = cfg.kind == ScheduleKind::wsd;
  const double begin = wsd ? std::max(warmup, total * (1 - cfg.decay_share)) : warmup;
  ScheduleConfig of_one = cfg;
  of_one.peak = 1;
  const double share = learning_rate(of_one, std::max(0L, step));
  const std::string peak = number_text(share > 0 ? rate / share : cfg.peak, 5);
  const auto count = [](double n) {
    return n == std::floor(n) ? whole_number(std::llround(n)) : number_text(n, 6);
  };
  if (now < warmup) {
    told.formula = "peak · t / warmup,  t = step";
    told.numbers = peak + " · " + count(now) + " / " + count(warmup);
    told.why = "Small at first: Adam's averages do not know the gradients yet.";
  } else if (!(total > 0) || cfg.kind == ScheduleKind::constant || begin >= total ||
             (wsd && now <= begin)) {
    told.formula = "the peak";
    told.numbers = peak;
    told.why = "After the warm-up this schedule stays at its peak.";
  } else {
    const double at = std::clamp(now, begin, total);
    const std::string p = "(" + count(at) + " − " + count(begin) + ") / (" + count(total) + " − " +
                          count(begin) + ")";
    const bool cosine = cfg.kind == ScheduleKind::cosine;
    told.formula = std::string("peak · (f + (1 − f) · ") +
                   (cosine ? "½·(1 + cos πp))" : "(1 − p))") +
                   ",  p = (t − warmup) / (steps − warmup)";
    if (wsd) told.formula = "peak · (f + (1 − f) · (1 − p)),  p = (t − begin) / (steps − begin)";
    const std::string floor = number_text(cfg.floor_ratio, 3);
    told.numbers = peak + " · (" + floor + " + (1 − " + floor + ") · (1 " +
                   (cosine ? "+ cos(π · " + p + ")) / 2)" : "− " + p + "))");
    told.why = "Large steps to find a good place, small ones to settle in it.";
  }
  return told;
}

}  // namespace tpp::viewer
