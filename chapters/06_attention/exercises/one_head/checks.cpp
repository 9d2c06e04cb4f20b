// One mechanism a step: the mean, the products, the scale, the mask, the bias, large logits; then whole heads.
#include <cmath>

#include "chapters/01_tensor/random.h"
#include "chapters/06_attention/exercises/one_head/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

struct Result {
  Mat<double>& out;
  Mat<double>& probs;
};

Result run(const Answer& answer, const Mat<double>& q, const Mat<double>& k, const Mat<double>& v,
           const RowVec<double>& bias, Mask mask, double scale) {
  const Result r{output<Mat<double>>(q.rows(), v.cols()), output<Mat<double>>(q.rows(), q.rows())};
  answer.forward(q, k, v, bias, mask, scale, r.out, r.probs);
  return r;
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

const RowVec<double> kNone;  // no bias

void expect_whole(const Answer& answer, const Answer& reference, Index L, Mask mask, bool biased,
                  const std::string& what) {
  Philox rng(61);
  const Mat<double>& q = input("q", random_normal<double>(rng, L, 6));
  const Mat<double>& k = input("k", random_normal<double>(rng, L, 6));
  const Mat<double>& v = input("v", random_normal<double>(rng, L, 6));
  const Mat<double> random = random_normal<double>(rng, 1, 2 * L - 1);
  const RowVec<double>& bias = input("bias", biased ? RowVec<double>(random.row(0)) : kNone);
  const Result yours = run(answer, q, k, v, bias, mask, 0.4);
  const Result book = run(reference, q, k, v, bias, mask, 0.4);
  expect_near(yours.probs, book.probs, "probs of " + what);
  expect_near(yours.out, book.out, "out of " + what);
}

}  // namespace

STEP("nothing to choose by: the mean") {
  // Queries of zeros find all keys alike
  const Mat<double>& q = input("q", rows({{0, 0}, {0, 0}, {0, 0}}));
  const Mat<double>& k = input("k", rows({{1, 2}, {3, -1}, {0, 5}}));
  const Mat<double>& v = input("v", rows({{3, 0}, {6, 3}, {0, 9}}));
  const Result r = run(answer, q, k, v, kNone, Mask::full(), 1);
  const double third = 1.0 / 3;
  expect_near(r.probs, rows({{third, third, third}, {third, third, third}, {third, third, third}}),
              "probs of queries (0, 0) and three keys, full mask");
  expect_near(r.out, rows({{3, 4}, {3, 4}, {3, 4}}),
              "out for values (3, 0), (6, 3), (0, 9), all weights 1/3");
}

STEP("a query meets its keys") {
  // Logits log 3 and 0 for the first query, 0 and log 9 for the second
  const double a = std::log(3.0);
  const Mat<double>& q = input("q", rows({{1, 0}, {0, 1}}));
  const Mat<double>& k = input("k", rows({{a, 0}, {0, 2 * a}}));
  const Mat<double>& v = input("v", rows({{4, 0}, {0, 20}}));
  const Result r = run(answer, q, k, v, kNone, Mask::full(), 1);
  expect_near(r.probs, rows({{0.75, 0.25}, {0.1, 0.9}}),
              "probs for the logits (log 3, 0) and (0, log 9), full mask, scale 1");
  expect_near(r.out, rows({{3, 5}, {0.4, 18}}),
              "out for values (4, 0), (0, 20) and weights (0.75, 0.25), (0.1, 0.9)");
}

STEP("rows are queries, columns are keys") {
  const double a = std::log(3.0);
  const Mat<double>& q = input("q", rows({{0, 0}, {1, 1}}));
  const Mat<double>& k = input("k", rows({{a, 0}, {0, 0}}));
  const Mat<double>& v = input("v", rows({{4, 0}, {0, 8}}));
  const Result r = run(answer, q, k, v, kNone, Mask::full(), 1);
  expect_near(r.probs, rows({{0.5, 0.5}, {0.75, 0.25}}),
              "probs of the queries (0, 0), (1, 1) and the keys (log 3, 0), (0, 0)");
  expect_near(r.out, rows({{2, 4}, {3, 2}}), "out for values (4, 0), (0, 8)");
}

STEP("scale") {
  const double a = std::log(3.0);
  const Mat<double>& q = input("q", rows({{1, 0}, {0, 1}}));
  const Mat<double>& k = input("k", rows({{4 * a, 0}, {0, 8 * a}}));
  const Mat<double>& v = input("v", rows({{4, 0}, {0, 20}}));
  expect_near(run(answer, q, k, v, kNone, Mask::full(), 0.25).probs,
              rows({{0.75, 0.25}, {0.1, 0.9}}),
              "probs for the products (4·log 3, 0) and (0, 8·log 3), scale 1/4");
}

