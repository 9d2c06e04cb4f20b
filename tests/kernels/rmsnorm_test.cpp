// RMSNorm's twins against the double reference: every version, ragged sizes, alone and with the residual sum.
#include "kernels/rmsnorm/rmsnorm.h"

#include "chapters/12_rmsnorm/rmsnorm.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

using twin::RmsNormVersion;
using twin::Write;

constexpr RmsNormVersion kVersions[] = {RmsNormVersion::latest, RmsNormVersion::v1_block_per_row,
                                        RmsNormVersion::v2_row_in_registers};

struct Size {
  int N, D;
};
// One number; odd and ragged widths; one warp a row, two, four and more; a team without a row; the widest row that
// registers hold, and a wider one
constexpr Size kSizes[] = {{1, 1},    {3, 5},    {5, 40},   {67, 24},  {33, 128},
                           {2, 1027}, {7, 264},  {5, 520},  {3, 1032}, {2, 2048},
                           {1, 4104}, {1, 8192}, {1, 8200}, {2, 2056}};

// A result is rounded once when it is stored; before that, float sums leave a few roundings of float.
template <Storage S>
constexpr double kNear = std::is_same_v<S, float> ? 8 : 1.1;

// A sum over N rows has more of them.
constexpr double kNearSum = 12;

constexpr double kEps = 0.5;  // so large that one number alone has a gradient, and that eps is seen

struct Reference {
  Mat<double> y, dx, dw, rstd;

  Reference(const Mat<double>& x, const Mat<double>& w, const Mat<double>& dy)
      : y(x.rows(), x.cols()), dx(x.rows(), x.cols()) {
    ColVec<double> r(x.rows());
    RowVec<double> gain(x.cols());
    rmsnorm_forward<double>(x, w.row(0), {.eps = kEps}, y, r);
    rmsnorm_backward<double>(dy, x, w.row(0), r, dx, gain);
    dw = gain, rstd = r;
  }
};

}  // namespace

TEST_CASE("rmsnorm: forward and backward") {
  for_each_storage([]<Storage S>() {
    Philox rng(12);
    for (const auto [N, D] : kSizes) {
      const Input<S> x(rng, N, D), dy(rng, N, D);
      const Input<float> w(rng, 1, D);
      const Reference want(x.host, w.host, dy.host);
      for (const RmsNormVersion version : kVersions) {
        CAPTURE(N, D, int(version));
        Output<S> y(N, D), dx(N, D);
        Output<float> rstd(N, 1), dw(1, D);
        twin::Buffer<float> work(twin::rmsnorm_backward_work(N, D));
        twin::rmsnorm_forward(nullptr, x.data(), w.data(), y.data(), rstd.data(), N, D, float(kEps),
                              version);
        twin::rmsnorm_backward(nullptr, nullptr, dy.data(), x.data(), w.data(), rstd.data(),
                               dx.data(), dw.data(), work.data(), N, D, Write::set, version);
        check_near<S>(y.host(), want.y, kNear<S>);
        check_near<float>(rstd.host(), want.rstd, 8);
        check_near<S>(dx.host(), want.dx, kNear<S>);
        check_near<float>(dw.host(), want.dw, kNearSum);
      }
    }
  });
}

TEST_CASE("rmsnorm: the residual sum and its gradient come along") {
  for_each_storage([]<Storage S>() {
    Philox rng(13);
    for (const auto [N, D] : kSizes) {
      const Input<S> x(rng, N, D), branch(rng, N, D), dy(rng, N, D), ds_in(rng, N, D);
      const Input<float> w(rng, 1, D);
      const Input<S> sum(Mat<double>(x.host + branch.host));  // rounded, as it is stored
      const Reference want(sum.host, w.host, dy.host);
      for (const RmsNormVersion version : kVersions) {
        CAPTURE(N, D, int(version));
        Output<S> s(N, D), y(N, D), ds(N, D);
        Output<float> rstd(N, 1), dw(1, D);
        twin::Buffer<float> work(twin::rmsnorm_backward_work(N, D));
        twin::rmsnorm_residual_forward(nullptr, x.data(), branch.data(), w.data(), s.data(),
                                       y.data(), rstd.data(), N, D, float(kEps), version);
        twin::rmsnorm_residual_backward(nullptr, nullptr, dy.data(), ds_in.data(), s.data(),
                                        w.data(), rstd.data(), ds.data(), dw.data(), work.data(), N,
                                        D, Write::set, version);
        CHECK(s.host() == sum.host);
        check_near<S>(y.host(), want.y, kNear<S>);
        check_near<float>(rstd.host(), want.rstd, 8);
        check_near<S>(ds.host(), Mat<double>(want.dx + ds_in.host), kNear<S>);
        check_near<float>(dw.host(), want.dw, kNearSum);

        // Two steps give the same bits
        Output<S> y2(N, D);
        Output<float> rstd2(N, 1);
        twin::rmsnorm_forward(nullptr, s.data(), w.data(), y2.data(), rstd2.data(), N, D,
                              float(kEps), version);
        CHECK(y2.host() == y.host());
        CHECK(rstd2.host() == rstd.host());
      }
    }
  });
}

