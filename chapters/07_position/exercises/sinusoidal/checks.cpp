// One mechanism a step: position 0, the first pair, the frequencies, an odd width; then a table, and what a shift does.
#include <cmath>

#include "chapters/07_position/exercises/sinusoidal/answer.h"
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

STEP("position 0") {
  expect_near(answer.table(1, 4), rows({{0, 1, 0, 1}}), "position 0 of 4 columns");
}

STEP("the first pair") {
  expect_near(answer.table(3, 2),
              rows({{0, 1}, {std::sin(1.0), std::cos(1.0)}, {std::sin(2.0), std::cos(2.0)}}),
              "positions 0, 1, 2 of 2 columns: angles 0, 1, 2");
}

STEP("later pairs turn slower") {
  // 10000^(−2/8) = 0.1, and so on
  expect_near(answer.table(2, 8).row(1),
              rows({{std::sin(1.0), std::cos(1.0), std::sin(0.1), std::cos(0.1), std::sin(0.01),
                     std::cos(0.01), std::sin(0.001), std::cos(0.001)}}),
              "position 1 of 8 columns: angles 1, 0.1, 0.01, 0.001");
}

STEP("an odd width") {
  // The last sine is alone
  const double angle = std::pow(10000.0, -2.0 / 3);
  expect_near(answer.table(2, 3).row(1), rows({{std::sin(1.0), std::cos(1.0), std::sin(angle)}}),
              "position 1 of 3 columns");
}

STEP("whole result") {
  expect_near(answer.table(50, 14), reference.table(50, 14), "50 positions of 14 columns");
}

STEP("a shift turns each pair") {
  // sin(t + 5) from sin t and cos t: position t + 5 is position t, turned by an angle that does not depend on t
  const Mat<double> table = answer.table(20, 8);
  std::vector<double> yours, want;
  for (Index i = 0; i < 4; ++i) {
    const double angle = 5 * std::pow(10.0, -double(i));
    yours.push_back(table(12, 2 * i));
    want.push_back(table(7, 2 * i) * std::cos(angle) + table(7, 2 * i + 1) * std::sin(angle));
  }
  expect_near(yours, want, "the sines of position 12, from those of position 7 turned by 5 steps");
}
