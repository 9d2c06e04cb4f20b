// v5 multiplied number by number. A tensor core multiplies a 16×16 piece of A by a 16×8 piece of B by one instruction of a whole
// warp (mma.sync), 2048 products at once, in bfloat16 with float sums. Now everything is about feeding it: numbers of half the
// size, copied by 16 bytes three tiles ahead, and ldmatrix, which reads four 8×8 pieces and hands each thread the numbers that
// the tensor core wants of it.
//
// Tiles lie in shared memory as in memory, whatever the form: where k runs down a tile, ldmatrix transposes. It reads eight rows
// of 16 bytes at a time. In a plain layout those eight would lie in the same four banks; so piece p of row r is kept at place
// p xor r, and eight rows are eight places. That is a swizzle: no padding, no conflicts, for copies as for reads.
#pragma once

#include "kernels/matmul/product.cuh"
#include "kernels/simt/mma.h"

namespace tpp::twin {

/// The sizes that speed depends on. A block makes kM × kN of C in steps of kK, with kWarpsM × kWarpsN warps, kStages tiles in
/// shared memory, and registers for kBlocks blocks on a multiprocessor. kAligned: the rows of A and B start at multiples of
/// 16 bytes.
template <int kM_, int kN_, int kK_, int kWarpsM_, int kWarpsN_, int kStages_, int kBlocks_,
          bool kAligned_ = true, int kBand_ = 8>
struct V6Tiles {
  static constexpr int kM = kM_, kN = kN_, kK = kK_, kWarpsM = kWarpsM_, kWarpsN = kWarpsN_;
  static constexpr int kStages = kStages_, kBlocks = kBlocks_, kBand = kBand_;
  static constexpr bool kAligned = kAligned_;
  static constexpr int kThreads = 32 * kWarpsM * kWarpsN;
  static constexpr int kPiecesM = kM / kWarpsM / 16, kPiecesN = kN / kWarpsN / 8;  // of a warp
  static constexpr int kSteps = kK / 16;
  static constexpr int kStage = kK * (kM + kN);  // numbers
  static constexpr int kBytes = kStages * kStage * int(sizeof(__nv_bfloat16));
  static_assert(kPiecesN % 2 == 0 && kSteps % 2 == 0 && kStages >= 2);
};

/// Where piece `piece` of row `row` of a tile lies, in numbers. Eight pieces of 16 bytes fill the 32 banks once; rows of four
/// pieces share them by twos.
template <int kPieces>
__device__ inline int v6_place(int row, int piece) {
  static_assert(kPieces == 4 || kPieces % 8 == 0);
  return (row * kPieces + (piece ^ (kPieces == 4 ? row / 2 % 4 : row % 8))) * 8;
}

/// A thread's share of copying an operand, tile after tile along k. A tile lies as in memory: (kOthers, kK) where memory runs
/// along k, else (kK, kOthers), the others being m or n; in pieces of eight numbers.
template <class Tiles, bool kAlongK, int kOthers>
class V6Copier {
 public:
  static constexpr int kPieces = (kAlongK ? Tiles::kK : kOthers) / 8;  // of a row
  static constexpr int kRowsApart = Tiles::kThreads / kPieces;         // of a thread's copies
  static constexpr int kCopies = (kAlongK ? kOthers : Tiles::kK) / kRowsApart;
  static_assert(kRowsApart % 8 == 0, "a thread's copies share their swizzle");
  static_assert(kCopies * Tiles::kThreads * 8 == kOthers * Tiles::kK && kCopies <= 32);

  /// x points to the first number of the first tile; `others` counts what is left of them.
  __device__ V6Copier(const __nv_bfloat16* x, int stride, int others) : others_(others) {
    const int row = int(threadIdx.x) / kPieces, piece = int(threadIdx.x) % kPieces;
    k_ = kAlongK ? piece * 8 : row;
    from_ = x + std::size_t(row) * std::size_t(stride) + piece * 8;
    step_ = std::size_t(kRowsApart) * std::size_t(stride);
    to_ = v6_place<kPieces>(row, piece);
    inside_ = 0;
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const int other = kAlongK ? row + i * kRowsApart : piece * 8;
      inside_ |= (other < others ? 1u : 0u) << i;
    }
  }

