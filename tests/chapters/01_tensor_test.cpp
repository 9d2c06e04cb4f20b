// Chapter 01: shapes, products, random numbers, and the gradient test itself.
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/01_tensor/matmul.h"
#include "chapters/01_tensor/random.h"
#include "chapters/01_tensor/tensor.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

/// The message of the ShapeError that `f` throws, or nothing.
template <class F>
std::string shape_error(F f) {
  try {
    f();
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

template <Real T>
Mat<T> product_by_loops(const Mat<T>& a, const Mat<T>& b) {
  Mat<T> c = Mat<T>::Zero(a.rows(), b.cols());
  for (Index m = 0; m < a.rows(); ++m) {
    for (Index n = 0; n < b.cols(); ++n) {
      for (Index k = 0; k < a.cols(); ++k) c(m, n) += a(m, k) * b(k, n);
    }
  }
  return c;
}

}  // namespace

// --- Shapes
// ---------------------------------------------------------------------------------------

TEST_CASE("a shape error names both shapes and the caller's place", "[ch01]") {
  const int line = __LINE__ + 1;
  const std::string text = shape_error([] { require_shape("the gain", {1, 8}, {1, 16}); });
  CHECK(has(text, "the gain is (1, 8), wanted (1, 16)"));
  CHECK(has(text, "01_tensor_test.cpp:" + std::to_string(line)));
}

TEST_CASE("a broken requirement says its sentence and the caller's place", "[ch01]") {
  const int line = __LINE__ + 1;
  const std::string text = shape_error([] { require(false, "heads must divide the features"); });
  CHECK(has(text, "heads must divide the features"));
  CHECK(has(text, "01_tensor_test.cpp:" + std::to_string(line)));
  CHECK_NOTHROW(require(true, "never said"));
  CHECK_NOTHROW(require_shape("never said", {2, 3}, {2, 3}));
  CHECK_THROWS_AS(require_shape("transposed", {2, 3}, {3, 2}), ShapeError);
}

// --- Products
// -------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("the three products agree with triple loops", "[ch01]", float, double) {
  using T = TestType;
  const auto [M, N, K] = GENERATE(table<Index, Index, Index>({{1, 1, 1},
                                                              {1, 7, 5},
                                                              {3, 1, 17},
                                                              {5, 9, 1},
                                                              {16, 32, 8},
                                                              {33, 65, 31},
                                                              {4, 0, 3},
                                                              {2, 3, 0}}));
  CAPTURE(M, N, K);
  Philox rng(1, std::uint64_t(M * 10000 + N * 100 + K));
  const Mat<T> a = random_normal<T>(rng, M, K), b = random_normal<T>(rng, K, N);
  const Mat<T> at = a.transpose(), bt = b.transpose();
  const Mat<T> want = product_by_loops<T>(a, b);
  const Mat<T> start = random_normal<T>(rng, M, N);
  const T tolerance = T(8) * std::numeric_limits<T>::epsilon() * T(K + 1);
  const auto close = [&](const Mat<T>& x, const Mat<T>& y) {
    return (x - y).norm() <= tolerance * (T(1) + y.norm());
  };

  Mat<T> c = Mat<T>::Constant(M, N, std::numeric_limits<T>::quiet_NaN());  // set must not read it
  matmul<T>(a, b, c);
  CHECK(close(c, want));
  c.setConstant(std::numeric_limits<T>::quiet_NaN());
  matmul_nt<T>(a, bt, c);
  CHECK(close(c, want));
  c.setConstant(std::numeric_limits<T>::quiet_NaN());
  matmul_tn<T>(at, b, c);
  CHECK(close(c, want));

  c = start;
  matmul<T>(a, b, c, Write::add);
  CHECK(close(c, start + want));
  c = start;
  matmul_nt<T>(a, bt, c, Write::add);
  CHECK(close(c, start + want));
  c = start;
  matmul_tn<T>(at, b, c, Write::add);
  CHECK(close(c, start + want));
}

TEST_CASE("products read and write blocks of columns, and nothing beside them", "[ch01]") {
  Philox rng(2);
  const Mat<double> wide_a = random_normal<double>(rng, 5, 11);
  const Mat<double> wide_b = random_normal<double>(rng, 4, 13);
  const Mat<double> a = wide_a.middleCols(3, 4), b = wide_b.middleCols(2, 6);
  const Mat<double> before = random_normal<double>(rng, 5, 9);
  Mat<double> wide_c = before;
  matmul<double>(wide_a.middleCols(3, 4), wide_b.middleCols(2, 6), wide_c.middleCols(1, 6));
  CHECK((wide_c.middleCols(1, 6) - product_by_loops<double>(a, b)).norm() <= 1e-12);
  CHECK(wide_c.leftCols(1) == before.leftCols(1));
  CHECK(wide_c.rightCols(2) == before.rightCols(2));
}

