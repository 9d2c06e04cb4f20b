// Cross-entropy, every version: losses and gradients at ragged sizes and at those where the holder of a row changes,
// ignored targets, a loss that is scaled, results in place.
#include "kernels/cross_entropy/cross_entropy.h"

#include <limits>

#include "chapters/05_softmax/cross_entropy.h"
#include "tests/kernels/twins.h"

namespace tpp::testing {
namespace {

using twin::CrossEntropyVersion;

constexpr CrossEntropyVersion kVersions[] = {
    CrossEntropyVersion::latest, CrossEntropyVersion::v1_separate, CrossEntropyVersion::v2_online,
    CrossEntropyVersion::v3_row_on_chip};

struct Size {
  int N, V;
};
constexpr Size kSizes[] = {{1, 1},    {7, 5},    {37, 64},  {9, 250},   {5, 256},  {3, 264},
                           {6, 1000}, {4, 1023}, {3, 1024}, {11, 1032}, {3, 2001}, {3, 4096}};

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// bfloat16 hides all but its own rounding. In float, log_sum and the exponential's argument are rounded, which costs as
// many roundings as they are large, and that is about ten.
template <Storage S>
constexpr double kRoundings = std::is_same_v<S, float> ? 24 : 1;

// Targets, every fifth one ignored; the first and the last score are targets too.
std::vector<int> some_targets(Philox& rng, int N, int V) {
  std::vector<int> targets(std::size_t(N), 0);
  for (int n = 0; n < N; ++n) {
    targets[std::size_t(n)] = n % 5 == 3   ? -1
                              : n % 5 == 1 ? V - 1
                                           : int(rng.below(std::uint64_t(V)));
  }
  return targets;
}

// A batch, and what the reference says of it.
template <Storage S>
struct Batch {
  int N, V;
  Input<S> logits;
  std::vector<int> targets_host;
  twin::Buffer<int> targets;
  double count, loss;
  ColVec<double> row_loss, log_sum;
  Mat<double> dlogits;

  Batch(Philox& rng, Size size, double dloss = 1)
      : N(size.N),
        V(size.V),
        logits(rng, N, V, 3),
        targets_host(some_targets(rng, N, V)),
        targets(targets_host),
        count(N + 3),
        row_loss(N),
        log_sum(N),
        dlogits(N, V) {
    loss = cross_entropy_forward<double>(logits.host, targets_host, count, row_loss, log_sum);
    cross_entropy_backward<double>(dloss, logits.host, targets_host, count, log_sum, dlogits);
  }
  [[nodiscard]] float inv_count() const { return float(1 / count); }
  void check_forward(Output<float>& got_loss, Output<float>& got_sum) const {
    check_near<float>(got_loss.host(), row_loss);
    check_near<float>(got_sum.host(), log_sum);
    for (int n = 0; n < N; ++n) {
      if (targets_host[std::size_t(n)] < 0) CHECK(got_loss.host()(n, 0) == 0);
    }
  }
  void check_backward(const Mat<double>& got) const {
    check_near<S>(got, dlogits, kRoundings<S>);
    for (int n = 0; n < N; ++n) {
      if (targets_host[std::size_t(n)] < 0) CHECK((got.row(n).array() == 0).all());
    }
  }
};

// What an input's memory holds after a twin wrote over it.
template <Storage S>
Mat<double> now(const Input<S>& input) {
  const std::vector<S> stored = input.device.to_host();
  Mat<double> values(input.host.rows(), input.host.cols());
  for (Index i = 0; i < values.size(); ++i) values.data()[i] = double(stored[std::size_t(i)]);
  return values;
}

}  // namespace

TEST_CASE("cross_entropy: forward and backward alone", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(61);
    for (const Size size : kSizes) {
      const Batch<S> batch(rng, size, 0.75);
      const twin::Buffer<float> dloss(std::vector<float>{0.75f});
      for (const CrossEntropyVersion version : kVersions) {
        CAPTURE(size.N, size.V, int(version));
        Output<float> row_loss(size.N, 1), log_sum(size.N, 1);
        Output<S> dlogits(size.N, size.V);
        twin::cross_entropy_forward<S>(nullptr, batch.logits.data(), batch.targets.data(),
                                       row_loss.data(), log_sum.data(), size.N, size.V, version);
        batch.check_forward(row_loss, log_sum);
        twin::cross_entropy_backward<S>(nullptr, dloss.data(), batch.logits.data(),
                                        batch.targets.data(), batch.inv_count(), log_sum.data(),
                                        dlogits.data(), size.N, size.V, version);
        batch.check_backward(dlogits.host());
      }
    }
  });
}

TEST_CASE("cross_entropy: forward and backward at once", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(62);
    for (const Size size : kSizes) {
      const Batch<S> batch(rng, size, 0.75);
      const twin::Buffer<float> dloss(std::vector<float>{0.75f});
      for (const CrossEntropyVersion version : kVersions) {
        CAPTURE(size.N, size.V, int(version));
        Output<float> row_loss(size.N, 1), log_sum(size.N, 1);
        Output<S> dlogits(size.N, size.V);
        twin::cross_entropy_fused<S>(nullptr, dloss.data(), batch.logits.data(),
                                     batch.targets.data(), batch.inv_count(), row_loss.data(),
                                     log_sum.data(), dlogits.data(), size.N, size.V, version);
        batch.check_forward(row_loss, log_sum);
        batch.check_backward(dlogits.host());
      }
    }
  });
}

