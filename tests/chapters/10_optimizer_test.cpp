// Chapter 10: optimizers, schedules, clipping, initialisation.
#include "chapters/10_optimizer/optimizer.h"

#include <cstring>
#include <limits>
#include <vector>

#include "chapters/01_tensor/random.h"
#include "chapters/10_optimizer/clip.h"
#include "chapters/10_optimizer/init.h"
#include "chapters/10_optimizer/schedule.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

constexpr OptimizerKind kAll[] = {OptimizerKind::sgd, OptimizerKind::momentum, OptimizerKind::adam,
                                  OptimizerKind::adamw};

/// Weights with their gradients and moments.
template <Real T>
struct Weights {
  std::vector<T> w, g, m, v;
  explicit Weights(Index count) : w(std::size_t(count)), g(w), m(w), v(w) {}
  UpdateRange<T> range(Index first, Index count) {
    return {w.data() + first, g.data() + first, m.data() + first, v.data() + first, count};
  }
  UpdateRange<T> all() { return range(0, Index(w.size())); }
};

template <Real T>
Weights<T> random_weights(Index count, std::uint64_t seed) {
  Philox rng(seed);
  Weights<T> out(count);
  for (T& w : out.w) w = T(rng.normal());
  for (T& g : out.g) g = T(rng.normal());
  return out;
}

template <Real T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("two steps of AdamW worked out by hand", "[ch10]") {
  // β₁ = ½, β₂ = ¾, eps = 0, λ = ½, η = 0.1, w = 1.
  // Step 1, g = 2: m = 1, v = 1;    m̂ = 1/½ = 2, v̂ = 1/¼ = 4;    w = 1 − 0.1·(2/2 + ½) = 0.85
  // Step 2, g = −1: m = 0, v = 1;   m̂ = 0;                        w = 0.85 − 0.1·0.425 = 0.8075
  const OptimizerConfig cfg{
      .kind = OptimizerKind::adamw, .beta1 = 0.5, .beta2 = 0.75, .eps = 0, .weight_decay = 0.5};
  Weights<double> p(1);
  p.w[0] = 1;
  p.g[0] = 2;
  adamw_update<double>(cfg, p.all(), {.step = 1, .lr = 0.1, .decay = true});
  CHECK(std::abs(p.m[0] - 1) <= 1e-15);
  CHECK(std::abs(p.v[0] - 1) <= 1e-15);
  CHECK(std::abs(p.w[0] - 0.85) <= 1e-15);
  p.g[0] = -1;
  adamw_update<double>(cfg, p.all(), {.step = 2, .lr = 0.1, .decay = true});
  CHECK(std::abs(p.m[0] - 0) <= 1e-15);
  CHECK(std::abs(p.v[0] - 1) <= 1e-15);
  CHECK(std::abs(p.w[0] - 0.8075) <= 1e-15);
}

TEST_CASE("a second step of AdamW that moves, worked out by hand", "[ch10]") {
  // As above without decay, g = 2 then 2·√(7/9): m = ½ + √(7/9), m̂ = m/¾; v = ¾ + ¼·28/9 = 55/36,
  // v̂ = v/(7/16). eps = 1 is added to the root, after its correction
  const OptimizerConfig cfg{.beta1 = 0.5, .beta2 = 0.75, .eps = 1, .weight_decay = 0.5};
  Weights<double> p(1);
  p.w[0] = 1;
  p.g[0] = 2;
  adamw_update<double>(cfg, p.all(), {.step = 1, .lr = 0.1});
  CHECK(std::abs(p.w[0] - (1 - 0.1 * 2 / 3)) <= 1e-15);
  p.g[0] = 2 * std::sqrt(7.0 / 9);
  const double m = 0.5 + std::sqrt(7.0 / 9), v = 55.0 / 36, before = p.w[0];
  adamw_update<double>(cfg, p.all(), {.step = 2, .lr = 0.1});
  CHECK(std::abs(p.w[0] - (before - 0.1 * (m / 0.75) / (std::sqrt(v * 16 / 7) + 1))) <= 1e-15);
}

