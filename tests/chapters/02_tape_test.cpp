// Chapter 02: forks, columns, parameters, observers, names, and the memory of a pass.
#include "chapters/02_tape/tape.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "chapters/01_tensor/gradient_check.h"
#include "chapters/02_tape/ops.h"
#include "chapters/02_tape/parameters.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

using V = Var<double>;
using M = Mat<double>;

/// ⟨c, x⟩ as a value on the tape: its gradient is c.
V weigh(V x, const M& c) { return sum(multiply(x, x.tape->input(c, "c"))); }

}  // namespace

// --- Columns
// --------------------------------------------------------------------------------------

TEST_CASE("parts of a split carry its values and gradients in any order of use", "[ch02]") {
  Philox rng(1);
  const M x = random_normal<double>(rng, 3, 6), c = random_normal<double>(rng, 3, 6);
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    CAPTURE(order);
    Tape<double> tape;
    const V vx = tape.variable(x, "x"), whole = scale(vx, 2.0);
    const auto parts = split<double, 3>(whole, {1, 2, 3}, {"a", "b", "c"});
    const Index first[] = {0, 1, 3};
    V loss;
    for (const std::size_t p : order) {
      CHECK(M(parts[p].value()) == 2 * x.middleCols(first[p], parts[p].cols()));
      const V term = weigh(parts[p], c.middleCols(first[p], parts[p].cols()));
      loss = loss ? add(loss, term) : term;
    }
    tape.backward(loss);
    CHECK((M(vx.grad()) - 2 * c).norm() <= 1e-13);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a part shares its whole's memory", "[ch02]") {
  Tape<double> tape;
  const V x = tape.input(M::Zero(2, 4), "x");
  const auto [a, b] = split<double, 2>(x, {1, 3}, {"a", "b"});
  b.value()(1, 2) = 7;
  CHECK(x.value()(1, 3) == 7);
}

TEST_CASE("a part that nobody uses has the gradient zero", "[ch02]") {
  Philox rng(2);
  const M x = random_normal<double>(rng, 3, 5), c = random_normal<double>(rng, 3, 2);
  Tape<double> tape;
  for (int pass = 0; pass < 2; ++pass) {  // the second one in memory that is dirty from the first
    tape.reset();
    const V vx = tape.variable(x, "x"), whole = scale(vx, 1.0);
    const auto parts = split<double, 2>(whole, {2, 3}, {"used", "unused"});
    tape.backward(weigh(parts[0], c));
    CHECK(M(vx.grad().leftCols(2)) == c);
    CHECK(M(vx.grad().rightCols(3)) == M::Zero(3, 3));
  }
}

