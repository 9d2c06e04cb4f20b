// v2 read a row three times, four or two bytes a load. v3 reads it once, 16 bytes a load, a quarter or an eighth of the
// requests, all of them under way before the first is used; the row stays in registers until y is written. A row of up
// to 512 columns is one warp's; a wider one goes to a block, which adds up through shared memory.
//
// Backward reads dy and x once, too: the gradients of gain and bias are added in registers while the team walks its
// rows, and left as one partial sum a block.
#pragma once

#include "kernels/common/partial_sums.cuh"
#include "kernels/common/row_tile.cuh"

namespace tpp::twin {

/// b may be null.
template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kBlock)
    layernorm_forward_v3(const T* x, const float* w, const float* b, T* y, float* mean, float* rstd,
                         int N, int D, float eps) {
  constexpr int kTeams = Tile::kBlock / Tile::kTeam;
  const int n = int(blockIdx.x) * kTeams + Tile::team();
  const bool present = n < N;
  const std::size_t row = std::size_t(n) * D;

  // [snip layernorm_forward_v3]
  // Read the row once, and the gains before they are needed
  typename Tile::Row v, gain;
  Tile::load(x + row, D, present, v);
  Tile::load_floats(w, D, gain);

  // Measure the row: its mean
  float sum = 0;
#pragma unroll
  for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
    for (int i = 0; i < kPack<T>; ++i) sum += v[p][i];
  }
  const float m = Tile::sum(sum) / float(D);
  // [/snip]

  // And one over its standard deviation around that mean
  float squares = 0;
#pragma unroll
  for (int p = 0; p < Tile::kPacks; ++p) {
    const float there = Tile::column(p) < D ? 1 : 0;  // the others are zeros, not the mean
#pragma unroll
    for (int i = 0; i < kPack<T>; ++i) {
      v[p][i] = (v[p][i] - m) * there;
      squares += v[p][i] * v[p][i];
    }
  }
  const float r = rsqrtf(Tile::sum(squares) / float(D) + eps);

  // Scale the row, then each feature to its gain and bias
#pragma unroll
  for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
    for (int i = 0; i < kPack<T>; ++i) v[p][i] *= r * gain[p][i];
  }
  if (b != nullptr) {
    Tile::load_floats(b, D, gain);
#pragma unroll
    for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kPack<T>; ++i) v[p][i] += gain[p][i];
    }
  }
  Tile::store(y + row, D, present, v);
  if (present && Tile::thread() == 0) mean[n] = m, rstd[n] = r;
}

/// partial[block, 0, d] = Σ dy·x̂, partial[block, 1, d] = Σ dy over the rows that the block walks. dx_in may
/// be null.
template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kBlock, Tile::kBlock <= 256 ? 3 : 1)
    layernorm_backward_v3(const T* dy, const T* x, const float* w, const float* mean,
                          const float* rstd, const T* dx_in, T* dx, float* partial, int N, int D) {
  constexpr int kTeams = Tile::kBlock / Tile::kTeam;
  typename Tile::Row gain, dgain = {}, dbias = {};
  Tile::load_floats(w, D, gain);

  // All teams of a block take the same number of turns, because they meet at barriers
  for (int first = int(blockIdx.x) * kTeams; first < N; first += int(gridDim.x) * kTeams) {
    const int n = first + Tile::team();
    const bool present = n < N;
    const std::size_t row = std::size_t(n) * D;

    typename Tile::Row g, unit;
    Tile::load(dy + row, D, present, g);
    Tile::load(x + row, D, present, unit);
    const float m = present ? mean[n] : 0, r = present ? rstd[n] : 0;

    // x̂ = (x − m)·r; gain and bias saw every row; the gradient that reaches x̂ is g = dy·w. Where there is
    // no column, g is 0
    float sums[2] = {0, 0};
#pragma unroll
    for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kPack<T>; ++i) {
        unit[p][i] = (unit[p][i] - m) * r;
        dgain[p][i] += g[p][i] * unit[p][i];
        dbias[p][i] += g[p][i];
        g[p][i] *= gain[p][i];
        sums[0] += g[p][i];
        sums[1] += g[p][i] * unit[p][i];
      }
    }
    Tile::sum(sums);
    const float shift = sums[0] / float(D), along = sums[1] / float(D);

    // Remove g's mean and its component along x̂
#pragma unroll
    for (int p = 0; p < Tile::kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kPack<T>; ++i) g[p][i] = (g[p][i] - shift - unit[p][i] * along) * r;
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
  float* of_block = partial + std::size_t(blockIdx.x) * 2 * D;
  Tile::store_block_sum(of_block, D, dgain);
  Tile::store_block_sum(of_block + D, D, dbias);
}

/// 16 columns a thread, blocks of 128 threads where a row is not wider than 2048.
template <class T, int kWarps = 1>
void layernorm_forward_v3_launch(cudaStream_t stream, const T* x, const float* w, const float* b,
                                 T* y, float* mean, float* rstd, int N, int D, float eps) {
  constexpr int kTeams = kWarps < 4 ? 4 / kWarps : 1;
  using Tile = RowTile<T, kWarps, kTeams, 16>;
  if constexpr (kWarps < 16) {
    if (D > Tile::kWidth) {
      return layernorm_forward_v3_launch<T, 2 * kWarps>(stream, x, w, b, y, mean, rstd, N, D, eps);
    }
  }
  launch(layernorm_forward_v3<T, Tile>, dim3(unsigned(ceil_div(N, kTeams))), dim3(Tile::kBlock), 0,
         stream)(x, w, b, y, mean, rstd, N, D, eps);
}

/// 8 columns a thread, three blocks of 256 threads a multiprocessor; rows wider than 2048 have 16 columns a thread and
/// blocks of 512.
template <class T, int kWarps = 1>
void layernorm_backward_v3_launch(cudaStream_t stream, Stream gain_stream, const T* dy, const T* x,
                                  const float* w, const float* mean, const float* rstd,
                                  const T* dx_in, T* dx, float* dw, float* db, float* partial,
                                  int N, int D, Write write) {
  constexpr int kTeams = kWarps < 8 ? 8 / kWarps : 1;
  using Tile = RowTile<T, kWarps, kTeams, kWarps <= 8 ? 8 : 16>;
  if constexpr (kWarps < 16) {
    if (D > Tile::kWidth) {
      return layernorm_backward_v3_launch<T, 2 * kWarps>(stream, gain_stream, dy, x, w, mean, rstd,
                                                         dx_in, dx, dw, db, partial, N, D, write);
    }
  }
  const int most = Tile::kBlock <= 256 ? kPartialRows * 3 / 4 : kPartialRows / 4;
  const int blocks = std::min(ceil_div(N, kTeams), most);
  launch(layernorm_backward_v3<T, Tile>, dim3(unsigned(blocks)), dim3(Tile::kBlock), 0, stream)(
      dy, x, w, mean, rstd, dx_in, dx, partial, N, D);
  go_on_in(gain_stream, stream);
  sum_columns_of_two(gain_stream, partial, blocks, dw, db, D, write);
}

/// The widest row that both directions hold.
inline constexpr int kLayerNormWidest = 8192;

}  // namespace tpp::twin