TEST_CASE("a step of Adam with decay worked out by hand", "[ch10]") {
  // g′ = ½·4 + ½·2 = 3: m = 3·½, v = 9·¼, both corrected to 3 and 9, so w = 2 − 0.1·3/(3 + 1)
  const OptimizerConfig cfg{.beta1 = 0.5, .beta2 = 0.75, .eps = 1, .weight_decay = 0.5};
  Weights<double> p(1);
  p.w[0] = 2;
  p.g[0] = 4;
  adam_update<double>(cfg, p.all(), {.lr = 0.1, .decay = true, .gradient_scale = 0.5});
  CHECK(std::abs(p.m[0] - 1.5) <= 1e-15);
  CHECK(std::abs(p.v[0] - 2.25) <= 1e-15);
  CHECK(std::abs(p.w[0] - 1.925) <= 1e-15);
}

TEST_CASE("plain descent and momentum worked out by hand", "[ch10]") {
  const OptimizerConfig cfg{.momentum = 0.5, .weight_decay = 0.1};
  Weights<double> p(1);
  p.w[0] = 10;
  p.g[0] = 4;
  sgd_update<double>(cfg, p.all(), {.lr = 0.5, .decay = true, .gradient_scale = 0.25});
  CHECK(std::abs(p.w[0] - (10 - 0.5 * (1 + 1))) <= 1e-15);  // ¼·4 + 0.1·10

  p.w[0] = 10;
  p.m[0] = 6;
  momentum_update<double>(cfg, p.all(), {.lr = 0.5, .decay = true, .gradient_scale = 0.25});
  CHECK(std::abs(p.m[0] - 5) <= 1e-15);  // ½·6 + 2
  CHECK(std::abs(p.w[0] - 7.5) <= 1e-15);
}

TEST_CASE("the first step of Adam is the learning rate, whatever the gradient's size", "[ch10]") {
  const OptimizerKind kind = GENERATE(OptimizerKind::adam, OptimizerKind::adamw);
  const double size = GENERATE(1e-4, 1.0, 1e4);
  Weights<double> p(1);
  p.g[0] = -size;
  optimizer_update<double>({.kind = kind}, p.all(), 1, 0.01, true, 1.0);
  CHECK(std::abs(p.w[0] - 0.01) <= 0.01 * 2e-4);
}

TEST_CASE("Adam and AdamW are the same without decay and different with it", "[ch10]") {
  const bool decay = GENERATE(false, true);
  Weights<double> a = random_weights<double>(50, 1), w = a;
  for (long step = 1; step <= 3; ++step) {
    adam_update<double>({}, a.all(), {.step = step, .lr = 0.01, .decay = decay});
    adamw_update<double>({}, w.all(), {.step = step, .lr = 0.01, .decay = decay});
  }
  CHECK(same_bits(a.m, w.m) == !decay);  // decay in the moments
  for (std::size_t i = 0; i < a.w.size(); ++i) {
    CHECK((std::abs(a.w[i] - w.w[i]) <= 1e-12) == !decay);
  }
}

TEST_CASE("AdamW's decay shrinks every weight alike, whatever its gradients", "[ch10]") {
  Weights<double> with = random_weights<double>(50, 2), without = with;
  for (std::size_t i = 0; i < 25; ++i) with.g[i] = without.g[i] *= 1000;
  const std::vector<double> start = with.w;
  adamw_update<double>({.weight_decay = 0.2}, with.all(), {.lr = 0.01, .decay = true});
  adamw_update<double>({.weight_decay = 0.2}, without.all(), {.lr = 0.01, .decay = false});
  for (std::size_t i = 0; i < 50; ++i) {
    CHECK(std::abs(without.w[i] - with.w[i] - 0.002 * start[i]) <= 1e-15);
  }
}