TEST_CASE("uses of the whole, of its parts and of another partition's parts add up", "[ch02]") {
  // Five consumers: the whole, parts a0 a1 of one partition, parts b0 b1 that overlap them.
  // Whatever their order, the gradient is the sum
  Philox rng(3);
  const M x = random_normal<double>(rng, 2, 5);
  const M c[] = {random_normal<double>(rng, 2, 5), random_normal<double>(rng, 2, 2),
                 random_normal<double>(rng, 2, 3), random_normal<double>(rng, 2, 4),
                 random_normal<double>(rng, 2, 1)};
  const Index first[] = {0, 0, 2, 0, 4};
  M want = M::Zero(2, 5);
  for (int i = 0; i < 5; ++i) want.middleCols(first[i], c[i].cols()) += c[i];

  std::vector<std::size_t> order = {0, 1, 2, 3, 4};
  do {
    Tape<double> tape;
    const V vx = tape.variable(x, "x"), whole = scale(vx, 1.0);
    const auto a = split<double, 2>(whole, {2, 3}, {"a0", "a1"});
    const auto b = split<double, 2>(whole, {4, 1}, {"b0", "b1"});
    const V uses[] = {whole, a[0], a[1], b[0], b[1]};
    V loss;
    for (const std::size_t i : order) {
      const V term = weigh(uses[i], c[i]);
      loss = loss ? add(loss, term) : term;
    }
    tape.backward(loss);
    CAPTURE(order);
    CHECK((M(vx.grad()) - want).norm() <= 1e-13);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("two partitions without the whole: every order and every subset", "[ch02]") {
  Philox rng(4);
  const M c[] = {random_normal<double>(rng, 2, 2), random_normal<double>(rng, 2, 3),
                 random_normal<double>(rng, 2, 4), random_normal<double>(rng, 2, 1)};
  const Index first[] = {0, 2, 0, 4};
  const M x = random_normal<double>(rng, 2, 5);
  for (unsigned used = 1; used < 16; ++used) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < 4; ++i) {
      if (used >> i & 1u) order.push_back(i);
    }
    do {
      Tape<double> tape;
      const V vx = tape.variable(x, "x"), whole = scale(vx, 1.0);
      const auto a = split<double, 2>(whole, {2, 3}, {"a0", "a1"});
      const auto b = split<double, 2>(whole, {4, 1}, {"b0", "b1"});
      const V uses[] = {a[0], a[1], b[0], b[1]};
      M want = M::Zero(2, 5);
      V loss;
      for (const std::size_t i : order) {
        want.middleCols(first[i], c[i].cols()) += c[i];
        const V term = weigh(uses[i], c[i]);
        loss = loss ? add(loss, term) : term;
      }
      tape.backward(loss);
      CAPTURE(order);
      CHECK((M(vx.grad()) - want).norm() <= 1e-13);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("columns of columns, of a parameter, or beyond the last are refused", "[ch02]") {
  Tape<double> tape;
  double values[4] = {}, gradients[4] = {};
  const V x = tape.input(M::Zero(2, 4), "x");
  const V parameter = tape.parameter(values, gradients, 2, 2, "w", Write::set);
  const V part = tape.columns(x, 0, 2, tape.new_group(), "part");
  CHECK_THROWS_AS(tape.columns(part, 0, 1, tape.new_group(), "nested"), ShapeError);
  CHECK_THROWS_AS(tape.columns(parameter, 0, 1, tape.new_group(), "p"), ShapeError);
  CHECK_THROWS_AS(tape.columns(x, 3, 2, tape.new_group(), "beyond"), ShapeError);
  CHECK_THROWS_AS(tape.columns(x, -1, 2, tape.new_group(), "before"), ShapeError);
}

// --- Sinks
// ----------------------------------------------------------------------------------------

namespace {

/// y = a + 2·b, whose closure overwrites both gradients, as backward functions of the book do.
V overwriting(V a, V b) {
  const V y = a.tape->make(a.rows(), a.cols(), "overwriting");
  y.value() = a.value() + 2 * b.value();
  return a.tape->record(y, {a, b}, [=](Tape<double>& tape) {
    const Sink<double> da = tape.sink(a), db = tape.sink(b);
    da.mat() = y.grad();
    db.mat() = 2 * y.grad();
  });
}

}  // namespace

TEST_CASE("closures that overwrite still add up where a value forks", "[ch02]") {
  Philox rng(5);
  const M x = random_normal<double>(rng, 2, 3), u = random_normal<double>(rng, 2, 3);
  Tape<double> tape;
  const V vx = tape.variable(x, "x");
  SECTION("as both inputs of one operation") {
    tape.backward_from(overwriting(vx, vx), u);
    CHECK((M(vx.grad()) - 3 * u).norm() <= 1e-13);
  }
  SECTION("of several operations, and of a constant") {
    const V constant = tape.input(x, "constant");
    const V a = overwriting(vx, constant), b = overwriting(constant, vx);
    tape.backward_from(overwriting(a, overwriting(b, vx)), u);
    CHECK((M(vx.grad()) - (1 + 2 * 2 + 2 * 2) * u).norm() <= 1e-13);
    CHECK_FALSE(constant.has_grad());
  }
  SECTION("into columns") {
    const auto [p, q, r] = split<double, 3>(scale(vx, 1.0), {1, 1, 1}, {"p", "q", "r"});
    const M v = u.leftCols(1);
    tape.backward_from(overwriting(overwriting(r, p), r), v);
    CHECK((M(vx.grad().col(0)) - 2 * v).norm() <= 1e-13);
    CHECK(M(vx.grad().col(1)) == M::Zero(2, 1));
    CHECK((M(vx.grad().col(2)) - 3 * v).norm() <= 1e-13);
  }
}

TEST_CASE("a sink's row is the gradient of a row", "[ch02]") {
  Tape<double> tape;
  const V x = tape.variable(M::Zero(1, 3), "x");
  const V y = tape.make(1, 3, "y");
  y.value() = x.value();
  tape.record(y, {x}, [=](Tape<double>& t) { t.sink(x).row() = y.grad().row(0) * 2; });
  M u(1, 3);
  u << 1, 2, 3;
  tape.backward_from(y, u);
  CHECK(M(x.grad()) == 2 * u);
}

// --- Parameters on the tape
// -----------------------------------------------------------------------

TEST_CASE("a parameter's gradient is set or added to, and zero when untouched", "[ch02]") {
  Philox rng(6);
  M w = random_normal<double>(rng, 2, 3), idle = w;
  const M c = random_normal<double>(rng, 2, 3), before = random_normal<double>(rng, 2, 3);
  M dw = before, didle = before;
  const Write write = GENERATE(Write::set, Write::add);
  const M kept = write == Write::set ? M::Zero(2, 3) : before;

  Tape<double> tape;
  const V vw = tape.parameter(w.data(), dw.data(), 2, 3, "w", write);
  const V vidle = tape.parameter(idle.data(), didle.data(), 2, 3, "idle", write);
  CHECK(vw.value().data() == w.data());            // no copy
  const V loss = add(weigh(vw, c), weigh(vw, c));  // used twice
  tape.backward(loss, 0.5);
  CHECK((dw - (kept + c)).norm() <= 1e-13);
  CHECK(didle == kept);
  CHECK(M(vidle.grad()) == kept);
}

TEST_CASE("a parameter declared after the loss, or without any use, is zero too", "[ch02]") {
  M w = M::Ones(1, 2), dw = M::Constant(1, 2, 9);
  Tape<double> tape;
  const V x = tape.variable(M::Ones(1, 1), "x");
  const V loss = sum(x);
  (void)tape.parameter(w.data(), dw.data(), 1, 2, "late", Write::set);
  tape.backward(loss);
  CHECK(dw == M::Zero(1, 2));
}

TEST_CASE("a parameter without a gradient is a constant", "[ch02]") {
  M w = M::Ones(2, 2);
  Tape<double> tape;
  const V vw = tape.parameter(w.data(), nullptr, 2, 2, "w", Write::set);
  CHECK_FALSE(tape.wants_grad(vw));
  CHECK_FALSE(tape.wants_grad(scale(vw, 2.0)));
}

// --- Running back
// ---------------------------------------------------------------------------------

TEST_CASE("backward wants one number, recorded, once", "[ch02]") {
  Tape<double> tape;
  V x = tape.variable(M::Ones(2, 2), "x");
  CHECK_THROWS_AS(tape.backward(x), ShapeError);
  CHECK_THROWS_AS(tape.backward_from(x, M::Ones(1, 2)), ShapeError);

  tape.reset(Grad::skip);
  x = tape.variable(M::Ones(2, 2), "x");
  const V skipped = sum(x);
  CHECK(skipped.value()(0, 0) == 4);
  CHECK_FALSE(tape.wants_grad(skipped));
  CHECK_THROWS_AS(tape.backward(skipped), ShapeError);

  tape.reset();
  x = tape.variable(M::Ones(2, 2), "x");
  const V loss = sum(scale(x, 3.0));
  tape.backward(loss);
  CHECK(M(x.grad()) == M::Constant(2, 2, 3));
  CHECK_THROWS_AS(tape.backward(loss), ShapeError);
}

TEST_CASE("without gradients a pass needs less memory: no closures", "[ch02]") {
  const auto used = [](Grad mode) {
    Tape<double> tape;
    tape.reset(mode);
    V x = tape.variable(M::Ones(2, 2), "x");
    for (int i = 0; i < 100; ++i) x = scale(x, 1.5);
    return tape.arena().used();
  };
  CHECK(used(Grad::skip) < used(Grad::record));
}

TEST_CASE("gradients in between are kept on request", "[ch02]") {
  Tape<double> tape;
  const bool keep = GENERATE(false, true);
  tape.keep_gradients(keep);
  const V x = tape.variable(M::Ones(1, 2), "x");
  const V middle = scale(x, 2.0), loss = sum(scale(middle, 3.0));
  tape.backward(loss);
  CHECK(middle.has_grad() == keep);
  if (keep) CHECK(M(middle.grad()) == M::Constant(1, 2, 3));
  CHECK(M(x.grad()) == M::Constant(1, 2, 6));
}

TEST_CASE("a branch that the loss does not see costs and changes nothing", "[ch02]") {
  Tape<double> tape;
  const V x = tape.variable(M::Ones(1, 2), "x");
  const V loss = sum(x);
  const V aside = scale(x, 100.0);
  tape.backward(loss);
  CHECK(M(x.grad()) == M::Ones(1, 2));
  CHECK_FALSE(aside.has_grad());
}

TEST_CASE("a deep random graph has the gradient of its composition", "[ch02][grad]") {
  Philox rng(7);
  const M x = random_normal<double>(rng, 3, 4, 0.5), w = random_normal<double>(rng, 4, 4, 0.5);
  const M u = random_normal<double>(rng, 3, 4);
  Tape<double> tape;
  const auto forward = [&](const M& at_x, const M& at_w) {
    tape.reset();
    const V vx = tape.variable(at_x, "x"), vw = tape.variable(at_w, "w");
    V h = vx;
    for (int layer = 0; layer < 3; ++layer) {
      const auto [a, b] = split<double, 2>(linear(h, vw), {2, 2}, {"a", "b"});
      const auto [left, rest] = split<double, 2>(linear(scale(h, 0.5), vw), {2, 2}, {"l", "r"});
      const V gate = multiply(add(a, left), b);
      h = add(h, product(gate, rest.tape->input(w.topRows(2), "back")));
      h = add(h, product(multiply(rest, gate), h.tape->input(w.bottomRows(2), "back")));
    }
    return std::array{vx, vw, h};
  };
  const auto [vx, vw, y] = forward(x, w);
  tape.backward_from(y, u);
  const M dx = vx.grad(), dw = vw.grad();
  CHECK(check_gradient(rng, x, dx, [&](const M& at) {
          return project(u, forward(at, w)[2].value());
        }).agrees());
  CHECK(check_gradient(rng, w, dw, [&](const M& at) {
          return project(u, forward(x, at)[2].value());
        }).agrees());
}

// --- Memory
// ---------------------------------------------------------------------------------------

TEST_CASE("after the first pass a tape asks for no more memory", "[ch02]") {
  Philox rng(8);
  const M x = random_normal<double>(rng, 64, 96), w = random_normal<double>(rng, 96, 96);
  Tape<double> tape;
  std::size_t capacity = 0;
  M first;
  for (int pass = 0; pass < 5; ++pass) {
    CAPTURE(pass);
    tape.reset();
    const V vx = tape.variable(x, "x"), vw = tape.variable(w, "w");
    V h = vx;
    for (int i = 0; i < 8; ++i) h = add(h, scale(linear(h, vw), 0.01));
    tape.backward(sum(h));
    if (pass == 0) first = vw.grad();
    CHECK(M(vw.grad()) == first);  // the same bits, in memory that was used before
    if (pass == 1) capacity = tape.arena().capacity();
    if (pass > 1) CHECK(tape.arena().capacity() == capacity);
    CHECK(tape.arena().used() <= tape.arena().capacity());
  }
}

TEST_CASE("gradients use a buffer again: backward of a chain needs two", "[ch02]") {
  Tape<double> tape;
  V x = tape.variable(M::Ones(100, 100), "x");
  for (int i = 0; i < 50; ++i) x = scale(x, 1.0);
  const V loss = sum(x);
  const std::size_t before = tape.arena().used();
  tape.backward(loss);
  CHECK(tape.arena().used() - before <= 3 * 100 * 100 * sizeof(double));
}

TEST_CASE("an arena hands out aligned memory that does not overlap", "[ch02]") {
  Arena arena;
  for (int pass = 0; pass < 3; ++pass) {
    std::vector<std::pair<std::byte*, std::size_t>> pieces;
    for (std::size_t i = 0; i < 60; ++i) {
      const std::size_t bytes = i * i * 100 % 70001;
      auto* p = static_cast<std::byte*>(arena.allocate(bytes));
      CHECK(reinterpret_cast<std::uintptr_t>(p) % Arena::kAlignment == 0);
      std::fill_n(p, bytes, std::byte(i));
      pieces.emplace_back(p, bytes);
    }
    bool intact = true;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      intact &= std::all_of(pieces[i].first, pieces[i].first + pieces[i].second,
                            [&](std::byte b) { return b == std::byte(i); });
    }
    CHECK(intact);
    arena.reset();
    CHECK(arena.used() == 0);
  }
}

TEST_CASE("after a pass in several blocks an arena holds one that is large enough", "[ch02]") {
  constexpr std::size_t kPiece = std::size_t(1) << 20;
  Arena arena;
  for (int i = 0; i < 5; ++i) (void)arena.allocate(kPiece);
  CHECK(arena.used() == 5 * kPiece);
  CHECK(arena.capacity() >= 5 * kPiece);
  arena.reset();
  CHECK(arena.capacity() == 5 * kPiece);
  for (int pass = 0; pass < 2; ++pass) {
    auto* first = static_cast<std::byte*>(arena.allocate(kPiece));
    for (std::size_t i = 1; i < 5; ++i) CHECK(arena.allocate(kPiece) == first + i * kPiece);
    CHECK(arena.capacity() == 5 * kPiece);
    arena.reset();
  }
}

TEST_CASE("kept token numbers outlive the caller's", "[ch02]") {
  Tape<float> tape;
  std::vector<int> tokens = {3, 1, 2};
  const std::span<const int> kept = tape.keep(tokens);
  tokens.assign(3, 0);
  CHECK(std::vector<int>(kept.begin(), kept.end()) == std::vector<int>{3, 1, 2});
}

// --- Names
// ----------------------------------------------------------------------------------------

TEST_CASE("names are built from scopes, and values are found by them", "[ch02]") {
  Tape<double> tape;
  const V outside = tape.input(M::Zero(1, 1), "x");
  V inside, deeper, after;
  {
    const auto block = tape.scope("block2");
    inside = tape.input(M::Zero(1, 1), "x");
    {
      const auto attn = tape.scope("attn");
      deeper = scale(inside, 2.0, "probs");
    }
    after = scale(deeper, 2.0, "out");
  }
  CHECK(tape.name(outside) == "x");
  CHECK(tape.name(inside) == "block2/x");
  CHECK(tape.name(deeper) == "block2/attn/probs");
  CHECK(tape.name(after) == "block2/out");
  CHECK(tape.find("block2/attn/probs").id == deeper.id);
  CHECK_FALSE(tape.find("block2/probs"));
  CHECK_FALSE(tape.find(""));

  const V second = tape.input(M::Zero(1, 1), "x");
  CHECK(tape.find("x").id == second.id);  // the last of several
  tape.reset();
  CHECK_FALSE(tape.find("x"));
}

namespace {

/// All ways to read the stars: slow and obvious.
bool matches_slowly(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    for (std::size_t n = 0; n <= name.size(); ++n) {
      if (matches_slowly(pattern.substr(1), name.substr(n))) return true;
    }
    return false;
  }
  return !name.empty() && pattern[0] == name[0] &&
         matches_slowly(pattern.substr(1), name.substr(1));
}

}  // namespace

TEST_CASE("a star matches any text", "[ch02]") {
  CHECK(matches("block*/attn/probs", "block12/attn/probs"));
  CHECK(matches("*", ""));
  CHECK(matches("", ""));
  CHECK_FALSE(matches("", "x"));
  CHECK_FALSE(matches("block*/attn/probs", "block12/attn/probs2"));
  CHECK_FALSE(matches("a?c", "abc"));  // only the star is special
}

TEST_CASE("matches agrees with trying everything", "[ch02]") {
  Philox rng(9);
  const auto word = [&](std::string_view letters, std::uint64_t longest) {
    std::string text;
    for (std::uint64_t n = rng.below(longest + 1); n > 0; --n) {
      text += letters[std::size_t(rng.below(letters.size()))];
    }
    return text;
  };
  int yes = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string pattern = word("ab*", 7), name = word("ab", 8);
    CAPTURE(pattern, name);
    const bool want = matches_slowly(pattern, name);
    yes += want;
    if (matches(pattern, name) != want) FAIL("differs: wanted " << want);
  }
  CHECK(yes > 500);
  CHECK(yes < 19500);
}

