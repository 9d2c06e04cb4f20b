// The tensor core: gathers the documented fragments of 32 lanes, multiplies, hands the results back.
#include "kernels/simt/mma.h"

#include <bit>
#include <cstring>

#include "kernels/simt/internal.h"

namespace tpp::simt {

namespace {

struct MmaOperands {
  float* d;
  const std::uint32_t *a, *b;
  const float* c;
};

// The low half of a register comes first.
float half_of(std::uint32_t word, int which) {
  return std::bit_cast<float>(which == 0 ? word << 16 : word & 0xffff0000u);
}

// Tensor cores work for whole warps, and lanes may leave while others wait.
void require_full_warp(std::uint32_t members) {
  if (members != ~0u) refuse("mma and ldmatrix need all 32 lanes of their warp");
}

void multiply(Lane* lanes, std::uint32_t members) {
  require_full_warp(members);

  // Gather A (16, 16) and B (16, 8).
  float a[16][16], b[16][8], d[16][8];
  for (int l = 0; l < kLanes; ++l) {
    const auto& mine = *static_cast<const MmaOperands*>(lanes[l].from);
    const int g = l / 4, t = l % 4;
    for (int i = 0; i < 2; ++i) {
      a[g][2 * t + i] = half_of(mine.a[0], i);
      a[g + 8][2 * t + i] = half_of(mine.a[1], i);
      a[g][2 * t + 8 + i] = half_of(mine.a[2], i);
      a[g + 8][2 * t + 8 + i] = half_of(mine.a[3], i);
      b[2 * t + i][g] = half_of(mine.b[0], i);
      b[2 * t + 8 + i][g] = half_of(mine.b[1], i);
      d[g][2 * t + i] = mine.c[i];
      d[g + 8][2 * t + i] = mine.c[2 + i];
    }
  }

  // Multiply.
  for (int m = 0; m < 16; ++m) {
    for (int n = 0; n < 8; ++n) {
      for (int k = 0; k < 16; ++k) d[m][n] += a[m][k] * b[k][n];
    }
  }

  // Hand back.
  for (int l = 0; l < kLanes; ++l) {
    const auto& mine = *static_cast<const MmaOperands*>(lanes[l].from);
    const int g = l / 4, t = l % 4;
    for (int i = 0; i < 2; ++i) {
      mine.d[i] = d[g][2 * t + i];
      mine.d[2 + i] = d[g + 8][2 * t + i];
    }
  }
}

template <bool kTransposed>
void load_matrices(Lane* lanes, std::uint32_t members) {
  require_full_warp(members);
  std::uint16_t m[4][8][8];
  for (int l = 0; l < kLanes; ++l) std::memcpy(m[l / 8][l % 8], lanes[l].from, 16);
  for (int l = 0; l < kLanes; ++l) {
    const int row = l / 4, column = l % 4 * 2;
    auto* r = static_cast<std::uint32_t*>(lanes[l].to);
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t low = kTransposed ? m[i][column][row] : m[i][row][column];
      const std::uint32_t high = kTransposed ? m[i][column + 1][row] : m[i][row][column + 1];
      r[i] = low | high << 16;
    }
  }
}

constexpr Meeting kMma{"mma_m16n8k16", &multiply}, kLoad{"ldmatrix_x4", &load_matrices<false>},
    kLoadTransposed{"ldmatrix_x4_trans", &load_matrices<true>};

}  // namespace

void warp_mma(float* d, const std::uint32_t* a, const std::uint32_t* b, const float* c, Site site) {
  const Runtime runtime;
  Lane& lane = *worker->lane;
  const MmaOperands operands{d, a, b, c};
  lane.from = &operands;
  meet(kMma, ~0u, site);
}

void warp_ldmatrix(std::uint32_t* r, const void* row, bool transposed, Site site) {
  const Runtime runtime;
  Lane& lane = *worker->lane;
  lane.from = row;
  lane.to = r;
  meet(transposed ? kLoadTransposed : kLoad, ~0u, site);
}

}  // namespace tpp::simt