TEMPLATE_TEST_CASE("any partition of the weights gives the same bits", "[ch10]", float, double) {
  using T = TestType;
  const OptimizerKind kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  CAPTURE(int(kind));
  const OptimizerConfig cfg{.kind = kind};
  Philox rng(3);
  Weights<T> whole = random_weights<T>(1003, 4), parts = whole;
  for (long step = 1; step <= 4; ++step) {
    const UpdateStep at{.step = step, .lr = 0.01, .decay = true, .gradient_scale = 0.7};
    optimizer_update<T>(cfg, whole.all(), at);
    for (Index first = 0; first < 1003;) {
      const Index count = std::min<Index>(1003 - first, Index(rng.below(40)));
      optimizer_update<T>(cfg, parts.range(first, count), at);
      first += count;
    }
  }
  CHECK(same_bits(whole.w, parts.w));
  CHECK(same_bits(whole.m, parts.m));
  CHECK(same_bits(whole.v, parts.v));
}

TEST_CASE("the gradient scale is the same as a scaled gradient", "[ch10]") {
  const OptimizerKind kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  Weights<double> a = random_weights<double>(40, 5), b = a;
  for (double& g : b.g) g *= 0.25;
  optimizer_update<double>({.kind = kind}, a.all(), 2, 0.1, true, 0.25);
  optimizer_update<double>({.kind = kind}, b.all(), 2, 0.1, true, 1.0);
  CHECK(same_bits(a.w, b.w));
}

TEST_CASE("float updates follow the oracle", "[ch10]") {
  const OptimizerKind kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  CAPTURE(int(kind));
  Weights<float> f = random_weights<float>(77, 6);
  Weights<double> d(77);
  d.w.assign(f.w.begin(), f.w.end());
  d.g.assign(f.g.begin(), f.g.end());
  for (long step = 1; step <= 5; ++step) {
    optimizer_update<float>({.kind = kind}, f.all(), step, 0.01, true, 0.5);
    optimizer_update<double>({.kind = kind}, d.all(), step, 0.01, true, 0.5);
  }
  for (std::size_t i = 0; i < 77; ++i) CHECK(std::abs(double(f.w[i]) - d.w[i]) <= 2e-6);
}

TEST_CASE("every optimizer finds the bottom of a bowl", "[ch10]") {
  // L = ½·Σ cᵢ·(wᵢ − bᵢ)², with curvatures from 0.1 to 10
  const OptimizerKind kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  CAPTURE(int(kind));
  Weights<double> p = random_weights<double>(10, 7);
  const std::vector<double> bottom = random_weights<double>(10, 8).w;
  ScheduleConfig schedule{
      .kind = ScheduleKind::cosine, .peak = 0.1, .floor_ratio = 0, .warmup = 10, .total = 2000};
  if (kind == OptimizerKind::momentum) schedule.peak = 0.03;
  for (long step = 0; step < schedule.total; ++step) {
    for (std::size_t i = 0; i < 10; ++i) {
      p.g[i] = 0.1 * std::pow(100.0, double(i) / 9) * (p.w[i] - bottom[i]);
    }
    optimizer_update<double>({.kind = kind}, p.all(), step + 1, learning_rate(schedule, step),
                             false, 1.0);
  }
  for (std::size_t i = 0; i < 10; ++i) CHECK(std::abs(p.w[i] - bottom[i]) <= 1e-3);
}

TEMPLATE_TEST_CASE("a NaN gradient makes its weight NaN and no other", "[ch10]", float, double) {
  using T = TestType;
  const OptimizerKind kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  Weights<T> p = random_weights<T>(19, 9);
  p.g[5] = p.g[18] = T(kNaN);
  optimizer_update<T>({.kind = kind}, p.all(), 1, 0.01, true, 1.0);
  for (std::size_t i = 0; i < 19; ++i) CHECK(std::isnan(p.w[i]) == (i == 5 || i == 18));
}

