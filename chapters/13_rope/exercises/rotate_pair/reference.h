// RoPE's three small decisions: how a pair of features turns, which features are a pair, and how fast.
#pragma once

#include <cmath>

#include "chapters/13_rope/rope.h"

namespace tpp {

// [snip rotate_pair]
/// Turn the point (a, b) by an angle, against the clock: (1, 0) turned by 90° is (0, 1).
template <Real T>
inline void rotate_pair(T a, T b, T cosine, T sine, T& ya, T& yb) {
  // [hole rotate "Write ya and yb, the point (a, b) turned by the angle whose cosine and sine are given."]
  ya = a * cosine - b * sine;
  yb = a * sine + b * cosine;
  // [/hole]
}
// [/snip]

/// Two features of one head that turn together.
struct RopePartners {
  Index first;
  Index second;
};

// [snip rope_partners]
/// The partners of pair p = 0 … K/2 − 1 in a head of K features.
inline RopePartners rope_partners(Index p, Index K, Pairing pairing) {
  // [hole partners "Return the two features of pair p: neighbours for Pairing::adjacent, (0, 1), (2, 3), …; half a head apart for Pairing::halves, (0, K/2), (1, K/2 + 1), …"]
  if (pairing == Pairing::adjacent) return {2 * p, 2 * p + 1};
  return {p, p + K / 2};
  // [/hole]
}
// [/snip]

// [snip rope_frequency]
/// The angle by which pair p turns from one token to the next: base^(−2p/K).
inline double rope_frequency(Index p, Index K, double base) {
  // [hole frequency "Return the angle of pair p = 0 … K/2 − 1. Mind that p and K are integers, and that 1 / 2 is 0 for them."]
  return std::pow(base, -2.0 * double(p) / double(K));
  // [/hole]
}
// [/snip]

}  // namespace tpp
