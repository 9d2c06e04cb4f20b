// v4 copied, waited, multiplied, waited: while a tile was on its way nobody multiplied. v5 has room for several tiles. While it
// multiplies one, the copies of the next are under way (cp.async: from memory to shared memory, past the registers), and one
// barrier a tile is enough. In the same way a thread reads the numbers of step k + 1 from shared memory before it multiplies
// those of step k.
//
// Operands whose rows run along k are copied float by float, and the copy transposes: 8 k times 4 neighbours are 32 different
// banks, as in v3. The others go by 16 bytes.
//
// A warp makes a rectangle of C, its threads 4 down and 8 across. They are numbered so that pairs of neighbouring threads share
// what they read of A, and pairs of pairs what they read of B, which lets the hardware join their reads.
#pragma once

#include "kernels/matmul/product.cuh"

namespace tpp::twin {

/// The sizes that speed depends on. A block makes kM × kN of C in steps of kK, with kWarpsM × kWarpsN warps, kStages tiles in
/// shared memory, and registers for kBlocks blocks on a multiprocessor.
template <int kM_, int kN_, int kK_, int kWarpsM_, int kWarpsN_, int kStages_, int kBlocks_,
          int kBand_ = 8>
struct V5Tiles {
  static constexpr int kM = kM_, kN = kN_, kK = kK_, kWarpsM = kWarpsM_, kWarpsN = kWarpsN_;
  static constexpr int kStages = kStages_, kBlocks = kBlocks_, kBand = kBand_;
  static constexpr int kThreads = 32 * kWarpsM * kWarpsN;
  static constexpr int kRowA = kM + 4, kRowB = kN + 4;  // floats from k to k + 1
  static constexpr int kEachM = kM / kWarpsM / 4,
                       kEachN = kN / kWarpsN / 8;      // a thread's part of C
  static constexpr int kStage = kK * (kRowA + kRowB);  // floats
  static constexpr int kBytes = kStages * kStage * int(sizeof(float));
  static_assert(kEachM % 4 == 0 && kEachN % 4 == 0 && kK % 8 == 0 && kStages >= 2);
};

/// A thread's share of copying an operand, tile after tile along k. A tile is (kK, kOthers + 4), the others being m or n.
template <class Tiles, bool kAlongK, bool kVector, int kOthers>
class V5Copier {
 public:
  static constexpr int kWidth = kVector && !kAlongK ? 4 : 1;  // floats a copy
  static constexpr int kInRow =
      kAlongK ? 8 : kOthers / kWidth;  // neighbouring threads in a row of memory
  static constexpr int kRowsApart = Tiles::kThreads / kInRow;  // of a thread's copies
  static constexpr int kHalves = kAlongK ? Tiles::kK / 8 : 1;  // copies of a thread in a row
  static constexpr int kRows = (kAlongK ? kOthers : Tiles::kK) / kRowsApart;  // rows of a thread
  static constexpr int kCopies = kRows * kHalves;
  static_assert(kCopies * kWidth * Tiles::kThreads == kOthers * Tiles::kK && kCopies <= 32);

  /// x points to the first number of the first tile; `others` counts what is left of them.
  __device__ V5Copier(const float* x, int stride, int others) {
    const int row = int(threadIdx.x) / kInRow, column = int(threadIdx.x) % kInRow * kWidth;
    k_ = kAlongK ? column : row;
    const int other = kAlongK ? row : column;
    from_ = x + std::size_t(row) * std::size_t(stride) + column;
    step_ = std::size_t(kRowsApart) * std::size_t(stride);
    to_ = k_ * kRow + other;
    inside_ = 0;
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      inside_ |= (other + (kAlongK ? i * kRowsApart : 0) < others ? 1u : 0u) << i;
    }
  }

  /// Start copy number i, one after the other; `left` counts the k from this tile on.
  __device__ void copy(int i, float* tile, int left) {
    const int row = i / kHalves, half = i % kHalves;
    const int k = kAlongK ? 8 * half : row * kRowsApart;
    const int other = kAlongK ? row * kRowsApart : 0;
    copy_or_zero<4 * kWidth>(tile + to_ + k * kRow + other, from_ + 8 * half,
                             (inside_ >> row & 1u) != 0 && k_ + k < left);
    if (half == kHalves - 1) from_ += step_;
    if (kAlongK && i == kCopies - 1) from_ += Tiles::kK - kRows * step_;  // on to the next tile
  }

 private:
  static constexpr int kRow = kOthers + 4;
  const float* from_;
  std::size_t step_;
  int k_, to_;       // of this thread's first copy
  unsigned inside_;  // bit i: is row i inside of the operand, as far as the others go?
};

// Read packs of four at x, x + kStep, …
template <int kEach, int kStep>
__device__ inline void read_packs(float (&v)[kEach], const float* x) {
#pragma unroll
  for (int i = 0; i < kEach / 4; ++i) {
    const float4 pack = *reinterpret_cast<const float4*>(x + i * kStep);
    v[4 * i] = pack.x, v[4 * i + 1] = pack.y, v[4 * i + 2] = pack.z, v[4 * i + 3] = pack.w;
  }
}

