// Chapter 06: masks and attention, one head and many.
#include "chapters/06_attention/attention.h"

#include "chapters/01_tensor/gradient_check.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

struct Head {
  Mat<double> out, probs;
};

Head head_of(const Mat<double>& q, const Mat<double>& k, const Mat<double>& v, Mask mask,
             double scale, const RowVec<double>& bias = {}) {
  Head head{Mat<double>(q.rows(), v.cols()), Mat<double>(q.rows(), q.rows())};
  attention_head_forward<double>(q, k, v, bias, mask, scale, head.out, head.probs);
  return head;
}

/// The definition, written with loops over single numbers.
Head slow_head(const Mat<double>& q, const Mat<double>& k, const Mat<double>& v, Mask mask,
               double scale, const RowVec<double>& bias) {
  const Index L = q.rows();
  Head head{Mat<double>::Zero(L, v.cols()), Mat<double>::Zero(L, L)};
  for (Index t = 0; t < L; ++t) {
    double sum = 0;
    for (Index s = 0; s < mask.visible(t, L); ++s) {
      double logit = 0;
      for (Index i = 0; i < q.cols(); ++i) logit += q(t, i) * k(s, i);
      logit = logit * scale + (bias.size() != 0 ? bias[s - t + L - 1] : 0);
      head.probs(t, s) = std::exp(logit);
      sum += head.probs(t, s);
    }
    head.probs.row(t) /= sum;
    for (Index s = 0; s < L; ++s) head.out.row(t) += head.probs(t, s) * v.row(s);
  }
  return head;
}

Mask some_mask(int i) {
  const Mask masks[] = {Mask::causal(), Mask::full(), Mask::prefix(5), Mask::padding(3)};
  return masks[i];
}

}  // namespace

TEST_CASE("one head of two tokens worked out by hand", "[ch06]") {
  // Query 1 sees both keys: logits (0, ln 3), so weights (1/4, 3/4) and the mean of 8 and 4 is 5
  Mat<double> q(2, 1), k(2, 1), v(2, 1);
  q << 7, 1;
  k << 0, std::log(3.0);
  v << 8, 4;
  const Head head = head_of(q, k, v, Mask::causal(), 1);
  CHECK(head.probs(0, 0) == 1);
  CHECK(head.probs(0, 1) == 0);
  CHECK(std::abs(head.probs(1, 0) - 0.25) <= 1e-15);
  CHECK(std::abs(head.out(0, 0) - 8) <= 1e-15);
  CHECK(std::abs(head.out(1, 0) - 5) <= 1e-14);
}

TEST_CASE("a head equals its definition under every mask, with and without a bias", "[ch06]") {
  const Index L = GENERATE(1, 5, 33, 70);  // 33 and 70 leave a ragged last block
  const int mask = GENERATE(range(0, 4));
  const bool biased = GENERATE(false, true);
  CAPTURE(L, mask, biased);
  Philox rng(6, std::uint64_t(L));
  const Mat<double> q = random_normal<double>(rng, L, 6), k = random_normal<double>(rng, L, 6),
                    v = random_normal<double>(rng, L, 6);
  RowVec<double> bias;
  if (biased) bias = random_normal<double>(rng, 1, 2 * L - 1).row(0);
  const Head fast = head_of(q, k, v, some_mask(mask), 0.4, bias);
  const Head slow = slow_head(q, k, v, some_mask(mask), 0.4, bias);
  CHECK((fast.probs - slow.probs).cwiseAbs().maxCoeff() <= 1e-12);
  CHECK((fast.out - slow.out).cwiseAbs().maxCoeff() <= 1e-12);
}

TEST_CASE("every row of probabilities adds up to one and is zero where the mask hides", "[ch06]") {
  const int mask = GENERATE(range(0, 4));
  Philox rng(7);
  const Mat<double> q =
      random_normal<double>(rng, 40, 4, 30.0);  // large logits: exp must not overflow
  const Head head = head_of(q, q, q, some_mask(mask), 1);
  for (Index t = 0; t < 40; ++t) {
    CHECK(std::abs(head.probs.row(t).sum() - 1) <= 1e-12);
    const Index visible = some_mask(mask).visible(t, 40);
    CHECK(head.probs.row(t).tail(40 - visible).isZero(0));
  }
}

TEST_CASE("a causal head does not see the future", "[ch06]") {
  Philox rng(8);
  Mat<double> q = random_normal<double>(rng, 50, 4), k = random_normal<double>(rng, 50, 4),
              v = random_normal<double>(rng, 50, 4);
  const Head before = head_of(q, k, v, Mask::causal(), 0.5);
  k.row(49).setRandom();
  v.row(49).setConstant(1e6);
  const Head after = head_of(q, k, v, Mask::causal(), 0.5);
  CHECK(before.out.topRows(49) == after.out.topRows(49));
  CHECK((before.out.row(49) - after.out.row(49)).norm() > 1);
}

