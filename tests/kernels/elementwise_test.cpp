// The small operations: every one at ragged sizes, on whole matrices and on columns of wider ones, which must stay as
// they were outside of those columns.
#include "kernels/elementwise/elementwise.h"

#include "chapters/07_position/sinusoidal.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

struct Size {
  int N, D;
};
constexpr Size kSizes[] = {{1, 1},  {1, 8},    {3, 5},   {7, 32},
                           {5, 40}, {2, 1027}, {67, 24}, {33, 129}};

// How many columns stand left and right of those that are used.
struct Gap {
  int left = 0, right = 0;
};

// Columns [first, first + D) of a matrix with a larger stride, or the whole matrix.
template <Storage S>
struct View {
  Index first, D;
  Input<S> all;  // (N, stride)

  View(Philox& rng, int N, int D_, Gap gap)
      : first(gap.left), D(D_), all(rng, N, D_ + gap.left + gap.right) {}
  [[nodiscard]] int stride() const { return int(all.host.cols()); }
  [[nodiscard]] S* data() { return all.device.data() + first; }
  [[nodiscard]] Mat<double> host() const { return all.host.middleCols(first, D); }
  // Check what stands in the columns now, and that the others have not changed
  void check(const Mat<double>& want, double roundings = 1) {
    Mat<double> wanted = all.host, got(all.host.rows(), all.host.cols());
    wanted.middleCols(first, D) = want;
    const std::vector<S> stored = all.device.to_host();
    for (Index i = 0; i < got.size(); ++i) got.data()[i] = double(stored[std::size_t(i)]);
    check_near<S>(got, wanted, roundings);
    wanted.middleCols(first, D) = got.middleCols(first, D);
    CHECK(wanted == got);
  }
};

// The test for every size and layout: whole, columns that packs fit, columns with the wrong start, with the wrong stride.
template <class F>
void for_each_layout(F&& test) {
  Philox rng(7);
  for (const Size size : kSizes) {
    for (const Gap gap : {Gap{0, 0}, Gap{8, 8}, Gap{3, 5}, Gap{0, 3}}) {
      CAPTURE(size.N, size.D, gap.left, gap.right);
      test(rng, size.N, size.D, gap);
    }
  }
}

template <Storage S>
Mat<double> broadcast(const Input<S>& row, Index N) {
  return row.host.replicate(N, 1);
}

}  // namespace

TEST_CASE("elementwise: add and add_to") {
  for_each_storage([]<Storage S>() {
    for_each_layout([](Philox& rng, int N, int D, Gap gap) {
      View<S> a(rng, N, D, gap), b(rng, N, D, Gap{}), y(rng, N, D, gap);
      twin::add(nullptr, a.data(), a.stride(), b.data(), b.stride(), y.data(), y.stride(), N, D);
      y.check(a.host() + b.host());

      twin::add_to(nullptr, a.data(), a.stride(), b.data(), b.stride(), N, D);
      b.check(b.host() + a.host());
    });
  });
}

TEST_CASE("elementwise: scale") {
  for_each_storage([]<Storage S>() {
    for_each_layout([](Philox& rng, int N, int D, Gap gap) {
      View<S> x(rng, N, D, gap), y(rng, N, D, Gap{});
      twin::scale(nullptr, x.data(), x.stride(), 0.7f, y.data(), y.stride(), N, D);
      y.check(double(0.7f) * x.host());
      twin::scale(nullptr, x.data(), x.stride(), -2.0f, x.data(), x.stride(), N, D);  // in place
      x.check(-2 * x.host());
    });
  });
}

