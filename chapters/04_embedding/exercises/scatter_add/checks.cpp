// One mechanism a step: the right row, the sum, rows without a token, edges, rounds; then the order of the sum.
#include "chapters/04_embedding/exercises/scatter_add/answer.h"
#include "tools/learn/check_cuda.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Floats = std::vector<float>;

Values gradient(const Floats& dy, const std::vector<int>& tokens, int V, int D) {
  std::vector<double> sums(std::size_t(V * D));
  for (std::size_t n = 0; n < tokens.size(); ++n) {
    for (int d = 0; d < D; ++d) {
      sums[std::size_t(tokens[n] * D + d)] += double(dy[n * std::size_t(D) + std::size_t(d)]);
    }
  }
  return Values::matrix(Floats(sums.begin(), sums.end()), V, D);
}

Values run(const Answer& answer, const Floats& dy, const std::vector<int>& tokens, int V, int D) {
  const float* from = device_input("dy", dy);
  const int* at = device_input("tokens", tokens);
  DeviceOutput<>& dtable = device_output("dtable", std::size_t(V * D));
  answer.gradient(from, at, dtable.data(), int(tokens.size()), V, D);
  return Values::matrix(dtable.values(), V, D);
}

void expect_gradient(const Answer& answer, const Floats& dy, const std::vector<int>& tokens, int V,
                     int D, const char* what) {
  expect_near(run(answer, dy, tokens, V, D), gradient(dy, tokens, V, D), what);
}

// N tokens of V, with many repetitions and in no order
std::vector<int> mixed(int N, int V) {
  std::vector<int> tokens(std::size_t(N), 0);
  for (int n = 0; n < N; ++n) tokens[std::size_t(n)] = n * n * 7 % 31 % V;
  return tokens;
}

void expect_random(const Answer& answer, unsigned seed, int N, int V, int D, const char* what) {
  expect_gradient(answer, random_floats(seed, std::size_t(N * D)), mixed(N, V), V, D, what);
}

// On the emulator, with a warp's threads from the last to the first; a GPU has an order of its own
Values run_reversed(const Answer& answer, const Floats& dy, const std::vector<int>& tokens, int V,
                    int D, [[maybe_unused]] bool reversed) {
#ifndef __CUDACC__
  struct Order {
    simt::Order before = simt::options().order;
    ~Order() { simt::options().order = before; }
  } restored;
  simt::options().order = reversed ? simt::Order::kReverse : simt::Order::kForward;
#endif
  return run(answer, dy, tokens, V, D);
}

}  // namespace

STEP("each row to its token") {
  expect_gradient(answer, {1, 2, 3, 4, 5, 6}, {2, 0, 1}, 3, 2,
                  "tokens (2, 0, 1), dy rows (1, 2), (3, 4), (5, 6)");
}

STEP("a repeated token") {
  expect_gradient(answer, {1, 2, 10, 20, 100, 200}, {1, 0, 1}, 2, 2,
                  "tokens (1, 0, 1), dy rows (1, 2), (10, 20), (100, 200)");
}

STEP("rows without a token") {
  expect_gradient(answer, {1, 2}, {1}, 3, 2, "token 1 of a table of 3 rows, dy row (1, 2)");
}

STEP("two whole rounds") { expect_random(answer, 1, 64, 3, 32, "64 tokens, 3 rows, 32 columns"); }

STEP("a last round that is not full") {
  expect_random(answer, 2, 75, 3, 32, "75 tokens, 3 rows, 32 columns");
}

STEP("more columns than threads") {
  expect_random(answer, 3, 40, 3, 45, "40 tokens, 3 rows, 45 columns");
}

STEP("the same bits every time") {
  // 3·10⁷, 1, −3·10⁷, 1: what is left depends on the order in which they are added
  Floats dy;
  for (int n = 0; n < 40; ++n) dy.push_back(n % 2 == 1 ? 1.0F : n % 4 == 0 ? 3e7F : -3e7F);
  const std::vector<int> tokens(40, 0);
  const Values forward = run_reversed(answer, dy, tokens, 1, 1, false);
  expect_equal(run_reversed(answer, dy, tokens, 1, 1, true), forward,
               "one token 40 times, the threads run in reverse; expected is your own sum when they "
               "run in order");
}
