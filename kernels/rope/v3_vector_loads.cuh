// RoPE, v3: v2 moved a number at a time and read two table entries for every pair. v3 gives a thread 16 bytes of a head's
// first half and the 16 bytes K/2 further on, in kHeads heads: 2·kHeads loads under way, and the table's entries are read
// once for all those heads. With pairs in halves the two packs are partners; with adjacent pairs each holds whole pairs.
// Queries and keys go in one launch: they are heads of the same rows.
#pragma once

#include "kernels/common/streaming.cuh"
#include "kernels/rope/rope.h"

namespace tpp::twin {

/// RopeHeads as the kernel sees them.
template <class T>
struct NativeHeads {
  const T* x;
  T* y;
  int ldx, ldy, heads;
};

template <bool kAdjacent, int kHeads, class T>
__global__ void __launch_bounds__(256, 3)
    rope_v3(NativeHeads<T> q, NativeHeads<T> k, int length, int K, const float* cosines,
            const float* sines, int N, float direction) {
  constexpr int kWidth = kPack<T>;
  const unsigned half = unsigned(K) / 2, packs = half / kWidth;
  const unsigned q_groups = unsigned(q.heads + kHeads - 1) / kHeads;
  const unsigned k_groups = unsigned(k.heads + kHeads - 1) / kHeads;
  const unsigned items = (q_groups + k_groups) * packs;  // of a row

  // A block takes whole rows where several fit, else it walks along one
  const unsigned rows = max(1u, 256u / items), row = threadIdx.x / items;
  const std::size_t n = std::size_t(blockIdx.x) * rows + (rows == 1 ? 0 : row);
  if (n >= std::size_t(N) || (rows > 1 && row >= rows)) return;
  const std::size_t t = n % unsigned(length);
  for (unsigned item = rows == 1 ? threadIdx.x : threadIdx.x - row * items; item < items;
       item += 256) {
    const unsigned group = item / packs, f = (item - group * packs) * kWidth;
    const bool keys = group >= q_groups;
    const T* x = (keys ? k.x : q.x) + n * (keys ? k.ldx : q.ldx) + f;
    T* y = (keys ? k.y : q.y) + n * (keys ? k.ldy : q.ldy) + f;
    const unsigned heads = keys ? k.heads : q.heads;
    const unsigned first = (keys ? group - q_groups : group) * kHeads;

    // [snip rope_v3]
    // Ask for everything; past the last head for the last one again
    Raw<T> low[kHeads], high[kHeads];
#pragma unroll
    for (unsigned h = 0; h < kHeads; ++h) {
      const T* head = x + std::size_t(min(first + h, heads - 1)) * K;
      low[h] = read_once(head);
      high[h] = read_once(head + half);
    }
    // [/snip]
    float c[kWidth], s[kWidth];  // halves: of pairs f …; adjacent: of f/2 … and of (f + K/2)/2 …
    if constexpr (kAdjacent) {
      constexpr int kPairs = kWidth / 2;
      float lows[kPairs], highs[kPairs];
      const std::size_t at = t * half + f / 2;
      read_shared_floats<kPairs>(cosines + at, lows);
      read_shared_floats<kPairs>(cosines + at + half / 2, highs);
#pragma unroll
      for (int j = 0; j < kPairs; ++j) c[j] = lows[j], c[kPairs + j] = highs[j];
      read_shared_floats<kPairs>(sines + at, lows);
      read_shared_floats<kPairs>(sines + at + half / 2, highs);
#pragma unroll
      for (int j = 0; j < kPairs; ++j) s[j] = lows[j], s[kPairs + j] = highs[j];
    } else {
      read_shared_floats<kWidth>(cosines + t * half + f, c);
      read_shared_floats<kWidth>(sines + t * half + f, s);
    }
#pragma unroll
    for (int j = 0; j < kWidth; ++j) s[j] *= direction;

#pragma unroll
    for (unsigned h = 0; h < kHeads; ++h) {
      // The first is always there: said so, the compiler asks for the numbers before it waits for the table
      if (h > 0 && first + h >= heads) break;
      float a[kWidth], b[kWidth];
      unpack(low[h], a);
      unpack(high[h], b);
      if constexpr (kAdjacent) {
#pragma unroll
        for (int j = 0; j < kWidth; j += 2) {
          const float cl = c[j / 2], sl = s[j / 2], a0 = a[j], a1 = a[j + 1];
          a[j] = a0 * cl - a1 * sl;
          a[j + 1] = a0 * sl + a1 * cl;
          const float ch = c[(kWidth + j) / 2], sh = s[(kWidth + j) / 2], b0 = b[j], b1 = b[j + 1];
          b[j] = b0 * ch - b1 * sh;
          b[j + 1] = b0 * sh + b1 * ch;
        }
      } else {
#pragma unroll
        for (int j = 0; j < kWidth; ++j) {
          const float aj = a[j], bj = b[j];
          a[j] = aj * c[j] - bj * s[j];
          b[j] = aj * s[j] + bj * c[j];
        }
      }
      T* head = y + std::size_t(first + h) * K;
      write_once(head, a);
      write_once(head + half, b);
    }
  }
}

}  // namespace tpp::twin
