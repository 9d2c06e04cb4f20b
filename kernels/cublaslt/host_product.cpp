// What cuBLASLt computes on a GPU, this processor computes on the emulator: a plain loop over blocks, quick enough that a
// small model trains. It is no kernel; the emulator is told what it reads and writes.
#include <algorithm>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

#include "kernels/cublaslt/product.h"
#include "kernels/simt/host_api.h"

namespace tpp::twin {
namespace {

// One vector register; g++ and clang know arithmetic of such types.
#if defined(__AVX512F__)
constexpr int kBytes = 64, kRows = 12;
#elif defined(__AVX__)
constexpr int kBytes = 32, kRows = 6;
#else
constexpr int kBytes = 16, kRows = 4;
#endif
using Vector [[gnu::vector_size(kBytes)]] = float;
constexpr int kLanes = kBytes / 4;
constexpr int kColumns = 2 * kLanes;  // a block in registers is (kRows, kColumns)
constexpr int kDepth = 256;  // of K at a time; also what is summed before it joins the rest

// op(m) of a stored matrix
template <class T>
struct Operand {
  const T* data;
  std::size_t stride;
  bool transposed;
  [[nodiscard]] float operator()(int row, int column) const {
    const auto r = std::size_t(row), c = std::size_t(column);
    return float(transposed ? data[c * stride + r] : data[r * stride + c]);
  }
};

// Any address will do
Vector load(const float* p) {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
void store(float* p, Vector v) { std::memcpy(p, &v, sizeof v); }

// sum (kRows, kColumns) += a (depth, kRows)ᵀ · b (depth, kColumns), both packed
void multiply_block(const float* a, const float* b, int depth, float* sum, std::size_t stride) {
  Vector s[kRows][2] = {};
  for (int k = 0; k < depth; ++k) {
    const Vector b0 = load(b + k * kColumns), b1 = load(b + k * kColumns + kLanes);
    for (int r = 0; r < kRows; ++r) {
      const float ar = a[k * kRows + r];
      s[r][0] += ar * b0;
      s[r][1] += ar * b1;
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int half = 0; half < 2; ++half) {
      float* to = sum + std::size_t(r) * stride + std::size_t(half * kLanes);
      store(to, load(to) + s[r][half]);
    }
  }
}

// op(b) as strips of kColumns, each (K, kColumns), zeros beyond N
template <class T>
std::vector<float> pack_strips(const Operand<T>& b, int K, int N) {
  const int strips = ceil_div(N, kColumns);
  std::vector<float> packed(std::size_t(strips) * std::size_t(K) * kColumns);
  float* to = packed.data();
  for (int strip = 0; strip < strips; ++strip) {
    for (int k = 0; k < K; ++k) {
      for (int n = strip * kColumns; n < (strip + 1) * kColumns; ++n) *to++ = n < N ? b(k, n) : 0;
    }
  }
  return packed;
}

// Rows [first, last) of c
template <class T, class Out>
void multiply_rows(const Operand<T>& a, const std::vector<float>& b, int first, int last, int N,
                   int K, Out* c, std::size_t ldc, bool add) {
  const int strips = ceil_div(N, kColumns);
  const auto width = std::size_t(strips * kColumns);
  std::vector<float> sum(kRows * width), rows(std::size_t(kRows) * kDepth);
  for (int m0 = first; m0 < last; m0 += kRows) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (int k0 = 0; k0 < K; k0 += kDepth) {
      const int depth = std::min(kDepth, K - k0);
      for (int r = 0; r < kRows; ++r) {
        for (int k = 0; k < depth; ++k) {
          rows[std::size_t(k * kRows + r)] = m0 + r < last ? a(m0 + r, k0 + k) : 0;
        }
      }
      for (int strip = 0; strip < strips; ++strip) {
        const float* packed =
            b.data() + (std::size_t(strip) * std::size_t(K) + std::size_t(k0)) * kColumns;
        multiply_block(rows.data(), packed, depth, sum.data() + strip * kColumns, width);
      }
    }
    for (int m = m0; m < std::min(m0 + kRows, last); ++m) {
      Out* to = c + std::size_t(m) * ldc;
      const float* from = sum.data() + std::size_t(m - m0) * width;
      for (int n = 0; n < N; ++n) to[n] = Out(add ? float(to[n]) + from[n] : from[n]);
    }
  }
}

// The stored rows of a matrix, for the emulator's books
template <class F>
void for_each_row(int rows, int columns, int stride, std::size_t size, F&& f) {
  if (columns == stride) {
    f(0, std::size_t(rows) * std::size_t(columns) * size);
  } else {
    for (int r = 0; r < rows; ++r)
      f(std::size_t(r) * std::size_t(stride), std::size_t(columns) * size);
  }
}

template <class T, class Out>
void multiply(ProductShape s, const T* a, int lda, const T* b, int ldb, Out* c, int ldc, bool add) {
  const auto reads = [](const auto* data, int rows, int columns, int stride) {
    for_each_row(rows, columns, stride, sizeof(*data), [&](std::size_t at, std::size_t bytes) {
      simt::host_reads(data + at, bytes, "product");
    });
  };
  reads(a, s.transpose_a ? s.K : s.M, s.transpose_a ? s.M : s.K, lda);
  reads(b, s.transpose_b ? s.N : s.K, s.transpose_b ? s.K : s.N, ldb);
  if (add) reads(c, s.M, s.N, ldc);
  for_each_row(s.M, s.N, ldc, sizeof(*c), [&](std::size_t at, std::size_t bytes) {
    simt::host_writes(c + at, bytes, "product");
  });

  // Share out the rows when there is enough to do; the same sums for any number of threads
  const Operand<T> left{a, std::size_t(lda), s.transpose_a},
      right{b, std::size_t(ldb), s.transpose_b};
  const std::vector<float> strips = pack_strips(right, s.K, s.N);
  const double work = double(s.M) * s.N * s.K;
  const int cores = std::max(1, int(std::thread::hardware_concurrency()));
  const int shares = std::clamp(int(work / 4e6), 1, std::min(cores, ceil_div(s.M, kRows)));
  const int share = ceil_div(ceil_div(s.M, kRows), shares) * kRows;
  const auto part = [&](int first) {
    multiply_rows(left, strips, first, std::min(first + share, s.M), s.N, s.K, c, std::size_t(ldc),
                  add);
  };
  std::vector<std::jthread> helpers;
  for (int first = share; first < s.M; first += share) helpers.emplace_back(part, first);
  part(0);
}

}  // namespace

template <Storage T, Storage Out>
void product(Stream stream, ProductShape shape, const T* a, int lda, const T* b, int ldb, Out* c,
             int ldc, Write write, bool /*tf32*/) {
  check_product(shape, lda, ldb, ldc);
  if (shape.M == 0 || shape.N == 0) return;
  simt::on_host(static_cast<cudaStream_t>(stream),
                [=] { multiply(shape, a, lda, b, ldb, c, ldc, write == Write::add); });
}

void prepare_products(Stream) {}
void release_products(Stream) noexcept {}
void tune_products(bool) {}

#define TPP_INSTANTIATE(T, Out)                                                                \
  template void product<T, Out>(Stream, ProductShape, const T*, int, const T*, int, Out*, int, \
                                Write, bool);
TPP_INSTANTIATE(float, float)
TPP_INSTANTIATE(Bf16, Bf16)
TPP_INSTANTIATE(Bf16, float)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
