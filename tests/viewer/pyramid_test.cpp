// The pyramid equals a plain loop, on random series with gaps, after cuts and before.
#include "viewer/widgets/pyramid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

#include "tests/testing.h"

namespace tpp::viewer {
namespace {

Pyramid::Extent brute(const Pyramid& p, std::size_t begin, std::size_t end) {
  Pyramid::Extent e;
  for (std::size_t i = begin; i < std::min(end, p.size()); ++i) {
    const float v = p.y(i);
    if (!std::isfinite(v)) {
      e.gap = true;
      continue;
    }
    e.min = e.finite ? std::min(e.min, v) : v;
    e.max = e.finite ? std::max(e.max, v) : v;
    ++e.finite;
  }
  return e;
}

void compare(const Pyramid& p, std::mt19937& random) {
  for (int k = 0; k < 300; ++k) {
    std::size_t a = random() % (p.size() + 2), b = random() % (p.size() + 2);
    if (a > b) std::swap(a, b);
    const Pyramid::Extent want = brute(p, a, b), got = p.extent(a, b);
    INFO("points " << a << " to " << b << " of " << p.size());
    REQUIRE(got.finite == want.finite);
    REQUIRE(got.gap == want.gap);
    REQUIRE(got.min == want.min);
    REQUIRE(got.max == want.max);
  }
}

TEST_CASE("pyramid: extents equal a plain loop", "[viewer]") {
  std::mt19937 random(7);
  for (const int n : {0, 1, 7, 8, 9, 63, 64, 65, 511, 513, 5000}) {
    Pyramid p;
    for (int i = 0; i < n; ++i) {
      const float v = static_cast<float>(random() % 10000) / 100 - 50;
      p.push(i * 0.5, random() % 20 == 0 ? std::numeric_limits<float>::quiet_NaN() : v);
    }
    compare(p, random);
  }
}

TEST_CASE("pyramid: cutting the end off and going on is as if it never was", "[viewer]") {
  std::mt19937 random(11);
  Pyramid p;
  for (int i = 0; i < 1000; ++i) p.push(i, static_cast<float>(random() % 1000));
  p.truncate_after(517.5);
  CHECK(p.size() == 518);
  for (int i = 518; i < 1400; ++i) p.push(i, -static_cast<float>(random() % 1000));
  compare(p, random);
  const unsigned long before = p.version();
  p.truncate_after(1e9);
  CHECK(p.version() == before);
  p.truncate_after(-1);
  CHECK(p.empty());
}

TEST_CASE("pyramid: x is found by halving, nearest to either side", "[viewer]") {
  Pyramid p;
  for (const double x : {0.0, 10.0, 20.0, 20.0, 40.0}) p.push(x, 1);
  CHECK(p.lower_bound(-1) == 0);
  CHECK(p.lower_bound(20) == 2);
  CHECK(p.lower_bound(41) == 5);
  CHECK(p.nearest(4) == 0);
  CHECK(p.nearest(6) == 1);
  CHECK(p.nearest(1e9) == 4);
}

TEST_CASE("pyramid: x never goes back", "[viewer]") {
  Pyramid p;
  p.push(3, 1);
  CHECK_THROWS_AS(p.push(2, 1), std::invalid_argument);
  CHECK_THROWS_AS(p.push(std::nan(""), 1), std::invalid_argument);
  CHECK(p.size() == 1);
}

}  // namespace
}  // namespace tpp::viewer