TEST_CASE("optimizers refuse what they cannot use", "[ch10]") {
  Weights<double> p = random_weights<double>(4, 1);
  UpdateRange<double> range = p.all();
  CHECK_THROWS_AS(optimizer_update<double>({}, range, 0, 0.1, true, 1.0), ShapeError);
  CHECK_THROWS_AS(optimizer_update<double>({.beta1 = 1}, range, 1, 0.1, true, 1.0), ShapeError);
  CHECK_THROWS_AS(optimizer_update<double>({.beta2 = kNaN}, range, 1, 0.1, true, 1.0), ShapeError);
  range.v = nullptr;
  CHECK_THROWS_AS(optimizer_update<double>({}, range, 1, 0.1, true, 1.0), ShapeError);
  range.m = nullptr;
  CHECK_THROWS_AS(
      optimizer_update<double>({.kind = OptimizerKind::momentum}, range, 1, 0.1, true, 1.0),
      ShapeError);
  CHECK_NOTHROW(optimizer_update<double>({.kind = OptimizerKind::sgd}, range, 1, 0.1, true, 1.0));
  CHECK(moment_count(OptimizerKind::sgd) == 0);
  CHECK(moment_count(OptimizerKind::momentum) == 1);
  CHECK(moment_count(OptimizerKind::adamw) == 2);
}

TEST_CASE("a schedule's corners worked out by hand", "[ch10]") {
  ScheduleConfig cfg{.peak = 1, .floor_ratio = 0.1, .warmup = 4, .total = 24, .decay_share = 0.25};
  const auto check = [&](ScheduleKind kind, long step, double want) {
    cfg.kind = kind;
    CAPTURE(int(kind), step);
    CHECK(std::abs(learning_rate(cfg, step) - want) <= 1e-15);
  };
  using enum ScheduleKind;
  for (const ScheduleKind kind : {constant, cosine, linear, wsd}) {
    check(kind, 0, 0.25);
    check(kind, 3, 1);
    check(kind, 23, kind == constant ? 1 : 0.1);
    check(kind, 500, kind == constant ? 1 : 0.1);
  }
  check(constant, 13, 1);
  check(cosine, 13, 0.55);                                   // half of the way down
  check(cosine, 8, 0.1 + 0.9 * 0.5 * (1 + std::sqrt(0.5)));  // a quarter: cos 45°
  check(linear, 8, 0.775);
  check(wsd, 17, 1);     // the last quarter is steps 18 to 23
  check(wsd, 20, 0.55);  // the third of six
}

TEST_CASE("a schedule has no jumps and falls after its warm-up", "[ch10]") {
  const auto kind = GENERATE(ScheduleKind::constant, ScheduleKind::cosine, ScheduleKind::linear,
                             ScheduleKind::wsd);
  const long warmup = GENERATE(0, 100, 900);  // none, usual, cut to half of the run
  const ScheduleConfig cfg{.kind = kind, .peak = 1, .warmup = warmup, .total = 1000};
  CAPTURE(int(kind), warmup);
  const long top = std::min(warmup, 500L);
  for (long step = 1; step < 1100; ++step) {
    const double rise = learning_rate(cfg, step) - learning_rate(cfg, step - 1);
    CHECK(std::abs(rise) <= 0.0101);
    CHECK((step < top ? rise > 0 : rise <= 0));
  }
}

TEST_CASE("a run of unknown length stays at the peak after its warm-up", "[ch10]") {
  const auto kind = GENERATE(ScheduleKind::constant, ScheduleKind::cosine, ScheduleKind::linear,
                             ScheduleKind::wsd);
  const ScheduleConfig cfg{.kind = kind, .peak = 2, .warmup = 10};
  CHECK(std::abs(learning_rate(cfg, 4) - 1) <= 1e-15);
  CHECK(learning_rate(cfg, 9) == 2);
  CHECK(learning_rate(cfg, 1000000) == 2);
}