// --- Looking in
// -----------------------------------------------------------------------------------

TEST_CASE("observers see the values that their pattern names, as they are made", "[ch02]") {
  Tape<double> tape;
  std::vector<std::string> seen;
  std::vector<double> values;
  tape.observe("block*/h", [&](std::string_view name, const ConstMatMap<double>& value) {
    seen.emplace_back(name);
    values.push_back(value(0, 0));
  });
  const auto pass = [&] {
    tape.reset();
    V x = tape.input(M::Constant(1, 1, 1), "x");
    for (const char* block : {"block0", "block1"}) {
      const auto scope = tape.scope(block);
      x = scale(x, 3.0, "h");
      x = scale(x, 1.0, "other");
    }
  };
  pass();
  CHECK(seen == std::vector<std::string>{"block0/h", "block1/h"});
  CHECK(values == std::vector<double>{3, 9});
  pass();  // observers stay for later passes
  CHECK(seen.size() == 4);
  tape.stop_observing();
  pass();
  CHECK(seen.size() == 4);
}

TEST_CASE("observers see inputs, parameters, columns and by-products", "[ch02]") {
  Tape<double> tape;
  std::vector<std::string> seen;
  M column;
  tape.observe("*", [&](std::string_view name, const ConstMatMap<double>& value) {
    seen.emplace_back(name);
    if (name == "b") column = value;
  });
  M w = M::Zero(1, 1), x(2, 3);
  x << 1, 2, 3, 4, 5, 6;
  const V vx = tape.input(x, "x");
  (void)tape.variable(x, "v");
  (void)tape.parameter(w.data(), w.data(), 1, 1, "w", Write::set);
  (void)split<double, 2>(vx, {1, 2}, {"a", "b"});
  const V by_product = tape.make(1, 1, "made");
  by_product.value()(0, 0) = 1;
  tape.record(by_product);
  CHECK(seen == std::vector<std::string>{"x", "v", "w", "a", "b", "made"});
  CHECK(column == x.rightCols(2));  // a view with the stride of the whole
}

