// LayerNorm's twins against the double reference: every version, ragged sizes, with and without a bias.
#include "kernels/layernorm/layernorm.h"

#include "chapters/08_layernorm/layernorm.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

using twin::LayerNormVersion;
using twin::Write;

constexpr LayerNormVersion kVersions[] = {
    LayerNormVersion::latest, LayerNormVersion::v1_thread_per_row,
    LayerNormVersion::v2_warp_per_row, LayerNormVersion::v3_vector_loads};

struct Size {
  int N, D;
};
// One number; odd and ragged widths; one warp a row, two, four and more; a team without a row; the widest row that
// registers hold, and a wider one
constexpr Size kSizes[] = {{1, 1},    {3, 5},    {5, 40},   {67, 24},  {33, 128},
                           {2, 1027}, {7, 264},  {5, 520},  {3, 1032}, {2, 2048},
                           {2, 2056}, {1, 4104}, {1, 8192}, {1, 8200}};

// A result is rounded once when it is stored; before that, float sums leave roundings of float. v1 adds `length` numbers in
// one chain, which rounds once a number; the others add in a tree.
double roundings(LayerNormVersion version, int length) {
  return version == LayerNormVersion::v1_thread_per_row ? 12 + 1.5 * std::sqrt(length) : 12;
}
template <Storage S>
double near(LayerNormVersion version, int D) {
  return std::is_same_v<S, float> ? roundings(version, D) : 1.1;
}

constexpr double kEps =
    0.1;  // so large that a row of equal numbers is not blown up, and that eps is seen

struct Reference {
  Mat<double> y, dx, dw, db, mean, rstd;

  // An empty b: no bias
  Reference(const Mat<double>& x, const Mat<double>& w, const RowVec<double>& b,
            const Mat<double>& dy)
      : y(x.rows(), x.cols()), dx(x.rows(), x.cols()) {
    ColVec<double> m(x.rows()), r(x.rows());
    RowVec<double> gain(x.cols()), bias(b.size());
    layernorm_forward<double>(x, w.row(0), b, {.eps = kEps}, y, m, r);
    layernorm_backward<double>(dy, x, w.row(0), m, r, dx, gain, bias);
    dw = gain, db = bias, mean = m, rstd = r;
  }
};

// Rows around 1, so that the mean counts
template <Storage S>
Input<S> rows_around_one(Philox& rng, int N, int D) {
  return Input<S>(Mat<double>(random_normal<double>(rng, N, D).array() + 1));
}

}  // namespace

TEST_CASE("layernorm: forward and backward") {
  for_each_storage([]<Storage S>() {
    Philox rng(8);
    for (const auto [N, D] : kSizes) {
      const Input<S> x = rows_around_one<S>(rng, N, D), dy(rng, N, D);
      const Input<float> w(rng, 1, D), b(rng, 1, D);
      const Reference want(x.host, w.host, b.row(), dy.host);
      for (const LayerNormVersion version : kVersions) {
        CAPTURE(N, D, int(version));
        Output<S> y(N, D), dx(N, D);
        Output<float> mean(N, 1), rstd(N, 1), dw(1, D), db(1, D);
        twin::Buffer<float> work(twin::layernorm_backward_work(N, D));
        twin::layernorm_forward(nullptr, x.data(), w.data(), b.data(), y.data(), mean.data(),
                                rstd.data(), N, D, float(kEps), version);
        twin::layernorm_backward<S>(nullptr, nullptr, dy.data(), x.data(), w.data(), mean.data(),
                                    rstd.data(), nullptr, dx.data(), dw.data(), db.data(),
                                    work.data(), N, D, Write::set, version);
        check_near<S>(y.host(), want.y, near<S>(version, D), D == 1 ? 1 : 1e-30);
        check_near<float>(mean.host(), want.mean, roundings(version, D));
        check_near<float>(rstd.host(), want.rstd, roundings(version, D));
        check_near<S>(dx.host(), want.dx, near<S>(version, D), D == 1 ? 1 : 1e-30);
        check_near<float>(dw.host(), want.dw, roundings(version, std::max(N, D)),
                          D == 1 ? 1 : 1e-30);
        check_near<float>(db.host(), want.db, roundings(version, N));
      }
    }
  });
}

