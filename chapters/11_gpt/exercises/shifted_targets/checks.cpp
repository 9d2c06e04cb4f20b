// One window; several; the end of the text; then the mean with places that do not count.
#include <vector>

#include "chapters/11_gpt/exercises/shifted_targets/answer.h"
#include "tools/learn/check.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Tokens = std::vector<int>;

constexpr int kUnwritten = -99;  // where the answer wrote nothing
constexpr int kBehind = -77;     // what stands behind the text: nobody should read it

struct Cut {
  Tokens tokens, targets;
};

Cut cut(const Answer& answer, Tokens text, const Tokens& offsets, int T) {
  text.push_back(kBehind);
  const Tokens &from = input("text", text), &starts = input("offsets", offsets);
  Cut c{Tokens(offsets.size() * std::size_t(T), kUnwritten), {}};
  c.targets = c.tokens;
  answer.batch(std::span(from).first(from.size() - 1), starts, T, c.tokens, c.targets);
  return c;
}

double mean(const Answer& answer, const std::vector<double>& losses, const Tokens& targets) {
  const std::vector<double>& of = input("losses", losses);
  const Tokens& where = input("targets", targets);
  return answer.loss(of, where);
}

const Tokens kText = {10, 20, 30, 40, 50, 60, 70, 80};

}  // namespace

STEP("tokens of a window") {
  expect_equal(cut(answer, kText, {2}, 3).tokens, Tokens{30, 40, 50},
               "tokens of the window of 3 at 2, text 10 20 … 80 (−99: not written)");
}

STEP("targets of a window") {
  // The last target stands behind the window, not in it
  expect_equal(cut(answer, kText, {2}, 3).targets, Tokens{40, 50, 60},
               "targets of the window of 3 at 2, text 10 20 … 80 (−99: not written)");
}

STEP("two windows") {
  const Cut c = cut(answer, kText, {4, 0}, 3);
  expect_equal(c.tokens, Tokens{50, 60, 70, 10, 20, 30},
               "tokens of the windows of 3 at 4 and at 0");
  expect_equal(c.targets, Tokens{60, 70, 80, 20, 30, 40},
               "targets of the windows of 3 at 4 and at 0");
}

STEP("the end of the text") {
  const Cut c = cut(answer, kText, {5, 1}, 3);
  expect_equal(c.tokens, Tokens{60, 70, 80, 20, 30, 40},
               "tokens of the windows of 3 at 5 and at 1");
  expect_equal(
      c.targets, Tokens{70, 80, kNoTarget, 30, 40, 50},
      "targets of the windows of 3 at 5 (the text ends there: −1; −77 stands behind it) and at 1");
}

STEP("windows of one token") {
  const Cut c = cut(answer, kText, {7, 3, 0}, 1);
  expect_equal(c.targets, Tokens{kNoTarget, 50, 20}, "targets of the windows of 1 at 7, 3 and 0");
}

STEP("a token may be 0") {
  expect_equal(cut(answer, {0, 0, 7, 0}, {0}, 3).targets, Tokens{0, 7, 0},
               "targets of the window of 3 at 0, text 0 0 7 0: token 0 is a token like others");
}

STEP("the mean loss") {
  expect_near(mean(answer, {1, 2, 6}, {5, 0, 3}), 3.0, "losses (1, 2, 6), targets (5, 0, 3)");
}

STEP("places without a target") {
  expect_near(mean(answer, {1, 100, 3, 200}, {5, kNoTarget, 0, kNoTarget}), 2.0,
              "losses (1, 100, 3, 200), targets (5, −1, 0, −1)");
}

STEP("nothing to guess") {
  expect_near(mean(answer, {4, 5}, {kNoTarget, kNoTarget}), 0.0, "losses (4, 5), targets (−1, −1)");
}

STEP("whole result") {
  Philox rng(112);
  Tokens text, offsets;
  for (int i = 0; i < 60; ++i) text.push_back(int(rng.uniform() * 50));
  for (const int offset : {50, 0, 17, 31}) offsets.push_back(offset);
  const Cut c = cut(answer, text, offsets, 10), book = cut(reference, text, offsets, 10);
  expect_equal(c.tokens, book.tokens, "tokens of 4 windows of 10 in a random text of 60");
  expect_equal(c.targets, book.targets, "targets of 4 windows of 10 in a random text of 60");
  std::vector<double> losses;
  for (int i = 0; i < 40; ++i) losses.push_back(1 + rng.uniform());
  expect_near(mean(answer, losses, book.targets), mean(reference, losses, book.targets),
              "mean of 40 random losses, one without a target");
}