TEST_CASE("gradient observers see complete gradients, also of columns", "[ch02]") {
  Philox rng(10);
  const M x = random_normal<double>(rng, 2, 4), c = random_normal<double>(rng, 2, 3);
  Tape<double> tape;
  tape.keep_gradients(true);
  std::vector<std::pair<std::string, M>> seen;
  tape.observe_gradient("*", [&](std::string_view name, const ConstMatMap<double>& value) {
    seen.emplace_back(name, value);
  });
  const auto gradient = [&](const std::string& name) {
    const auto it =
        std::find_if(seen.begin(), seen.end(), [&](auto& s) { return s.first == name; });
    return it == seen.end() ? M() : it->second;
  };
  M w = random_normal<double>(rng, 2, 3), dw = M::Zero(2, 3);
  const V vx = tape.variable(x, "x"),
          vw = tape.parameter(w.data(), dw.data(), 2, 3, "w", Write::set);
  const V whole = scale(vx, 2.0, "whole");
  const auto [a, b] = split<double, 2>(whole, {1, 3}, {"a", "b"});
  const V forked = add(multiply(b, vw, "m"), b, "forked");
  tape.backward(weigh(forked, c));

  CHECK((gradient("b") - (c.cwiseProduct(w) + c)).norm() <= 1e-13);
  CHECK(gradient("a") == M::Zero(2, 1));
  M want = M::Zero(2, 4);
  want.rightCols(3) = c.cwiseProduct(w) + c;
  CHECK((gradient("whole") - want).norm() <= 1e-13);
  CHECK(M(b.grad()) == gradient("b"));  // kept, so columns can still be asked
  CHECK((gradient("x") - 2 * want).norm() <= 1e-13);
  CHECK((gradient("w") - c.cwiseProduct(2 * x.rightCols(3))).norm() <= 1e-13);
  CHECK(gradient("c").size() == 0);  // a constant
}

