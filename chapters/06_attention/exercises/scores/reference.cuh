// Attention scores by tiles: 16 × 16 threads make 16 × 16 scores, and each number fetched serves 16 of them.
//
//   scores[t,s] = scale · Σ_i q[t,i] · k[s,i]     for s ≤ t,  −∞ for the others
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

constexpr int kTile = 16;

__global__ void attention_scores(const float* q, const float* k, float* scores, float scale, int T,
                                 int K) {
  __shared__ float tile_q[kTile][kTile + 1];  // [query of the block][feature of the round]
  __shared__ float tile_k[kTile][kTile + 1];  // [key of the block][feature of the round]
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  const int t0 = int(blockIdx.y) * kTile, s0 = int(blockIdx.x) * kTile;
  const int t = t0 + y, s = s0 + x;  // this thread's query and key

  // [hole score "Write scores[t * T + s]. q and k are (T, K), row by row; the block's first query is t0, its first key s0. In each round the threads fill tile_q and tile_k together. T and K may be no multiples of kTile."]
  float sum = 0;
  for (int i0 = 0; i0 < K; i0 += kTile) {
    // Each thread fetches two numbers; neighbours in x read neighbouring addresses
    const int i = i0 + x;
    tile_q[y][x] = t < T && i < K ? q[t * K + i] : 0;
    tile_k[y][x] = s0 + y < T && i < K ? k[(s0 + y) * K + i] : 0;
    __syncthreads();

    for (int j = 0; j < kTile; ++j) sum += tile_q[y][j] * tile_k[x][j];
    __syncthreads();  // everybody has read before the next round writes
  }
  if (t < T && s < T) scores[t * T + s] = s <= t ? scale * sum : -INFINITY;
  // [/hole]
}

/// q, k (T, K) → scores (T, T), all on the device.
inline void scores_of_head(const float* q, const float* k, float* scores, float scale, int T,
                           int K) {
  const unsigned tiles = unsigned((T + kTile - 1) / kTile);
  launch(attention_scores, dim3(tiles, tiles), dim3(kTile, kTile))(q, k, scores, scale, T, K);
}

}  // namespace tpp
