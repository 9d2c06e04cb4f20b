// One mechanism a step: the right row, the sum, what Write::set clears, what Write::add keeps; then everything at once.
#include "chapters/04_embedding/exercises/lookup_backward/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

Mat<double> matrix(std::initializer_list<std::initializer_list<double>> values) {
  Mat<double> m(Index(values.size()), Index(values.begin()->size()));
  Index i = 0;
  for (const auto& row : values) {
    Index j = 0;
    for (const double v : row) m(i, j++) = v;
    ++i;
  }
  return m;
}

// dtable after a call in which it started as `before`
const Mat<double>& backward(const Answer& answer, const Mat<double>& dy_values,
                            const std::vector<int>& token_values, const Mat<double>& before,
                            Write write) {
  const Mat<double>& dy = input("dy", dy_values);
  const std::vector<int>& tokens = input("tokens", token_values);
  Mat<double>& dtable = output<Mat<double>>(before.rows(), before.cols());
  dtable = before;
  answer.backward(dy, tokens, dtable, write);
  return dtable;
}

struct Random {
  Mat<double> dy, before;
  std::vector<int> tokens;
};

// 12 places, 5 rows: some tokens stand there often, token 4 never
Random random_case(unsigned seed) {
  Philox rng(seed);
  return {random_normal<double>(rng, 12, 3),
          random_normal<double>(rng, 5, 3),
          {1, 0, 1, 3, 3, 1, 2, 0, 1, 3, 1, 1}};
}

// oneᵀ·dy, where one[n] is 1 at tokens[n]
Mat<double> by_one_hot(const Random& r) {
  Mat<double> one = Mat<double>::Zero(r.dy.rows(), r.before.rows());
  for (Index n = 0; n < one.rows(); ++n) one(n, r.tokens[std::size_t(n)]) = 1;
  return one.transpose() * r.dy;
}

}  // namespace

STEP("each row to its token") {
  expect_near(backward(answer, matrix({{1, 2}, {3, 4}, {5, 6}}), {2, 0, 1}, Mat<double>::Zero(3, 2),
                       Write::add),
              matrix({{3, 4}, {5, 6}, {1, 2}}),
              "tokens (2, 0, 1), dy rows (1, 2), (3, 4), (5, 6), added to a table of zeros");
}

STEP("a repeated token") {
  expect_near(backward(answer, matrix({{1, 2}, {10, 20}, {100, 200}}), {1, 0, 1},
                       Mat<double>::Zero(2, 2), Write::add),
              matrix({{10, 20}, {101, 202}}),
              "tokens (1, 0, 1), dy rows (1, 2), (10, 20), (100, 200), added to a table of zeros");
}

STEP("set: nothing is left of before") {
  expect_near(backward(answer, matrix({{1, 2}}), {1}, Mat<double>::Constant(3, 2, 7), Write::set),
              matrix({{0, 0}, {1, 2}, {0, 0}}),
              "Write::set into a table full of 7, token 1, dy row (1, 2)");
}

STEP("set: a repeated token") {
  expect_near(backward(answer, matrix({{1, 2}, {10, 20}}), {1, 1}, Mat<double>::Constant(2, 2, 7),
                       Write::set),
              matrix({{0, 0}, {11, 22}}),
              "Write::set into a table full of 7, tokens (1, 1), dy rows (1, 2), (10, 20)");
}

STEP("add: another gradient is there") {
  expect_near(backward(answer, matrix({{1, 2}}), {1}, matrix({{3, 4}, {5, 6}, {7, 8}}), Write::add),
              matrix({{3, 4}, {6, 8}, {7, 8}}),
              "Write::add to rows (3, 4), (5, 6), (7, 8), token 1, dy row (1, 2)");
}

STEP("whole result") {
  const Random r = random_case(41);
  expect_near(backward(answer, r.dy, r.tokens, r.before, Write::set), by_one_hot(r),
              "Write::set, 12 random rows, 5 tokens");
  expect_near(backward(answer, r.dy, r.tokens, r.before, Write::add), r.before + by_one_hot(r),
              "Write::add, 12 random rows, 5 tokens");
}

STEP("no tokens") {
  expect_near(backward(answer, Mat<double>(0, 2), {}, Mat<double>::Constant(2, 2, 7), Write::set),
              Mat<double>::Zero(2, 2), "Write::set into a table full of 7, a text of no tokens");
}

STEP("gradient") {
  const Random r = random_case(42);
  const Mat<double>& dtable = backward(answer, r.dy, r.tokens, r.before, Write::set);
  Philox rng(43);
  const GradientCheck check = check_gradient(rng, r.before, dtable, [&](const Mat<double>& table) {
    Mat<double> y(r.dy.rows(), r.dy.cols());
    embedding_forward<double>(table, r.tokens, y);
    return project(r.dy, y);
  });
  expect_near(check.analytic, check.numeric, "the slope along a random change of the table", 1e-6);
}
