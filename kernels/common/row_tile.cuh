// A row in registers: a team of warps reads it once, 16 bytes a load, and has it until it is written.
#pragma once

#include "kernels/common/reduce.cuh"
#include "kernels/common/streaming.cuh"

namespace tpp {

/// A block of kTeams teams, a team of kWarps warps, a row a team, kColumns of its columns a thread.
///
/// Thread t of a team has the kPack columns from (p · kTeam + t) · kPack on, for each pack p: neighbours
/// read neighbours. Columns beyond D are zeros that nobody reads or writes. D must be a multiple of
/// kPack, every address one of 16 bytes (see packs()), and D at most kWidth.
template <class T, int kWarps, int kTeams, int kColumns>
struct RowTile {
  static constexpr int kPacks = kColumns / kPack<T>;
  static constexpr int kTeam = 32 * kWarps;        // threads of a team
  static constexpr int kBlock = kTeams * kTeam;    // threads of a block
  static constexpr int kWidth = kTeam * kColumns;  // columns of a team
  static_assert(kPacks >= 1 && kBlock <= 1024);

  using Row = float[kPacks][kPack<T>];

  __device__ static int team() { return int(threadIdx.x) / kTeam; }
  __device__ static int thread() { return int(threadIdx.x) % kTeam; }
  __device__ static int column(int p) { return (p * kTeam + thread()) * kPack<T>; }

  /// Ask for all packs before the first is looked at.
  __device__ static void load(const T* row, int D, bool present, Row& v) {
    const int end = present ? D : 0;
    Raw<T> raw[kPacks];
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      raw[p] = {0, 0, 0, 0};
      if (column(p) < end) raw[p] = *reinterpret_cast<const Raw<T>*>(row + column(p));
    }
#pragma unroll
    for (int p = 0; p < kPacks; ++p) unpack(raw[p], v[p]);
  }

  __device__ static void store(T* row, int D, bool present, const Row& v) {
    const int end = present ? D : 0;
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      if (column(p) < end) store_pack(row + column(p), v[p]);
    }
  }

  /// The same columns of a row of floats: a gain, a bias.
  __device__ static void load_floats(const float* row, int D, Row& v) {
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kPack<T>; i += 4) {
        float four[4] = {0, 0, 0, 0};
        if (column(p) < D) load_pack(row + column(p) + i, four);
        v[p][i] = four[0], v[p][i + 1] = four[1], v[p][i + 2] = four[2], v[p][i + 3] = four[3];
      }
    }
  }

  /// Every thread gets the sums over its team. All threads of the block must come.
  template <int kCount>
  __device__ static void sum(float (&v)[kCount]) {
#pragma unroll
    for (int k = 0; k < kCount; ++k) v[k] = warp_sum(v[k]);
    if constexpr (kWarps > 1) {
      __shared__ float partial[kTeams * kWarps][kCount];
      const int warp = int(threadIdx.x) / 32;
      if (threadIdx.x % 32 == 0) {
        for (int k = 0; k < kCount; ++k) partial[warp][k] = v[k];
      }
      __syncthreads();
#pragma unroll
      for (int k = 0; k < kCount; ++k) {
        v[k] = 0;
        for (int i = 0; i < kWarps; ++i) v[k] += partial[team() * kWarps + i][k];
      }
      __syncthreads();  // the next sum may write
    }
  }
  __device__ static float sum(float v) {
    float one[1] = {v};
    sum(one);
    return one[0];
  }

  /// row[d] = the sum over the block's teams of v. All threads of the block must come.
  __device__ static void store_block_sum(float* row, int D, const Row& v) {
    __shared__ __align__(16) float of_team[kTeams][kWidth];
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < kPack<T>; i += 4) {
        const float four[4] = {v[p][i], v[p][i + 1], v[p][i + 2], v[p][i + 3]};
        store_pack(&of_team[team()][column(p) + i], four);
      }
    }
    __syncthreads();
    for (int d = int(threadIdx.x); d < D; d += kBlock) {
      float total = 0;
      for (int i = 0; i < kTeams; ++i) total += of_team[i][d];
      row[d] = total;
    }
    __syncthreads();  // the next row may come
  }
};

}  // namespace tpp
