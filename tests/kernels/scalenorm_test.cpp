// ScaleNorm's twin against the double reference, with rows below the least length.
#include "kernels/scalenorm/scalenorm.h"

#include "chapters/12_rmsnorm/scalenorm.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {

TEST_CASE("scalenorm: forward and backward") {
  for_each_storage([]<Storage S>() {
    constexpr double near = std::is_same_v<S, float> ? 8 : 1.1;
    constexpr auto version = twin::ScaleNormVersion::latest;
    const double eps = 1e-2;
    Philox rng(3);
    for (const auto& [N, D] : {std::pair{1, 1}, {3, 5}, {6, 64}, {67, 40}, {2, 1027}, {1100, 8}}) {
      for (const auto write : {twin::Write::set, twin::Write::add}) {
        CAPTURE(N, D);
        Mat<double> rows = random_normal<double>(rng, N, D);
        if (N > 2) rows.row(1) *= 1e-4 / rows.row(1).norm(), rows.row(2).setZero();
        if (D == 1) rows *= 1e-3;  // above the least length, one number has no gradient
        const Input<S> x(rows), dy(rng, N, D);
        const Input<float> g(rng, 1, 1);
        Input<float> dg(rng, 1, 1);

        Mat<double> y(N, D), dx(N, D);
        ColVec<double> rnorm(N);
        RowVec<double> dgain(1);
        scalenorm_forward<double>(x.host, g.row(), {.eps = eps}, y, rnorm);
        scalenorm_backward<double>(dy.host, x.host, g.row(), {.eps = eps}, rnorm, dx, dgain);

        Output<S> got_y(N, D), got_dx(N, D);
        Output<float> got_rnorm(N, 1);
        twin::Buffer<float> work(twin::scalenorm_backward_work(N, D));
        twin::scalenorm_forward(nullptr, x.data(), g.data(), got_y.data(), got_rnorm.data(), N, D,
                                float(eps), version);
        twin::scalenorm_backward(nullptr, nullptr, dy.data(), x.data(), g.data(), got_rnorm.data(),
                                 got_dx.data(), dg.device.data(), work.data(), N, D, float(eps),
                                 write, version);
        check_near<S>(got_y.host(), y, near);
        check_near<float>(got_rnorm.host(), rnorm, 8);
        check_near<S>(got_dx.host(), dx, near);

        // dg is one sum of N signed numbers: its roundings are those of the sum without signs
        const double had = write == twin::Write::add ? dg.host(0, 0) : 0;
        const Mat<double> along = (dy.host.array() * x.host.array()).abs().rowwise().sum();
        const double size = (along.array() * rnorm.array()).sum() + std::abs(had);
        const double error = std::abs(double(dg.device.to_host()[0]) - (dgain[0] + had));
        CHECK(error <= 6 * rounding<float>() * size);
      }
    }
  });
}

TEST_CASE("scalenorm: no rows or no columns are refused") {
  twin::Buffer<float> x(8);
  float* p = x.data();
  const auto version = twin::ScaleNormVersion::latest;
  CHECK_THROWS_AS(twin::scalenorm_forward(nullptr, p, p, p, p, 0, 8, 1e-5f, version),
                  std::invalid_argument);
  CHECK_THROWS_AS(twin::scalenorm_backward(nullptr, nullptr, p, p, p, p, p, p, p, 1, 0, 1e-5f,
                                           twin::Write::set, version),
                  std::invalid_argument);
}

}  // namespace tpp::testing
