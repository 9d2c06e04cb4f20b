// First the moments alone, then the correction, eps, decay and the clip factor, each in numbers that a
// pencil can follow; then a hundred weights for five steps.
#include "chapters/10_optimizer/exercises/adamw/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

struct Weights {
  RowVec<double> w, m, v;
};

Weights updated(const Answer& answer, const OptimizerConfig& cfg, Weights start,
                const RowVec<double>& gradient, const UpdateStep& at) {
  const RowVec<double>& g = input("g", gradient);
  answer.update(cfg, {start.w.data(), g.data(), start.m.data(), start.v.data(), g.size()}, at);
  return start;
}

RowVec<double> row(std::initializer_list<double> values) {
  RowVec<double> r(Index(values.size()));
  Index i = 0;
  for (const double v : values) r[i++] = v;
  return r;
}

RowVec<double> random_row(Philox& rng, Index n) { return random_normal<double>(rng, 1, n).row(0); }

// β₁ = ¼, β₂ = ¾: after one step the moments are ¾ and ¼ of what they should be
constexpr OptimizerConfig kSimple{.beta1 = 0.25, .beta2 = 0.75, .eps = 0, .weight_decay = 0.5};

}  // namespace

STEP("the first moment") {
  const Weights p = updated(answer, kSimple, {row({1, 1}), row({4, 0}), row({1, 1})}, row({2, -6}),
                            {.step = 1, .lr = 0.1});
  expect_near(p.m, row({2.5, -4.5}), "m from (4, 0), gradient (2, -6), beta1 0.25");
}

STEP("the second moment") {
  const Weights p = updated(answer, kSimple, {row({1, 1}), row({4, 0}), row({8, 0})}, row({2, -6}),
                            {.step = 1, .lr = 0.1});
  expect_near(p.v, row({7, 9}), "v from (8, 0), gradient (2, -6), beta2 0.75");
}

STEP("the first step") {
  // Whatever the gradient's size, the first step is the learning rate: m̂ = g and √v̂ = |g|
  const Weights p = updated(answer, kSimple, {row({1, 1, 1}), row({0, 0, 0}), row({0, 0, 0})},
                            row({2, -6, 0.01}), {.step = 1, .lr = 0.1});
  expect_near(
      p.w, row({0.9, 1.1, 0.9}),
      "w from (1, 1, 1) at t = 1, gradient (2, -6, 0.01), learning rate 0.1, at.decay false");
}

STEP("a later step") {
  // t = 3: m = 4.5, v = 9.5; m̂ = 4.5 / (1 − 1/64) = 32/7, v̂ = 9.5 / (1 − 27/64) = 608/37
  const Weights p = updated(answer, kSimple, {row({5}), row({12}), row({34.0 / 3})}, row({2}),
                            {.step = 3, .lr = 0.5});
  expect_near(p.w, row({5 - 0.5 * (32.0 / 7) / std::sqrt(608.0 / 37)}),
              "w from 5 at t = 3, moments (12, 34/3), gradient 2, at.decay false");
}

STEP("eps") {
  // Large on purpose. v̂ = 4, so the step is 2 / (2 + 2)
  OptimizerConfig cfg = kSimple;
  cfg.eps = 2;
  const Weights p =
      updated(answer, cfg, {row({1}), row({0}), row({0})}, row({2}), {.step = 1, .lr = 0.1});
  expect_near(p.w, row({0.95}), "w from 1 at t = 1, gradient 2, eps 2, learning rate 0.1");
}

STEP("decay") {
  // The gradient's step is 0.1, and the decay is 0.1·0.5·w
  const Weights p = updated(answer, kSimple, {row({2, -4}), row({0, 0}), row({0, 0})}, row({2, 3}),
                            {.step = 1, .lr = 0.1, .decay = true});
  expect_near(p.w, row({1.8, -3.9}), "w from (2, -4), gradient (2, 3), decay 0.5");
  expect_near(p.m, row({1.5, 2.25}), "m of the same step");
  expect_near(p.v, row({1, 2.25}), "v of the same step");
}

STEP("gains and biases do not decay") {
  const Weights p = updated(answer, kSimple, {row({2, -4}), row({0, 0}), row({0, 0})}, row({2, 3}),
                            {.step = 1, .lr = 0.1, .decay = false});
  expect_near(p.w, row({1.9, -4.1}), "w from (2, -4), gradient (2, 3), at.decay is false");
}

STEP("the clip factor") {
  const Weights p = updated(answer, kSimple, {row({2}), row({0}), row({0})}, row({8}),
                            {.step = 1, .lr = 0.1, .gradient_scale = 0.25});
  expect_near(p.m, row({1.5}), "m for gradient 8, at.gradient_scale 0.25");
  expect_near(p.v, row({1}), "v for gradient 8, at.gradient_scale 0.25");
}

STEP("a weight whose gradient is always 0") {
  OptimizerConfig cfg = kSimple;
  cfg.eps = 0.1;
  const Weights p = updated(answer, cfg, {row({3}), row({0}), row({0})}, row({0}),
                            {.step = 2, .lr = 0.1, .decay = true});
  expect_near(p.w, row({2.85}), "w from 3, moments and gradient 0, decay 0.5");
}

STEP("whole result") {
  Philox rng(101);
  const OptimizerConfig cfg{.beta1 = 0.8, .beta2 = 0.9, .eps = 0.05, .weight_decay = 0.2};
  Weights yours{random_row(rng, 100), RowVec<double>::Zero(100), RowVec<double>::Zero(100)};
  Weights book = yours;
  for (long t = 1; t <= 5; ++t) {
    const RowVec<double> g = random_row(rng, 100);
    const UpdateStep at{.step = t, .lr = 0.2, .decay = t != 3, .gradient_scale = 0.7};
    yours = updated(answer, cfg, yours, g, at);
    book = updated(reference, cfg, book, g, at);
  }
  expect_near(yours.m, book.m, "m of 100 random weights after 5 steps");
  expect_near(yours.v, book.v, "v of 100 random weights after 5 steps");
  expect_near(yours.w, book.w, "100 random weights after 5 steps");
}

STEP("a range is a range") {
  // Two updates of a half each are one update of the whole
  Philox rng(102);
  const OptimizerConfig cfg{.beta1 = 0.8, .beta2 = 0.9, .eps = 0.05, .weight_decay = 0.2};
  const RowVec<double>& g = input("g", random_row(rng, 9));
  Weights p{random_row(rng, 9), random_row(rng, 9), random_row(rng, 9).cwiseAbs2()};
  Weights q = p;
  const UpdateStep at{.step = 4, .lr = 0.2, .decay = true};
  answer.update(cfg, {p.w.data(), g.data(), p.m.data(), p.v.data(), 9}, at);
  answer.update(cfg, {q.w.data(), g.data(), q.m.data(), q.v.data(), 4}, at);
  answer.update(cfg, {q.w.data() + 4, g.data() + 4, q.m.data() + 4, q.v.data() + 4, 5}, at);
  expect_near(q.w, p.w, "9 weights in two calls, 4 and 5, beside one call");
}