STEP("causal mask") {
  // All products 0.7: the visible keys share alike
  const double third = 1.0 / 3;
  const Mat<double>& q = input("q", rows({{1, 0}, {1, 0}, {1, 0}}));
  const Mat<double>& k = input("k", rows({{0.7, 3}, {0.7, 1}, {0.7, 2}}));
  const Mat<double>& v = input("v", rows({{6, 0}, {0, 2}, {3, 4}}));
  const Result r = run(answer, q, k, v, kNone, Mask::causal(), 1);
  expect_near(r.probs, rows({{1, 0, 0}, {0.5, 0.5, 0}, {third, third, third}}),
              "probs of three queries that like all keys alike, causal mask");
  expect_near(r.out, rows({{6, 0}, {3, 1}, {3, 2}}), "out of the same, causal mask");
}

STEP("other masks") {
  const Mat<double>& q = input("q", rows({{1, 0}, {1, 0}, {1, 0}, {1, 0}}));
  const Mat<double>& k = input("k", rows({{0.7, 3}, {0.7, 1}, {0.7, 2}, {0.7, 4}}));
  const Mat<double>& v = input("v", rows({{6, 0}, {0, 2}, {3, 4}, {1, 1}}));
  const double third = 1.0 / 3;
  expect_near(
      run(answer, q, k, v, kNone, Mask::prefix(2), 1).probs,
      rows(
          {{0.5, 0.5, 0, 0}, {0.5, 0.5, 0, 0}, {third, third, third, 0}, {0.25, 0.25, 0.25, 0.25}}),
      "probs of four queries that like all keys alike, prefix mask of 2");
  expect_near(run(answer, q, k, v, kNone, Mask::padding(3), 1).probs,
              rows({{third, third, third, 0},
                    {third, third, third, 0},
                    {third, third, third, 0},
                    {third, third, third, 0}}),
              "probs of four queries that like all keys alike, padding mask of 3");
}

STEP("bias by offset") {
  // T = 2: the bias of offsets −1, 0, 1
  const double a = std::log(3.0);
  const Mat<double>& q = input("q", rows({{0, 0}, {0, 0}}));
  const Mat<double>& v = input("v", rows({{4, 0}, {0, 20}}));
  const RowVec<double>& bias = input("bias", RowVec<double>(rows({{2 * a, 0, a}}).row(0)));
  expect_near(
      run(answer, q, input("k", rows({{1, 2}, {3, 4}})), v, bias, Mask::full(), 0.5).probs,
      rows({{0.25, 0.75}, {0.9, 0.1}}),
      "probs of queries (0, 0), bias (log 9, 0, log 3) for the offsets −1, 0, 1, scale 1/2");
}

STEP("large logits") {
  const Mat<double>& q = input("q", rows({{1, 0}, {0, -1}}));
  const Mat<double>& k = input("k", rows({{2000, 0}, {1990, 3000}}));
  const Mat<double>& v = input("v", rows({{1, 0}, {0, 1}}));
  const double far = std::exp(-10.0) / (1 + std::exp(-10.0));
  expect_near(run(answer, q, k, v, kNone, Mask::full(), 1).probs, rows({{1 - far, far}, {1, 0}}),
              "probs for the logits (2000, 1990) and (0, -3000)");
  // The other way round: a largest that is not this row's own leaves nothing of it
  const Mat<double>& back = input("q", rows({{0, -1}, {1, 0}}));
  expect_near(run(answer, back, k, v, kNone, Mask::full(), 1).probs, rows({{1, 0}, {1 - far, far}}),
              "probs for the logits (0, -3000) and (2000, 1990)");
}

STEP("a whole head") {
  expect_whole(answer, reference, 9, Mask::causal(), true, "9 random queries, causal, with a bias");
  expect_whole(answer, reference, 7, Mask::full(), false, "7 random queries, full");
}

STEP("more queries than a block") {
  // 32 queries go at once: the second block starts at t0 = 32
  expect_whole(answer, reference, 45, Mask::causal(), true,
               "45 random queries (a second block from t0 = 32), causal, with a bias");
  expect_whole(answer, reference, 45, Mask::padding(40), false,
               "45 random queries (a second block from t0 = 32), padding of 40");
}

STEP("the past does not know the future") {
  Philox rng(62);
  const Mat<double>& q = input("q", random_normal<double>(rng, 6, 4));
  const Mat<double>& k = input("k", random_normal<double>(rng, 6, 4));
  const Mat<double>& v = input("v", random_normal<double>(rng, 6, 4));
  Mat<double> later_k = k, later_v = v;
  later_k.bottomRows(2) *= -3;
  later_v.bottomRows(2) *= -3;
  const Mat<double> before = run(answer, q, k, v, kNone, Mask::causal(), 0.5).out;
  const Mat<double> after = run(answer, q, input("other keys", later_k),
                                input("other values", later_v), kNone, Mask::causal(), 0.5)
                                .out;
  expect_near(after.topRows(4), before.topRows(4),
              "the first 4 of 6 queries, other keys and values after them");
}
