// One mechanism a step: a quarter turn; partners; the values; an angle for each pair, position and sequence; then everything.
#include <cmath>

#include "chapters/13_rope/exercises/in_place/answer.h"
#include "tools/learn/check_cuda.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Floats = std::vector<float>;

struct Sizes {
  int N, T, H, K;
};

Floats rope(const Answer& answer, const Floats& qkv, const Floats& cosine, const Floats& sine,
            Sizes n) {
  DeviceOutput<>& x = device_output("qkv", qkv);
  const float *c = device_input("cosine", cosine), *s = device_input("sine", sine);
  answer.rope(x.data(), c, s, n.N, n.T, n.H, n.K);
  return x.values();
}

Floats part(const Floats& x, std::size_t first, std::size_t n) {
  return {x.begin() + long(first), x.begin() + long(first + n)};
}

struct Tables {
  Floats cosine, sine;
};

// Position t, pair p: t · base^(−2p/K)
Tables tables(int T, int K) {
  Tables made;
  for (int t = 0; t < T; ++t) {
    for (int p = 0; p < K / 2; ++p) {
      const double angle = t * std::pow(10000.0, -2.0 * p / K);
      made.cosine.push_back(float(std::cos(angle)));
      made.sine.push_back(float(std::sin(angle)));
    }
  }
  return made;
}

void expect_rope(const Answer& answer, unsigned seed, Sizes n, std::string_view what) {
  const int half = n.K / 2, cols = 3 * n.H * n.K;
  const Floats x = random_floats(seed, std::size_t(n.N * cols));
  const Tables made = tables(n.T, n.K);
  Floats want = x;
  for (int row = 0; row < n.N; ++row) {
    for (int head = 0; head < 2 * n.H; ++head) {
      for (int p = 0; p < half; ++p) {
        const std::size_t angle = std::size_t(row % n.T * half + p);
        const std::size_t first = std::size_t(row * cols + head * n.K + p);
        const std::size_t second = first + std::size_t(half);
        const double a = x[first], b = x[second];
        const double c = made.cosine[angle], s = made.sine[angle];
        want[first] = float(a * c - b * s);
        want[second] = float(a * s + b * c);
      }
    }
  }
  expect_near(Values::matrix(rope(answer, x, made.cosine, made.sine, n), n.N, cols),
              Values::matrix(want, n.N, cols), what);
}

}  // namespace

STEP("quarter turn") {
  const Floats y = rope(answer, {1, 0, 0, 1, 5, 7}, {0}, {1}, {1, 1, 1, 2});
  expect_near(part(y, 0, 2), Floats{0, 1}, "query (1, 0) at 90°");
  expect_near(part(y, 2, 2), Floats{-1, 0}, "key (0, 1) at 90°");
}

STEP("half a head apart") {
  const Floats y =
      rope(answer, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {0, 0}, {1, 1}, {1, 1, 1, 4});
  expect_near(part(y, 0, 8), Floats{-3, -4, 1, 2, -7, -8, 5, 6},
              "query (1, 2, 3, 4) and key (5, 6, 7, 8) at 90°, pairs (0, 2) "
              "and (1, 3)");
}

STEP("the values stay") {
  const Floats y =
      rope(answer, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {0, 0}, {1, 1}, {1, 1, 1, 4});
  expect_near(part(y, 8, 4), Floats{9, 10, 11, 12}, "value (9, 10, 11, 12) at 90°");
}

STEP("any angle") {
  // cos = 0.6, sin = 0.8: a point of whole numbers lands on whole numbers
  const Floats y = rope(answer, {5, 0, 0, 5, 1, 1}, {0.6F}, {0.8F}, {1, 1, 1, 2});
  expect_near(part(y, 0, 4), Floats{3, 4, -4, 3}, "query (5, 0) and key (0, 5), cos 0.6, sin 0.8");
}

STEP("each pair its own angle") {
  // Pair 0 by 90°, pair 1 by 180°
  const Floats y =
      rope(answer, {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0}, {0, -1}, {1, 0}, {1, 1, 1, 4});
  expect_near(part(y, 0, 8), Floats{-3, -2, 1, -4, -7, -6, 5, -8},
              "query (1, 2, 3, 4) and key (5, 6, 7, 8), pair 0 at 90°, pair 1 at 180°");
}

STEP("each position its own angle") {
  // Position 0 by 0°, position 1 by 90°
  const Floats y = rope(answer, {1, 2, 3, 4, 0, 0, 1, 2, 3, 4, 0, 0}, {1, 0}, {0, 1}, {2, 2, 1, 2});
  expect_near(Values::matrix(y, 2, 6),
              Values::matrix(Floats{1, 2, 3, 4, 0, 0, -2, 1, -4, 3, 0, 0}, 2, 6),
              "two tokens with query (1, 2) and key (3, 4), at 0° and at 90°");
}

STEP("several heads") {
  const Floats y = rope(answer, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {0}, {1}, {1, 1, 2, 2});
  expect_near(y, Floats{-2, 1, -4, 3, -6, 5, -8, 7, 9, 10, 11, 12},
              "2 heads of 2: queries (1, 2), (3, 4), keys (5, 6), (7, 8), all "
              "at 90°, then values");
}

STEP("a second sequence") {
  expect_rope(answer, 1, {6, 3, 2, 6}, "2 sequences of 3 tokens, 2 heads of 6");
}

STEP("more pairs than threads") {
  expect_rope(answer, 2, {3, 3, 5, 14}, "3 tokens, 5 heads of 14: 70 pairs a row");
}

STEP("only the distance counts") {
  // Every token has the same query and key: only the distance can tell two products apart
  const int T = 6, K = 8;
  const Floats token = random_floats(3, 3 * K);
  Floats x;
  for (int t = 0; t < T; ++t) x.insert(x.end(), token.begin(), token.end());
  const Tables made = tables(T, K);
  const Floats y = rope(answer, x, made.cosine, made.sine, {T, T, 1, K});
  const auto dot = [&](int query, int key) {
    double sum = 0;
    for (int d = 0; d < K; ++d) {
      sum += double(y[std::size_t(query * 3 * K + d)]) * y[std::size_t(key * 3 * K + K + d)];
    }
    return sum;
  };
  expect_near(dot(5, 3), dot(2, 0), "query at 5 with key at 3, beside query at 2 with key at 0",
              2e-5);
}
