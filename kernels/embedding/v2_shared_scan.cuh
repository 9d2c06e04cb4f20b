// v1's threads each read every token and added their rows one after another. v2's block reads the tokens once, a piece
// of them at a time: ballots make the list of the places where its token stands, in rising order. Then groups of
// 8 threads add the listed rows, 128 bytes a group and load, 32 rows at once. Which group adds which row depends on the
// tokens alone, and the groups' sums are joined in order: the same bits in every run.
//
// guard: embedding_forward_v2 has ld.global.v4 st.global.v4
// guard: embedding_backward_v2 has ld.global.v4
// guard: embedding_sum_rare has ld.global.v4 st.global.v4
#pragma once

#include "kernels/common/storage.cuh"

namespace tpp::twin {

/// A warp copies a row.
template <class T, int kWidth>
__global__ void embedding_forward_v2(const T* table, const int* tokens, T* y, int N, int D) {
  const int n = int(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32);
  if (n >= N) return;
  table += std::size_t(tokens[n]) * D;
  y += std::size_t(n) * D;
#pragma unroll 4
  for (int d = int(threadIdx.x) % 32 * kWidth; d < D; d += 32 * kWidth) {
    if constexpr (kWidth == 1) {
      y[d] = table[d];
    } else {
      *reinterpret_cast<uint4*>(y + d) = *reinterpret_cast<const uint4*>(table + d);
    }
  }
}

inline constexpr int kScanLanes = 8;  // threads that read a piece of a row together

/// How many columns a block of the scan works on.
template <int kWidth>
inline constexpr int kScanColumns = kScanLanes* kWidth;

/// Block (i, slice): token v = i, or the i-th of `frequent` with the grid's stride.
template <class T, int kThreads, int kWidth>
__global__ void __launch_bounds__(kThreads)
    embedding_backward_v2(const T* dy, const int* tokens, const int* frequent,
                          const int* frequent_count, float* dtable, int N, int V, int D,
                          Write write) {
  constexpr int kWarps = kThreads / 32, kGroups = kThreads / kScanLanes;
  constexpr int kRounds = 32 / kWarps;  // tokens of one thread in a chunk
  constexpr int kChunk = kRounds * kThreads, kColumns = kScanColumns<kWidth>, kInFlight = 4;
  static_assert(kWarps * kRounds == 32, "a warp adds up the ballots of a chunk");
  __shared__ int found[32];  // matches of round r in warp w: [r · kWarps + w], in rising order of n
  __shared__ int list[kChunk];
  __shared__ float partial[kGroups][kColumns];
  const int t = int(threadIdx.x), lane = t % 32, warp = t / 32;
  const int group = t / kScanLanes;
  const int column = int(blockIdx.y) * kColumns + t % kScanLanes * kWidth;

  const int count = frequent == nullptr ? V : *frequent_count;
  for (int i = int(blockIdx.x); i < count; i += int(gridDim.x)) {
    const int v = frequent == nullptr ? i : frequent[i];
    float sum[kWidth] = {};
    for (int start = 0; start < N; start += kChunk) {
      // List the places of v, by ballots
      unsigned matches[kRounds];
#pragma unroll
      for (int r = 0; r < kRounds; ++r) {
        const int n = start + r * kThreads + t;
        matches[r] = __ballot_sync(0xffffffffu, n < N && tokens[n] == v);
        if (lane == 0) found[r * kWarps + warp] = __popc(matches[r]);
      }
      __syncthreads();
      int up_to = found[lane];  // the sum over found[0 … lane]
      for (int d = 1; d < 32; d *= 2) {
        const int before = __shfl_up_sync(0xffffffffu, up_to, unsigned(d));
        if (lane >= d) up_to += before;
      }
      const int listed = __shfl_sync(0xffffffffu, up_to, 31);
#pragma unroll
      for (int r = 0; r < kRounds; ++r) {
        const int end = __shfl_sync(0xffffffffu, up_to, r * kWarps + warp);
        const int place =
            end - __popc(matches[r]) + __popc(matches[r] & ((1u << unsigned(lane)) - 1u));
        if (matches[r] >> unsigned(lane) & 1u) list[place] = start + r * kThreads + t;
      }
      __syncthreads();

      // Add the listed rows
      for (int first = group; first < listed; first += kInFlight * kGroups) {
        float rows[kInFlight][kWidth] = {};
#pragma unroll
        for (int j = 0; j < kInFlight; ++j) {
          const int place = first + j * kGroups;
          if (place >= listed || column >= D) continue;
          const T* row = dy + std::size_t(list[place]) * D + column;
          if constexpr (kWidth == 1) {
            rows[j][0] = to_float(*row);
          } else {
            load_pack(row, rows[j]);
          }
        }
#pragma unroll
        for (int j = 0; j < kInFlight; ++j) {
#pragma unroll
          for (int w = 0; w < kWidth; ++w) sum[w] += rows[j][w];
        }
      }
    }

    // Join the groups' sums, in order
#pragma unroll
    for (int w = 0; w < kWidth; ++w) partial[group][t % kScanLanes * kWidth + w] = sum[w];
    __syncthreads();
    const int d = int(blockIdx.y) * kColumns + t;
    if (t < kColumns && d < D) {
      float total = 0;
#pragma unroll 8
      for (int g = 0; g < kGroups; ++g) total += partial[g][t];
      float& result = dtable[std::size_t(v) * D + d];
      result = write == Write::add ? result + total : total;
    }
    // The next row's first chunk has two barriers before it writes to `partial` again
  }
}

}  // namespace tpp::twin
