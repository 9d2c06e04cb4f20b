// Chapter 02: the plain operations, each by hand, by its projection, by a property, by a throw.
#include "chapters/02_tape/ops.h"

#include <functional>
#include <string>
#include <vector>

#include "chapters/01_tensor/gradient_check.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

using V = Var<double>;
using M = Mat<double>;

M matrix(std::initializer_list<std::initializer_list<double>> rows) {
  M m(Index(rows.size()), Index(rows.begin()->size()));
  Index n = 0;
  for (const auto& row : rows) {
    Index d = 0;
    for (const double x : row) m(n, d++) = x;
    ++n;
  }
  return m;
}

/// Check the gradients of every input of `op` along random directions.
void check_op(std::uint64_t stream, const std::vector<M>& inputs,
              const std::function<V(const std::vector<V>&)>& op) {
  Philox rng(2, stream);
  Tape<double> tape;
  const auto run = [&](const std::vector<M>& values) {
    tape.reset();
    std::vector<V> vars;
    for (const M& value : values) vars.push_back(tape.variable(value, "x"));
    return std::pair(vars, op(vars));
  };
  const auto [vars, y] = run(inputs);
  const M u = random_normal<double>(rng, y.rows(), y.cols());
  tape.backward_from(y, u);
  std::vector<M> gradients;
  for (const V& x : vars) gradients.push_back(x.grad());

  for (std::size_t i = 0; i < inputs.size(); ++i) {
    CAPTURE(i);
    CHECK(check_gradient(rng, inputs[i], gradients[i], [&](const M& at) {
            std::vector<M> moved = inputs;
            moved[i] = at;
            return project(u, run(moved).second.value());
          }).agrees());
  }
}

std::vector<M> random_inputs(std::initializer_list<Shape> shapes) {
  Philox rng(3, shapes.size());
  std::vector<M> inputs;
  for (const Shape s : shapes) inputs.push_back(random_normal<double>(rng, s.rows, s.cols));
  return inputs;
}

}  // namespace

TEST_CASE("plain operations worked out by hand", "[ch02]") {
  Tape<double> tape;
  const V a = tape.input(matrix({{1, 2}, {3, 4}}), "a"),
          b = tape.input(matrix({{5, 6}, {7, 8}}), "b");
  const V row = tape.input(matrix({{10, 20}}), "row");
  CHECK(M(add(a, b).value()) == matrix({{6, 8}, {10, 12}}));
  CHECK(M(scale(a, -2.0).value()) == matrix({{-2, -4}, {-6, -8}}));
  CHECK(M(multiply(a, b).value()) == matrix({{5, 12}, {21, 32}}));
  CHECK(M(add_row(a, row).value()) == matrix({{11, 22}, {13, 24}}));
  CHECK(M(product(a, b).value()) == matrix({{19, 22}, {43, 50}}));
  CHECK(M(linear(a, b).value()) == matrix({{17, 23}, {39, 53}}));
  CHECK(M(linear(a, b, row).value()) == matrix({{27, 43}, {49, 73}}));
  CHECK(M(sum(a).value()) == matrix({{10}}));
}

TEST_CASE("gradients worked out by hand", "[ch02]") {
  // y = x·wᵀ + b with x = (1, 2), w = ((3, 4), (5, 6)), and L = y₀ + 10·y₁
  Tape<double> tape;
  const V x = tape.variable(matrix({{1, 2}}), "x");
  const V w = tape.variable(matrix({{3, 4}, {5, 6}}), "w");
  const V b = tape.variable(matrix({{0, 0}}), "b");
  tape.backward_from(linear(x, w, b), matrix({{1, 10}}));
  CHECK(M(x.grad()) == matrix({{53, 64}}));
  CHECK(M(w.grad()) == matrix({{1, 2}, {10, 20}}));
  CHECK(M(b.grad()) == matrix({{1, 10}}));
}

TEST_CASE("backward of the plain operations is the transpose of the derivative", "[ch02][grad]") {
  SECTION("add") {
    check_op(1, random_inputs({{3, 5}, {3, 5}}), [](const auto& x) { return add(x[0], x[1]); });
  }
  SECTION("scale") {
    check_op(2, random_inputs({{3, 5}}), [](const auto& x) { return scale(x[0], -1.7); });
  }
  SECTION("multiply") {
    check_op(3, random_inputs({{3, 5}, {3, 5}}),
             [](const auto& x) { return multiply(x[0], x[1]); });
  }
  SECTION("add_row") {
    check_op(4, random_inputs({{4, 3}, {1, 3}}), [](const auto& x) { return add_row(x[0], x[1]); });
  }
  SECTION("product") {
    check_op(5, random_inputs({{4, 3}, {3, 7}}), [](const auto& x) { return product(x[0], x[1]); });
  }
  SECTION("linear") {
    check_op(6, random_inputs({{4, 3}, {5, 3}}), [](const auto& x) { return linear(x[0], x[1]); });
  }
  SECTION("linear with a bias") {
    check_op(7, random_inputs({{4, 3}, {5, 3}, {1, 5}}),
             [](const auto& x) { return linear(x[0], x[1], x[2]); });
  }
  SECTION("sum") {
    check_op(8, random_inputs({{4, 3}}), [](const auto& x) { return sum(x[0]); });
  }
}

