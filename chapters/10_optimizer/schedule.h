// The learning rate over time: small at first, large for most of the way, small at the end.
#pragma once

namespace tpp {

enum class ScheduleKind {
  constant,  // the peak
  cosine,    // half a cosine from the peak to the floor
  linear,    // a straight line from the peak to the floor
  wsd,       // warm-up, stable, decay: the peak, then a straight line to the floor at the end
};

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::cosine;
  double peak = 3e-3;        // the largest learning rate
  double floor_ratio = 0.1;  // the last one, as a part of the peak
  long warmup = 100;         // steps of a straight line up to the peak
  long total = 0;            // steps of the whole run; 0: not known, so the peak after warm-up
  double decay_share = 0.2;  // wsd: the part of the run that decays
};

/// The learning rate of a step, counted from 0.
///
///   t = step + 1 ≤ warmup    peak · t / warmup
///   later                    peak · (floor_ratio + (1 − floor_ratio) · fall(p)),
///                            p = (t − warmup) / (total − warmup)
///
///   cosine  fall = ½·(1 + cos πp)
///   linear  fall = 1 − p
///   wsd     the same line, but p counts from the start of the decay; before it, fall = 1
///
/// The last step of the warm-up has the peak, the last step of the run the floor, and later ones
/// too. A warm-up of more than half of a known run is cut to half. Without a total, every kind
/// stays at the peak.
///
/// Errors  ShapeError for a negative step or count, a floor_ratio or a decay_share outside [0, 1]
/// Paper   cosine: Loshchilov & Hutter 2016, arXiv:1608.03983, without its restarts
///         wsd: Hu et al. 2024, arXiv:2404.06395; its decay is exponential, this one a line
[[nodiscard]] double learning_rate(const ScheduleConfig& cfg, long step);

}  // namespace tpp
