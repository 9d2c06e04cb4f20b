// RoPE, v2: v1 computed each angle's cosine and sine. v2 reads them from a table of T·K/2 entries, made once in double: all
// heads and sequences share it, so it comes from the caches, and the angle is right at every position.
#pragma once

#include "kernels/rope/v1_thread_per_pair.cuh"

namespace tpp::twin {

template <class T>
__global__ void rope_v2(const T* x, int ldx, int length, int K, const float* cosines,
                        const float* sines, Pairing pairing, T* y, int ldy, int N, int heads,
                        float direction) {
  const PairPlace at = pair_place(K, pairing, heads);
  if (at.row >= std::size_t(N)) return;
  // [snip rope_v2]
  const std::size_t entry = at.row % length * (K / 2) + at.pair;
  const float c = cosines[entry], s = direction * sines[entry];
  // [/snip]

  const T* from = x + at.row * ldx + at.head * K;
  T* to = y + at.row * ldy + at.head * K;
  const float a = to_float(from[at.first]), b = to_float(from[at.second]);
  to[at.first] = from_float<T>(a * c - b * s);
  to[at.second] = from_float<T>(a * s + b * c);
}

}  // namespace tpp::twin
