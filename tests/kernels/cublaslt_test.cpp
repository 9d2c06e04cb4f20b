// Products as a model asks for them: every transpose, storage and stride, set and added, by the library (on the emulator,
// by its stand-in) and by the short kernel.
#include "kernels/cublaslt/product.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

using twin::ProductShape;
using twin::Write;

// Ragged, one of everything, longer than a stand-in's block of K, more rows than one share
constexpr ProductShape kShapes[] = {{.M = 1, .N = 1, .K = 1},     {.M = 5, .N = 7, .K = 3},
                                    {.M = 17, .N = 33, .K = 16},  {.M = 1, .N = 70, .K = 9},
                                    {.M = 64, .N = 1, .K = 40},   {.M = 24, .N = 40, .K = 600},
                                    {.M = 13, .N = 65, .K = 257}, {.M = 32, .N = 16, .K = 48}};

// A sum of K terms, one after another, rounds K times, each time by a part of what it has grown to: an error of some
// 0.4·√K roundings of the result. Six times that is never reached by chance.
double sum_roundings(int K) { return 4 + 2.5 * std::sqrt(double(K)); }

enum class By { library, tiles };

// op(a)·op(b) on columns of matrices that are `gap` wider
template <Storage T, Storage Out>
void check_product(Philox& rng, ProductShape s, int gap, Write write, By by, bool tf32,
                   double roundings) {
  CAPTURE(s.M, s.N, s.K, s.transpose_a, s.transpose_b, gap, write == Write::add, by == By::tiles,
          storage_name<T>(), storage_name<Out>());
  const int a_rows = s.transpose_a ? s.K : s.M, a_cols = s.transpose_a ? s.M : s.K;
  const int b_rows = s.transpose_b ? s.N : s.K, b_cols = s.transpose_b ? s.K : s.N;
  const Input<T> a(rng, a_rows, a_cols + gap), b(rng, b_rows, b_cols + gap);
  Input<Out> c(rng, s.M, s.N + gap);
  const Mat<double> before = c.host;
  const Mat<double> whole_a = a.host.rightCols(a_cols), whole_b = b.host.rightCols(b_cols);
  const Mat<double> op_a = s.transpose_a ? Mat<double>(whole_a.transpose()) : whole_a;
  const Mat<double> op_b = s.transpose_b ? Mat<double>(whole_b.transpose()) : whole_b;
  Mat<double> want = op_a * op_b;
  if (write == Write::add) want += before.rightCols(s.N);

  const int lda = a_cols + gap, ldb = b_cols + gap, ldc = s.N + gap;
  if (by == By::library) {
    twin::product(nullptr, s, a.data() + gap, lda, b.data() + gap, ldb, c.device.data() + gap, ldc,
                  write, tf32);
  } else {
    twin::product_by_tiles(nullptr, s, a.data() + gap, lda, b.data() + gap, ldb,
                           c.device.data() + gap, ldc, write);
  }
  const std::vector<Out> stored = c.device.to_host();
  Mat<double> got(s.M, s.N + gap);
  for (Index i = 0; i < got.size(); ++i) got.data()[i] = double(stored[std::size_t(i)]);
  check_near<Out>(got.rightCols(s.N), want, roundings);
  CHECK(got.leftCols(gap) == before.leftCols(gap));  // what is not ours has not changed
}

template <class F>
void for_each_case(F&& test) {
  for (ProductShape shape : kShapes) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        shape.transpose_a = transpose_a, shape.transpose_b = transpose_b;
        for (const int gap : {0, 3, 8}) {
          for (const Write write : {Write::set, Write::add}) test(shape, gap, write);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("cublaslt: products of floats") {
  Philox rng(1);
  for_each_case([&](ProductShape shape, int gap, Write write) {
    check_product<float, float>(rng, shape, gap, write, By::library, false, sum_roundings(shape.K));
  });
}

TEST_CASE("cublaslt: products of bfloat16") {
  Philox rng(2);
  for_each_case([&](ProductShape shape, int gap, Write write) {
    // Where it adds, the library may round the product before the sum: two roundings
    check_product<Bf16, Bf16>(rng, shape, gap, write, By::library, false,
                              write == Write::add ? 2 : 1);
    check_product<Bf16, float>(rng, shape, gap, write, By::library, false, sum_roundings(shape.K));
  });
}

TEST_CASE("cublaslt: tf32 may round inputs to 10 bits of mantissa, and no more") {
  Philox rng(3);
  // Tensor cores cut the rest off: up to 2^-10 of each factor. Rounding to bfloat16 would be seen
  const double roundings = 8 * std::ldexp(1.0, -11) / rounding<float>();
  for (const ProductShape& shape : kShapes) {
    check_product<float, float>(rng, shape, 0, Write::set, By::library, true, roundings);
    check_product<float, float>(rng, shape, 3, Write::add, By::library, true, roundings);
  }
}

TEST_CASE("cublaslt: the short kernel") {
  Philox rng(4);
  for (ProductShape shape : kShapes) {
    shape.K = std::min(shape.K, 40);
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        shape.transpose_a = transpose_a, shape.transpose_b = transpose_b;
        check_product<float, float>(rng, shape, 0, Write::set, By::tiles, false,
                                    sum_roundings(shape.K));
        check_product<Bf16, Bf16>(rng, shape, 3, Write::add, By::tiles, false, 1);
        check_product<Bf16, float>(rng, shape, 0, Write::add, By::tiles, false,
                                   sum_roundings(shape.K));
      }
    }
  }
}

