// What the rungs share: the three forms of the product, the order of the blocks, how a result is written.
#pragma once

#include "kernels/common/storage.cuh"

namespace tpp::twin {

// How the operands lie in memory; C (M, N) is the same in all.
//   nn   C = A·B     a (M, K), b (K, N)
//   nt   C = A·Bᵀ    a (M, K), b (N, K)
//   tn   C = Aᵀ·B    a (K, M), b (K, N)
enum class Form { nn, nt, tn };

// Are neighbours in memory neighbours in k?
template <Form form>
inline constexpr bool kARunsAlongK = form != Form::tn;
template <Form form>
inline constexpr bool kBRunsAlongK = form == Form::nt;

template <class T, class Out>
struct Product {
  const T* a;  // (M, K), or (K, M) in the form tn
  const T* b;  // (K, N), or (N, K) in the form nt
  Out* c;      // (M, N)
  int M, N, K;
  bool add;  // C += instead of C =
};

/// Where A[m][k] and B[k][n] lie.
template <Form form, class T, class Out>
__device__ inline const T* a_at(const Product<T, Out>& p, int m, int k) {
  return p.a + (kARunsAlongK<form> ? std::size_t(m) * std::size_t(p.K) + std::size_t(k)
                                   : std::size_t(k) * std::size_t(p.M) + std::size_t(m));
}
template <Form form, class T, class Out>
__device__ inline const T* b_at(const Product<T, Out>& p, int k, int n) {
  return p.b + (kBRunsAlongK<form> ? std::size_t(n) * std::size_t(p.K) + std::size_t(k)
                                   : std::size_t(k) * std::size_t(p.N) + std::size_t(n));
}
template <class T, class Out>
__device__ inline Out* c_at(const Product<T, Out>& p, int m, int n) {
  return p.c + (std::size_t(m) * std::size_t(p.N) + std::size_t(n));
}

// --- The order of the blocks ------------------------------------------------------------------------

struct TilePlace {
  int m, n;  // counted in tiles
};

/// Block after block along the rows of C.
__device__ inline TilePlace place_in_rows(int block, int columns) {
  return {block / columns, block % columns};
}

/// In bands of kBand rows of tiles, down each column of the band. The blocks that run together then share few rows of A and
/// few columns of B, which the L2 cache holds.
template <int kBand>
__device__ inline TilePlace place_in_bands(int block, int rows, int columns) {
  const int first = block / (kBand * columns) * kBand;
  const int height = min(kBand, rows - first);
  const int within = block - first * columns;
  return {first + within % height, within / height};
}

// --- Writing results --------------------------------------------------------------------------------

template <class Out>
__device__ inline void write_result(Out* c, float v, bool add) {
  *c = from_float<Out>(add ? to_float(*c) + v : v);
}

/// Two and four neighbours by one store; c must be a multiple of their size.
__device__ inline void write_pair(float* c, float x, float y, bool add) {
  float2 v = make_float2(x, y);
  if (add) {
    const float2 old = *reinterpret_cast<const float2*>(c);
    v = make_float2(old.x + x, old.y + y);
  }
  *reinterpret_cast<float2*>(c) = v;
}
__device__ inline void write_pair(__nv_bfloat16* c, float x, float y, bool add) {
  auto* words = reinterpret_cast<unsigned*>(c);
  if (add) {
    const unsigned old = *words;
    x += __uint_as_float(old << 16), y += __uint_as_float(old & 0xffff0000u);
  }
  *words = pack_two(x, y);
}
__device__ inline void write_four(float* c, float4 v, bool add) {
  if (add) {
    const float4 old = *reinterpret_cast<const float4*>(c);
    v = make_float4(old.x + v.x, old.y + v.y, old.z + v.z, old.w + v.w);
  }
  *reinterpret_cast<float4*>(c) = v;
}

/// C[m][n … n + 3], as far as C goes; by one store where the address allows.
template <class T>
__device__ inline void write_four_or_less(const Product<T, float>& p, int m, int n, float4 v,
                                          bool vector) {
  if (m >= p.M || n >= p.N) return;
  float* c = c_at(p, m, n);
  if (vector) {
    write_four(c, v, p.add);
    return;
  }
  write_result(c, v.x, p.add);
  if (n + 1 < p.N) write_result(c + 1, v.y, p.add);
  if (n + 2 < p.N) write_result(c + 2, v.z, p.add);
  if (n + 3 < p.N) write_result(c + 3, v.w, p.add);
}

// --- Copies that land later -------------------------------------------------------------------------

/// Copy kBytes (4 or 16) to shared memory, or zeros where `inside` is false: then `from` is not read, and may point anywhere.
/// The bytes are there after __pipeline_commit and __pipeline_wait_prior.
template <int kBytes>
__device__ inline void copy_or_zero(void* to, const void* from, bool inside) {
  static_assert(kBytes == 4 || kBytes == 16);
#ifdef __CUDACC__
  // As __pipeline_memcpy_async, which would branch on `inside`; the instruction takes it as a size.
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to));
  const int bytes = inside ? kBytes : 0;
  if constexpr (kBytes == 16) {  // .cg: not through the L1 cache
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(address), "l"(from),
                 "r"(bytes)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(address), "l"(from),
                 "r"(bytes)
                 : "memory");
  }
#else
  __pipeline_memcpy_async(to, from, kBytes, inside ? 0 : kBytes);
#endif
}

}  // namespace tpp::twin
