// What the checks of an exercise are written with: ordered steps, comparisons that say what differs,
// and inputs that must stay as they are.
//
//   STEP("quarter turn") {
//     const Mat<double>& x = input("x", …);
//     Mat<double>& y = output<Mat<double>>(1, 2);      // full of NaN until it is written
//     answer.rotate(x, y);
//     expect_near(y, want, "(1, 0) turned by 90°");
//   }
//
// A step sees `answer`, the one under test, and `reference`, the book's; both are of the exercise's
// struct Answer (answer.h). The first failing comparison ends the check. Every value that a
// comparison looks at is written down: the same steps run on each wrong answer, and where all of a
// student's values equal all of a wrong answer's, that is the diagnosis. So compare much, and let
// each step look at one mechanism.
//
// Steps must do the same whatever the answer returned (same comparisons in the same order), with
// random data from fixed seeds.
#pragma once

#include <any>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tools/learn/not_written.h"
#include "tools/learn/student.h"

namespace tpp::learn {

/// What was compared: numbers with a shape, or a text.
struct Values {
  long rows = 1, cols = 1;
  bool scalar = false;
  std::vector<double> numbers;  // (rows, cols)
  std::string text;             // when there are no numbers
  double tolerance = 0;         // what the type can promise: see expect_near

  Values(const char* t) : text(t) {}
  Values(std::string t) : text(std::move(t)) {}
  template <class T>
  requires std::is_arithmetic_v<T> Values(T v)
      : scalar(true), numbers{double(v)}, tolerance(tolerance_of<T>()) {}
  template <class T>
  requires std::is_arithmetic_v<T> Values(const std::vector<T>& v)
      : cols(long(v.size())), tolerance(tolerance_of<T>()) {
    for (const T x : v) numbers.push_back(double(x));
  }
  /// A matrix, a vector, a view or an expression of Eigen's.
  template <class M>
  requires requires(const M& m) {
    m.rows();
    m.cols();
    m.eval();
  }
  Values(const M& expression)
      : rows(long(expression.rows())),
        cols(long(expression.cols())),
        tolerance(tolerance_of<typename M::Scalar>()) {
    const auto& m = expression.eval();
    numbers.reserve(std::size_t(rows * cols));
    for (long i = 0; i < rows; ++i) {
      for (long j = 0; j < cols; ++j) numbers.push_back(double(m.coeff(i, j)));
    }
  }
  /// Numbers in row order, seen as a matrix: for kernels, whose arrays have no shape.
  template <class T>
  static Values matrix(const std::vector<T>& v, long rows, long cols) {
    Values values(v);
    values.rows = rows;
    values.cols = cols;
    return values;
  }

  template <class T>
  static constexpr double tolerance_of() {
    if (std::is_same_v<T, double>) return 1e-9;
    if (std::is_same_v<T, float>) return 2e-5;
    return 0;
  }
};

/// Each number within tolerance·(1 + |want|); NaN is never near. Tolerance 0 means the type's own:
/// 1e-9 for double, 2e-5 for float, equality for integers and texts.
///
/// `what` names the case as a student should read it: "row (3, 4) without a gain".
void expect_near(const Values& got, const Values& want, std::string_view what,
                 double tolerance = 0);

/// Integers, tokens, texts: exactly equal.
void expect_equal(const Values& got, const Values& want, std::string_view what);

/// A property without a number to show. Prefer expect_near, whose message says more.
void expect_true(bool property, std::string_view what);

namespace detail {
void expect_thrown(bool thrown, std::string_view what);
struct Guard {
  std::string name;
  std::any value;                   // a shared_ptr that keeps it alive
  std::function<bool()> unchanged;  // none for outputs
};
void keep(Guard guard);
/// Ways to run the same step (orders of a kernel's threads): a diagnosis must hold in each.
std::vector<std::function<void()>>& variations();
/// A kernel's program on the emulator: run this, and say what it asked of memory, as JSON.
std::function<std::string(const std::function<void()>&)>& recorder();
/// A kernel's program by nvcc: the name of its GPU. Errors: std::runtime_error when there is none.
std::function<std::string()>& machine();
struct Registration {
  Registration(const char* title, void (*run)(const void* answer, const void* reference));
};
}  // namespace detail

/// The call must throw an E: expect_throws<ShapeError>([&] { answer.forward(…); }, "a gain that is
/// too short").
template <class E>
void expect_throws(const std::function<void()>& call, std::string_view what) {
  bool thrown = false;
  try {
    call();
  } catch (const E&) {
    thrown = true;
  }
  detail::expect_thrown(thrown, what);
}

/// An input that the answer must only read: it is looked at again at every comparison.
/// The reference is good until the step ends.
template <class M>
[[nodiscard]] const M& input(std::string_view name, M value) {
  const auto kept = std::make_shared<M>(std::move(value));
  const auto copy = std::make_shared<M>(*kept);
  detail::keep({std::string(name), kept, [kept, copy] {
                  return kept->size() == copy->size() &&
                         (copy->size() == 0 ||
                          std::memcmp(kept->data(), copy->data(),
                                      std::size_t(copy->size()) * sizeof(*copy->data())) == 0);
                }});
  return *kept;
}

/// A matrix or vector for the answer to write into: output<Mat<double>>(N, D). NaN until written.
template <class M, class... Sizes>
[[nodiscard]] M& output(Sizes... sizes) {
  const auto kept = std::make_shared<M>(sizes...);
  kept->setConstant(std::numeric_limits<typename M::Scalar>::quiet_NaN());
  detail::keep({"", kept, nullptr});
  return *kept;
}

/// n normal numbers, the same for the same seed on every machine.
[[nodiscard]] std::vector<float> random_floats(unsigned seed, std::size_t n, float scale = 1);

// --- Between the runtime and the generated sources ------------------------------------------------

/// An answer: the reference, or a wrong one with the sentence that explains it.
struct Variant {
  const char* id;  // "" for the reference
  const char* sentence;
  const void* answer;
};
/// variants.cpp: the reference first, then the wrong answers.
const std::vector<Variant>& variants();

}  // namespace tpp::learn

#define TPP_LEARN_JOIN_(a, b) a##b
#define TPP_LEARN_JOIN(a, b) TPP_LEARN_JOIN_(a, b)
/// One step: STEP("title") { … }. Steps run in the order in which they stand.
#define STEP(title) TPP_LEARN_STEP(title, TPP_LEARN_JOIN(step_, __LINE__))
#define TPP_LEARN_STEP(title, name)                                                    \
  static void name([[maybe_unused]] const ::tpp::learn::Answer& answer,                \
                   [[maybe_unused]] const ::tpp::learn::Answer& reference);            \
  static const ::tpp::learn::detail::Registration TPP_LEARN_JOIN(name, _registration)( \
      title, [](const void* answer, const void* reference) {                           \
        name(*static_cast<const ::tpp::learn::Answer*>(answer),                        \
             *static_cast<const ::tpp::learn::Answer*>(reference));                    \
      });                                                                              \
  static void name([[maybe_unused]] const ::tpp::learn::Answer& answer,                \
                   [[maybe_unused]] const ::tpp::learn::Answer& reference)
