// Softmax, every version: ragged rows, the scores that have no ordinary softmax, and results in place.
#include "kernels/softmax/softmax.h"

#include <limits>

#include "chapters/05_softmax/softmax.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

using twin::SoftmaxVersion;

constexpr SoftmaxVersion kVersions[] = {SoftmaxVersion::latest, SoftmaxVersion::v1_thread_per_row,
                                        SoftmaxVersion::v2_warp_per_row,
                                        SoftmaxVersion::v3_row_in_registers};

struct Size {
  int N, M;
};
// One number; a warp with 8 and 32 numbers a lane, by packs and singly; a block with 8 and 32; wider than a block holds
constexpr Size kSizes[] = {{1, 1},    {67, 3},   {5, 32},    {33, 100}, {3, 256},
                           {5, 257},  {2, 1000}, {3, 1024},  {2, 1026}, {1, 4096},
                           {1, 4104}, {1, 5001}, {1, 16384}, {1, 16385}};

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// bfloat16 hides all but its own rounding. In float, an exponential's argument is rounded, which costs as many roundings
// as the scores lie below the maximum; v1's thread adds a row's numbers one after another.
template <Storage S>
double roundings(SoftmaxVersion version, int M) {
  if (!std::is_same_v<S, float>) return 1;
  return version == SoftmaxVersion::v1_thread_per_row ? 16 + M / 32 : 16;
}

// Where one probability is near 1, dy and its mean are near each other, and their difference has fewer digits.
constexpr double kBack = 4;

// What an input's memory holds after a twin wrote over it.
template <Storage S>
Mat<double> now(const Input<S>& input) {
  const std::vector<S> stored = input.device.to_host();
  Mat<double> values(input.host.rows(), input.host.cols());
  for (Index i = 0; i < values.size(); ++i) values.data()[i] = double(stored[std::size_t(i)]);
  return values;
}

}  // namespace

TEST_CASE("softmax: forward and backward, every version, ragged rows", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(51);
    for (const Size size : kSizes) {
      const Input<S> x(rng, size.N, size.M, 3), dy(rng, size.N, size.M);
      Mat<double> y(size.N, size.M), dx(size.N, size.M);
      softmax_forward<double>(x.host, y);
      const Input<S> stored(y);  // backward gets the probabilities as they are stored
      softmax_backward<double>(dy.host, stored.host, dx);
      for (const SoftmaxVersion version : kVersions) {
        CAPTURE(size.N, size.M, int(version));
        Output<S> got(size.N, size.M), got_dx(size.N, size.M);
        twin::softmax_forward<S>(nullptr, x.data(), got.data(), size.N, size.M, version);
        check_near<S>(got.host(), y, roundings<S>(version, size.M));
        twin::softmax_backward<S>(nullptr, dy.data(), stored.data(), got_dx.data(), size.N, size.M,
                                  version);
        check_near<S>(got_dx.host(), dx, kBack * roundings<S>(version, size.M));
      }
    }
  });
}

TEST_CASE("softmax: in place", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(52);
    const int N = 5, M = 264;
    Mat<double> y(N, M), dx(N, M);
    for (const SoftmaxVersion version : kVersions) {
      Input<S> x(rng, N, M), dy(rng, N, M);
      softmax_forward<double>(x.host, y);
      const Input<S> stored(y);
      softmax_backward<double>(dy.host, stored.host, dx);
      twin::softmax_forward<S>(nullptr, x.data(), x.device.data(), N, M, version);
      twin::softmax_backward<S>(nullptr, dy.data(), stored.data(), dy.device.data(), N, M, version);
      check_near<S>(now(x), y, roundings<S>(version, M));
      check_near<S>(now(dy), dx, kBack * roundings<S>(version, M));
    }
  });
}

TEST_CASE("softmax: masked scores get 0 exactly; rows without a softmax become NaN", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(53);
    for (const int M : {40, 300, 1200}) {
      Mat<double> scores = random_normal<double>(rng, 6, M);
      scores.row(0).tail(M - 2).setConstant(-kInfinity);
      scores(1, 7) = -kInfinity;
      scores.row(2) *= 1e30;                  // far apart: the largest takes all
      scores.row(3).setConstant(-kInfinity);  // nothing is left
      scores(4, M / 2) = std::nan("");
      scores(5, M - 1) = kInfinity;
      const Input<S> x(scores);
      for (const SoftmaxVersion version : kVersions) {
        CAPTURE(storage_name<S>(), M, int(version));
        Output<S> y(6, M);
        twin::softmax_forward<S>(nullptr, x.data(), y.data(), 6, M, version);
        const Mat<double> got = y.host();
        CHECK((got.row(0).tail(M - 2).array() == 0).all());
        CHECK(got.row(0).sum() == Approx(1).epsilon(rounding<S>()));
        CHECK(got(1, 7) == 0);
        CHECK((got.row(1).array() == 0).count() == 1);
        CHECK((got.row(2).array() == 0).count() == M - 1);
        CHECK(got.row(2).sum() == 1);
        for (int n = 3; n < 6; ++n) CHECK(got.row(n).array().isNaN().all());
      }
    }
  });
}

TEST_CASE("softmax: large scores, and rows without scores", "[twins]") {
  Mat<double> scores(1, 3), y(1, 3);
  scores << 3e38, 3e38, -3e38;
  const Input<float> x(scores);
  for (const SoftmaxVersion version : kVersions) {
    Output<float> got(1, 3);
    twin::softmax_forward<float>(nullptr, x.data(), got.data(), 1, 3, version);
    CHECK(got.host() == (Mat<double>(1, 3) << 0.5, 0.5, 0).finished());
    twin::softmax_forward<float>(nullptr, nullptr, nullptr, 0, 3, version);
    CHECK_THROWS_AS(twin::softmax_forward<float>(nullptr, x.data(), got.data(), 1, 0, version),
                    std::invalid_argument);
    CHECK_THROWS_AS(
        twin::softmax_backward<float>(nullptr, x.data(), x.data(), got.data(), -1, 3, version),
        std::invalid_argument);
  }
}

}  // namespace tpp::testing