TEST_CASE("products refuse operands that do not fit, naming both shapes", "[ch01]") {
  const Mat<double> a = Mat<double>::Zero(2, 3), b = Mat<double>::Zero(4, 5);
  Mat<double> c(2, 5), small(1, 1);
  const std::string inner = shape_error([&] { matmul<double>(a, b, c); });
  CHECK(has(inner, "(4, 5)"));
  CHECK(has(inner, "(3, 5)"));
  CHECK(has(inner, "matmul.cpp:"));
  CHECK_THROWS_AS(matmul_nt<double>(a, b, c), ShapeError);
  CHECK_THROWS_AS(matmul_tn<double>(a, b, c), ShapeError);

  const Mat<double> fits = Mat<double>::Zero(3, 5);
  CHECK(has(shape_error([&] { matmul<double>(a, fits, small); }), "is (1, 1), wanted (2, 5)"));
  CHECK_THROWS_AS(matmul_nt<double>(a, a, small), ShapeError);
  CHECK_THROWS_AS(matmul_tn<double>(a, a, small), ShapeError);
}

// --- Random numbers
// -------------------------------------------------------------------------------

TEST_CASE("philox gives the answers of its authors' test vectors", "[ch01]") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0}, {0, 0, 0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u}, {~0u, ~0u, ~0u, ~0u}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  // The digits of π: neither words of the key nor of the counter are alike
  CHECK(philox({0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random_bits depends on seed, stream and counter, high words too", "[ch01]") {
  const std::uint64_t high = std::uint64_t(1) << 32;
  const std::uint64_t bits = random_bits(1, 2, 3);
  CHECK(random_bits(1, 2, 3) == bits);
  CHECK(random_bits(1 + high, 2, 3) != bits);
  CHECK(random_bits(1, 2 + high, 3) != bits);
  CHECK(random_bits(1, 2, 3 + high) != bits);
  CHECK(random_bits(2, 1, 3) != bits);
  CHECK(random_bits(1, 3, 2) != bits);
}

TEST_CASE("a sequence is its blocks in order", "[ch01]") {
  Philox rng(7, 9);
  for (std::uint64_t counter = 0; counter < 5; ++counter) {
    const std::uint64_t low = rng.next(), high = rng.next();
    CHECK((high << 32 | low) == random_bits(7, 9, counter));
    (void)rng.next(), (void)rng.next();
  }
}

TEST_CASE("a stream is the same whatever was drawn from others before", "[ch01]") {
  Philox alone(5, name_hash("block2/attn/wo"));
  const Mat<double> want = random_normal<double>(alone, 3, 4);

  Philox other(5, name_hash("block1/attn/wo")), after(5, name_hash("block2/attn/wo"));
  const Mat<double> first = random_normal<double>(other, 7, 5);
  const Mat<double> got = random_normal<double>(after, 3, 4);
  CHECK(got == want);
  CHECK(first.topLeftCorner(3, 4) != want);
}

TEST_CASE("name_hash is FNV-1a", "[ch01]") {
  CHECK(name_hash("") == 0xcbf29ce484222325);
  CHECK(name_hash("a") == 0xaf63dc4c8601ec8c);
  CHECK(name_hash("foobar") == 0x85944171f73967e8);
  CHECK(name_hash("\xff") == (0xcbf29ce484222325 ^ 0xff) * 0x100000001b3);  // bytes, not signed
}

TEST_CASE("uniform numbers fill [0, 1) evenly", "[ch01]") {
  Philox rng(11);
  constexpr int kCount = 200000, kBins = 20;
  std::array<int, kBins> bins{};
  double sum = 0, squares = 0;
  bool inside = true;
  for (int i = 0; i < kCount; ++i) {
    const double u = rng.uniform();
    inside &= u >= 0 && u < 1;
    sum += u;
    squares += u * u;
    if (u >= 0 && u < 1) ++bins[std::size_t(u * kBins)];
  }
  CHECK(inside);
  CHECK(std::abs(sum / kCount - 0.5) <= 5 * std::sqrt(1 / 12.0 / kCount));
  CHECK(std::abs(squares / kCount - 1 / 3.0) <= 5 * std::sqrt(4 / 45.0 / kCount));
  double chi2 = 0;  // 19 degrees of freedom: above 45 once in 1000 seeds
  for (const int n : bins) chi2 += std::pow(n - kCount / kBins, 2) / (kCount / kBins);
  CHECK(chi2 <= 45);
}

TEST_CASE("normal numbers have the moments of a normal distribution", "[ch01]") {
  Philox rng(12);
  constexpr int kCount = 200000;
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0, neighbours = 0, last = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = rng.normal();
    m1 += x;
    m2 += x * x;
    m3 += x * x * x;
    m4 += x * x * x * x;
    neighbours += x * last;
    last = x;
  }
  // Five standard deviations of each mean: those of x, x², x³, x⁴ are 1, √2, √15, √96
  const double unit = 5 / std::sqrt(double(kCount));
  CHECK(std::abs(m1 / kCount) <= unit);
  CHECK(std::abs(m2 / kCount - 1) <= unit * std::sqrt(2.0));
  CHECK(std::abs(m3 / kCount) <= unit * std::sqrt(15.0));
  CHECK(std::abs(m4 / kCount - 3) <= unit * std::sqrt(96.0));
  CHECK(std::abs(neighbours / kCount) <= unit);
}

TEST_CASE("below(n) reaches every number under n, evenly, and no other", "[ch01]") {
  Philox rng(13);
  std::array<int, 7> counts{};
  bool inside = true;
  for (int i = 0; i < 70000; ++i) {
    const std::uint64_t k = rng.below(7);
    inside &= k < 7;
    if (k < 7) ++counts[std::size_t(k)];
  }
  CHECK(inside);
  for (const int n : counts) CHECK(std::abs(n - 10000) <= 500);  // five standard deviations

  // A number that does not fit 32 bits
  const std::uint64_t large = (std::uint64_t(1) << 63) + 12345;
  std::uint64_t greatest = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t k = rng.below(large);
    CHECK(k < large);
    greatest = std::max(greatest, k);
  }
  CHECK(greatest > large / 2);
  CHECK(rng.below(1) == 0);
  CHECK_THROWS_AS(rng.below(0), ShapeError);
}

