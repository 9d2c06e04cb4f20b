// One mechanism a step: one score, the mask, one tile, edges of T and K, several rounds; then a ragged head.
#include <cmath>

#include "chapters/06_attention/exercises/scores/answer.h"
#include "tools/learn/check_cuda.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

Values by_hand(const std::vector<float>& q, const std::vector<float>& k, float scale, int T,
               int K) {
  std::vector<float> scores(std::size_t(T * T), -INFINITY);
  for (int t = 0; t < T; ++t) {
    for (int s = 0; s <= t; ++s) {
      double sum = 0;
      for (int i = 0; i < K; ++i) {
        sum += double(q[std::size_t(t * K + i)]) * double(k[std::size_t(s * K + i)]);
      }
      scores[std::size_t(t * T + s)] = float(double(scale) * sum);
    }
  }
  return Values::matrix(scores, T, T);
}

void expect_scores(const Answer& answer, const std::vector<float>& q_values,
                   const std::vector<float>& k_values, float scale, int T, int K,
                   std::string_view what) {
  const float* q = device_input("q", q_values);
  const float* k = device_input("k", k_values);
  DeviceOutput<>& scores = device_output("scores", std::size_t(T * T));
  answer.scores(q, k, scores.data(), scale, T, K);
  expect_near(Values::matrix(scores.values(), T, T), by_hand(q_values, k_values, scale, T, K),
              what);
}

void expect_random(const Answer& answer, unsigned seed, float scale, int T, int K,
                   std::string_view what) {
  const auto n = std::size_t(T * K);
  expect_scores(answer, random_floats(seed, n), random_floats(seed + 1, n), scale, T, K, what);
}

}  // namespace

STEP("one score") {
  expect_scores(answer, {1, 2, 3}, {4, 5, 6}, 1, 1, 3, "query (1, 2, 3), key (4, 5, 6), scale 1");
}

STEP("scale") {
  expect_scores(answer, {1, 2, 3}, {4, 5, 6}, 0.25f, 1, 3,
                "query (1, 2, 3), key (4, 5, 6), scale 1/4");
}

STEP("rows are queries, later keys are hidden") {
  // 16 features, of which only the first two are not 0: no edge of a tile matters here
  std::vector<float> q(32, 0), k(32, 0);
  q[0] = 1, q[17] = 10;                      // (1, 0, 0, …), (0, 10, 0, …)
  k[0] = 1, k[1] = 2, k[16] = 3, k[17] = 4;  // (1, 2, 0, …), (3, 4, 0, …)
  expect_scores(answer, q, k, 1, 2, 16,
                "queries (1, 0, 0, …), (0, 10, 0, …), keys (1, 2, 0, …), (3, 4, 0, …), scale 1");
}

STEP("one tile") { expect_random(answer, 1, 0.5f, 16, 16, "16 random queries and keys of 16"); }

STEP("several rounds") {
  expect_random(answer, 3, 0.5f, 16, 48, "16 random queries and keys of 48");
}

STEP("features that do not fill a tile") {
  expect_random(answer, 5, 0.5f, 16, 21, "16 random queries and keys of 21");
}

STEP("queries that do not fill a tile") {
  expect_random(answer, 7, 0.5f, 9, 16, "9 random queries and keys of 16");
}

STEP("a ragged head") {
  expect_random(answer, 9, 0.3f, 37, 20, "37 random queries and keys of 20, scale 0.3");
}