TEST_CASE("elementwise: multiply and its backward") {
  for_each_storage([]<Storage S>() {
    for_each_layout([](Philox& rng, int N, int D, Gap gap) {
      View<S> a(rng, N, D, gap), b(rng, N, D, Gap{}), y(rng, N, D, Gap{});
      twin::multiply(nullptr, a.data(), a.stride(), b.data(), b.stride(), y.data(), y.stride(), N,
                     D);
      y.check(a.host().cwiseProduct(b.host()));

      View<S> dy(rng, N, D, Gap{}), da(rng, N, D, gap), db(rng, N, D, Gap{});
      twin::multiply_backward(nullptr, a.data(), a.stride(), b.data(), b.stride(), dy.data(),
                              dy.stride(), da.data(), da.stride(), db.data(), db.stride(), N, D);
      da.check(dy.host().cwiseProduct(b.host()));
      db.check(dy.host().cwiseProduct(a.host()));
      twin::multiply_backward<S>(nullptr, a.data(), a.stride(), b.data(), b.stride(), dy.data(),
                                 dy.stride(), nullptr, 0, nullptr, 0, N, D);
    });
  });
}

TEST_CASE("elementwise: a row added to every row, and the sums of columns") {
  for_each_storage([]<Storage S>() {
    for_each_layout([](Philox& rng, int N, int D, Gap gap) {
      View<S> x(rng, N, D, gap), y(rng, N, D, gap);
      const Input<float> b(rng, 1, D);
      twin::add_row(nullptr, x.data(), x.stride(), b.data(), y.data(), y.stride(), N, D);
      y.check(x.host() + broadcast(b, N));

      Output<float> sums(1, D);
      twin::Buffer<float> work(twin::column_sums_work(N, D));
      twin::column_sums(nullptr, x.data(), x.stride(), sums.data(), work.data(), N, D,
                        twin::Write::set);
      const Mat<double> want = x.host().colwise().sum();
      check_near<float>(sums.host(), want, 16);
      twin::column_sums(nullptr, x.data(), x.stride(), sums.data(), work.data(), N, D,
                        twin::Write::add);
      check_near<float>(sums.host(), 2 * want, 16);
    });
  });
}

TEST_CASE("elementwise: sums of columns in two stages, the same bits each time") {
  Philox rng(8);
  for (const Size size : {Size{1000, 3}, Size{700, 33}, Size{523, 136}, Size{129, 1024}}) {
    const int N = size.N, D = size.D;
    CAPTURE(N, D);
    REQUIRE(twin::column_sums_work(N, D) > 0);
    twin::Buffer<float> work(twin::column_sums_work(N, D));
    for_each_storage([&]<Storage S>() {
      const Input<S> x(rng, N, D);
      Output<float> sums(1, D), again(1, D);
      twin::column_sums(nullptr, x.data(), D, sums.data(), work.data(), N, D, twin::Write::set);
      // Each of some 500 additions rounds: the error grows like their number's root
      check_near<float>(sums.host(), x.host.colwise().sum(), 32);
      twin::column_sums(nullptr, x.data(), D, again.data(), work.data(), N, D, twin::Write::set);
      CHECK(sums.host() == again.host());
    });
  }
}

TEST_CASE("elementwise: sum of all") {
  Philox rng(9);
  for_each_storage([&]<Storage S>() {
    for (const Size size : {Size{1, 1}, Size{5, 7}, Size{300, 8}, Size{3, 1500}, Size{259, 130}}) {
      const auto [N, D] = size;
      CAPTURE(N, D);
      for (const Gap gap : {Gap{0, 0}, Gap{3, 2}}) {
        View<S> x(rng, N, D, gap);
        Output<float> y(1, 1);
        twin::Buffer<float> work(twin::sum_all_work(N, D));
        twin::sum_all(nullptr, x.data(), x.stride(), y.data(), work.data(), N, D);
        // Measured against the root of the number of terms, which is what a sum of normal numbers is like
        const double error = std::abs(y.host()(0, 0) - x.host().sum()) / std::sqrt(double(N) * D);
        CHECK(error <= 32 * rounding<float>());
      }
    }
  });
}

TEST_CASE("elementwise: fill") {
  for_each_storage([]<Storage S>() {
    for_each_layout([](Philox& rng, int N, int D, Gap gap) {
      View<S> y(rng, N, D, gap), z(rng, N, D, gap);
      twin::fill(nullptr, y.data(), y.stride(), 0.3f, N, D);
      y.check(Mat<double>::Constant(N, D, double(0.3f)));
      const twin::Buffer<float> value(std::vector<float>{-1.7f});
      twin::fill_with(nullptr, value.data(), z.data(), z.stride(), N, D);
      z.check(Mat<double>::Constant(N, D, double(-1.7f)));
    });
  });
}

