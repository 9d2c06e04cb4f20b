// What the text of chapter 10 shows: four rules in one valley, moments that start at 0, decay inside and outside of them,
// epsilon, schedules, clipping by one norm and by many, and a stream that grows with depth.
#include "chapters/example.h"

#include <cmath>
#include <numbers>

#include "chapters/01_tensor/random.h"
#include "chapters/10_optimizer/clip.h"
#include "chapters/10_optimizer/init.h"
#include "chapters/10_optimizer/optimizer.h"
#include "chapters/10_optimizer/schedule.h"

using namespace tpp;

namespace {

// [snip valley]
// A valley: L = ½·(100·w₀² + w₁²), a hundred times steeper across than along. Its gradient is (100·w₀, w₁)
double descend(OptimizerKind kind, double lr, int steps) {
  const OptimizerConfig cfg{.kind = kind, .beta2 = 0.95, .weight_decay = 0};
  double w[2] = {1, 1}, m[2] = {}, v[2] = {};
  for (int t = 1; t <= steps; ++t) {
    const double g[2] = {100 * w[0], w[1]};
    optimizer_update<double>(cfg, {.w = w, .g = g, .m = m, .v = v, .count = 2},
                             {.step = t, .lr = lr});
  }
  return 0.5 * (100 * w[0] * w[0] + w[1] * w[1]);
}

void valley() {
  struct Rule {
    const char* name;
    OptimizerKind kind;
    double lr;
  };
  std::printf("loss after               10         50        200 steps\n");
  for (const Rule& r : {Rule{"sgd, rate 0.0195", OptimizerKind::sgd, 0.0195},
                        {"sgd, rate 0.0205", OptimizerKind::sgd, 0.0205},
                        {"momentum, 0.01", OptimizerKind::momentum, 0.01},
                        {"adam, 0.03", OptimizerKind::adam, 0.03}}) {
    std::printf("%-16s  %10.3g %10.3g %10.3g\n", r.name, descend(r.kind, r.lr, 10),
                descend(r.kind, r.lr, 50), descend(r.kind, r.lr, 200));
  }
}
// [/snip]

// A gradient that is always 2: what the moments hold, and what the step would be without the correction
void moments() {
  const OptimizerConfig cfg{.kind = OptimizerKind::adam, .weight_decay = 0};
  double w = 0, m = 0, v = 0;
  const double g = 2;
  std::printf(
      "   t       m      m̂       v      v̂    step/η   without correction, β₂ = %.2f   = 0.999\n",
      cfg.beta2);
  double long_v = 0;
  for (int t = 1; t <= 50; ++t) {
    const double before = w;
    optimizer_update<double>(cfg, {.w = &w, .g = &g, .m = &m, .v = &v, .count = 1},
                             {.step = t, .lr = 1});
    long_v = 0.999 * long_v + 0.001 * g * g;
    if (t > 3 && t != 10 && t != 50) continue;
    const double c1 = 1 - std::pow(cfg.beta1, t), c2 = 1 - std::pow(cfg.beta2, t);
    std::printf("%4d  %6.4f  %6.4f  %6.4f  %6.4f  %8.4f   %28.4f  %8.4f\n", t, m, m / c1, v, v / c2,
                before - w, m / std::sqrt(v), m / std::sqrt(long_v));
  }
}

// Two weights that start at 1. Their gradients are noise around 0, a hundred times larger for the second: all that
// is left to move them in the mean is the decay
void decay() {
  std::printf("mean |w| of 1000 weights   small gradients   large gradients\n");
  for (const auto kind : {OptimizerKind::adam, OptimizerKind::adamw}) {
    const OptimizerConfig cfg{.kind = kind, .weight_decay = 0.1};
    std::printf("%-24s", kind == OptimizerKind::adam ? "adam, decay as gradient" : "adamw");
    for (const double size : {0.1, 10.0}) {
      Philox rng(10);
      constexpr Index kCount = 1000;
      RowVec<double> w = RowVec<double>::Ones(kCount), m = RowVec<double>::Zero(kCount), v = m;
      for (int t = 1; t <= 2000; ++t) {
        const RowVec<double> g = random_normal<double>(rng, 1, kCount, size);
        optimizer_update<double>(
            cfg, {.w = w.data(), .g = g.data(), .m = m.data(), .v = v.data(), .count = kCount},
            {.step = t, .lr = 1e-3, .decay = true});
      }
      std::printf("   %15.4f", w.cwiseAbs().mean());
    }
    std::printf("\n");
  }
  std::printf("(1 − ηλ)²⁰⁰⁰ = %.4f\n", std::pow(1 - 1e-3 * 0.1, 2000));
}

void epsilon() {
  const OptimizerConfig cfg{.kind = OptimizerKind::adamw, .weight_decay = 0};
  std::printf("gradient      first step, in units of η\n");
  for (const double g : {1.0, 1e-4, 1e-7, 1e-8, 1e-9, 1e-10}) {
    double w = 0, m = 0, v = 0;
    optimizer_update<double>(cfg, {.w = &w, .g = &g, .m = &m, .v = &v, .count = 1},
                             {.step = 1, .lr = 1});
    std::printf("%8.0e      %.4f\n", g, -w);
  }
}

void schedules() {
  ScheduleConfig cfg{.peak = 3e-3, .floor_ratio = 0.1, .warmup = 100, .total = 1000};
  std::printf("step            1      50     100     300     500     800     900    1000\n");
  for (const auto& [name, kind] : {std::pair{"constant", ScheduleKind::constant},
                                   {"cosine", ScheduleKind::cosine},
                                   {"linear", ScheduleKind::linear},
                                   {"wsd", ScheduleKind::wsd}}) {
    cfg.kind = kind;
    std::printf("%-9s", name);
    for (const long step : {1, 50, 100, 300, 500, 800, 900, 1000}) {
      std::printf(" %7.5f", learning_rate(cfg, step - 1));
    }
    std::printf("\n");
  }
}

// [snip clipping]
// The gradients of two tensors, one of them ten times longer, clipped to norm 1: by one factor, and each by its own
void clipping() {
  const RowVec<double> a{{6, 8}}, b{{0.6, -0.8}};
  const double norm = std::sqrt(sum_of_squares(a.data(), 2) + sum_of_squares(b.data(), 2));
  const auto show = [&](const char* name, double scale_a, double scale_b) {
    const RowVec<double> ca = scale_a * a, cb = scale_b * b;
    const double clipped = std::sqrt(ca.squaredNorm() + cb.squaredNorm());
    const double cosine = (a.dot(ca) + b.dot(cb)) / (norm * clipped);
    std::printf("%-12s (%7.4f, %7.4f) (%7.4f, %7.4f)   norm %7.4f   angle to the gradient %5.1f°\n",
                name, ca[0], ca[1], cb[0], cb[1], clipped,
                180 / std::numbers::pi * std::acos(std::min(cosine, 1.0)));
  };
  show("gradient", 1, 1);
  show("global", clip_scale(norm, 1), clip_scale(norm, 1));
  show("per tensor", clip_scale(a.norm(), 1), clip_scale(b.norm(), 1));
}
// [/snip]

// A stream that starts as embeddings, and 2·L layers that read it normalised and add a random product to it
double stream_size(int layers, double residual) {
  Philox rng(1);
  constexpr Index kTokens = 64, kWidth = 128;
  Mat<double> x = random_normal<double>(rng, kTokens, kWidth, 0.02);
  for (int i = 0; i < 2 * layers; ++i) {
    const Mat<double> w = random_normal<double>(rng, kWidth, kWidth, residual);
    const ColVec<double> rms = (x.rowwise().squaredNorm() / double(kWidth)).cwiseSqrt();
    const Mat<double> seen = x.array().colwise() / rms.array();  // variance 1
    x += seen * w.transpose();
  }
  return std::sqrt(x.squaredNorm() / double(x.size()));
}

void depth() {
  std::printf("layers                          1       4      16      64\n");
  std::printf("size of the stream, 0.02    ");
  for (const int L : {1, 4, 16, 64}) std::printf(" %6.3f ", stream_size(L, gpt2_init(L).weight));
  std::printf("\nsize of the stream, 0.02/√2L");
  for (const int L : {1, 4, 16, 64}) std::printf(" %6.3f ", stream_size(L, gpt2_init(L).residual));
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  return run_examples(argc, argv,
                      {{"valley", valley},
                       {"moments", moments},
                       {"decay", decay},
                       {"epsilon", epsilon},
                       {"schedules", schedules},
                       {"clipping", clipping},
                       {"depth", depth}});
}
