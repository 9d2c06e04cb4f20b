// The factor alone; then one tensor, two, and the cases in which nothing may happen; then a random model.
#include "chapters/10_optimizer/exercises/clip/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Tensors = std::vector<std::vector<double>>;

// The gradients after clipping, one after the other, and the norm that was returned
struct Clipped {
  std::vector<double> numbers;
  double norm;
};

Clipped clipped(const Answer& answer, Tensors gradients, double max_norm) {
  std::vector<std::span<double>> spans;
  for (std::vector<double>& g : gradients) spans.emplace_back(g);
  Clipped result;
  result.norm = answer.clip(spans, max_norm);
  for (const std::vector<double>& g : gradients) {
    result.numbers.insert(result.numbers.end(), g.begin(), g.end());
  }
  return result;
}

std::vector<double> numbers(std::initializer_list<double> values) { return values; }

}  // namespace

STEP("the factor of a long gradient") {
  expect_near(answer.scale(5, 1), 0.2, "factor for norm 5, max_norm 1");
  expect_near(answer.scale(8, 2), 0.25, "factor for norm 8, max_norm 2");
}

STEP("the factor of a short gradient") {
  expect_near(answer.scale(0.5, 2), 1, "factor for norm 0.5, max_norm 2");
  expect_near(answer.scale(0, 2), 1, "factor for norm 0, max_norm 2");
}

STEP("no clipping") {
  expect_near(answer.scale(1000, 0), 1,
              "factor for norm 1000, max_norm 0, which means: do not clip");
}

STEP("a broken gradient") {
  // It must not pass for a short one
  const double nan = std::nan("");
  expect_true(std::isnan(answer.scale(nan, 1)), "the factor for a norm of NaN is NaN");
  expect_true(std::isnan(answer.scale(nan, 0)),
              "the factor for a norm of NaN is NaN, max_norm 0 too");
}

STEP("one tensor") {
  const Clipped c = clipped(answer, {{3, -4}}, 2);
  expect_near(c.numbers, numbers({1.2, -1.6}), "gradient (3, -4), max_norm 2");
  expect_near(c.norm, 5.0, "the norm of (3, -4), returned");
}

STEP("two tensors") {
  const Clipped c = clipped(answer, {{3}, {0, 4}}, 2);
  expect_near(c.numbers, numbers({1.2, 0, 1.6}),
              "tensors (3) and (0, 4), whose norm together is 5, max_norm 2");
  expect_near(c.norm, 5.0, "the norm of (3) and (0, 4) together, returned");
}

STEP("a short tensor beside a long one") {
  const Clipped c = clipped(answer, {{0.25, 0.5}, {20, -40}, {1}}, 1);
  const double norm = std::sqrt(0.0625 + 0.25 + 400 + 1600 + 1);
  expect_near(c.numbers, numbers({0.25 / norm, 0.5 / norm, 20 / norm, -40 / norm, 1 / norm}),
              "tensors (0.25, 0.5), (20, -40) and (1), max_norm 1");
}

STEP("a short gradient stays") {
  const Clipped c = clipped(answer, {{0.3}, {0.4, 0}}, 2);
  expect_near(c.numbers, numbers({0.3, 0.4, 0}), "tensors (0.3) and (0.4, 0), max_norm 2");
  expect_near(c.norm, 0.5, "the norm of (0.3) and (0.4, 0) together, returned");
}

STEP("whole result") {
  Philox rng(103);
  Tensors gradients;
  for (const std::size_t n : {7, 1, 30, 12}) {
    gradients.emplace_back();
    for (std::size_t i = 0; i < n; ++i) gradients.back().push_back(double(n) * rng.normal());
  }
  const Clipped c = clipped(answer, gradients, 1.5), book = clipped(reference, gradients, 1.5);
  expect_near(c.numbers, book.numbers, "four random tensors, max_norm 1.5");
  expect_near(c.norm, book.norm, "the norm of four random tensors, returned");
  double square = 0;
  for (const double g : c.numbers) square += g * g;
  expect_near(std::sqrt(square), 1.5, "the norm of four random tensors after clipping");
}

STEP("a max_norm that cannot be") {
  expect_throws<ShapeError>([&] { (void)answer.scale(1, -1); },
                            "a max_norm of −1 must throw ShapeError");
}