TEST_CASE("watching changes no bit", "[ch02]") {
  Philox rng(11);
  const M x = random_normal<double>(rng, 8, 8), w = random_normal<double>(rng, 8, 8);
  const auto pass = [&](bool watch) {
    Tape<double> tape;
    int seen = 0;
    const auto count = [&](std::string_view, const ConstMatMap<double>&) { ++seen; };
    if (watch) tape.observe("*", count);
    if (watch) tape.observe_gradient("*", count);
    const V vx = tape.variable(x, "x"), vw = tape.variable(w, "w");
    tape.backward(sum(multiply(linear(vx, vw), product(vx, vw))));
    CHECK((seen > 0) == watch);
    return std::pair<M, std::size_t>(vw.grad(), tape.arena().used());
  };
  CHECK(pass(true) == pass(false));
}

// --- The parameter table
// --------------------------------------------------------------------------

TEST_CASE("a parameter table lays its parameters out at cache lines", "[ch02]") {
  ParameterTable table;
  CHECK(table.add("a", 3, 5, Init::normal(0.02), true) == 0);
  CHECK(table.add_row("gain", 16, 1) == 1);
  CHECK(table.add("c", 1, 17, Init::constant(2), false) == 2);
  CHECK(table.count() == 3);
  CHECK(table.numbers() == 15 + 16 + 17);
  CHECK(table[0].offset == 0);
  CHECK(table[1].offset == 16);
  CHECK(table[2].offset == 32);
  CHECK(table.extent() == 64);
  CHECK(table[0].decay);
  CHECK_FALSE(table[1].decay);
  CHECK(table.find("gain") == 1);
  CHECK(table.find("nothing") == -1);
  CHECK_THROWS_AS(table.add("a", 1, 1, Init::constant(0), true), ShapeError);
  CHECK_THROWS_AS(table.add("empty", 0, 1, Init::constant(0), true), ShapeError);
}

