// One mechanism a step: who uses which key head; forward with one number a head; dv, then dk of a group; then everything.
#include "chapters/15_gqa/exercises/head_sharing/answer.h"
#include "chapters/15_gqa/gqa.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

std::vector<int> key_heads(const Answer& answer, Index H, Index G) {
  std::vector<int> of;
  for (Index h = 0; h < H; ++h) of.push_back(int(answer.key_head(h, H, G)));
  return of;
}

Mat<double> row(std::initializer_list<double> values) {
  Mat<double> m(1, Index(values.size()));
  std::copy(values.begin(), values.end(), m.data());
  return m;
}

Mat<double>& forward(const Answer& answer, const Mat<double>& q, const Mat<double>& k,
                     const Mat<double>& v, Index H, Index G) {
  Mat<double>& out = output<Mat<double>>(q.rows(), q.cols());
  answer.forward(q, k, v, H, G, out, output<Mat<double>>(H * q.rows(), q.rows()));
  return out;
}

struct Gradients {
  Mat<double>&dq, &dk, &dv;
};

Gradients backward(const Answer& answer, const Answer& book, const Mat<double>& dout,
                   const Mat<double>& q, const Mat<double>& k, const Mat<double>& v, Index H,
                   Index G) {
  // The book's weights: what your forward makes is another step's matter
  Mat<double> out(q.rows(), q.cols()), probs(H * q.rows(), q.rows());
  book.forward(q, k, v, H, G, out, probs);
  const Gradients d{output<Mat<double>>(q.rows(), q.cols()),
                    output<Mat<double>>(k.rows(), k.cols()),
                    output<Mat<double>>(k.rows(), k.cols())};
  answer.backward(dout, q, k, v, probs, H, G, d.dq, d.dk, d.dv);
  return d;
}

}  // namespace

STEP("one key head for all, or one for each") {
  expect_equal(key_heads(answer, 4, 1), std::vector<int>{0, 0, 0, 0},
               "key heads of 4 query heads, G = 1");
  expect_equal(key_heads(answer, 4, 4), std::vector<int>{0, 1, 2, 3},
               "key heads of 4 query heads, G = 4");
}

STEP("neighbours share") {
  expect_equal(key_heads(answer, 6, 2), std::vector<int>{0, 0, 0, 1, 1, 1},
               "key heads of 6 query heads, G = 2");
  expect_equal(key_heads(answer, 6, 3), std::vector<int>{0, 0, 1, 1, 2, 2},
               "key heads of 6 query heads, G = 3");
}

STEP("one token, heads of one number") {
  // A single token looks at itself: out is its value
  expect_near(forward(answer, row({1, 1, 1, 1, 1, 1}), row({3, 5}), row({10, 20}), 6, 2),
              row({10, 10, 10, 20, 20, 20}), "out of 6 query heads, values (10, 20), G = 2");
}

STEP("dv of a group") {
  // A single token again: each head's dv_h is its dout
  const Gradients d = backward(answer, reference, row({1, 2, 4, 8, 16, 32}),
                               row({1, 1, 1, 1, 1, 1}), row({3, 5}), row({10, 20}), 6, 2);
  expect_near(d.dv, row({7, 56}), "dv of 2 key heads, dout (1, 2, 4, 8, 16, 32), G = 2");
}

STEP("heads of two numbers") {
  const Gradients d =
      backward(answer, reference, row({1, 10, 2, 20, 4, 40, 8, 80}), row({1, 1, 1, 1, 1, 1, 1, 1}),
               row({1, 2, 3, 4}), row({5, 6, 7, 8}), 4, 2);
  expect_near(d.dv, row({3, 30, 12, 120}),
              "dv of 2 key heads of 2 numbers, dout (1, 10, 2, 20, 4, 40, 8, 80)");
}

STEP("dk of a group") {
  // Two tokens, zero queries and keys but for q = (1, 2, 4, 8) in the second row: its weights are ½ and ½
  Mat<double> q(2, 4), dout(2, 4), want(2, 2);
  q << 0, 0, 0, 0, 1, 2, 4, 8;
  dout << 0, 0, 0, 0, 1, 1, 1, 1;
  const Mat<double> k = Mat<double>::Zero(2, 2);
  Mat<double> v(2, 2);
  v << 4, 4, 0, 0;
  want << 3, 12, -3, -12;
  expect_near(
      backward(answer, reference, dout, q, k, v, 4, 2).dk, want,
      "dk of 2 key heads; query heads want (1, 2, 4, 8) in row 0 and the opposite in row 1");
}

STEP("whole result") {
  for (const Index G : {1, 2, 3, 6}) {
    Philox rng(15, std::uint64_t(G));
    const Index H = 6, K = 2, L = 5;
    const Mat<double>&q = input("q", random_normal<double>(rng, L, H * K)),
          &k = input("k", random_normal<double>(rng, L, G * K)),
          &v = input("v", random_normal<double>(rng, L, G * K)),
          &dout = input("dout", random_normal<double>(rng, L, H * K));
    // The book's chapter, on the tape
    Tape<double> tape;
    const Var<double> vq = tape.variable(q, "q"), vk = tape.variable(k, "k"),
                      vv = tape.variable(v, "v");
    const Var<double> book =
        grouped_query_attention(vq, vk, vv, Var<double>{}, {.T = L, .H = H, .G = G});
    tape.backward_from(book, dout);
    const std::string of = ", 5 tokens, H = 6, K = 2, G = " + std::to_string(G);
    expect_near(forward(answer, q, k, v, H, G), Mat<double>(book.value()), "out" + of);
    const Gradients d = backward(answer, reference, dout, q, k, v, H, G);
    expect_near(d.dq, Mat<double>(vq.grad()), "dq" + of);
    expect_near(d.dk, Mat<double>(vk.grad()), "dk" + of);
    expect_near(d.dv, Mat<double>(vv.grad()), "dv" + of);
  }
}

STEP("the slope of the forward") {
  // Along a random direction: ⟨dk, direction⟩ beside the change of ⟨u, out⟩ as k moves along it
  Philox rng(16);
  const Index H = 4, G = 2, K = 3, L = 4;
  const Mat<double> q = random_normal<double>(rng, L, H * K),
                    k = random_normal<double>(rng, L, G * K),
                    v = random_normal<double>(rng, L, G * K),
                    u = random_normal<double>(rng, L, H * K);
  const Gradients d = backward(answer, reference, u, q, k, v, H, G);
  const GradientCheck to_k = check_gradient(rng, k, d.dk, [&](const Mat<double>& at) {
    return project(u, forward(reference, q, at, v, H, G));
  });
  expect_near(to_k.analytic, to_k.numeric, "slope along a direction of k: ⟨dk, direction⟩", 1e-6);
  const GradientCheck to_v = check_gradient(rng, v, d.dv, [&](const Mat<double>& at) {
    return project(u, forward(reference, q, k, at, H, G));
  });
  expect_near(to_v.analytic, to_v.numeric, "slope along a direction of v: ⟨dv, direction⟩", 1e-6);
}
