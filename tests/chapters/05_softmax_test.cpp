// Chapter 05: softmax, the fused cross-entropy, perplexity.
#include "chapters/05_softmax/softmax.h"

#include <limits>
#include <vector>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/02_tape/ops.h"
#include "chapters/05_softmax/cross_entropy.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

template <Real T>
Mat<T> softmax_of(const Mat<T>& x) {
  Mat<T> y(x.rows(), x.cols());
  softmax_forward<T>(x, y);
  return y;
}

double loss_of(const Mat<double>& logits, const std::vector<int>& targets, double count) {
  ColVec<double> row_loss(logits.rows()), log_sum(logits.rows());
  return cross_entropy_forward<double>(logits, targets, count, row_loss, log_sum);
}

}  // namespace

TEST_CASE("softmax of a row worked out by hand", "[ch05]") {
  // exp of (log 1, log 2, log 5) is (1, 2, 5), with sum 8
  Mat<double> x(1, 3);
  x << 0, std::log(2.0), std::log(5.0);
  const Mat<double> y = softmax_of(x);
  CHECK(std::abs(y(0, 0) - 0.125) <= 1e-15);
  CHECK(std::abs(y(0, 1) - 0.25) <= 1e-15);
  CHECK(std::abs(y(0, 2) - 0.625) <= 1e-15);
}

TEST_CASE("softmax backward is the transpose of the forward's derivative", "[ch05][grad]") {
  const int M = GENERATE(1, 7, 64);
  CAPTURE(M);
  Philox rng(5, std::uint64_t(M));
  const Mat<double> x = random_normal<double>(rng, 3, M), u = random_normal<double>(rng, 3, M);

  Tape<double> tape;
  const Var<double> vx = tape.variable(x, "x");
  tape.backward_from(softmax(vx), u);
  CHECK(check_gradient(rng, x, vx.grad(), [&](const Mat<double>& at) {
          return project(u, softmax_of(at));
        }).agrees());
}

TEMPLATE_TEST_CASE("softmax does not see a constant added to a row, however large", "[ch05]", float,
                   double) {
  using T = TestType;
  const int M = GENERATE(1, 8, 37);
  Philox rng(7);
  const Mat<T> x = (random_normal<T>(rng, 4, M) * 8).array().round();  // exact after the shift
  const Mat<T> y = softmax_of(x), shifted = softmax_of<T>((x.array() + T(1e6)).matrix());
  CHECK((shifted - y).norm() <= T(1e-6) * y.norm());
  for (Index n = 0; n < 4; ++n) CHECK(std::abs(y.row(n).sum() - T(1)) <= T(1e-6));
}

TEMPLATE_TEST_CASE("a masked score gets the probability 0 exactly", "[ch05]", float, double) {
  using T = TestType;
  const T inf = std::numeric_limits<T>::infinity();
  Philox rng(8);
  Mat<T> x = random_normal<T>(rng, 1, 19);  // more than a vector, and a rest
  const Mat<T> seen = softmax_of<T>(x.leftCols(11));
  x.rightCols(8).setConstant(-inf);
  const Mat<T> y = softmax_of(x);
  for (Index i = 11; i < 19; ++i) CHECK(y(0, i) == T(0));
  CHECK((y.leftCols(11) - seen).norm() <= T(1e-6));
}

TEMPLATE_TEST_CASE("a row without a softmax becomes NaN", "[ch05]", float, double) {
  using T = TestType;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const Index at = GENERATE(0, 3, 16);  // in a vector, at its start, in the rest
  Mat<T> x = Mat<T>::Ones(4, 17);
  x.row(0).setConstant(-inf);
  x(1, at) = nan;
  x(2, at) = inf;
  const Mat<T> y = softmax_of(x);
  for (Index n = 0; n < 3; ++n) {
    CAPTURE(n);
    CHECK(y.row(n).array().isNaN().all());
  }
  CHECK(y.row(3).allFinite());
}

TEST_CASE("softmax refuses empty rows and another shape", "[ch05]") {
  Mat<double> y(2, 3), none(2, 0);
  CHECK_THROWS_AS(softmax_forward<double>(Mat<double>::Zero(2, 4), y), ShapeError);
  CHECK_THROWS_AS(softmax_of(none), ShapeError);
}

TEST_CASE("cross-entropy of two rows worked out by hand", "[ch05]") {
  // Probabilities (1, 2, 5)/8 and (1, 1, 2)/4; targets 1 and 2: −log ¼ − log ½ = 3·log 2
  Mat<double> logits(2, 3);
  logits << 0, std::log(2.0), std::log(5.0), 0, 0, std::log(2.0);
  CHECK(std::abs(loss_of(logits, {1, 2}, 2) - 1.5 * std::log(2.0)) <= 1e-15);

  // Probabilities minus the truth, over the count
  Tape<double> tape;
  const Var<double> x = tape.variable(logits, "logits");
  const std::vector<int> targets = {1, 2};
  tape.backward(cross_entropy<double>(x, targets));
  Mat<double> want(2, 3);
  want << 0.125, 0.25 - 1, 0.625, 0.25, 0.25, 0.5 - 1;
  CHECK((x.grad() - want / 2).norm() <= 1e-15);
}

