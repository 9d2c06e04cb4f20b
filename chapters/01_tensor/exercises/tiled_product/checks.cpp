// One mechanism a step: one tile, its edges, rounds along K, several blocks; then ragged products.
#include "chapters/01_tensor/exercises/tiled_product/answer.h"
#include "tools/learn/check_cuda.h"

using namespace tpp;
using namespace tpp::learn;

namespace {

using Floats = std::vector<float>;

Values product(const Floats& A, const Floats& B, int M, int N, int K) {
  Floats C(std::size_t(M * N));
  for (int m = 0; m < M; ++m) {
    for (int n = 0; n < N; ++n) {
      double sum = 0;
      for (int k = 0; k < K; ++k) {
        sum += double(A[std::size_t(m * K + k)]) * double(B[std::size_t(k * N + n)]);
      }
      C[std::size_t(m * N + n)] = float(sum);
    }
  }
  return Values::matrix(C, M, N);
}

void expect_product(const Answer& answer, const Floats& a, const Floats& b, int M, int N, int K,
                    const char* what) {
  const float* A = device_input("A", a);
  const float* B = device_input("B", b);
  DeviceOutput<>& C = device_output("C", std::size_t(M * N));
  answer.product(A, B, C.data(), M, N, K);
  expect_near(Values::matrix(C.values(), M, N), product(a, b, M, N, K), what);
}

void expect_random(const Answer& answer, unsigned seed, int M, int N, int K, const char* what) {
  expect_product(answer, random_floats(seed, std::size_t(M * K)),
                 random_floats(seed + 1, std::size_t(K * N)), M, N, K, what);
}

}  // namespace

STEP("one tile") { expect_random(answer, 1, 8, 8, 8, "A (8, 8) times B (8, 8)"); }

STEP("by hand, inside of one tile") {
  expect_product(answer, {1, 2, 3, 4}, {1, 10, 100, 1000}, 2, 2, 2,
                 "rows (1, 2), (3, 4) times rows (1, 10), (100, 1000)");
}

STEP("two rounds along K") { expect_random(answer, 3, 8, 8, 16, "A (8, 16) times B (16, 8)"); }

STEP("a last tile that is not full") {
  expect_random(answer, 5, 8, 8, 11, "A (8, 11) times B (11, 8)");
}

STEP("several blocks") { expect_random(answer, 7, 16, 24, 8, "A (16, 8) times B (8, 24)"); }

STEP("every edge ragged") { expect_random(answer, 9, 13, 9, 19, "A (13, 19) times B (19, 9)"); }

STEP("one row, one column") {
  expect_random(answer, 11, 1, 10, 20, "A (1, 20) times B (20, 10)");
  expect_random(answer, 13, 10, 1, 20, "A (10, 20) times B (20, 1)");
}
