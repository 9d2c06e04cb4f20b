// v2: v1's largest parameter, an embedding table, kept one of 132 multiprocessors busy long after the rest. Now every
// block has a piece of at most 16384 numbers (more for a huge parameter), and a thread asks for kPacks times 16 bytes
// before it adds the first.
#pragma once

#include "kernels/common/storage.cuh"
#include "kernels/global_norm/sum.cuh"

namespace tpp::twin {

template <int kThreads, int kPacks>
__global__ void __launch_bounds__(kThreads)
    squares_v2(const float* g, const NormPiece* pieces, double* partial) {
  const NormPiece piece = pieces[blockIdx.x];
  const float* x = g + piece.begin;
  const bool at_pack = reinterpret_cast<std::uintptr_t>(x) % 16 == 0;
  const int packs = at_pack ? piece.size / 4 : 0;

  double sums[4] = {};  // no addition waits for the one before it
  for (int start = int(threadIdx.x); start < packs; start += kThreads * kPacks) {
    float v[kPacks][4];
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
      const int pack = start + p * kThreads;
      v[p][0] = v[p][1] = v[p][2] = v[p][3] = 0;
      if (pack < packs) load_pack(x + std::size_t(pack) * 4, v[p]);
    }
#pragma unroll
    for (int p = 0; p < kPacks; ++p) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[i] += double(v[p][i]) * double(v[p][i]);
    }
  }
  for (int i = packs * 4 + int(threadIdx.x); i < piece.size; i += kThreads) {
    sums[0] += double(x[i]) * double(x[i]);
  }

  const double sum = block_sum_double<kThreads>((sums[0] + sums[1]) + (sums[2] + sums[3]));
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

}  // namespace tpp::twin