TEST_CASE("a parameter starts the same whatever stands beside it", "[ch02]") {
  ParameterTable alone, among;
  alone.add("w", 4, 5, Init::normal(0.5), true);
  among.add("before", 7, 3, Init::normal(0.5), true);
  among.add_row("gain", 9, 1.5);
  const int w = among.add("w", 4, 5, Init::normal(0.5), true);
  among.add("after", 2, 2, Init::normal(0.5), true);

  std::vector<double> one(std::size_t(alone.extent()), 77), many(std::size_t(among.extent()), 77);
  initialise(alone, 42, one.data());
  initialise(among, 42, many.data());
  const auto number = [&](int parameter, Index i) {
    return many[std::size_t(among[parameter].offset + i)];
  };
  for (Index i = 0; i < 20; ++i) CHECK(number(w, i) == one[std::size_t(i)]);
  CHECK(number(0, 0) != one[0]);  // another name, other numbers
  for (Index i = 0; i < 9; ++i) CHECK(number(1, i) == 1.5);
  CHECK(many[21] ==
        0);  // the gap behind `before` is zero, so that sums over the buffer may read it

  std::vector<double> other(std::size_t(alone.extent()));
  initialise(alone, 43, other.data());
  CHECK(other[0] != one[0]);
}

TEST_CASE("normal starts have the deviation that was asked for", "[ch02]") {
  ParameterTable table;
  table.add("w", 100, 100, Init::normal(0.02), true);
  std::vector<float> values(std::size_t(table.extent()));
  initialise(table, 1, values.data());
  double squares = 0;
  for (const float v : values) squares += double(v) * double(v);
  CHECK(std::abs(std::sqrt(squares / 10000) - 0.02) <= 0.02 * 5 / std::sqrt(20000.0));
}
