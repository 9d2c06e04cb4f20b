// Chapter 04: the lookup, its gradient, and the tied un-embedding.
#include "chapters/04_embedding/embedding.h"

#include <limits>
#include <vector>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/02_tape/ops.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

Mat<double> embedding_of(const Mat<double>& table, const std::vector<int>& tokens) {
  Mat<double> y(Index(tokens.size()), table.cols());
  embedding_forward<double>(table, tokens, y);
  return y;
}

}  // namespace

TEST_CASE("an embedding looked up by hand", "[ch04]") {
  Mat<double> table(3, 2), want(4, 2);
  table << 1, 2, 3, 4, 5, 6;
  want << 5, 6, 1, 2, 5, 6, 3, 4;
  CHECK(embedding_of(table, {2, 0, 2, 1}) == want);
}

TEST_CASE("a repeated token gets the sum of its gradients, worked out by hand", "[ch04]") {
  Mat<double> dy(3, 2), dtable = Mat<double>::Constant(3, 2, 99), want(3, 2);
  dy << 1, 2, 10, 20, 100, 200;
  want << 0, 0, 101, 202, 10, 20;  // token 1 twice, token 2 once, token 0 never
  const std::vector<int> tokens = {1, 2, 1};
  embedding_backward<double>(dy, tokens, dtable);
  CHECK(dtable == want);

  // Added to what is there, the same gradient doubles, and an untouched row stays
  dtable.row(0).setConstant(7);
  want.row(0).setConstant(3.5);
  embedding_backward<double>(dy, tokens, dtable, Write::add);
  CHECK(dtable == 2 * want);
}

TEST_CASE("embedding backward is the transpose of the forward's derivative", "[ch04][grad]") {
  const int D = GENERATE(1, 7, 64);
  CAPTURE(D);
  Philox rng(4, std::uint64_t(D));
  const Mat<double> table = random_normal<double>(rng, 5, D), u = random_normal<double>(rng, 6, D);
  const std::vector<int> tokens = {3, 0, 3, 4, 3, 1};

  Tape<double> tape;
  const Var<double> vt = tape.variable(table, "table");
  tape.backward_from(embedding<double>(vt, tokens), u);
  CHECK(check_gradient(rng, table, vt.grad(), [&](const Mat<double>& at) {
          return project(u, embedding_of(at, tokens));
        }).agrees());
}

TEST_CASE("a tied table gets the gradients of both its uses", "[ch04][grad]") {
  Philox rng(5);
  const Mat<double> table = random_normal<double>(rng, 5, 3), u = random_normal<double>(rng, 4, 5);
  const std::vector<int> tokens = {1, 1, 4, 0};
  const bool is_external = GENERATE(false, true);  // a parameter's gradient starts dirty
  CAPTURE(is_external);

  Tape<double> tape;
  Mat<double> value = table;
  Mat<double> grad = Mat<double>::Constant(5, 3, std::numeric_limits<double>::quiet_NaN());
  const Var<double> vt = is_external
                             ? tape.parameter(value.data(), grad.data(), 5, 3, "table", Write::set)
                             : tape.variable(table, "table");
  tape.backward_from(linear(embedding<double>(vt, tokens), vt), u);
  CHECK(check_gradient(rng, table, vt.grad(), [&](const Mat<double>& at) {
          return project(u, embedding_of(at, tokens) * at.transpose());
        }).agrees());
}

TEST_CASE("an embedding alone replaces or extends its parameter's gradient", "[ch04]") {
  Mat<double> table = Mat<double>::Ones(3, 2), grad = Mat<double>::Constant(3, 2, 5);
  const Mat<double> dy = Mat<double>::Ones(1, 2);
  const std::vector<int> tokens = {1};
  const bool is_set = GENERATE(true, false);
  Tape<double> tape;
  const Var<double> vt =
      tape.parameter(table.data(), grad.data(), 3, 2, "table", is_set ? Write::set : Write::add);
  tape.backward_from(embedding<double>(vt, tokens), dy);
  CHECK(grad(0, 0) == (is_set ? 0 : 5));
  CHECK(grad(1, 0) == (is_set ? 1 : 6));
}

TEST_CASE("embedding keeps its own copy of the tokens", "[ch04]") {
  Tape<double> tape;
  const Var<double> vt = tape.variable(Mat<double>::Ones(3, 1), "table");
  std::vector<int> tokens = {2};
  const Var<double> y = embedding<double>(vt, tokens);
  tokens[0] = 0;
  tape.backward_from(y, Mat<double>::Ones(1, 1));
  CHECK(vt.grad()(2, 0) == 1);
  CHECK(vt.grad()(0, 0) == 0);
}

TEST_CASE("embedding is the product with rows of the identity", "[ch04]") {
  Philox rng(6);
  const Mat<double> table = random_normal<double>(rng, 6, 4);
  const std::vector<int> tokens = {5, 5, 0, 3};
  Mat<double> one_hot = Mat<double>::Zero(4, 6);
  for (Index n = 0; n < 4; ++n) one_hot(n, tokens[std::size_t(n)]) = 1;
  CHECK(embedding_of(table, tokens) == one_hot * table);
}

TEST_CASE("embedding refuses a token that the table does not have", "[ch04]") {
  const Mat<double> table = Mat<double>::Zero(3, 2);
  const int token = GENERATE(-1, 3, std::numeric_limits<int>::max());
  CHECK_THROWS_AS(embedding_of(table, {0, token}), ShapeError);
  Mat<double> dtable(3, 2);
  const std::vector<int> tokens = {token};
  CHECK_THROWS_AS(embedding_backward<double>(Mat<double>::Zero(1, 2), tokens, dtable), ShapeError);

  try {
    (void)embedding_of(table, {0, token});
    FAIL("no exception");
  } catch (const ShapeError& error) {
    const std::string text = error.what();
    CHECK(text.find("token " + std::to_string(token) + " at place 1") != std::string::npos);
    CHECK(text.find("3 rows") != std::string::npos);
  }
}
