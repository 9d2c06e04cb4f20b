// RoPE: heads of 128 over 4096 positions, both pairings; and the tiny model's queries and keys in one launch.
#include "kernels/rope/rope.h"

#include <cmath>
#include <vector>

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

struct Version {
  const char* name;
  twin::RopeVersion version;
};
constexpr Version kVersions[] = {{"v1_thread_per_pair", twin::RopeVersion::v1_thread_per_pair},
                                 {"v2_table", twin::RopeVersion::v2_table},
                                 {"v3_vector_loads", twin::RopeVersion::v3_vector_loads}};

twin::RopeAngles table(Arena& arena, int T, int K) {
  std::vector<float> cosines, sines;
  for (int t = 0; t < T; ++t) {
    for (int p = 0; p < K / 2; ++p) {
      const double angle = t * std::pow(10000.0, -2.0 * p / K);
      cosines.push_back(float(std::cos(angle)));
      sines.push_back(float(std::sin(angle)));
    }
  }
  return {arena.copy_of(cosines), arena.copy_of(sines), 10000};
}

}  // namespace

void add_rope_cases(Cases& cases) {
  for_each_storage([&]<Storage T>() {
    for (const auto pairing : {twin::Pairing::adjacent, twin::Pairing::halves}) {
      for (const auto& [name, version] : kVersions) {
        constexpr int B = 8, length = 4096, heads = 16, K = 128, N = B * length, D = heads * K;
        constexpr std::size_t n = std::size_t(N) * D;
        cases.push_back({.twin = pairing == twin::Pairing::halves ? "rope" : "rope, adjacent pairs",
                         .shape = "8 × 4096 × 16 × 128",
                         .storage = storage_of<T>(),
                         .version = name,
                         .bytes = 2.0 * double(n * sizeof(T)),
                         .prepare = [pairing, version = version](Arena& arena) -> Launch {
                           const T* x = arena.normal<T>(n);
                           T* y = arena.empty<T>(n);
                           const twin::RopeAngles angles = table(arena, length, K);
                           return [=](twin::Stream stream) {
                             twin::rope_forward<T>(stream, x, D, length, K, angles, pairing, y, D,
                                                   N, heads, version);
                           };
                         }});
      }
    }
    // 4 query and 2 key heads of 32, columns of qkv
    for (const auto& [name, version] : kVersions) {
      constexpr int length = 128, N = 16 * length, H = 4, G = 2, K = 32, wide = (H + 2 * G) * K;
      constexpr std::size_t n = std::size_t(N) * (H + G) * K;
      cases.push_back(
          {.twin = "rope, q and k of qkv",
           .shape = "16 × 128 × (4 + 2) × 32",
           .storage = storage_of<T>(),
           .version = name,
           .bytes = 2.0 * double(n * sizeof(T)),
           .prepare = [version = version](Arena& arena) -> Launch {
             const T* qkv = arena.normal<T>(std::size_t(N) * wide);
             T* y = arena.empty<T>(n);
             const twin::RopeAngles angles = table(arena, length, K);
             const twin::RopeHeads<T> q{qkv, wide, y, H * K, H};
             const twin::RopeHeads<T> k{qkv + H * K, wide, y + std::size_t(N) * H * K, G * K, G};
             return [=](twin::Stream stream) {
               twin::rope_forward_both<T>(stream, q, k, length, K, angles, twin::Pairing::halves, N,
                                          version);
             };
           }});
    }
  });
}

}  // namespace tpp::bench
