// RoPE, v1: one thread, one pair, as the formula says. Every thread computes a power, a cosine and a sine, far more work
// than the four multiplications that they are for, and the same angle again for every head, sequence and layer. In float
// a cosine is off by 0.00003 at position 1000 and by 0.002 at 100,000.
#pragma once

#include "kernels/common/storage.cuh"
#include "kernels/rope/rope.h"

namespace tpp::twin {

/// Which pair the thread has.
struct PairPlace {
  std::size_t row;
  int head, pair;     // p = 0 … K/2 − 1
  int first, second;  // of the head's numbers
};

__device__ inline PairPlace pair_place(int K, Pairing pairing, int heads) {
  const std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  const int half = K / 2, p = int(i % half);
  const std::size_t head_of_all = i / half;
  const bool halves = pairing == Pairing::halves;
  return {head_of_all / heads, int(head_of_all % heads), p, halves ? p : 2 * p,
          halves ? p + half : 2 * p + 1};
}

/// direction is +1, or −1 to turn back.
template <class T>
__global__ void rope_v1(const T* x, int ldx, int length, int K, float base, Pairing pairing, T* y,
                        int ldy, int N, int heads, float direction) {
  const PairPlace at = pair_place(K, pairing, heads);
  if (at.row >= std::size_t(N)) return;
  // [snip rope_v1]
  const float theta = powf(base, -2.0f * float(at.pair) / float(K));
  const float angle = float(at.row % length) * theta;
  float s, c;
  sincosf(angle, &s, &c);
  s *= direction;

  const T* from = x + at.row * ldx + at.head * K;
  T* to = y + at.row * ldy + at.head * K;
  const float a = to_float(from[at.first]), b = to_float(from[at.second]);
  to[at.first] = from_float<T>(a * c - b * s);
  to[at.second] = from_float<T>(a * s + b * c);
  // [/snip]
}

}  // namespace tpp::twin
