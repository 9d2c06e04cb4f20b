// One mechanism a step: eight heads by hand, other powers of two, what goes between; then the bias by distance.
#include <cmath>

#include "chapters/07_position/exercises/alibi/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

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

STEP("eight heads") {
  expect_near(
      answer.slopes(8),
      std::vector<double>{1. / 2, 1. / 4, 1. / 8, 1. / 16, 1. / 32, 1. / 64, 1. / 128, 1. / 256},
      "the slopes of 8 heads");
}

STEP("other powers of two") {
  expect_near(answer.slopes(4), std::vector<double>{1. / 4, 1. / 16, 1. / 64, 1. / 256},
              "the slopes of 4 heads");
  expect_near(answer.slopes(1), std::vector<double>{1. / 256}, "the slope of a single head");
  const double r = std::sqrt(0.5);
  expect_near(answer.slopes(16),
              std::vector<double>{r, 1. / 2, r / 2, 1. / 4, r / 4, 1. / 8, r / 8, 1. / 16, r / 16,
                                  1. / 32, r / 32, 1. / 64, r / 64, 1. / 128, r / 128, 1. / 256},
              "the slopes of 16 heads");
}

STEP("heads between") {
  expect_near(answer.slopes(6),
              std::vector<double>{1. / 4, 1. / 16, 1. / 64, 1. / 256, 1. / 2, 1. / 8},
              "the slopes of 6 heads: those of 4, then two of those of 8");
  expect_near(answer.slopes(3), std::vector<double>{1. / 16, 1. / 256, 1. / 4},
              "the slopes of 3 heads: those of 2, then one of those of 4");
}

STEP("far keys are liked less") {
  expect_near(answer.bias(2, 3),
              rows({{-2. / 16, -1. / 16, 0, -1. / 16, -2. / 16},
                    {-2. / 256, -1. / 256, 0, -1. / 256, -2. / 256}}),
              "the bias of 2 heads for T = 3: offsets -2, -1, 0, 1, 2");
}

STEP("a single token") {
  expect_near(answer.bias(2, 1), rows({{0}, {0}}), "the bias of 2 heads for T = 1: offset 0");
}

STEP("whole result") {
  expect_near(answer.bias(12, 9), reference.bias(12, 9), "the bias of 12 heads for T = 9");
}
