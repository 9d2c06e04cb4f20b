// One mechanism a step: a mean; rows of a head stay apart; neighbours; then everything, and what pooling must not change.
#include "chapters/15_gqa/exercises/mean_pool/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

Mat<double> column(std::initializer_list<double> values) {
  Mat<double> m(Index(values.size()), 1);
  std::copy(values.begin(), values.end(), m.data());
  return m;
}

Mat<double>& pool(const Answer& answer, const Mat<double>& w, Index H, Index G) {
  Mat<double>& pooled = output<Mat<double>>(w.rows() / H * G, w.cols());
  answer.pool(input("w", w), H, G, pooled);
  return pooled;
}

}  // namespace

STEP("three heads become one") {
  expect_near(pool(answer, column({1, 2, 6}), 3, 1), column({3}),
              "heads of one row, (1), (2), (6), H = 3, G = 1");
}

STEP("the rows of a head stay apart") {
  expect_near(pool(answer, column({1, 10, 100, 3, 30, 300}), 2, 1), column({2, 20, 200}),
              "heads of three rows, (1, 10, 100) and (3, 30, 300), H = 2, G = 1");
}

STEP("neighbours are pooled") {
  expect_near(pool(answer, column({1, 2, 3, 30, 40, 50}), 6, 2), column({2, 40}),
              "heads of one row, (1), (2), (3), (30), (40), (50), H = 6, G = 2");
}

STEP("as many groups as heads") {
  expect_near(pool(answer, column({1, 2, 3, 4}), 2, 2), column({1, 2, 3, 4}),
              "heads (1, 2) and (3, 4), H = 2, G = 2");
}

STEP("whole result") {
  for (const Index G : {1, 2, 3, 6}) {
    Philox rng(15, std::uint64_t(G));
    const Mat<double> w = random_normal<double>(rng, 6 * 4, 5);
    expect_near(pool(answer, w, 6, G), pool(reference, w, 6, G),
                "w (24, 5), H = 6, K = 4, G = " + std::to_string(G));
  }
}

STEP("equal heads stay what they are") {
  Philox rng(16);
  const Mat<double> small = random_normal<double>(rng, 2 * 3, 4);  // 2 heads of 3 rows
  Mat<double> wide(6 * 3, 4);
  for (Index h = 0; h < 6; ++h) wide.middleRows(h * 3, 3) = small.middleRows(h / 3 * 3, 3);
  expect_near(pool(answer, wide, 6, 2), small, "2 random heads, each repeated 3 times, pooled");
}

STEP("groups that do not fit") {
  expect_throws<ShapeError>([&] { pool(answer, Mat<double>::Zero(6, 2), 3, 2); },
                            "3 heads in 2 groups must throw ShapeError");
}