TEST_CASE("random matrices are filled in row order and scaled", "[ch01]") {
  Philox rng(14), same(14);
  const Mat<double> m = random_normal<double>(rng, 3, 5, 0.25);
  for (Index n = 0; n < 3; ++n) {
    for (Index d = 0; d < 5; ++d) CHECK(m(n, d) == 0.25 * same.normal());
  }
  Philox again(14);
  CHECK((random_normal<float>(again, 3, 5, 0.25f) - m.cast<float>()).norm() <= 1e-6f);
}

// --- The gradient test
// ----------------------------------------------------------------------------

namespace {

// f(x) = sin(x) entry by entry, projected on u. Its gradient is u ⊙ cos(x)
struct SineCase {
  Philox rng{15};
  Mat<double> x = random_normal<double>(rng, 3, 4), u = random_normal<double>(rng, 3, 4);
  Mat<double> dx = u.array() * x.array().cos();
  double operator()(const Mat<double>& at) const { return project(u, at.array().sin()); }
};

}  // namespace

TEST_CASE("check_gradient accepts a right gradient", "[ch01]") {
  SineCase f;
  const GradientCheck check = check_gradient(f.rng, f.x, f.dx, f);
  CHECK(check.agrees(1e-9));
  CHECK(std::abs(check.numeric) > 1e-3);  // a projection of nothing would agree with anything
}

TEST_CASE("check_gradient rejects a wrong gradient", "[ch01]") {
  SineCase f;
  SECTION("one entry wrong by a thousandth") {
    f.dx(1, 2) += 1e-3;
    CHECK_FALSE(check_gradient(f.rng, f.x, f.dx, f).agrees());
  }
  SECTION("a sign") { CHECK_FALSE(check_gradient(f.rng, f.x, -f.dx, f).agrees()); }
  SECTION("zero") { CHECK_FALSE(check_gradient(f.rng, f.x, Mat<double>::Zero(3, 4), f).agrees()); }
  SECTION("rows exchanged") {
    f.dx.row(0).swap(f.dx.row(1));
    CHECK_FALSE(check_gradient(f.rng, f.x, f.dx, f).agrees());
  }
  SECTION("NaN and infinity") {
    f.dx(0, 0) =
        GENERATE(std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity());
    CHECK_FALSE(check_gradient(f.rng, f.x, f.dx, f).agrees());
  }
  SECTION("a forward that gives NaN") {
    const auto broken = [](const Mat<double>&) { return std::nan(""); };
    CHECK_FALSE(check_gradient(f.rng, f.x, f.dx, broken).agrees());
  }
}

TEST_CASE("check_gradient and project refuse other shapes", "[ch01]") {
  SineCase f;
  const Mat<double> turned = f.dx.transpose();
  CHECK_THROWS_AS(check_gradient(f.rng, f.x, turned, f), ShapeError);
  CHECK_THROWS_AS(project(f.u, turned), ShapeError);
}
