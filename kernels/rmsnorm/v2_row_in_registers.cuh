// v1 read a row twice, four or two bytes a load, and met at a barrier between. v2 gives a row to as many warps as hold it in
// registers: every byte is read once, 16 a load, all loads of a row under way before the first is used. A row of up
// to 512 columns is one warp's, which needs no barrier.
//
// Backward keeps more in registers for each column: x̂, the gradient, the gain, and the gain's gradient over all rows that
// the team walks, so a thread has half as many columns. The grid is as large as the device holds at once.
#pragma once

#include "kernels/common/partial_sums.cuh"
#include "kernels/common/row_tile.cuh"

namespace tpp::twin {

/// branch may be null: then x alone is the row, and s is not written.
template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kBlock)
    rmsnorm_forward_v2(const T* x, const T* branch, const float* w, T* s, T* y, float* rstd, int N,
                       int D, float eps) {
  constexpr int kTeams = Tile::kBlock / Tile::kTeam;
  const int n = int(blockIdx.x) * kTeams + Tile::team();
  const bool present = n < N;
  const std::size_t row = std::size_t(n) * D;

  // [snip rmsnorm_load]
  // Read the row once, and the gains before they are needed
  typename Tile::Row v, gain;
  Tile::load(x + row, D, present, v);
  Tile::load_floats(w, D, gain);
  // [/snip]

  // [snip rmsnorm_residual]
  // Add the branch: from here on the row is what s stores
  if (branch != nullptr) {
    typename Tile::Row b;
    Tile::load(branch + row, D, present, b);
#pragma unroll
    for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kPack<T>; ++i) v[p][i] = to_float(from_float<T>(v[p][i] + b[p][i]));
    }
    Tile::store(s + row, D, present, v);
  }
  // [/snip]

  // Measure the row
  float squares = 0;
#pragma unroll
  for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
    for (int i = 0; i < kPack<T>; ++i) squares += v[p][i] * v[p][i];
  }
  const float r = rsqrtf(Tile::sum(squares) / float(D) + eps);

  // [snip rmsnorm_store]
  // Scale the row to rms 1, each feature to its gain
#pragma unroll
  for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
    for (int i = 0; i < kPack<T>; ++i) v[p][i] *= r * gain[p][i];
  }
  Tile::store(y + row, D, present, v);
  if (present && Tile::thread() == 0) rstd[n] = r;
  // [/snip]
}

/// dx_in may be null.
template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kBlock, 1024 / Tile::kBlock)
    rmsnorm_backward_v2(const T* dy, const T* dx_in, const T* x, const float* w, const float* rstd,
                        T* dx, float* partial, int N, int D) {
  constexpr int kTeams = Tile::kBlock / Tile::kTeam;
  typename Tile::Row gain, dgain = {};
  Tile::load_floats(w, D, gain);

  // All teams of a block take the same number of turns, because they meet at barriers
  for (int first = int(blockIdx.x) * kTeams; first < N; first += int(gridDim.x) * kTeams) {
    const int n = first + Tile::team();
    const bool present = n < N;
    const std::size_t row = std::size_t(n) * D;

    typename Tile::Row g, unit;
    Tile::load(dy + row, D, present, g);
    Tile::load(x + row, D, present, unit);
    const float r = present ? rstd[n] : 0;

    // x̂ = x·r; the gain saw every row; the gradient that reaches x̂ is g = dy·w
    float along = 0;
#pragma unroll
    for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kPack<T>; ++i) {
        unit[p][i] *= r;
        dgain[p][i] += g[p][i] * unit[p][i];
        g[p][i] *= gain[p][i];
        along += g[p][i] * unit[p][i];
      }
    }
    const float mean = Tile::sum(along) / float(D);

    // Remove g's component along x̂
#pragma unroll
    for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kPack<T>; ++i) g[p][i] = (g[p][i] - unit[p][i] * mean) * r;
    }
    if (dx_in != nullptr) {
      Tile::load(dx_in + row, D, present, unit);
#pragma unroll
      for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
        for (int i = 0; i < kPack<T>; ++i) g[p][i] += unit[p][i];
      }
    }
    Tile::store(dx + row, D, present, g);
  }
  Tile::store_block_sum(partial + std::size_t(blockIdx.x) * D, D, dgain);
}

/// 16 columns a thread, blocks of 128 threads where a row is not wider than 2048.
template <class T, int kWarps = 1>
void rmsnorm_forward_v2_launch(cudaStream_t stream, const T* x, const T* branch, const float* w,
                               T* s, T* y, float* rstd, int N, int D, float eps) {
  constexpr int kTeams = kWarps < 4 ? 4 / kWarps : 1;
  using Tile = RowTile<T, kWarps, kTeams, 16>;
  if constexpr (kWarps < 16) {
    if (D > Tile::kWidth) {
      return rmsnorm_forward_v2_launch<T, 2 * kWarps>(stream, x, branch, w, s, y, rstd, N, D, eps);
    }
  }
  launch(rmsnorm_forward_v2<T, Tile>, dim3(unsigned(ceil_div(N, kTeams))), dim3(Tile::kBlock), 0,
         stream)(x, branch, w, s, y, rstd, N, D, eps);
}

/// 8 columns a thread, 1024 threads a multiprocessor. Returns how many rows of partial sums it leaves.
template <class T, int kWarps = 1>
int rmsnorm_backward_v2_launch(cudaStream_t stream, const T* dy, const T* dx_in, const T* x,
                               const float* w, const float* rstd, T* dx, float* partial, int N,
                               int D) {
  constexpr int kTeams = kWarps < 8 ? 8 / kWarps : 1;
  using Tile = RowTile<T, kWarps, kTeams, 8>;
  if constexpr (kWarps < 32) {
    if (D > Tile::kWidth) {
      return rmsnorm_backward_v2_launch<T, 2 * kWarps>(stream, dy, dx_in, x, w, rstd, dx, partial,
                                                       N, D);
    }
  }
  const int blocks =
      std::min(ceil_div(N, kTeams), kPartialRows * 256 / std::max(Tile::kBlock, 256));
  launch(rmsnorm_backward_v2<T, Tile>, dim3(unsigned(blocks)), dim3(Tile::kBlock), 0, stream)(
      dy, dx_in, x, w, rstd, dx, partial, N, D);
  return blocks;
}

/// The widest row that both directions hold.
inline constexpr int kRmsNormWidest = 8192;

}  // namespace tpp::twin