TEST_CASE("elementwise: convert") {
  for_each_storage([]<Storage From>() {
    for_each_storage([]<Storage To>() {
      for_each_layout([](Philox& rng, int N, int D, Gap gap) {
        View<From> x(rng, N, D, gap);
        View<To> y(rng, N, D, Gap{});
        twin::convert(nullptr, x.data(), x.stride(), y.data(), y.stride(), N, D);
        // Exactly the rounded number, not one beside it
        Mat<double> want = x.host();
        for (Index i = 0; i < want.size(); ++i) want.data()[i] = double(To(float(want.data()[i])));
        y.check(want, 0);
      });
    });
  });
}

TEST_CASE("elementwise: positions") {
  Philox rng(10);
  struct Case {
    int B, length, table_rows, D;
  };
  for_each_storage([&]<Storage S>() {
    for (const Case c : {Case{1, 1, 1, 1}, Case{3, 5, 7, 3}, Case{2, 4, 4, 8}, Case{4, 6, 9, 40},
                         Case{150, 2, 3, 5}}) {
      CAPTURE(c.B, c.length, c.table_rows, c.D);
      const int N = c.B * c.length;
      const Input<S> x(rng, N, c.D), table(rng, c.table_rows, c.D), dy(rng, N, c.D);
      Output<S> y(N, c.D);
      twin::add_positions(nullptr, x.data(), table.data(), y.data(), N, c.length, c.D);
      Mat<double> want(N, c.D);
      add_positions_forward<double>(x.host, table.host, c.length, want);
      check_near<S>(y.host(), want, 1);

      Output<float> dtable(c.table_rows, c.D);
      twin::Buffer<float> work(twin::add_positions_backward_work(N, c.length, c.D));
      Mat<double> dwant(c.table_rows, c.D);
      add_positions_backward<double>(dy.host, c.length, dwant);
      for (const twin::Write write : {twin::Write::set, twin::Write::add}) {
        twin::add_positions_backward(nullptr, dy.data(), dtable.data(), work.data(), N, c.length,
                                     c.table_rows, c.D, write);
        check_near<float>(dtable.host(), (write == twin::Write::set ? 1.0 : 2.0) * dwant, 16);
      }
    }
  });
}

TEST_CASE("elementwise: nothing to do, and what is refused") {
  twin::Buffer<float> x(64), y(64), work(64);
  twin::add_to<float>(nullptr, x.data(), 8, y.data(), 8, 0, 8);
  twin::fill<float>(nullptr, y.data(), 0, 1.0f, 8, 0);
  CHECK_THROWS_AS(twin::add_to<float>(nullptr, x.data(), 7, y.data(), 8, 4, 8),
                  std::invalid_argument);
  CHECK_THROWS_AS(twin::add_to<float>(nullptr, x.data(), 8, y.data(), 7, 4, 8),
                  std::invalid_argument);
  CHECK_THROWS_AS(twin::fill<float>(nullptr, y.data(), 7, 1.0f, 4, 8), std::invalid_argument);
  CHECK_THROWS_AS(twin::fill<float>(nullptr, y.data(), 8, 1.0f, -1, 8), std::invalid_argument);
  CHECK_THROWS_AS(
      twin::column_sums<float>(nullptr, x.data(), 8, y.data(), work.data(), 0, 8, twin::Write::set),
      std::invalid_argument);
  CHECK_THROWS_AS(twin::add_positions<float>(nullptr, x.data(), x.data(), y.data(), 8, 3, 8),
                  std::invalid_argument);
  CHECK_THROWS_AS(twin::add_positions_backward<float>(nullptr, x.data(), y.data(), work.data(), 8,
                                                      4, 3, 8, twin::Write::set),
                  std::invalid_argument);
}

}  // namespace tpp::testing
