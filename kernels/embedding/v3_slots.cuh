// v2 looks at every token for each row of the table: with 50304 rows that is most of the work, and most rows were not
// chosen at all. v3 first counts the tokens with integer atomics and notes the places of the first 8 of each kind. A warp
// then sums a rare token's rows. Atomics hand out the slots in any order, so the warp sorts them first: the sum's order
// is n's. Tokens with more than 8 places go to a list, and v2's scan takes those.
#pragma once

#include <climits>

#include "kernels/common/storage.cuh"
#include "kernels/embedding/embedding.h"

namespace tpp::twin {

struct EmbeddingWork {
  int* counts;          // (V), zero at first
  int* frequent_count;  // (1), zero at first
  int* frequent;        // tokens that stand in more than kEmbeddingSlots places
  int* slots;           // (V, kEmbeddingSlots)
};

inline EmbeddingWork embedding_work(float* work, int N, int V) {
  int* counts = reinterpret_cast<int*>(work);
  int* frequent = counts + V + 1;
  return {counts, counts + V, frequent, frequent + N / (kEmbeddingSlots + 1)};
}

template <int kThreads>
__global__ void embedding_note_places(const int* tokens, EmbeddingWork work, int N) {
  const int n = int(blockIdx.x) * kThreads + int(threadIdx.x);
  if (n >= N) return;
  const int v = tokens[n];
  // [snip note_places]
  const int slot = atomicAdd(&work.counts[v], 1);
  if (slot < kEmbeddingSlots) work.slots[std::size_t(v) * kEmbeddingSlots + slot] = n;
  if (slot == kEmbeddingSlots) work.frequent[atomicAdd(work.frequent_count, 1)] = v;
  // [/snip]
}

/// A warp a row of the table.
template <class T, int kWidth>
__global__ void embedding_sum_rare(const T* dy, EmbeddingWork work, float* dtable, int V, int D,
                                   Write write) {
  const int v = int(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32);
  if (v >= V) return;
  const int count = work.counts[v];
  if (count > kEmbeddingSlots || (count == 0 && write == Write::add)) return;

  // Sort the places by exchanging neighbours
  int places[kEmbeddingSlots];
#pragma unroll
  for (int i = 0; i < kEmbeddingSlots; ++i) {
    places[i] = i < count ? work.slots[std::size_t(v) * kEmbeddingSlots + i] : INT_MAX;
  }
#pragma unroll
  for (int round = 0; round < kEmbeddingSlots; ++round) {
#pragma unroll
    for (int i = round % 2; i + 1 < kEmbeddingSlots; i += 2) {
      const int a = places[i], b = places[i + 1];
      places[i] = a < b ? a : b;
      places[i + 1] = a < b ? b : a;
    }
  }

  for (int d = int(threadIdx.x) % 32 * kWidth; d < D; d += 32 * kWidth) {
    float sum[kWidth] = {};
#pragma unroll
    for (int i = 0; i < kEmbeddingSlots; ++i) {
      if (i >= count) break;
      const T* row = dy + std::size_t(places[i]) * D + d;
      float values[kWidth];
      if constexpr (kWidth == 1) {
        values[0] = to_float(*row);
      } else {
        load_pack(row, values);
      }
#pragma unroll
      for (int w = 0; w < kWidth; ++w) sum[w] += values[w];
    }
    float* result = dtable + std::size_t(v) * D + d;
    if constexpr (kWidth == 1) {
      *result = write == Write::add ? *result + sum[0] : sum[0];
    } else {
#pragma unroll
      for (int p = 0; p < kWidth; p += 4) {
        float four[4] = {};
        if (write == Write::add) load_pack(result + p, four);
#pragma unroll
        for (int w = 0; w < 4; ++w) four[w] += sum[p + w];
        store_pack(result + p, four);
      }
    }
  }
}

}  // namespace tpp::twin
