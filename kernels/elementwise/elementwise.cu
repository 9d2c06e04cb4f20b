// guard: map_rows has ld.global.v4 st.global.v4
#include "kernels/elementwise/elementwise.h"

#include <algorithm>

#include "kernels/elementwise/column_sums.cuh"
#include "kernels/elementwise/map_rows.cuh"

namespace tpp::twin {
namespace {

constexpr int kThreads = 256;

// A matrix and its stride, as a wrapper gets it
template <class T>
struct Matrix {
  T* data;
  int stride;
};

template <int kWidth, class T>
bool width_fits(Matrix<T> m) {
  return reinterpret_cast<std::uintptr_t>(m.data) % std::min<std::size_t>(16, kWidth * sizeof(T)) ==
             0 &&
         m.stride % kWidth == 0;
}

// Launch y = f(x…) for a width that fits. Matrices without gaps are one long row.
template <int kWidth, class F, class Y, class... X>
void map_width(Stream stream, F f, int N, int D, Matrix<Y> y, Matrix<const X>... x) {
  constexpr int kUnroll = kWidth == 1 ? 4 : 2;
  const bool whole = y.stride == D && (... && (x.stride == D));
  const std::size_t packs = std::size_t(N) * std::size_t(D) / kWidth;
  require(packs <= 0xffffffffu, "elementwise: at most 2^32 packs; do it in parts");
  const unsigned rows = whole ? 1 : unsigned(N);
  const std::size_t blocks = ceil_div(packs, std::size_t(kThreads * kUnroll));
  launch(map_rows<kThreads, kUnroll, kWidth, F, Native<Y>, Native<X>...>, unsigned(blocks),
         kThreads, 0, cuda_stream(stream))(
      f, rows, unsigned(packs / rows), Rows<Native<Y>>{native(y.data), std::size_t(y.stride)},
      Rows<const Native<X>>{native(x.data), std::size_t(x.stride)}...);
}

// 16 bytes of the largest type at a time, or number by number
template <class F, class Y, class... X>
void map(Stream stream, F f, int N, int D, Matrix<Y> y, Matrix<const X>... x) {
  require(N >= 0 && D >= 0, "elementwise: a size is negative");
  const auto holds = [&](int stride) { return N <= 1 || stride >= D; };
  require(holds(y.stride) && (... && (holds(x.stride) || x.stride == 0)),
          "elementwise: a stride must be at least the number of columns");
  if (N == 0 || D == 0) return;
  constexpr int kWidth = 16 / int(std::max({sizeof(Y), sizeof(X)...}));
  if (D % kWidth == 0 && width_fits<kWidth>(y) && (... && width_fits<kWidth>(x))) {
    map_width<kWidth, F, Y, X...>(stream, f, N, D, y, x...);
  } else {
    map_width<1, F, Y, X...>(stream, f, N, D, y, x...);
  }
}

// Functions of one element
struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Product {
  __device__ float operator()(float a, float b) const { return a * b; }
};
struct Scaled {
  float s;
  __device__ float operator()(float x) const { return s * x; }
};
struct Same {
  __device__ float operator()(float x) const { return x; }
};
struct Constant {
  float value;
  __device__ float operator()() const { return value; }
};
struct Pointed {
  const float* value;
  __device__ float operator()() const { return *value; }
};

// --- Sums over rows ---------------------------------------------------------------------------------

constexpr int kWarps = 16;

template <int kWidth, class T>
void column_sums_width(Stream stream, Matrix<const T> x, float* out, RowShares share, int N, int D,
                       bool add) {
  const dim3 grid(unsigned(ceil_div(D, 32 * kWidth)), unsigned(share.count));
  launch(column_sums_kernel<kWarps, 4, kWidth, Native<T>>, grid, kWarps * 32, 0,
         cuda_stream(stream))(Rows<const Native<T>>{native(x.data), std::size_t(x.stride)}, out, N,
                              D, share.rows_a_block, add);
}

// Neighbouring columns by one load where they are many; where they are few, more blocks are worth more.
template <class T>
void column_sums_stage(Stream stream, Matrix<const T> x, float* out, RowShares share, int N, int D,
                       bool add) {
  constexpr int kWidth = kPack<Native<T>>;
  const bool many = std::size_t(ceil_div(D, 32 * kWidth)) * std::size_t(share.count) >= 64;
  if (many && D % kWidth == 0 && width_fits<kWidth>(x)) {
    column_sums_width<kWidth>(stream, x, out, share, N, D, add);
  } else {
    column_sums_width<1>(stream, x, out, share, N, D, add);
  }
}

}  // namespace

template <Storage T>
void add(Stream stream, const T* a, int lda, const T* b, int ldb, T* y, int ldy, int N, int D) {
  map<Sum, T, T, T>(stream, {}, N, D, {y, ldy}, {a, lda}, {b, ldb});
}

template <Storage T>
void add_to(Stream stream, const T* x, int ldx, T* y, int ldy, int N, int D) {
  map<Sum, T, T, T>(stream, {}, N, D, {y, ldy}, {y, ldy}, {x, ldx});
}

template <Storage T>
void scale(Stream stream, const T* x, int ldx, float s, T* y, int ldy, int N, int D) {
  map<Scaled, T, T>(stream, {s}, N, D, {y, ldy}, {x, ldx});
}

template <Storage T>
void multiply(Stream stream, const T* a, int lda, const T* b, int ldb, T* y, int ldy, int N,
              int D) {
  map<Product, T, T, T>(stream, {}, N, D, {y, ldy}, {a, lda}, {b, ldb});
}

template <Storage T>
void multiply_backward(Stream stream, const T* a, int lda, const T* b, int ldb, const T* dy,
                       int lddy, T* da, int ldda, T* db, int lddb, int N, int D) {
  if (da != nullptr) multiply(stream, dy, lddy, b, ldb, da, ldda, N, D);
  if (db != nullptr) multiply(stream, dy, lddy, a, lda, db, lddb, N, D);
}

template <Storage T>
void add_row(Stream stream, const T* x, int ldx, const float* b, T* y, int ldy, int N, int D) {
  // Stride 0: every row meets the same b
  if constexpr (std::is_same_v<T, float>) {
    map<Sum, float, float, float>(stream, {}, N, D, {y, ldy}, {x, ldx}, {b, 0});
  } else {
    map<Sum, T, T, float>(stream, {}, N, D, {y, ldy}, {x, ldx}, {b, 0});
  }
}

template <Storage T>
void fill(Stream stream, T* y, int ldy, float value, int N, int D) {
  map<Constant, T>(stream, {value}, N, D, {y, ldy});
}

template <Storage T>
void fill_with(Stream stream, const float* value, T* y, int ldy, int N, int D) {
  map<Pointed, T>(stream, {value}, N, D, {y, ldy});
}

template <Storage From, Storage To>
void convert(Stream stream, const From* x, int ldx, To* y, int ldy, int N, int D) {
  map<Same, To, From>(stream, {}, N, D, {y, ldy}, {x, ldx});
}

template <Storage T>
void add_positions(Stream stream, const T* x, const T* table, T* y, int N, int length, int D) {
  require(length > 0 && N % length == 0, "add_positions: the rows must be whole sequences");
  require(D >= 0 && std::size_t(length) * std::size_t(D) <= 0x7fffffffu,
          "add_positions: a sequence has at most 2^31 numbers");
  // A sequence is one long row, and every such row meets the same table
  const int sequence = length * D;
  map<Sum, T, T, T>(stream, {}, N / length, sequence, {y, sequence}, {x, sequence}, {table, 0});
}

template <Storage T>
void column_sums(Stream stream, const T* x, int ldx, float* out, float* work, int N, int D,
                 Write write) {
  require(N >= 1 && D >= 1, "column_sums: there must be a row and a column");
  require(N == 1 || ldx >= D, "column_sums: the stride must be at least the number of columns");
  const RowShares share = row_shares(N, D);
  const bool add = write == Write::add;
  if (share.count == 1) {
    column_sums_stage<T>(stream, {x, ldx}, out, share, N, D, add);
    return;
  }
  column_sums_stage<T>(stream, {x, ldx}, work, share, N, D, false);
  column_sums_stage<float>(stream, {work, D}, out, {share.count, 1}, share.count, D, add);
}

template <Storage T>
void sum_all(Stream stream, const T* x, int ldx, float* y, float* work, int N, int D) {
  // Sum the rows, then the sums' one row: turned on its side it is one column
  column_sums(stream, x, ldx, work, work + D, N, D, Write::set);
  column_sums(stream, work, 1, y, work + D, D, 1, Write::set);
}

template <Storage T>
void add_positions_backward(Stream stream, const T* dy, float* dtable, float* work, int N,
                            int length, int table_rows, int D, Write write) {
  require(length > 0 && N % length == 0, "add_positions: the rows must be whole sequences");
  require(table_rows >= length, "add_positions: the table has fewer rows than a sequence");
  require(D >= 1 && std::size_t(length) * std::size_t(D) <= 0x7fffffffu,
          "add_positions: a sequence has at most 2^31 numbers");
  column_sums(stream, dy, length * D, dtable, work, N / length, length * D, write);
  // No sequence reached the rows below
  if (write == Write::set && table_rows > length) {
    fill(stream, dtable + std::size_t(length) * std::size_t(D), D, 0.0f, table_rows - length, D);
  }
}

#define TPP_INSTANTIATE(T)                                                                         \
  template void add<T>(Stream, const T*, int, const T*, int, T*, int, int, int);                   \
  template void add_to<T>(Stream, const T*, int, T*, int, int, int);                               \
  template void scale<T>(Stream, const T*, int, float, T*, int, int, int);                         \
  template void multiply<T>(Stream, const T*, int, const T*, int, T*, int, int, int);              \
  template void multiply_backward<T>(Stream, const T*, int, const T*, int, const T*, int, T*, int, \
                                     T*, int, int, int);                                           \
  template void add_row<T>(Stream, const T*, int, const float*, T*, int, int, int);                \
  template void fill<T>(Stream, T*, int, float, int, int);                                         \
  template void fill_with<T>(Stream, const float*, T*, int, int, int);                             \
  template void convert<T, float>(Stream, const T*, int, float*, int, int, int);                   \
  template void convert<T, Bf16>(Stream, const T*, int, Bf16*, int, int, int);                     \
  template void add_positions<T>(Stream, const T*, const T*, T*, int, int, int);                   \
  template void column_sums<T>(Stream, const T*, int, float*, float*, int, int, Write);            \
  template void sum_all<T>(Stream, const T*, int, float*, float*, int, int);                       \
  template void add_positions_backward<T>(Stream, const T*, float*, float*, int, int, int, int,    \
                                          Write);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
