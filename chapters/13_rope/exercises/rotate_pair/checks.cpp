// One mechanism a step: no turn, a quarter turn, any turn; the partners; the frequencies; then a whole head.
#include "chapters/13_rope/exercises/rotate_pair/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

std::vector<double> turned(const Answer& answer, double a, double b, double angle) {
  double ya = std::nan(""), yb = std::nan("");
  answer.rotate(a, b, std::cos(angle), std::sin(angle), ya, yb);
  return {ya, yb};
}

// All pairs of a head, in one row: 0, 1, 2, 3, …
std::vector<int> pairs(const Answer& answer, Index K, Pairing pairing) {
  std::vector<int> features;
  for (Index p = 0; p < K / 2; ++p) {
    const auto [first, second] = answer.partners(p, K, pairing);
    features.push_back(int(first));
    features.push_back(int(second));
  }
  return features;
}

constexpr double kPi = 3.14159265358979323846;

}  // namespace

STEP("position 0 is the identity") {
  expect_near(turned(answer, 3, -5, 0), std::vector<double>{3, -5}, "input (3, -5) at 0°");
}

STEP("quarter turn") {
  expect_near(turned(answer, 1, 0, kPi / 2), std::vector<double>{0, 1}, "input (1, 0) at 90°");
  expect_near(turned(answer, 0, 1, kPi / 2), std::vector<double>{-1, 0}, "input (0, 1) at 90°");
}

STEP("any angle keeps the length") {
  const std::vector<double> y = turned(answer, 3, 4, 0.7);
  expect_near(y[0] * y[0] + y[1] * y[1], 25.0, "squared length of (3, 4) turned by 0.7");
  expect_near(y,
              std::vector<double>{3 * std::cos(0.7) - 4 * std::sin(0.7),
                                  3 * std::sin(0.7) + 4 * std::cos(0.7)},
              "input (3, 4) at 0.7");
}

STEP("partners") {
  expect_equal(pairs(answer, 6, Pairing::adjacent), std::vector<int>{0, 1, 2, 3, 4, 5},
               "the pairs of 6 features, adjacent");
  expect_equal(pairs(answer, 6, Pairing::halves), std::vector<int>{0, 3, 1, 4, 2, 5},
               "the pairs of 6 features, halves");
}

STEP("frequencies") {
  std::vector<double> yours, want;
  for (Index p = 0; p < 4; ++p) yours.push_back(answer.frequency(p, 8, 10000));
  expect_near(yours, std::vector<double>{1, 0.1, 0.01, 0.001},
              "the angles of 4 pairs, K = 8, base 10000");
  expect_near(answer.frequency(3, 10, 500000), std::pow(500000.0, -0.6),
              "pair 3 of K = 10, base 500000");
}

STEP("a whole head") {
  // What the book makes of six positions, and what your three functions make of them
  Philox rng(13);
  const Index K = 8;
  const Mat<double>& x = input("x", random_normal<double>(rng, 6, K));
  for (const Pairing pairing : {Pairing::adjacent, Pairing::halves}) {
    Mat<double> want(6, K), y = Mat<double>::Constant(6, K, std::nan(""));
    rope_forward<double>(x, 6, K, rope_table<double>(6, K), pairing, want);
    for (Index t = 0; t < 6; ++t) {
      for (Index p = 0; p < K / 2; ++p) {
        const auto [first, second] = answer.partners(p, K, pairing);
        const double angle = double(t) * answer.frequency(p, K, 10000);
        answer.rotate(x(t, first), x(t, second), std::cos(angle), std::sin(angle), y(t, first),
                      y(t, second));
      }
    }
    expect_near(y, want,
                pairing == Pairing::adjacent ? "six positions, adjacent" : "six positions, halves");
  }
}

STEP("only the distance counts") {
  // ⟨R(5)q, R(3)k⟩ = ⟨R(2)q, k⟩
  const std::vector<double> q5 = turned(answer, 1.5, -0.5, 5), k3 = turned(answer, 0.3, 2, 3);
  const std::vector<double> q2 = turned(answer, 1.5, -0.5, 2);
  expect_near(q5[0] * k3[0] + q5[1] * k3[1], q2[0] * 0.3 + q2[1] * 2.0,
              "query at 5 with key at 3, beside query at 2 with key at 0");
}