  /// Start copy number i, one after the other; `left` counts the k from this tile on.
  __device__ void copy(int i, __nv_bfloat16* tile, int left) {
    const int k = k_ + (kAlongK ? 0 : i * kRowsApart);
    const bool inside = (inside_ >> i & 1u) != 0 && k < left;
    __nv_bfloat16* const to = tile + to_ + i * kRowsApart * kPieces * 8;
    if constexpr (Tiles::kAligned) {
      copy_or_zero<16>(to, from_, inside);
    } else {
      const int numbers =
          inside ? (kAlongK ? left - k : others_ - int(threadIdx.x) % kPieces * 8) : 0;
      copy_now(to, from_, numbers);
    }
    from_ += step_;
    if (kAlongK && i == kCopies - 1) from_ += Tiles::kK - kCopies * step_;  // on to the next tile
  }

 private:
  // Number by number, zeros after `numbers`
  __device__ static void copy_now(__nv_bfloat16* to, const __nv_bfloat16* from, int numbers) {
    unsigned words[4];
#pragma unroll
    for (int w = 0; w < 4; ++w) {
      const float low = 2 * w < numbers ? to_float(from[2 * w]) : 0.0f;
      const float high = 2 * w + 1 < numbers ? to_float(from[2 * w + 1]) : 0.0f;
      words[w] = pack_two(low, high);
    }
    *reinterpret_cast<uint4*>(to) = make_uint4(words[0], words[1], words[2], words[3]);
  }

  const __nv_bfloat16* from_;
  std::size_t step_;
  int k_, to_, others_;
  unsigned inside_;  // bit i: is copy i inside of the operand, as far as the others go?
};