TEST_CASE("rmsnorm: in place, and onto what is there") {
  for_each_storage([]<Storage S>() {
    Philox rng(14);
    const int N = 9, D = 264;
    for (const RmsNormVersion version : kVersions) {
      CAPTURE(int(version));
      Input<S> x(rng, N, D), branch(rng, N, D), dy(rng, N, D), ds(rng, N, D);
      Input<float> w(rng, 1, D), dw(rng, 1, D);
      const Input<S> sum(Mat<double>(x.host + branch.host));
      const Reference want(sum.host, w.host, dy.host);
      Output<S> y(N, D);
      Output<float> rstd(N, 1);
      twin::Buffer<float> work(twin::rmsnorm_backward_work(N, D));

      // s takes x's place, ds that of ds_in; dw grows
      twin::rmsnorm_residual_forward(nullptr, x.data(), branch.data(), w.data(), x.device.data(),
                                     y.data(), rstd.data(), N, D, float(kEps), version);
      twin::rmsnorm_residual_backward(nullptr, nullptr, dy.data(), ds.data(), x.data(), w.data(),
                                      rstd.data(), ds.device.data(), dw.device.data(), work.data(),
                                      N, D, Write::add, version);
      const auto now = [&](twin::Buffer<S>& device) {
        Mat<double> values(N, D);
        const std::vector<S> stored = device.to_host();
        for (Index i = 0; i < values.size(); ++i) values.data()[i] = double(stored[std::size_t(i)]);
        return values;
      };
      CHECK(now(x.device) == sum.host);
      check_near<S>(y.host(), want.y, kNear<S>);
      check_near<S>(now(ds.device), Mat<double>(want.dx + ds.host), kNear<S>);
      const std::vector<float> grown = dw.device.to_host();
      Mat<double> got(1, D);
      for (int d = 0; d < D; ++d) got(0, d) = grown[std::size_t(d)];
      check_near<float>(got, Mat<double>(want.dw + dw.host), kNearSum);
    }
  });
}

TEST_CASE("rmsnorm: more rows than the blocks take in one turn") {
  for_each_storage([]<Storage S>() {
    Philox rng(15);
    for (const auto [N, D] : {Size{4300, 8}, Size{1100, 264}, Size{600, 7}}) {
      CAPTURE(N, D);
      const Input<S> x(rng, N, D), dy(rng, N, D);
      const Input<float> w(rng, 1, D);
      const Reference want(x.host, w.host, dy.host);
      const Input<float> rstd(want.rstd);
      Output<S> dx(N, D);
      Output<float> dw(1, D);
      twin::Buffer<float> work(twin::rmsnorm_backward_work(N, D));
      twin::rmsnorm_backward(nullptr, nullptr, dy.data(), x.data(), w.data(), rstd.data(),
                             dx.data(), dw.data(), work.data(), N, D, Write::set,
                             RmsNormVersion::latest);
      check_near<S>(dx.host(), want.dx, kNear<S>);
      check_near<float>(dw.host(), want.dw, kNearSum);
    }
  });
}

TEST_CASE("rmsnorm: rows that do not start at 16 bytes") {
  for_each_storage([]<Storage S>() {
    Philox rng(16);
    const int N = 3, D = 64;
    const Input<S> x(rng, 1, N * D + 1), dy(rng, N, D);
    const Input<float> w(rng, 1, D);
    const Mat<double> rows = Eigen::Map<const Mat<double>>(x.host.data() + 1, N, D);
    const Reference want(rows, w.host, dy.host);
    Output<S> y(N, D), dx(N, D);
    Output<float> rstd(N, 1), dw(1, D);
    twin::Buffer<float> work(twin::rmsnorm_backward_work(N, D));
    twin::rmsnorm_forward(nullptr, x.data() + 1, w.data(), y.data(), rstd.data(), N, D, float(kEps),
                          RmsNormVersion::latest);
    twin::rmsnorm_backward(nullptr, nullptr, dy.data(), x.data() + 1, w.data(), rstd.data(),
                           dx.data(), dw.data(), work.data(), N, D, Write::set,
                           RmsNormVersion::latest);
    check_near<S>(y.host(), want.y, kNear<S>);
    check_near<S>(dx.host(), want.dx, kNear<S>);
    check_near<float>(dw.host(), want.dw, kNearSum);
  });
}

TEST_CASE("rmsnorm: no rows or no columns are refused") {
  twin::Buffer<float> x(8);
  float* p = x.data();
  const RmsNormVersion version = RmsNormVersion::latest;
  CHECK_THROWS_AS(twin::rmsnorm_forward(nullptr, p, p, p, p, 0, 8, 1e-5f, version),
                  std::invalid_argument);
  CHECK_THROWS_AS(
      twin::rmsnorm_backward(nullptr, nullptr, p, p, p, p, p, p, p, 1, 0, Write::set, version),
      std::invalid_argument);
  CHECK_THROWS_AS(
      twin::rmsnorm_residual_forward<float>(nullptr, p, nullptr, p, p, p, p, 1, 8, 1e-5f, version),
      std::invalid_argument);
}

}  // namespace tpp::testing
