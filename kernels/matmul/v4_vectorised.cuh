// v3 spent sixteen load instructions on a step of k. v4 moves four floats by one instruction: its columns come in packs of four
// neighbours, so four loads from shared memory feed sixty-four multiplications, and copies and results move by packs as well.
//
// An operand whose rows run along k (A in the form nn) is read by packs of four k and written transposed, one float at a time:
// the tile keeps k as its row, and multiplying reads packs. 16 neighbours times two packs of k, 4·132 floats apart, are 32
// different banks.
#pragma once

#include "kernels/matmul/product.cuh"

namespace tpp::twin {

constexpr int kV4Tile = 128, kV4K = 8, kV4Side = 16, kV4Threads = kV4Side * kV4Side;
using V4Row = float[kV4Tile + 4];

// Four neighbours, with zeros from `left` on; by one load where the address allows.
__device__ inline float4 load_four(const float* p, int left, bool vector) {
  if (left <= 0) return make_float4(0, 0, 0, 0);
  if (vector) return *reinterpret_cast<const float4*>(p);
  const float x = p[0], y = left > 1 ? p[1] : 0, z = left > 2 ? p[2] : 0, w = left > 3 ? p[3] : 0;
  return make_float4(x, y, z, w);
}

// Copy a tile of 8 k and 128 others (m or n). x points to the tile's first number, `others` and `ks` count what is left.
template <bool kAlongK>
__device__ inline void copy_tile_v4(V4Row* tile, const float* x, int stride, int others, int ks,
                                    bool vector) {
  const int thread = int(threadIdx.x);
  if constexpr (kAlongK) {
    const int k = thread % 2 * 4, other = thread / 2;
    const float* from = x + std::size_t(other) * std::size_t(stride) + k;
    const float4 v = load_four(from, other < others ? ks - k : 0, vector);
    tile[k][other] = v.x;
    tile[k + 1][other] = v.y;
    tile[k + 2][other] = v.z;
    tile[k + 3][other] = v.w;
  } else {
    const int k = thread / 32, other = thread % 32 * 4;
    const float* from = x + std::size_t(k) * std::size_t(stride) + other;
    *reinterpret_cast<float4*>(&tile[k][other]) =
        load_four(from, k < ks ? others - other : 0, vector);
  }
}

// `vector`: do the rows of A and B start at multiples of 16 bytes? `vector_c`: do those of C?
template <Form form>
__global__ void __launch_bounds__(kV4Threads, 2)
    matmul_v4_vectorised(Product<float, float> p, bool vector, bool vector_c) {
  __shared__ __align__(16) V4Row tile_a[kV4K];  // (k, m)
  __shared__ __align__(16) V4Row tile_b[kV4K];  // (k, n)
  const TilePlace place = place_in_rows(int(blockIdx.x), ceil_div(p.N, kV4Tile));
  const int m0 = place.m * kV4Tile, n0 = place.n * kV4Tile;
  const int x = int(threadIdx.x) % kV4Side, y = int(threadIdx.x) / kV4Side;

  float sum[8][8] = {};  // rows 4y … 4y + 3 and 64 more, columns 4x … 4x + 3 and 64 more
  for (int k0 = 0; k0 < p.K; k0 += kV4K) {
    copy_tile_v4<kARunsAlongK<form>>(tile_a, a_at<form>(p, m0, k0), kARunsAlongK<form> ? p.K : p.M,
                                     p.M - m0, p.K - k0, vector);
    copy_tile_v4<kBRunsAlongK<form>>(tile_b, b_at<form>(p, k0, n0), kBRunsAlongK<form> ? p.K : p.N,
                                     p.N - n0, p.K - k0, vector);
    __syncthreads();

#pragma unroll
    for (int k = 0; k < kV4K; ++k) {
      float a[8], b[8];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float4 from_a = *reinterpret_cast<const float4*>(&tile_a[k][64 * half + 4 * y]);
        const float4 from_b = *reinterpret_cast<const float4*>(&tile_b[k][64 * half + 4 * x]);
        a[4 * half] = from_a.x, a[4 * half + 1] = from_a.y;
        a[4 * half + 2] = from_a.z, a[4 * half + 3] = from_a.w;
        b[4 * half] = from_b.x, b[4 * half + 1] = from_b.y;
        b[4 * half + 2] = from_b.z, b[4 * half + 3] = from_b.w;
      }
#pragma unroll
      for (int i = 0; i < 8; ++i) {
#pragma unroll
        for (int j = 0; j < 8; ++j) sum[i][j] += a[i] * b[j];
      }
    }
    __syncthreads();  // the next copy overwrites
  }

#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int m = m0 + i / 4 * 64 + 4 * y + i % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int n = n0 + 64 * half + 4 * x;
      const float* v = &sum[i][4 * half];
      write_four_or_less(p, m, n, make_float4(v[0], v[1], v[2], v[3]), vector_c);
    }
  }
}

}  // namespace tpp::twin
