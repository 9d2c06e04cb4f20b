#include "chapters/01_tensor/random.h"

#include <cmath>
#include <numbers>

namespace tpp {

// [snip philox]
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 2> key,
                                    std::array<std::uint32_t, 4> counter) {
  constexpr std::uint64_t kMultiply0 = 0xD2511F53, kMultiply1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    // A wide product is the scrambler: its halves depend on every bit of the operand
    const std::uint64_t p0 = kMultiply0 * counter[0];
    const std::uint64_t p1 = kMultiply1 * counter[2];
    counter = {std::uint32_t(p1 >> 32) ^ counter[1] ^ key[0], std::uint32_t(p1),
               std::uint32_t(p0 >> 32) ^ counter[3] ^ key[1], std::uint32_t(p0)};

    // Every round has its own key
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}
// [/snip]

namespace {

std::array<std::uint32_t, 4> block(std::uint64_t seed, std::uint64_t stream,
                                   std::uint64_t counter) {
  return philox({std::uint32_t(seed), std::uint32_t(seed >> 32)},
                {std::uint32_t(counter), std::uint32_t(counter >> 32), std::uint32_t(stream),
                 std::uint32_t(stream >> 32)});
}

}  // namespace

std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  const auto bits = block(seed, stream, counter);
  return std::uint64_t(bits[1]) << 32 | bits[0];
}

std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) {
    hash = (hash ^ std::uint64_t(static_cast<unsigned char>(c))) * 0x100000001B3;
  }
  return hash;
}

std::uint32_t Philox::next() {
  if (used_ == 4) {
    block_ = block(seed_, stream_, counter_++);
    used_ = 0;
  }
  return block_[std::size_t(used_++)];
}

double Philox::uniform() {
  const std::uint64_t high = next(), low = next();
  return double((high << 32 | low) >> 11) * 0x1p-53;
}

// [snip normal]
double Philox::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  // A normal point in the plane has a uniform angle and a radius √(−2 ln u)
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // 1 − u is never 0
  const double angle = 2 * std::numbers::pi * uniform();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}
// [/snip]

std::uint64_t Philox::below(std::uint64_t n) {
  require(n != 0, "Philox::below(0): there is no number below 0");
  // The high half of bits·n is uniform up to a bias below n/2⁶⁴
  const std::uint64_t high = next(), low = next();
  __extension__ using Wide = unsigned __int128;
  return std::uint64_t((Wide(high << 32 | low) * n) >> 64);
}

template <Real T>
void fill_normal(Philox& rng, T scale, Out<Mat<T>> out) {
  for (Index n = 0; n < out.rows(); ++n) {
    for (Index d = 0; d < out.cols(); ++d) out(n, d) = T(rng.normal() * double(scale));
  }
}

template <Real T>
Mat<T> random_normal(Philox& rng, Index rows, Index cols, T scale) {
  Mat<T> out(rows, cols);
  fill_normal<T>(rng, scale, out);
  return out;
}

template void fill_normal<float>(Philox&, float, Out<Mat<float>>);
template void fill_normal<double>(Philox&, double, Out<Mat<double>>);
template Mat<float> random_normal<float>(Philox&, Index, Index, float);
template Mat<double> random_normal<double>(Philox&, Index, Index, double);

}  // namespace tpp
