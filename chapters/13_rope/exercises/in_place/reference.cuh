// RoPE in place: the queries and keys of a row are turned where they stand, by a block, a pair a thread.
//
//   (a, b) → (a·cos − b·sin, a·sin + b·cos),    a, b = numbers p and p + K/2 of a head, p = 0 … K/2 − 1
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

constexpr int kThreads = 64;  // of a block, which has one row

/// qkv (B·T, 3·H·K): a row is the H query heads of a token, then its H key heads, then its H value heads, each
/// of K numbers. cosine, sine (T, K/2): of the angle of pair p at position t.
__global__ void rope_row(float* qkv, const float* cosine, const float* sine, int T, int H, int K) {
  const int n = int(blockIdx.x), t = int(threadIdx.x), half = K / 2;
  float* row = qkv + std::size_t(n) * 3 * H * K;  // this block's row, b·T + position

  // [hole turn "Turn the pairs of the query and key heads, the values stay. Thread t has the pairs t, t + kThreads, … of the row; there may be fewer or more pairs than threads."]
  for (int i = t; i < 2 * H * half; i += kThreads) {
    const int head = i / half, p = i % half;
    const float c = cosine[n % T * half + p], s = sine[n % T * half + p];

    // Both new numbers come from both old ones: read them before either is written
    float* first = row + head * K + p;
    const float a = first[0], b = first[half];
    first[0] = a * c - b * s;
    first[half] = a * s + b * c;
  }
  // [/hole]
}

/// N = B·T rows; all on the device.
inline void rope_in_place(float* qkv, const float* cosine, const float* sine, int N, int T, int H,
                          int K) {
  launch(rope_row, dim3(unsigned(N)), dim3(kThreads))(qkv, cosine, sine, T, H, K);
}

}  // namespace tpp