// `pairs`: may two neighbours of C be written by one store?
template <Form form, class Tiles, class Out>
__global__ void __launch_bounds__(Tiles::kThreads, Tiles::kBlocks)
    matmul_v6_tensor_cores(Product<__nv_bfloat16, Out> p, bool pairs) {
  constexpr int kM = Tiles::kM, kN = Tiles::kN, kK = Tiles::kK, kStages = Tiles::kStages;
  constexpr bool kAAlongK = kARunsAlongK<form>, kBAlongK = kBRunsAlongK<form>;
  using CopierA = V6Copier<Tiles, kAAlongK, kM>;
  using CopierB = V6Copier<Tiles, kBAlongK, kN>;
  __nv_bfloat16* const stages = dynamic_shared<__nv_bfloat16>();  // (kStages, a and b)

  const TilePlace place =
      place_in_bands<Tiles::kBand>(int(blockIdx.x), ceil_div(p.M, kM), ceil_div(p.N, kN));
  const int m0 = place.m * kM, n0 = place.n * kN;
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const int m_warp = warp / Tiles::kWarpsN * (kM / Tiles::kWarpsM);
  const int n_warp = warp % Tiles::kWarpsN * (kN / Tiles::kWarpsN);

  // Copy a tile: a thread's copies are spread over the steps of the tile before
  constexpr int kCopies = CopierA::kCopies + CopierB::kCopies;
  CopierA copier_a(a_at<form>(p, m0, 0), kAAlongK ? p.K : p.M, p.M - m0);
  CopierB copier_b(b_at<form>(p, 0, n0), kBAlongK ? p.K : p.N, p.N - n0);
  int left = p.K;  // from the tile on that is copied next; beyond the end, tiles of zeros
  const auto copy_some = [&](int stage, int from, int to) {
    __nv_bfloat16* const tile_a = stages + stage * Tiles::kStage;
    __nv_bfloat16* const tile_b = tile_a + kM * kK;
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

  // Read what the tensor core wants for 16 steps of k: lane l points to row l % 8 of the 8×8 piece l / 8 (simt/mma.h)
  std::uint32_t a[2][Tiles::kPiecesM][4], b[2][Tiles::kPiecesN][2];  // of this step and of the next
  const auto read_step = [&](int buffer, int stage, int step) {
    const __nv_bfloat16* const tile_a = stages + stage * Tiles::kStage;
    const __nv_bfloat16* const tile_b = tile_a + kM * kK;
#pragma unroll
    for (int i = 0; i < Tiles::kPiecesM; ++i) {  // pieces: m and m + 8 at k, m and m + 8 at k + 8
      if constexpr (kAAlongK) {
        const int m = m_warp + 16 * i + lane % 16, piece = 2 * step + lane / 16;
        ldmatrix_x4(a[buffer][i], tile_a + v6_place<CopierA::kPieces>(m, piece));
      } else {
        const int k = 16 * step + lane / 16 * 8 + lane % 8;
        const int piece = m_warp / 8 + 2 * i + lane / 8 % 2;
        ldmatrix_x4_trans(a[buffer][i], tile_a + v6_place<CopierA::kPieces>(k, piece));
      }
    }
#pragma unroll
    for (int j = 0; j < Tiles::kPiecesN;
         j += 2) {  // pieces: n at k and k + 8, n + 8 at k and k + 8
      std::uint32_t two[4];
      if constexpr (kBAlongK) {
        const int n = n_warp + 8 * j + lane / 16 * 8 + lane % 8, piece = 2 * step + lane / 8 % 2;
        ldmatrix_x4(two, tile_b + v6_place<CopierB::kPieces>(n, piece));
      } else {
        const int k = 16 * step + lane % 16, piece = n_warp / 8 + j + lane / 16;
        ldmatrix_x4_trans(two, tile_b + v6_place<CopierB::kPieces>(k, piece));
      }
      b[buffer][j][0] = two[0], b[buffer][j][1] = two[1];
      b[buffer][j + 1][0] = two[2], b[buffer][j + 1][1] = two[3];
    }
  };

  // Set the first tiles on their way, wait for the first
  for (int stage = 0; stage < kStages - 1; ++stage) copy_some(stage, 0, kCopies);
  __pipeline_wait_prior(kStages - 2);
  __syncthreads();
  read_step(0, 0, 0);

  float sum[Tiles::kPiecesM][Tiles::kPiecesN][4] = {};
  const int tiles = ceil_div(p.K, kK);
  int stage = 0, free_stage = kStages - 1;
  for (int tile = 0; tile < tiles; ++tile) {
    const int next_stage = stage + 1 == kStages ? 0 : stage + 1;
#pragma unroll
    for (int step = 0; step < Tiles::kSteps; ++step) {
      constexpr int kLast = Tiles::kSteps - 1;
      if (step == kLast) {
        // This step's numbers are in registers: the tile is read. Its room is free once all have passed the barrier.
        __pipeline_wait_prior(kStages - 2);
        __syncthreads();
        read_step((step + 1) % 2, next_stage, 0);
      } else {
        read_step((step + 1) % 2, stage, step + 1);
        copy_some(free_stage, kCopies * step / kLast, kCopies * (step + 1) / kLast);
      }

      // [snip v6]
      // Multiply, to and fro, so that neighbouring instructions share a piece of A or of B
#pragma unroll
      for (int i = 0; i < Tiles::kPiecesM; ++i) {
#pragma unroll
        for (int jj = 0; jj < Tiles::kPiecesN; ++jj) {
          const int j = i % 2 == 0 ? jj : Tiles::kPiecesN - 1 - jj;
          mma_m16n8k16(sum[i][j], a[step % 2][i], b[step % 2][j], sum[i][j]);
        }
      }
      // [/snip]
    }
    free_stage = stage;
    stage = next_stage;
  }

  // Write: a lane has two neighbours in row lane / 4 of each piece, and two in the row 8 below
#pragma unroll
  for (int i = 0; i < Tiles::kPiecesM; ++i) {
#pragma unroll
    for (int j = 0; j < Tiles::kPiecesN; ++j) {
      const int n = n0 + n_warp + 8 * j + lane % 4 * 2;
#pragma unroll
      for (int below = 0; below < 2; ++below) {
        const int m = m0 + m_warp + 16 * i + 8 * below + lane / 4;
        if (m >= p.M || n >= p.N) continue;
        Out* const c = c_at(p, m, n);
        const float x = sum[i][j][2 * below], y = sum[i][j][2 * below + 1];
        if (pairs) {
          write_pair(c, x, y, p.add);
        } else {
          write_result(c, x, p.add);
          if (n + 1 < p.N) write_result(c + 1, y, p.add);
        }
      }
    }
  }
}

}  // namespace tpp::twin