TEST_CASE("layernorm: onto what is there, with and without a bias, dx in the place of dy") {
  for_each_storage([]<Storage S>() {
    Philox rng(9);
    const int N = 9, D = 264;
    for (const LayerNormVersion version : kVersions) {
      for (const bool bias : {false, true}) {
        CAPTURE(int(version), bias);
        const Input<S> x = rows_around_one<S>(rng, N, D);
        Input<S> dy(rng, N, D);
        const Input<S> dx_in(rng, N, D);
        const Input<float> w(rng, 1, D);
        Input<float> dw(rng, 1, D), db(rng, 1, D);
        const Reference want(x.host, w.host, RowVec<double>(), dy.host);
        Output<S> y(N, D);
        Output<float> mean(N, 1), rstd(N, 1);
        twin::Buffer<float> work(twin::layernorm_backward_work(N, D));
        twin::layernorm_forward<S>(nullptr, x.data(), w.data(), nullptr, y.data(), mean.data(),
                                   rstd.data(), N, D, float(kEps), version);
        check_near<S>(y.host(), want.y, near<S>(version, D), D == 1 ? 1 : 1e-30);

        twin::layernorm_backward<S>(nullptr, nullptr, dy.data(), x.data(), w.data(), mean.data(),
                                    rstd.data(), bias ? dx_in.data() : nullptr, dy.device.data(),
                                    dw.device.data(), bias ? db.device.data() : nullptr,
                                    work.data(), N, D, Write::add, version);
        const auto now = []<Storage R>(twin::Buffer<R>& device, int rows, int cols) {
          Mat<double> values(rows, cols);
          const std::vector<R> stored = device.to_host();
          for (Index i = 0; i < values.size(); ++i)
            values.data()[i] = double(stored[std::size_t(i)]);
          return values;
        };
        const Mat<double> dx = bias ? Mat<double>(want.dx + dx_in.host) : want.dx;
        check_near<S>(now(dy.device, N, D), dx, near<S>(version, D));
        check_near<float>(now(dw.device, 1, D), Mat<double>(want.dw + dw.host),
                          roundings(version, D));
        const Mat<double> sum = bias ? Mat<double>(db.host + dy.host.colwise().sum()) : db.host;
        check_near<float>(now(db.device, 1, D), sum, roundings(version, N));
      }
    }
  });
}

TEST_CASE("layernorm: more rows than the blocks take in one turn") {
  for_each_storage([]<Storage S>() {
    Philox rng(10);
    for (const auto [N, D] : {Size{4300, 8}, Size{1100, 264}, Size{600, 7}}) {
      CAPTURE(N, D);
      const Input<S> x = rows_around_one<S>(rng, N, D), dy(rng, N, D);
      const Input<float> w(rng, 1, D), b(rng, 1, D);
      const Reference want(x.host, w.host, b.row(), dy.host);
      const Input<float> mean(want.mean), rstd(want.rstd);
      const LayerNormVersion version = LayerNormVersion::latest;
      Output<S> dx(N, D);
      Output<float> dw(1, D), db(1, D);
      twin::Buffer<float> work(twin::layernorm_backward_work(N, D));
      twin::layernorm_backward<S>(nullptr, nullptr, dy.data(), x.data(), w.data(), mean.data(),
                                  rstd.data(), nullptr, dx.data(), dw.data(), db.data(),
                                  work.data(), N, D, Write::set, version);
      check_near<S>(dx.host(), want.dx, near<S>(version, D), D == 1 ? 1 : 1e-30);
      check_near<float>(dw.host(), want.dw, roundings(version, std::max(N, D)), D == 1 ? 1 : 1e-30);
      check_near<float>(db.host(), want.db, roundings(version, N));
    }
  });
}

TEST_CASE("layernorm: rows that do not start at 16 bytes") {
  for_each_storage([]<Storage S>() {
    Philox rng(11);
    const int N = 3, D = 64;
    const Input<S> x(rng, 1, N * D + 1), dy(rng, N, D);
    const Input<float> w(rng, 1, D), b(rng, 1, D);
    const Mat<double> rows = Eigen::Map<const Mat<double>>(x.host.data() + 1, N, D);
    const Reference want(rows, w.host, b.row(), dy.host);
    const LayerNormVersion version = LayerNormVersion::latest;
    Output<S> y(N, D), dx(N, D);
    Output<float> mean(N, 1), rstd(N, 1), dw(1, D), db(1, D);
    twin::Buffer<float> work(twin::layernorm_backward_work(N, D));
    twin::layernorm_forward(nullptr, x.data() + 1, w.data(), b.data(), y.data(), mean.data(),
                            rstd.data(), N, D, float(kEps), version);
    twin::layernorm_backward<S>(nullptr, nullptr, dy.data(), x.data() + 1, w.data(), mean.data(),
                                rstd.data(), nullptr, dx.data(), dw.data(), db.data(), work.data(),
                                N, D, Write::set, version);
    check_near<S>(y.host(), want.y, near<S>(version, D), D == 1 ? 1 : 1e-30);
    check_near<S>(dx.host(), want.dx, near<S>(version, D), D == 1 ? 1 : 1e-30);
    check_near<float>(dw.host(), want.dw, roundings(version, std::max(N, D)), D == 1 ? 1 : 1e-30);
  });
}

TEST_CASE("layernorm: no rows or no columns are refused") {
  twin::Buffer<float> x(8);
  float* p = x.data();
  const LayerNormVersion version = LayerNormVersion::latest;
  CHECK_THROWS_AS(twin::layernorm_forward(nullptr, p, p, p, p, p, p, 0, 8, 1e-5f, version),
                  std::invalid_argument);
  CHECK_THROWS_AS(twin::layernorm_backward(nullptr, nullptr, p, p, p, p, p, p, p, p, p, p, 1, 0,
                                           Write::set, version),
                  std::invalid_argument);
}

}  // namespace tpp::testing