TEST_CASE("cross_entropy: rows that fill an SM, in place", "[twins]") {
  for_each_storage([]<Storage S>() {
    // Rows of 32, 64, 100 numbers a thread, one that no block holds, and several for each block
    Philox rng(63);
    for (const Size size : {Size{3, 5000}, Size{5, 16392}, Size{3, 33000}, Size{3, 50304},
                            Size{1, 50312}, Size{1, 54000}, Size{1, 50257}}) {
      CAPTURE(size.N, size.V);
      Batch<S> batch(rng, size);
      Output<float> row_loss(size.N, 1), log_sum(size.N, 1);
      twin::cross_entropy_fused<S>(nullptr, nullptr, batch.logits.data(), batch.targets.data(),
                                   batch.inv_count(), row_loss.data(), log_sum.data(),
                                   batch.logits.device.data(), size.N, size.V,
                                   CrossEntropyVersion::latest);
      batch.check_forward(row_loss, log_sum);
      batch.check_backward(now(batch.logits));
    }
  });
}

TEST_CASE("cross_entropy: in place, every version", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(64);
    for (const Size size : {Size{6, 80}, Size{7, 520}, Size{9, 1288}}) {
      for (const CrossEntropyVersion version : kVersions) {
        CAPTURE(size.N, size.V, int(version));
        Batch<S> batch(rng, size);
        Output<float> row_loss(size.N, 1), log_sum(size.N, 1);
        twin::cross_entropy_fused<S>(nullptr, nullptr, batch.logits.data(), batch.targets.data(),
                                     batch.inv_count(), row_loss.data(), log_sum.data(),
                                     batch.logits.device.data(), size.N, size.V, version);
        batch.check_forward(row_loss, log_sum);
        batch.check_backward(now(batch.logits));
      }
    }
  });
}

TEST_CASE("cross_entropy: scores of minus infinity, and rows that have no softmax", "[twins]") {
  for_each_storage([]<Storage S>() {
    Philox rng(65);
    for (const int V : {48, 700, 1500, 4000}) {
      Mat<double> scores = random_normal<double>(rng, 5, V);
      scores.row(0).head(V - 4).setConstant(-kInfinity);
      scores(1, 3) = -kInfinity;
      scores.row(2).setConstant(-kInfinity);
      scores(3, V / 2) = std::nan("");
      scores(4, V / 2) = std::nan("");  // but nobody asks
      const std::vector<int> targets = {V - 2, 5, 1, 2, -1};
      const Input<S> logits(scores);
      const twin::Buffer<int> device_targets(targets);
      ColVec<double> want_loss(5), want_sum(5);
      Mat<double> want(5, V);
      (void)cross_entropy_forward<double>(logits.host, targets, 1, want_loss, want_sum);
      cross_entropy_backward<double>(1, logits.host, targets, 1, want_sum, want);
      for (const CrossEntropyVersion version : kVersions) {
        CAPTURE(storage_name<S>(), V, int(version));
        Output<float> row_loss(5, 1), log_sum(5, 1);
        Output<S> dlogits(5, V);
        twin::cross_entropy_fused<S>(nullptr, nullptr, logits.data(), device_targets.data(), 1,
                                     row_loss.data(), log_sum.data(), dlogits.data(), 5, V,
                                     version);
        check_near<float>(row_loss.host().topRows(2), want_loss.head(2));
        check_near<S>(dlogits.host().topRows(2), want.topRows(2), kRoundings<S>);
        CHECK((dlogits.host().row(0).head(V - 4).array() == 0).all());
        for (int n = 2; n < 4; ++n) {
          CHECK(std::isnan(row_loss.host()(n, 0)));
          CHECK(dlogits.host().row(n).array().isNaN().all());
        }
        CHECK(row_loss.host()(4, 0) == 0);
        CHECK((dlogits.host().row(4).array() == 0).all());
      }
    }
  });
}

TEST_CASE("cross_entropy: the loss of all rows; a gradient scaled afterwards", "[twins]") {
  Philox rng(66);
  for (const int N : {1, 31, 1024, 5000}) {
    const Input<float> row_loss(rng, N, 1);
    Output<float> loss(1, 1), again(1, 1);
    twin::cross_entropy_loss(nullptr, row_loss.data(), 0.25f, loss.data(), N);
    twin::cross_entropy_loss(nullptr, row_loss.data(), 0.25f, again.data(), N);
    check_near<float>(loss.host(), Mat<double>::Constant(1, 1, row_loss.host.sum() * 0.25), 2);
    CHECK(loss.host() == again.host());
  }
  for_each_storage([]<Storage S>() {
    Philox rng(67);
    for (const Size size : {Size{3, 7}, Size{2, 256}, Size{1, 3000}}) {
      for (const float factor : {1.0f, 0.3f}) {
        Input<S> dlogits(rng, size.N, size.V);
        const twin::Buffer<float> dloss(std::vector<float>{factor});
        twin::cross_entropy_scale<S>(nullptr, dloss.data(), dlogits.device.data(), size.N, size.V);
        check_near<S>(now(dlogits), dlogits.host * double(factor), 1);
      }
    }
  });
}

TEST_CASE("cross_entropy: sizes that make no sense", "[twins]") {
  const auto latest = CrossEntropyVersion::latest;
  twin::cross_entropy_forward<float>(nullptr, nullptr, nullptr, nullptr, nullptr, 0, 5, latest);
  CHECK_THROWS_AS(
      twin::cross_entropy_forward<float>(nullptr, nullptr, nullptr, nullptr, nullptr, 1, 0, latest),
      std::invalid_argument);
  CHECK_THROWS_AS(twin::cross_entropy_fused<Bf16>(nullptr, nullptr, nullptr, nullptr, 1, nullptr,
                                                  nullptr, nullptr, -1, 5, latest),
                  std::invalid_argument);
}

}  // namespace tpp::testing
