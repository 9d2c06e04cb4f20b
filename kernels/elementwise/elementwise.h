// Adding, scaling, multiplying, copying, summing: the small operations between the large ones.
//
// Two kernels do all of it, and each is as fast as memory is, so there are no slower versions beside them:
//   map_rows.cuh     y = f(a, b, …), element by element, 16 bytes at a time where addresses allow
//   column_sums.cuh  sums over rows, in an order that never changes
//
// Every matrix is (N, D) with its own stride: the distance, in numbers, from a row to the next. A stride of D is a whole
// matrix; a larger one is columns of a wider matrix.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/common/types.h"

namespace tpp::twin {

// All throw std::invalid_argument when a stride is smaller than D, when a size is negative, or when there are more than
// 2^32 elements that cannot be read in packs of 16 bytes. Outputs may be the same memory as inputs.

/// y = a + b. Bytes moved: N·D·(two reads, one write). Reference: add in chapters/02_tape/ops.h.
template <Storage T>
void add(Stream stream, const T* a, int lda, const T* b, int ldb, T* y, int ldy, int N, int D);

/// y += x: how two gradients of one value meet.
template <Storage T>
void add_to(Stream stream, const T* x, int ldx, T* y, int ldy, int N, int D);

/// y = s·x, for a constant s.
template <Storage T>
void scale(Stream stream, const T* x, int ldx, float s, T* y, int ldy, int N, int D);

/// y = a ∘ b.
template <Storage T>
void multiply(Stream stream, const T* a, int lda, const T* b, int ldb, T* y, int ldy, int N, int D);

/// da = dy ∘ b, db = dy ∘ a. A null da or db is not wanted.
template <Storage T>
void multiply_backward(Stream stream, const T* a, int lda, const T* b, int ldb, const T* dy,
                       int lddy, T* da, int ldda, T* db, int lddb, int N, int D);

/// y = x + b in every row; b (D). Its backward: dx = dy, db = column_sums(dy).
template <Storage T>
void add_row(Stream stream, const T* x, int ldx, const float* b, T* y, int ldy, int N, int D);

/// Set every number to a constant, or to the one number that `value` points to on the device.
template <Storage T>
void fill(Stream stream, T* y, int ldy, float value, int N, int D);
template <Storage T>
void fill_with(Stream stream, const float* value, T* y, int ldy, int N, int D);

/// y = x, from one storage to another (rounded to nearest even) or to the same.
template <Storage From, Storage To>
void convert(Stream stream, const From* x, int ldx, To* y, int ldy, int N, int D);

/// y[b·T + t] = x[b·T + t] + table[t]. Shapes x, y (N, D), table (≥ T, D), all whole; `length` is T.
/// Reference chapters/07_position. Errors: std::invalid_argument unless the rows are whole sequences.
template <Storage T>
void add_positions(Stream stream, const T* x, const T* table, T* y, int N, int length, int D);

/// How the rows of a sum are shared out: enough blocks for a large GPU, and at least four rows for each of a block's 16
/// warps.
struct RowShares {
  int rows_a_block, count;
};
inline RowShares row_shares(int N, int D) {
  const int tiles = ceil_div(D, 128);
  const int count = std::clamp(N / 64, 1, std::max(1, 264 / tiles));
  const int rows = ceil_div(N, count);
  return {rows, ceil_div(N, rows)};
}

/// out[d] = Σ_n x[n,d]: the gradient of a row that was added to every row. Two stages with partial sums in `work`,
/// always in the same order. Bytes moved: one read of x.
template <Storage T>
void column_sums(Stream stream, const T* x, int ldx, float* out, float* work, int N, int D,
                 Write write);
/// How many floats of work.
[[nodiscard]] inline std::size_t column_sums_work(int N, int D) {
  if (N < 1 || D < 1) return 0;
  const int count = row_shares(N, D).count;
  return count == 1 ? 0 : std::size_t(count) * std::size_t(D);
}

/// y[0] = the sum of all.
template <Storage T>
void sum_all(Stream stream, const T* x, int ldx, float* y, float* work, int N, int D);
[[nodiscard]] inline std::size_t sum_all_work(int N, int D) {
  return std::size_t(std::max(D, 0)) + std::max(column_sums_work(N, D), column_sums_work(D, 1));
}

/// dtable[t] = Σ_b dy[b·T + t], and 0 in the rows t ≥ T of its `table_rows`. dx is dy.
template <Storage T>
void add_positions_backward(Stream stream, const T* dy, float* dtable, float* work, int N,
                            int length, int table_rows, int D, Write write);
[[nodiscard]] inline std::size_t add_positions_backward_work(int N, int length, int D) {
  return column_sums_work(N / length, length * D);
}

}  // namespace tpp::twin