// kVector: do the rows of A and B start at multiples of 16 bytes? `vector_c`: do those of C?
template <Form form, class Tiles, bool kVector>
__global__ void __launch_bounds__(Tiles::kThreads, Tiles::kBlocks)
    matmul_v5_double_buffered(Product<float, float> p, bool vector_c) {
  constexpr int kK = Tiles::kK, kStages = Tiles::kStages;
  float* const stages = dynamic_shared<float>();  // (kStages, a (kK, kRowA) and b (kK, kRowB))
  const TilePlace place = place_in_bands<Tiles::kBand>(int(blockIdx.x), ceil_div(p.M, Tiles::kM),
                                                       ceil_div(p.N, Tiles::kN));
  const int m0 = place.m * Tiles::kM, n0 = place.n * Tiles::kN;

  // Find this thread's part: its packs begin at m_thread, m_thread + 16, … and n_thread, n_thread + 32, …
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const int down = (lane >> 1 & 1) | (lane >> 3 & 2);                 // 0 … 3
  const int across = (lane & 1) | (lane >> 1 & 2) | (lane >> 1 & 4);  // 0 … 7
  const int m_thread = warp / Tiles::kWarpsN * (Tiles::kM / Tiles::kWarpsM) + 4 * down;
  const int n_thread = warp % Tiles::kWarpsN * (Tiles::kN / Tiles::kWarpsN) + 4 * across;

  // Copy a tile: a thread's copies are spread over the steps of the tile before
  using CopierA = V5Copier<Tiles, kARunsAlongK<form>, kVector, Tiles::kM>;
  using CopierB = V5Copier<Tiles, kBRunsAlongK<form>, kVector, Tiles::kN>;
  CopierA copier_a(a_at<form>(p, m0, 0), kARunsAlongK<form> ? p.K : p.M, p.M - m0);
  CopierB copier_b(b_at<form>(p, 0, n0), kBRunsAlongK<form> ? p.K : p.N, p.N - n0);
  constexpr int kCopies = CopierA::kCopies + CopierB::kCopies;
  int left = p.K;  // from the tile on that is copied next; beyond the end, tiles of zeros
  const auto copy_some = [&](int stage, int from, int to) {
    float* const tile_a = stages + stage * Tiles::kStage;
    float* const tile_b = tile_a + kK * Tiles::kRowA;
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      if (i < from || i >= to) continue;
      if (i < CopierA::kCopies) {
        copier_a.copy(i, tile_a, left);
      } else {
        copier_b.copy(i - CopierA::kCopies, tile_b, left);
      }
    }
    if (to == kCopies) {
      __pipeline_commit();
      left -= kK;
    }
  };

  // Set the first tiles on their way, wait for the first
  for (int stage = 0; stage < kStages - 1; ++stage) copy_some(stage, 0, kCopies);
  __pipeline_wait_prior(kStages - 2);
  __syncthreads();

  float sum[Tiles::kEachM][Tiles::kEachN] = {};
  float a[2][Tiles::kEachM], b[2][Tiles::kEachN];  // of step k and of step k + 1
  const auto read_step = [&](int buffer, int stage, int k) {
    const float* tile = stages + stage * Tiles::kStage;
    read_packs<Tiles::kEachM, 16>(a[buffer], tile + k * Tiles::kRowA + m_thread);
    read_packs<Tiles::kEachN, 32>(b[buffer],
                                  tile + kK * Tiles::kRowA + k * Tiles::kRowB + n_thread);
  };
  read_step(0, 0, 0);

  const int tiles = ceil_div(p.K, kK);
  int stage = 0, free_stage = kStages - 1;
  for (int tile = 0; tile < tiles; ++tile) {
    const int next_stage = stage + 1 == kStages ? 0 : stage + 1;
#pragma unroll
    for (int k = 0; k < kK; ++k) {
      // The last step's numbers are in registers: this tile is read. Its room is free once all have passed the barrier.
      constexpr int kLast = kK - 1;
      if (k == kLast) {
        __pipeline_wait_prior(kStages - 2);
        __syncthreads();
        read_step((k + 1) % 2, next_stage, 0);
      } else {
        read_step((k + 1) % 2, stage, k + 1);
        copy_some(free_stage, kCopies * k / kLast, kCopies * (k + 1) / kLast);
      }
#pragma unroll
      for (int i = 0; i < Tiles::kEachM; ++i) {
#pragma unroll
        for (int j = 0; j < Tiles::kEachN; ++j) sum[i][j] += a[k % 2][i] * b[k % 2][j];
      }
    }
    free_stage = stage;
    stage = next_stage;
  }

#pragma unroll
  for (int i = 0; i < Tiles::kEachM; ++i) {
    const int m = m0 + m_thread + i / 4 * 16 + i % 4;
#pragma unroll
    for (int j = 0; j < Tiles::kEachN; j += 4) {
      const float4 v = make_float4(sum[i][j], sum[i][j + 1], sum[i][j + 2], sum[i][j + 3]);
      write_four_or_less(p, m, n0 + n_thread + j / 4 * 32, v, vector_c);
    }
  }
}

}  // namespace tpp::twin