TEST_CASE("cublaslt: a product of a tiny model's size") {
  Philox rng(5);
  check_product<float, float>(rng, {.transpose_b = true, .M = 512, .N = 384, .K = 128}, 0,
                              Write::set, By::library, false, sum_roundings(128));
  check_product<Bf16, float>(rng, {.transpose_a = true, .M = 128, .N = 384, .K = 512}, 0,
                             Write::add, By::library, false, sum_roundings(512));
}

TEST_CASE("cublaslt: the empty sum is zero, and an empty result is nothing") {
  twin::Buffer<float> a(16), b(16);
  for (const auto write : {Write::set, Write::add}) {
    twin::Buffer<float> c(std::vector<float>(4, 3.0f));
    twin::product(nullptr, {.M = 2, .N = 2, .K = 0}, a.data(), 1, b.data(), 2, c.data(), 2, write,
                  false);
    CHECK(c.to_host() == std::vector<float>(4, write == Write::set ? 0.0f : 3.0f));
    twin::product(nullptr, {.M = 0, .N = 2, .K = 2}, a.data(), 2, b.data(), 2, c.data(), 2, write,
                  false);
    twin::product(nullptr, {.M = 2, .N = 0, .K = 2}, a.data(), 2, b.data(), 2, c.data(), 2, write,
                  false);
    CHECK(c.to_host() == std::vector<float>(4, write == Write::set ? 0.0f : 3.0f));
  }
}

TEST_CASE("cublaslt: products in a captured graph, and the fastest of eight") {
  Philox rng(6);
  const ProductShape shape = {.M = 40, .N = 24, .K = 32};
  const Input<float> a(rng, shape.M, shape.K), b(rng, shape.K, shape.N);
  twin::Buffer<float> c(std::vector<float>(std::size_t(shape.M * shape.N), 0.0f));
  const twin::Stream stream = twin::make_stream();
  twin::prepare_products(stream);
  const auto add = [&] {
    twin::product(stream, shape, a.data(), shape.K, b.data(), shape.N, c.data(), shape.N,
                  Write::add, false);
  };
  twin::tune_products(true);
  add();
  twin::tune_products(false);
  twin::begin_capture(stream);
  add();
  const twin::Graph graph = twin::end_capture(stream);
  twin::synchronize(stream);
  for (int i = 0; i < 2; ++i) twin::replay(graph, stream);
  twin::synchronize(stream);

  // Once before the capture, twice by the graph, and not by capturing
  const std::vector<float> values = c.to_host();
  Mat<double> got(shape.M, shape.N);
  for (Index i = 0; i < got.size(); ++i) got.data()[i] = double(values[std::size_t(i)]);
  check_near<float>(got, 3 * (a.host * b.host), sum_roundings(3 * shape.K));
  twin::destroy_graph(graph);
  twin::release_products(stream);
  twin::destroy_stream(stream);
}

TEST_CASE("cublaslt: what is refused") {
  twin::Buffer<float> a(64), b(64), c(64);
  const auto refuse = [&](ProductShape shape, int lda, int ldb, int ldc) {
    CHECK_THROWS_AS(twin::product(nullptr, shape, a.data(), lda, b.data(), ldb, c.data(), ldc,
                                  Write::set, false),
                    std::invalid_argument);
    CHECK_THROWS_AS(twin::product_by_tiles(nullptr, shape, a.data(), lda, b.data(), ldb, c.data(),
                                           ldc, Write::set),
                    std::invalid_argument);
  };
  refuse({.M = 4, .N = 5, .K = 6}, 5, 5, 5);
  refuse({.M = 4, .N = 5, .K = 6}, 6, 4, 5);
  refuse({.M = 4, .N = 5, .K = 6}, 6, 5, 4);
  refuse({.transpose_a = true, .M = 4, .N = 5, .K = 6}, 3, 5, 5);
  refuse({.transpose_b = true, .M = 4, .N = 5, .K = 6}, 6, 5, 5);
  refuse({.M = -1, .N = 5, .K = 6}, 6, 5, 5);
}

}  // namespace tpp::testing