TEST_CASE("cross-entropy's gradient in every logit", "[ch05][grad]") {
  const int V = GENERATE(1, 7, 64);
  const double count = GENERATE(0.0, 10.0);
  CAPTURE(V, count);
  Philox rng(9, std::uint64_t(V));
  const Mat<double> logits = random_normal<double>(rng, 4, V, 2.0);
  const std::vector<int> targets = {0, V - 1, kIgnored, V / 2};

  Tape<double> tape;
  const Var<double> x = tape.variable(logits, "logits");
  const Var<double> loss = cross_entropy<double>(x, targets, count);
  CHECK(std::abs(loss.value()(0, 0) - loss_of(logits, targets, count == 0 ? 3 : count)) <= 1e-15);
  tape.backward(loss, 0.5);
  CHECK(check_gradient(rng, logits, x.grad(), [&](const Mat<double>& at) {
          return 0.5 * loss_of(at, targets, count == 0 ? 3 : count);
        }).agrees());
  CHECK(x.grad().row(2).isZero(0));
}

TEST_CASE("the losses and gradients of a batch's parts add up to the batch's", "[ch05]") {
  Philox rng(10);
  const Mat<double> logits = random_normal<double>(rng, 6, 5);
  const std::vector<int> targets = {0, 4, kIgnored, 2, 1, kIgnored};
  const double count = 4;

  Tape<double> tape;
  const Var<double> all = tape.variable(logits, "all"),
                    top = tape.variable(logits.topRows(2), "top"),
                    rest = tape.variable(logits.bottomRows(4), "rest");
  const std::span<const int> t = targets;
  const Var<double> whole = cross_entropy<double>(all, t);
  const Var<double> parts = add(cross_entropy<double>(top, t.first(2), count),
                                cross_entropy<double>(rest, t.subspan(2), count));
  CHECK(std::abs(whole.value()(0, 0) - parts.value()(0, 0)) <= 1e-15);
  tape.backward(add(whole, parts));
  CHECK((all.grad().topRows(2) - top.grad()).norm() <= 1e-15);
  CHECK((all.grad().bottomRows(4) - rest.grad()).norm() <= 1e-15);
}

TEST_CASE("fused cross-entropy is −log softmax, token by token", "[ch05]") {
  Philox rng(11);
  const Mat<double> logits = random_normal<double>(rng, 3, 9);
  const std::vector<int> targets = {8, kIgnored, 3};
  Tape<double> tape;
  int shown = 0;
  tape.observe("head/token_loss", [&](std::string_view, const ConstMatMap<double>& value) {
    ++shown;
    CHECK(value(1, 0) == 0);
  });
  const auto scope = tape.scope("head");
  (void)cross_entropy<double>(tape.variable(logits, "logits"), targets);
  const Var<double> seen = tape.find("head/token_loss");
  REQUIRE(seen);
  CHECK(shown == 1);
  const Mat<double> p = softmax_of(logits);
  CHECK(std::abs(seen.value()(0, 0) + std::log(p(0, 8))) <= 1e-14);
  CHECK(seen.value()(1, 0) == 0);
  CHECK(std::abs(seen.value()(2, 0) + std::log(p(2, 3))) <= 1e-14);
}

TEST_CASE("cross-entropy of huge logits is finite and exact", "[ch05]") {
  Mat<float> logits(1, 3);
  logits << 1e6f, 1e6f - 8, -1e6f;
  ColVec<float> row_loss(1), log_sum(1);
  const std::vector<int> targets = {1};
  const double loss = cross_entropy_forward<float>(logits, targets, 1, row_loss, log_sum);
  CHECK(std::abs(loss - (8 + std::log1p(std::exp(-8.0)))) <= 1e-5);
}

TEST_CASE("a NaN logit makes the loss NaN", "[ch05]") {
  Mat<double> logits = Mat<double>::Zero(2, 5);
  logits(1, 3) = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(loss_of(logits, {0, 1}, 2)));
}

TEST_CASE("cross-entropy refuses targets and counts that make no sense", "[ch05]") {
  const Mat<double> logits = Mat<double>::Zero(2, 3);
  CHECK_THROWS_AS(loss_of(logits, {0, 3}, 2), ShapeError);
  CHECK_THROWS_AS(loss_of(logits, {0, -2}, 2), ShapeError);
  CHECK_THROWS_AS(loss_of(logits, {0}, 2), ShapeError);
  CHECK_THROWS_AS(loss_of(logits, {0, 1}, 0), ShapeError);
  CHECK_THROWS_AS(loss_of(logits, {0, 1}, std::numeric_limits<double>::quiet_NaN()), ShapeError);

  Tape<double> tape;
  const std::vector<int> ignored = {kIgnored, kIgnored};
  const Var<double> x = tape.variable(logits, "logits");
  CHECK_THROWS_AS(cross_entropy<double>(x, ignored), ShapeError);
  CHECK(cross_entropy<double>(x, ignored, 7).value()(0, 0) == 0);  // a part of a batch may be empty
}

TEST_CASE("a model that knows nothing hesitates among all tokens", "[ch05]") {
  CHECK(std::abs(perplexity(loss_of(Mat<double>::Zero(2, 256), {0, 9}, 2)) - 256) <= 1e-9);
}
