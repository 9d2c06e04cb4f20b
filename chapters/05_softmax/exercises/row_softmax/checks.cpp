// One mechanism a step: a row that one round covers, the tree, several rounds, large scores; then many rows.
#include <cmath>

#include "chapters/05_softmax/exercises/row_softmax/answer.h"
#include "tools/learn/check_cuda.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

Values softmax(const std::vector<float>& x, int N, int M) {
  std::vector<float> y(x.size());
  for (int n = 0; n < N; ++n) {
    double largest = -INFINITY, sum = 0;
    for (int i = 0; i < M; ++i) largest = std::max(largest, double(x[std::size_t(n * M + i)]));
    for (int i = 0; i < M; ++i) sum += std::exp(x[std::size_t(n * M + i)] - largest);
    for (int i = 0; i < M; ++i) {
      y[std::size_t(n * M + i)] = float(std::exp(x[std::size_t(n * M + i)] - largest) / sum);
    }
  }
  return Values::matrix(y, N, M);
}

void expect_softmax(const Answer& answer, const std::vector<float>& values, int N, int M,
                    std::string_view what) {
  const float* x = device_input("x", values);
  DeviceOutput<>& y = device_output("y", values.size());
  answer.softmax(x, y.data(), N, M);
  expect_near(Values::matrix(y.values(), N, M), softmax(values, N, M), what);
}

}  // namespace

STEP("three equal scores") { expect_softmax(answer, {1, 1, 1}, 1, 3, "row (1, 1, 1)"); }

STEP("a row for every thread") {
  expect_softmax(answer, random_floats(1, 128), 1, 128, "128 random scores");
}

STEP("more scores than threads") {
  expect_softmax(answer, random_floats(2, 300, 3), 1, 300, "300 random scores");
}

STEP("large scores") {
  expect_softmax(answer, {1000, 999, 998, -1000}, 1, 4, "row (1000, 999, 998, -1000)");
}

STEP("many rows") {
  expect_softmax(answer, random_floats(3, 5 * 200, 2), 5, 200, "5 random rows of 200");
}
