// One mechanism a step: one short row, share, more scores than threads, large scores, a row that does not count; then many.
#include <cmath>

#include "chapters/05_softmax/exercises/cross_entropy_fused/answer.h"
#include "tools/learn/check_cuda.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

constexpr int kNoTarget = -1;

void expect_loss(const Answer& answer, const std::vector<float>& scores,
                 const std::vector<int>& targets, float share, const std::string& what) {
  // By hand, in double
  const auto N = targets.size(), V = scores.size() / N;
  std::vector<float> losses(N, 0), gradient(N * V, 0);
  for (std::size_t n = 0; n < N; ++n) {
    if (targets[n] == kNoTarget) continue;
    const float* row = &scores[n * V];
    double largest = -INFINITY, sum = 0;
    for (std::size_t i = 0; i < V; ++i) largest = std::max(largest, double(row[i]));
    for (std::size_t i = 0; i < V; ++i) sum += std::exp(row[i] - largest);
    losses[n] = float(largest + std::log(sum) - row[targets[n]]);
    for (std::size_t i = 0; i < V; ++i) {
      const double truth = int(i) == targets[n] ? 1 : 0;
      gradient[n * V + i] = float(share * (std::exp(row[i] - largest) / sum - truth));
    }
  }

  DeviceOutput<>& x = device_output("x", scores);
  DeviceOutput<>& loss = device_output("loss", N);
  answer.rows(x.data(), device_input("targets", targets), share, loss.data(), int(N), int(V));
  expect_near(loss.values(), losses, "loss of " + what);
  expect_near(Values::matrix(x.values(), long(N), long(V)),
              Values::matrix(gradient, long(N), long(V)), "gradient of " + what);
}

}  // namespace

STEP("a short row") {
  // Probabilities 1/4, 3/4
  expect_loss(answer, {0, std::log(3.0f)}, {0}, 1, "the row (0, log 3), target 0, share 1");
}

STEP("share") {
  expect_loss(answer, {0, std::log(3.0f)}, {0}, 0.125f, "the row (0, log 3), target 0, share 1/8");
}

STEP("two rows") {
  expect_loss(answer, {0, std::log(3.0f), 2, 2}, {0, 1}, 0.5f,
              "the rows (0, log 3), (2, 2), targets 0 and 1, share 1/2");
}

STEP("more scores than threads") {
  expect_loss(answer, random_floats(1, 300, 2), {200}, 1, "300 random scores, target 200, share 1");
}

STEP("large scores") {
  expect_loss(answer, {100, 99, 98, -100}, {1}, 1,
              "the row (100, 99, 98, -100), target 1, share 1");
}

STEP("a row that does not count") {
  expect_loss(answer, {1, 2, 3, 4, 6, 5}, {2, kNoTarget}, 0.5f,
              "the rows (1, 2, 3), (4, 6, 5), targets 2 and kIgnored, share 1/2");
}

STEP("many rows") {
  expect_loss(answer, random_floats(2, 5 * 150, 2), {149, 0, kNoTarget, 77, 130}, 0.25f,
              "5 random rows of 150, the third ignored, share 1/4");
}