TEST_CASE("one value as both inputs gets both gradients", "[ch02][grad]") {
  SECTION("add") {
    check_op(11, random_inputs({{3, 3}}), [](const auto& x) { return add(x[0], x[0]); });
  }
  SECTION("multiply") {
    check_op(12, random_inputs({{3, 3}}), [](const auto& x) { return multiply(x[0], x[0]); });
  }
  SECTION("product") {
    check_op(13, random_inputs({{3, 3}}), [](const auto& x) { return product(x[0], x[0]); });
  }
  SECTION("linear") {
    check_op(14, random_inputs({{3, 3}}), [](const auto& x) { return linear(x[0], x[0]); });
  }
  SECTION("linear, bias and input") {
    check_op(15, random_inputs({{1, 3}, {3, 3}}),
             [](const auto& x) { return linear(x[0], x[1], x[0]); });
  }
  SECTION("add_row") {
    check_op(16, random_inputs({{1, 4}}), [](const auto& x) { return add_row(x[0], x[0]); });
  }
}

TEST_CASE("a fork adds the gradients of its branches", "[ch02][grad]") {
  check_op(21, random_inputs({{4, 4}, {4, 4}}), [](const auto& x) {
    // x0 is used four times, by operations that set, add, and multiply into its gradient
    const V h = linear(x[0], x[1], V{}, "h");
    const V a = multiply(h, x[0]), b = product(x[0], h);
    return add(add(a, b), scale(add(x[0], h), 0.5));
  });
}

TEST_CASE("inputs that want no gradient get none, and the others get theirs", "[ch02]") {
  Philox rng(4);
  const M x = random_normal<double>(rng, 2, 3), w = random_normal<double>(rng, 4, 3);
  const M u = random_normal<double>(rng, 2, 4);
  Tape<double> tape;
  const V vx = tape.input(x, "x"), vw = tape.variable(w, "w");
  tape.backward_from(linear(vx, vw), u);
  CHECK_FALSE(vx.has_grad());
  CHECK_THROWS_AS(vx.grad(), ShapeError);
  CHECK((M(vw.grad()) - u.transpose() * x).norm() <= 1e-13);
}

TEST_CASE("plain operations read and differentiate blocks of columns", "[ch02][grad]") {
  check_op(31, random_inputs({{4, 6}, {3, 2}}), [](const auto& x) {
    const auto [a, b, c] = split<double, 3>(scale(x[0], 1.0), {2, 2, 2}, {"a", "b", "c"});
    return add(multiply(a, b), product(linear(c, x[1]), x[1]));
  });
}

TEST_CASE("plain operations refuse shapes that do not fit, naming both", "[ch02]") {
  Tape<double> tape;
  const V a = tape.input(M::Zero(2, 3), "a"), b = tape.input(M::Zero(3, 2), "b");
  const V row = tape.input(M::Zero(1, 2), "row");
  CHECK_THROWS_AS(add(a, b), ShapeError);
  CHECK_THROWS_AS(multiply(a, b), ShapeError);
  CHECK_THROWS_AS(add_row(a, row), ShapeError);
  CHECK_THROWS_AS(add_row(a, a), ShapeError);
  CHECK_THROWS_AS(product(a, a), ShapeError);
  CHECK_THROWS_AS(linear(a, b), ShapeError);
  CHECK_THROWS_AS(linear(a, a, b), ShapeError);
  CHECK_THROWS_AS((split<double, 2>(a, {1, 1}, {"p", "q"})), ShapeError);
  CHECK_THROWS_AS((split<double, 2>(a, {2, 2}, {"p", "q"})), ShapeError);
  try {
    (void)linear(a, b);
  } catch (const ShapeError& error) {
    const std::string text = error.what();
    CHECK(text.find("is (3, 2), wanted (3, 3)") != std::string::npos);
    CHECK(text.find("ops.cpp:") != std::string::npos);
  }
}
