// ALiBi: the farther a key stands from the query, the less it is liked, and each head has its own slope.
//
//   m[h] = 2^(−8(h+1)/H),     bias[h, s − t + T − 1] = −m[h] · |s − t|
#pragma once

#include <bit>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "chapters/07_position/relative_bias.h"

namespace tpp {

/// The slopes of all heads. For a number of heads that is no power of two: the slopes of the next smaller
/// power P, then the first, third, fifth, … of those for 2P heads.
std::vector<double> alibi_slopes(Index heads) {
  require(heads > 0, "alibi: the number of heads must be positive");
  // [snip alibi_slopes]
  const Index power = Index(std::bit_floor(std::size_t(heads)));  // the next smaller power of two
  std::vector<double> slopes;
  // [hole slopes "Append the slopes of `power` heads, the steepest first: 1/2, 1/4, … 1/256 for 8 heads."]
  for (Index h = 0; h < power; ++h)
    slopes.push_back(std::exp2(-8.0 * double(h + 1) / double(power)));
  // [/hole]

  // [hole between "Append the slopes of the heads − power heads that are left: the first, third, fifth, … of the slopes that 2 · power heads would have."]
  // The heads that are left go between: the odd terms of the sequence for twice as many
  for (Index h = 0; h < heads - power; ++h) {
    slopes.push_back(std::exp2(-8.0 * double(2 * h + 1) / double(2 * power)));
  }
  // [/hole]
  return slopes;
  // [/snip]
}

/// A head's bias for every offset: column o stands for s − t = o − (length − 1), from the first key
/// seen by the last query to the last key seen by the first.
template <Real T>
Mat<T> alibi_bias(Index heads, Index length) {
  require(length > 0, "alibi: the length must be positive");
  const std::vector<double> slopes = alibi_slopes(heads);
  Mat<T> bias(heads, 2 * length - 1);
  for (Index h = 0; h < heads; ++h) {
    for (Index o = 0; o < bias.cols(); ++o) {
      // [hole entry "Write bias(h, o), what head h adds to the score of a key at offset o − (length − 1)."]
      bias(h, o) = T(-slopes[std::size_t(h)] * double(std::abs(o - (length - 1))));
      // [/hole]
    }
  }
  return bias;
}

}  // namespace tpp