TEST_CASE("a schedule refuses what makes no sense", "[ch10]") {
  CHECK_THROWS_AS(learning_rate({}, -1), ShapeError);
  CHECK_THROWS_AS(learning_rate({.warmup = -1}, 0), ShapeError);
  CHECK_THROWS_AS(learning_rate({.floor_ratio = 1.5}, 0), ShapeError);
  CHECK_THROWS_AS(learning_rate({.decay_share = kNaN}, 0), ShapeError);
}

TEST_CASE("clipping worked out by hand", "[ch10]") {
  const std::vector<double> g = {3, 0, 0, -4};
  CHECK(sum_of_squares(g.data(), 4) == 25);
  CHECK(sum_of_squares(g.data(), 0) == 0);
  CHECK(clip_scale(5, 1) == 0.2);
  CHECK(clip_scale(5, 5) == 1);
  CHECK(clip_scale(0.5, 1) == 1);
  CHECK(clip_scale(0, 1) == 1);
  CHECK(clip_scale(1e9, 0) == 1);  // no clipping
}

TEST_CASE("clipping is global: it keeps the direction and bounds the length", "[ch10]") {
  Philox rng(12);
  const double size = GENERATE(0.01, 1.0, 100.0);
  const Mat<double> a = random_normal<double>(rng, 3, 5, size),
                    b = random_normal<double>(rng, 1, 70, size);
  const double norm =
      std::sqrt(sum_of_squares(a.data(), a.size()) + sum_of_squares(b.data(), b.size()));
  CHECK(std::abs(norm - std::hypot(a.norm(), b.norm())) <= 1e-12 * norm);
  const double scale = clip_scale(norm, 1.0);  // one factor for both
  CHECK(std::hypot((scale * a).norm(), (scale * b).norm()) <= 1 + 1e-12);
  CHECK((scale == 1) == (norm <= 1));
}

TEST_CASE("a sum of squares has the same bits at every address, and no float overflow", "[ch10]") {
  Philox rng(13);
  const Mat<float> x = random_normal<float>(rng, 1, 1000);
  const double want = sum_of_squares(x.data(), 1000);
  CHECK(std::abs(want - x.cast<double>().squaredNorm()) <= 1e-12 * want);
  std::vector<float> moved(1020);
  for (std::size_t shift = 0; shift < 17; ++shift) {
    std::copy_n(x.data(), 1000, moved.begin() + std::ptrdiff_t(shift));
    CHECK(sum_of_squares(moved.data() + shift, 1000) == want);
  }
  const std::vector<float> huge(3, 1e30f);
  CHECK(std::abs(sum_of_squares(huge.data(), 3) - 3e60) <= 1e54);
}

TEST_CASE("a NaN gradient is not a short gradient", "[ch10]") {
  std::vector<float> g(100, 1e-3f);
  g[GENERATE(0, 50, 99)] = float(kNaN);
  const double norm = std::sqrt(sum_of_squares(g.data(), 100));
  CHECK(std::isnan(norm));
  CHECK(std::isnan(clip_scale(norm, 1.0)));
  CHECK(std::isnan(clip_scale(norm, 0.0)));
  CHECK_THROWS_AS(clip_scale(1.0, kNaN), ShapeError);
  CHECK_THROWS_AS(clip_scale(1.0, -1.0), ShapeError);
}

TEST_CASE("starting weights: GPT-2's and by fan-in", "[ch10]") {
  CHECK(gpt2_init(12).weight == 0.02);
  CHECK(std::abs(gpt2_init(8).residual - 0.005) <= 1e-17);  // √16 = 4
  CHECK(std::abs(fan_in_init(64, 2).weight - 0.125) <= 1e-17);
  CHECK(std::abs(fan_in_init(64, 2).residual - 0.0625) <= 1e-17);
  CHECK_THROWS_AS(gpt2_init(0), ShapeError);
  CHECK_THROWS_AS(fan_in_init(0, 1), ShapeError);
}
