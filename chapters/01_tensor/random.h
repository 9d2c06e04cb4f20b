// Random numbers that repeat: the same seed gives the same lesson on every machine.
//
// A counter-based generator is a function, not a state: it scrambles (key, counter) into random bits.
// So the weight w[i] of the layer "block2/attn/wo" is the same number whatever else was drawn before
// it, and the batch of step 1000 needs no walk through 999 others.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "chapters/01_tensor/tensor.h"

namespace tpp {

/// Philox-4x32 with ten rounds: 128 random bits from a 64-bit key and a 128-bit counter.
///
/// Paper   Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3
[[nodiscard]] std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 2> key,
                                                  std::array<std::uint32_t, 4> counter);

/// 64 random bits, a pure function of its three arguments.
[[nodiscard]] std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream,
                                        std::uint64_t counter);

/// A number for a name (FNV-1a), so that a stream can be called "block2/attn/wo".
[[nodiscard]] std::uint64_t name_hash(std::string_view name);

/// A sequence of random numbers: stream `stream` of `seed`, read from its start.
class Philox {
 public:
  explicit Philox(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  [[nodiscard]] std::uint32_t next();                  // 32 random bits
  [[nodiscard]] double uniform();                      // in [0, 1), 53 bits
  [[nodiscard]] double normal();                       // mean 0, variance 1 (Box and Muller)
  [[nodiscard]] std::uint64_t below(std::uint64_t n);  // in [0, n); n must not be 0

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;             // blocks of four drawn so far
  std::array<std::uint32_t, 4> block_{};  // the current block
  int used_ = 4;                          // how many of it are spent
  double spare_ = 0;                      // Box and Muller give two normals at a time
  bool has_spare_ = false;
};

/// Fill a matrix with normal numbers times `scale`, in row order.
template <Real T>
void fill_normal(Philox& rng, T scale, Out<Mat<T>> out);

/// A (rows, cols) matrix of normal numbers: what tests are made of.
template <Real T>
[[nodiscard]] Mat<T> random_normal(Philox& rng, Index rows, Index cols, T scale = T(1));

}  // namespace tpp
