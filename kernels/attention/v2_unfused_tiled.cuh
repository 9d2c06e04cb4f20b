// v1 fetched every row of q and k once for each of T threads. v2 gives a block a tile of 16 × 16 results: for each 16
// steps of the sum it copies two tiles into shared memory, and each number fetched serves 16 threads. A softmax row goes
// to a warp, whose lanes read neighbouring addresses. The launches and what stands in memory between them are v1's.
#pragma once

#include "kernels/attention/arguments.cuh"
#include "kernels/common/reduce.cuh"

namespace tpp::twin {

inline constexpr int kAttentionTile = 16;

/// A matrix by its strides, so that a transpose is a matrix, too.
template <class T>
struct Strided {
  const T* at;
  std::size_t row, col;
  __device__ float operator()(int i, int j) const { return to_float(at[i * row + j * col]); }
};

// [snip tiled_product]
/// This thread's number of the product a·b, a (M, …), b (…, N), summed over [first, last). All threads call it.
template <class A, class B>
__device__ float tiled_product(Strided<A> a, Strided<B> b, int M, int N, int m0, int n0, int first,
                               int last) {
  constexpr int kTile = kAttentionTile;
  __shared__ float tile_a[kTile][kTile + 1], tile_b[kTile][kTile + 1];
  const int x = int(threadIdx.x) % kTile, y = int(threadIdx.x) / kTile;
  float sum = 0;
  for (int i0 = first; i0 < last; i0 += kTile) {
    // Neighbouring threads read neighbouring addresses, whichever way the matrix lies
    const int am = a.col == 1 ? y : x, ai = a.col == 1 ? x : y;
    const int bi = b.col == 1 ? y : x, bn = b.col == 1 ? x : y;
    tile_a[am][ai] = m0 + am < M && i0 + ai < last ? a(m0 + am, i0 + ai) : 0;
    tile_b[bi][bn] = n0 + bn < N && i0 + bi < last ? b(i0 + bi, n0 + bn) : 0;
    __syncthreads();
    for (int i = 0; i < kTile; ++i) sum += tile_a[y][i] * tile_b[i][x];
    __syncthreads();
  }
  return sum;
}
// [/snip]

/// Which tile of which head: the grid is (B·heads, tiles of rows, tiles of columns).
struct AttentionTilePlace {
  int b, h, m0, n0, m, n;
};
__device__ inline AttentionTilePlace attention_tile(int heads) {
  constexpr int kTile = kAttentionTile;
  AttentionTilePlace at;
  at.b = int(blockIdx.x) / heads, at.h = int(blockIdx.x) % heads;
  at.m0 = int(blockIdx.y) * kTile, at.n0 = int(blockIdx.z) * kTile;
  at.m = at.m0 + int(threadIdx.x) / kTile, at.n = at.n0 + int(threadIdx.x) % kTile;
  return at;
}

template <class T>
__device__ Strided<T> plain(HeadRows<T> x) {
  return {x.at, x.stride, 1};
}
template <class T>
__device__ Strided<T> transposed(HeadRows<T> x) {
  return {x.at, 1, x.stride};
}

/// How many keys the tile's queries see, at most.
__device__ inline int seen_by_tile(const AttentionShape& shape, int t0) {
  return shape.mask.visible(min(t0 + kAttentionTile, shape.T) - 1, shape.T);
}

// logits = scale·q·kᵀ + bias
template <class T>
__global__ void attention_logits_tiled(AttentionTensors<T> x, AttentionShape shape) {
  const AttentionTilePlace at = attention_tile(shape.H);
  const int L = shape.T, g = at.h / (shape.H / shape.G);
  if (at.n0 >= seen_by_tile(shape, at.m0)) return;
  const float sum = tiled_product(plain(head_rows(x.q, x.ldq, shape, at.b, at.h)),
                                  transposed(head_rows(x.k, x.ldk, shape, at.b, g)), L, L, at.m0,
                                  at.n0, 0, shape.K);
  if (at.m >= L || at.n >= shape.mask.visible(at.m, L)) return;
  const float shift = x.bias == nullptr ? 0 : bias_of(x.bias, shape, at.h)[at.n - at.m];
  prob_rows(x.probs, shape, at.b, at.h).row(at.m)[at.n] = from_float<T>(shape.scale * sum + shift);
}

/// The row of a warp among B·H·T; false beyond the last.
__device__ inline bool attention_warp_row(const AttentionShape& shape, std::size_t& row, int& t) {
  row = (std::size_t(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  t = int(row % std::size_t(shape.T));
  return row < std::size_t(shape.B) * shape.H * shape.T;
}

// probs[t] = softmax(logits[t])
template <class T>
__global__ void attention_softmax_warp(AttentionTensors<T> x, AttentionShape shape) {
  std::size_t r;
  int t;
  if (!attention_warp_row(shape, r, t)) return;
  T* row = x.probs + r * shape.T;
  const int seen = shape.mask.visible(t, shape.T), lane = int(threadIdx.x) % 32;
  float top = -INFINITY, sum = 0;
  for (int s = lane; s < seen; s += 32) top = fmaxf(top, to_float(row[s]));
  top = warp_max(top);
  for (int s = lane; s < seen; s += 32) sum += __expf(to_float(row[s]) - top);
  const float scale = 1 / warp_sum(sum);
  for (int s = lane; s < shape.T; s += 32) {
    row[s] = from_float<T>(s < seen ? scale * __expf(to_float(row[s]) - top) : 0.0f);
  }
}

// out = probs·v
template <class T>
__global__ void attention_mix_tiled(AttentionTensors<T> x, AttentionShape shape) {
  const AttentionTilePlace at = attention_tile(shape.H);
  const int L = shape.T, g = at.h / (shape.H / shape.G);
  const HeadRows<const T> probs = prob_rows<const T>(x.probs, shape, at.b, at.h);
  const float sum = tiled_product(plain(probs), plain(head_rows(x.v, x.ldv, shape, at.b, g)), L,
                                  shape.K, at.m0, at.n0, 0, seen_by_tile(shape, at.m0));
  if (at.m >= L || at.n >= shape.K) return;
  head_rows(x.out, std::size_t(shape.H) * shape.K, shape, at.b, at.h).row(at.m)[at.n] =
      from_float<T>(sum);
}

// dP = dout·vᵀ
template <class T>
__global__ void attention_dprobs_tiled(AttentionTensors<T> x, AttentionShape shape) {
  const AttentionTilePlace at = attention_tile(shape.H);
  const int L = shape.T, g = at.h / (shape.H / shape.G);
  if (at.n0 >= seen_by_tile(shape, at.m0)) return;
  const std::size_t width = std::size_t(shape.H) * shape.K;
  const float sum = tiled_product(plain(head_rows(x.dout, width, shape, at.b, at.h)),
                                  transposed(head_rows(x.v, x.ldv, shape, at.b, g)), L, L, at.m0,
                                  at.n0, 0, shape.K);
  if (at.m < L && at.n < L) prob_rows(x.work, shape, at.b, at.h).row(at.m)[at.n] = sum;
}

// dS[t] = probs[t] ⊙ (dP[t] − Σ_s probs[t,s]·dP[t,s])
template <class T>
__global__ void attention_dlogits_warp(AttentionTensors<T> x, AttentionShape shape) {
  std::size_t r;
  int t;
  if (!attention_warp_row(shape, r, t)) return;
  const T* p = x.probs + r * shape.T;
  float* d = x.work + r * shape.T;
  const int seen = shape.mask.visible(t, shape.T), lane = int(threadIdx.x) % 32;
  float mean = 0;
  for (int s = lane; s < seen; s += 32) mean += to_float(p[s]) * d[s];
  mean = warp_sum(mean);
  for (int s = lane; s < shape.T; s += 32) d[s] = s < seen ? to_float(p[s]) * (d[s] - mean) : 0;
}

// dq = scale·dS·k
template <class T>
__global__ void attention_dq_tiled(AttentionTensors<T> x, AttentionShape shape) {
  const AttentionTilePlace at = attention_tile(shape.H);
  const int L = shape.T, g = at.h / (shape.H / shape.G);
  const HeadRows<const float> ds = prob_rows<const float>(x.work, shape, at.b, at.h);
  const float sum = tiled_product(plain(ds), plain(head_rows(x.k, x.ldk, shape, at.b, g)), L,
                                  shape.K, at.m0, at.n0, 0, seen_by_tile(shape, at.m0));
  if (at.m >= L || at.n >= shape.K) return;
  head_rows(x.dq, x.lddq, shape, at.b, at.h).row(at.m)[at.n] = from_float<T>(shape.scale * sum);
}

// dk = scale·Σ_h dSᵀ·q,   dv = Σ_h probsᵀ·dout: a tile's rows are keys
template <class T>
__global__ void attention_dkv_tiled(AttentionTensors<T> x, AttentionShape shape) {
  const AttentionTilePlace at = attention_tile(shape.G);
  const int L = shape.T, K = shape.K, g = at.h, share = shape.H / shape.G;
  const std::size_t width = std::size_t(shape.H) * K;
  const int first = shape.mask.first_query(at.m0, L);
  float dk = 0, dv = 0;
  for (int h = g * share; h < (g + 1) * share; ++h) {
    const HeadRows<const float> ds = prob_rows<const float>(x.work, shape, at.b, h);
    const HeadRows<const T> p = prob_rows<const T>(x.probs, shape, at.b, h);
    dk += tiled_product(transposed(ds), plain(head_rows(x.q, x.ldq, shape, at.b, h)), L, K, at.m0,
                        at.n0, first, L);
    dv += tiled_product(transposed(p), plain(head_rows(x.dout, width, shape, at.b, h)), L, K, at.m0,
                        at.n0, first, L);
  }
  if (at.m >= L || at.n >= K) return;
  head_rows(x.dk, x.lddk, shape, at.b, g).row(at.m)[at.n] = from_float<T>(shape.scale * dk);
  head_rows(x.dv, x.lddv, shape, at.b, g).row(at.m)[at.n] = from_float<T>(dv);
}

}  // namespace tpp::twin