TEST_CASE("attention backward is the transpose of the forward's derivative", "[ch06][grad]") {
  const Index L = GENERATE(1, 7, 40);
  const int mask = GENERATE(range(0, 4));
  CAPTURE(L, mask);
  constexpr Index B = 2, H = 3, K = 4;
  Philox rng(9, std::uint64_t(L));
  std::array<Mat<double>, 4> in = {
      random_normal<double>(rng, B * L, H * K), random_normal<double>(rng, B * L, H * K),
      random_normal<double>(rng, B * L, H * K), random_normal<double>(rng, H, 2 * L - 1)};
  const Mat<double> u = random_normal<double>(rng, B * L, H * K);
  const AttentionConfig cfg{.T = L, .H = H, .G = H, .mask = some_mask(mask)};

  Tape<double> tape;
  std::array<Var<double>, 4> vars;
  for (std::size_t i = 0; i < 4; ++i) vars[i] = tape.variable(in[i], "x");
  tape.backward_from(attention(vars[0], vars[1], vars[2], vars[3], cfg), u);

  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);  // q, k, v, bias
    CHECK(check_gradient(rng, in[i], vars[i].grad(), [&](const Mat<double>& at) {
            std::array<Mat<double>, 4> x = in;
            x[i] = at;
            Tape<double> other;
            std::array<Var<double>, 4> y;
            for (std::size_t j = 0; j < 4; ++j) y[j] = other.input(x[j], "x");
            return project(u, attention(y[0], y[1], y[2], y[3], cfg).value());
          }).agrees());
  }
}

TEST_CASE("heads and sequences do not mix", "[ch06]") {
  constexpr Index B = 2, L = 9, H = 3, K = 4;
  Philox rng(10);
  const Mat<double> q = random_normal<double>(rng, B * L, H * K),
                    k = random_normal<double>(rng, B * L, H * K),
                    v = random_normal<double>(rng, B * L, H * K);
  Tape<double> tape;
  const Var<double> out = attention(tape.input(q, "q"), tape.input(k, "k"), tape.input(v, "v"),
                                    Var<double>{}, {.T = L, .H = H, .G = H});
  const Var<double> probs = tape.find("probs");
  for (Index b = 0; b < B; ++b) {
    for (Index h = 0; h < H; ++h) {
      const auto part = [&](const Mat<double>& x) {
        return Mat<double>(x.block(b * L, h * K, L, K));
      };
      const Head alone = head_of(part(q), part(k), part(v), Mask::causal(), 0.5);  // 1/√4
      CHECK((alone.out - part(out.value())).cwiseAbs().maxCoeff() <= 1e-14);
      CHECK((alone.probs - probs.value().middleRows((b * H + h) * L, L)).cwiseAbs().maxCoeff() <=
            1e-14);
    }
  }
}

TEST_CASE("masks show at least one key and never more than there are", "[ch06]") {
  for (Index t = 0; t < 4; ++t) {
    CHECK(Mask::causal().visible(t, 4) == t + 1);
    CHECK(Mask::full().visible(t, 4) == 4);
    CHECK(Mask::prefix(2).visible(t, 4) == std::max<Index>(2, t + 1));
    CHECK(Mask::padding(3).visible(t, 4) == 3);
    CHECK(Mask::padding(0).visible(t, 4) == 1);
    CHECK(Mask::prefix(9).visible(t, 4) == 4);
  }
}

TEST_CASE("attention refuses shapes that do not fit", "[ch06]") {
  Tape<double> tape;
  const Var<double> x = tape.input(Mat<double>::Zero(6, 6), "x"),
                    y = tape.input(Mat<double>::Zero(6, 4), "y");
  const Var<double> none;
  CHECK_THROWS_AS(attention(x, x, x, none, {.T = 4, .H = 2, .G = 2}), ShapeError);  // 4 ∤ 6 rows
  CHECK_THROWS_AS(attention(x, x, x, none, {.T = 3, .H = 4, .G = 4}), ShapeError);  // 4 ∤ 6 columns
  CHECK_THROWS_AS(attention(x, y, x, none, {.T = 3, .H = 2, .G = 2}), ShapeError);  // k too narrow
  CHECK_THROWS_AS(attention(x, x, x, none, {.T = 3, .H = 2, .G = 1}), ShapeError);  // chapter 15
  CHECK_THROWS_AS(attention(x, x, x, y, {.T = 3, .H = 2, .G = 2}), ShapeError);     // the bias
}
