// One number and four maps whose order shows in its digits; who is called when; what becomes of the
// stream; then layers with weights, and their gradients.
#include "chapters/08_layernorm/layernorm.h"
#include "chapters/09_feedforward/activation.h"
#include "chapters/11_gpt/exercises/residual/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Block = decltype(Answer::pre);
using M = Mat<double>;

// norm1 doubles, attention is ×10 (or another factor), norm2 triples, feed_forward is ×100
struct Digits {
  double value;
  std::string calls;
};

Digits digits(Block block, double x, double attention = 10, double feed_forward = 100) {
  Tape<double> tape;
  std::string calls;
  const auto called = [&](const char* name, Var<double> y) {
    calls += calls.empty() ? name : std::string(", ") + name;
    return y;
  };
  const Var<double> y = block(
      tape.input(M::Constant(1, 1, x), "x"),
      [&](Var<double> v) { return called("norm1", scale(v, 2.0)); },
      [&](Var<double> v) { return called("attention", scale(v, attention)); },
      [&](Var<double> v) { return called("norm2", scale(v, 3.0)); },
      [&](Var<double> v) { return called("feed_forward", scale(v, feed_forward)); });
  return {y.value()(0, 0), calls};
}

// LayerNorms and two small layers, with the gradient of the stream's start
struct Result {
  M y, dx;
};

Result layers(Block block, const M& at, const M& u) {
  Philox rng(114);
  const M w1 = random_normal<double>(rng, 6, 6), w2 = random_normal<double>(rng, 6, 6);
  const M g1 = random_normal<double>(rng, 1, 6), g2 = random_normal<double>(rng, 1, 6);
  Tape<double> tape;
  const Var<double> x = tape.variable(at, "x"), mix = tape.input(w1, "w1"),
                    feed = tape.input(w2, "w2"), gain1 = tape.input(g1, "g1"),
                    gain2 = tape.input(g2, "g2");
  const Var<double> y = block(
      x, [&](Var<double> v) { return layernorm(v, gain1); },
      [&](Var<double> v) { return linear(v, mix); },
      [&](Var<double> v) { return layernorm(v, gain2); },
      [&](Var<double> v) { return activation(Activation::gelu, linear(v, feed)); });
  tape.backward_from(y, u);
  return {y.value(), x.grad()};
}

void expect_gradient(Block block, std::string_view what) {
  Philox rng(115);
  const M x = random_normal<double>(rng, 3, 6), u = random_normal<double>(rng, 3, 6);
  const GradientCheck checked = check_gradient(rng, x, layers(block, x, u).dx, [&](const M& moved) {
    return project(u, layers(block, moved, u).y);
  });
  expect_near(checked.analytic, checked.numeric, what, 1e-6);
}

}  // namespace

// The maps in all cases: norm1 is ×2, attention ×10, norm2 ×3, feed_forward ×100

STEP("pre: who is called") {
  expect_equal(digits(answer.pre, 3).calls, "norm1, attention, norm2, feed_forward",
               "pre-norm: the order of the calls");
}

STEP("pre: attention's half") {
  // With a feed_forward that gives 0: 3 + 10·(2·3)
  expect_near(digits(answer.pre, 3, 10, 0).value, 63.0,
              "pre-norm, x = 3: norm1 is ×2, attention is ×10, norm2 is ×3, feed_forward is ×0");
}

STEP("pre: the feed-forward half") {
  // With an attention that gives 0: 3 + 100·(3·3)
  expect_near(digits(answer.pre, 3, 0, 100).value, 903.0,
              "pre-norm, x = 3: norm1 is ×2, attention is ×0, norm2 is ×3, feed_forward is ×100");
}

STEP("pre: the stream stays") {
  expect_near(digits(answer.pre, 3, 0, 0).value, 3.0,
              "pre-norm, x = 3, and both sublayers give 0: the stream passes as it is");
}

STEP("pre: both halves") {
  // 3 + 10·6 = 63, and 63 + 100·189
  expect_near(digits(answer.pre, 3).value, 18963.0,
              "pre-norm, x = 3: norm1 is ×2, attention is ×10, norm2 is ×3, feed_forward is ×100");
}

STEP("post: who is called") {
  expect_equal(digits(answer.post, 3).calls, "attention, norm1, feed_forward, norm2",
               "post-norm: the order of the calls");
}

STEP("post: the norms are on the stream") {
  // 3·2·3
  expect_near(digits(answer.post, 3, 0, 0).value, 18.0,
              "post-norm, x = 3, both sublayers give 0, norm1 is ×2, norm2 is ×3");
}

STEP("post: both halves") {
  // 2·(3 + 30) = 66, and 3·(66 + 6600)
  expect_near(digits(answer.post, 3).value, 19998.0,
              "post-norm, x = 3: attention is ×10, norm1 is ×2, feed_forward is ×100, norm2 is ×3");
}

STEP("whole result") {
  Philox rng(116);
  const M x = random_normal<double>(rng, 5, 6), u = random_normal<double>(rng, 5, 6);
  const Result pre = layers(answer.pre, x, u), book_pre = layers(reference.pre, x, u);
  expect_near(pre.y, book_pre.y, "pre-norm: 5 random rows through LayerNorms and layers");
  expect_near(pre.dx, book_pre.dx, "pre-norm: the gradient of these rows");
  const Result post = layers(answer.post, x, u), book_post = layers(reference.post, x, u);
  expect_near(post.y, book_post.y, "post-norm: 5 random rows through LayerNorms and layers");
  expect_near(post.dx, book_post.dx, "post-norm: the gradient of these rows");
}

STEP("gradient") {
  expect_gradient(answer.pre, "pre-norm: dx along a random direction, beside the slope of y");
  expect_gradient(answer.post, "post-norm: dx along a random direction, beside the slope of y");
}
