// One mechanism a step: one row, the mean, dloss, rows that do not count; then everything, and the slope of the loss.
#include <cmath>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/05_softmax/exercises/cross_entropy_backward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

// What the forward pass leaves; 0 for a row whose target is ignored
ColVec<double> log_sums(const Mat<double>& logits, const std::vector<int>& targets) {
  ColVec<double> sums = logits.array().exp().rowwise().sum().log().matrix();
  for (Index n = 0; n < sums.size(); ++n) {
    if (targets[std::size_t(n)] == kIgnored) sums[n] = 0;
  }
  return sums;
}

Mat<double>& run(const Answer& answer, double dloss, const Mat<double>& logits,
                 const std::vector<int>& targets, double count) {
  const ColVec<double>& log_sum = input("log_sum", log_sums(logits, targets));
  Mat<double>& dlogits = output<Mat<double>>(logits.rows(), logits.cols());
  answer.backward(dloss, logits, input("targets", targets), count, log_sum, dlogits);
  return dlogits;
}

Mat<double> rows(std::initializer_list<std::initializer_list<double>> values) {
  Mat<double> m(Index(values.size()), Index(values.begin()->size()));
  Index i = 0;
  for (const auto& row : values) {
    Index j = 0;
    for (const double v : row) m(i, j++) = v;
    ++i;
  }
  return m;
}

}  // namespace

STEP("said minus true") {
  // Probabilities 1/2, 1/4, 1/4
  const Mat<double>& logits =
      input("logits", rows({{std::log(6.0), std::log(3.0), std::log(3.0)}}));
  expect_near(run(answer, 1, logits, {1}, 1), rows({{0.5, -0.75, 0.25}}),
              "one row with the probabilities (1/2, 1/4, 1/4), target 1, count 1");
}

STEP("a mean") {
  // One row is here, of a batch that has eight targets
  const Mat<double>& logits = input("logits", rows({{std::log(3.0), 0}}));
  expect_near(run(answer, 1, logits, {1}, 8), rows({{0.75 / 8, -0.75 / 8}}),
              "one row with the probabilities (3/4, 1/4), target 1, count 8");
}

STEP("each row has its target") {
  const double a = std::log(3.0);
  const Mat<double>& logits = input("logits", rows({{a, 0}, {a, 0}}));
  expect_near(run(answer, 1, logits, {1, 0}, 2), rows({{0.375, -0.375}, {-0.125, 0.125}}),
              "two rows with the probabilities (3/4, 1/4), targets 1 and 0, count 2");
}

STEP("the gradient that arrives") {
  const Mat<double>& logits = input("logits", rows({{std::log(3.0), 0}}));
  expect_near(run(answer, 10, logits, {0}, 1), rows({{-2.5, 2.5}}),
              "probabilities (3/4, 1/4), target 0, count 1, dloss 10");
}

STEP("a row that does not count") {
  const Mat<double>& logits = input("logits", rows({{std::log(3.0), 0}, {-2, 1}}));
  expect_near(run(answer, 1, logits, {0, kIgnored}, 1), rows({{-0.25, 0.25}, {0, 0}}),
              "two rows, targets 0 and kIgnored, count 1");
}

STEP("large scores") {
  const Mat<double>& logits = input("logits", rows({{-3000, -2990}}));
  const double p = 1 / (1 + std::exp(-10.0));
  const ColVec<double>& log_sum = input("log_sum", ColVec<double>(rows({{-2990 - std::log(p)}})));
  Mat<double>& dlogits = output<Mat<double>>(1, 2);
  answer.backward(1, logits, input("targets", std::vector<int>{0}), 1, log_sum, dlogits);
  expect_near(dlogits, rows({{-p, p}}), "logits (-3000, -2990), target 0, count 1");
}

STEP("whole result") {
  Philox rng(52);
  const Mat<double>& logits = input("logits", Mat<double>(2 * random_normal<double>(rng, 6, 9)));
  const std::vector<int> targets{3, kIgnored, 0, 8, kIgnored, 3};
  expect_near(run(answer, 1.5, logits, targets, 4), run(reference, 1.5, logits, targets, 4),
              "6 random rows of 9, two ignored, count 4, dloss 1.5");
}

STEP("a row adds up to 0") {
  // A number added to all scores of a row changes no probability
  Philox rng(53);
  const Mat<double>& logits = input("logits", random_normal<double>(rng, 3, 5));
  const ColVec<double> sums = run(answer, 2, logits, {4, 0, 2}, 3).rowwise().sum();
  expect_near(sums, ColVec<double>::Zero(3), "the sums of 3 random rows");
}

STEP("the slope of the loss") {
  Philox rng(54);
  const Mat<double> logits = random_normal<double>(rng, 4, 7);
  const std::vector<int> targets{6, 0, kIgnored, 2};
  const auto loss = [&](const Mat<double>& x) {
    ColVec<double> row_loss(4), log_sum(4);
    return 2.5 * cross_entropy_forward<double>(x, targets, 3, row_loss, log_sum);
  };
  const GradientCheck check =
      check_gradient(rng, logits, run(answer, 2.5, logits, targets, 3), loss);
  expect_near(check.analytic, check.numeric,
              "the loss's slope along a random direction, 4 rows of 7, dloss 2.5", 1e-7);
}
