// The gradient of a lookup: places with the same token add to the same row, in the same order every time.
//
//   dtable[v,d] = Σ_n dy[n,d]   over the n with tokens[n] = v
//
// Threads that add wherever their token says lose each other's sums. With atomicAdd nothing is lost, but floats added in
// another order give other bits: two runs of one training would differ.
#pragma once

#include "kernels/simt/simt.h"

namespace tpp {

constexpr int kThreads = 32;  // of a block, which has up to 32 columns of one row

/// dy (N, D), N tokens, dtable (V, D), each row after row. Block (v, c) has row v, columns c·kThreads and on.
__global__ void scatter_add(const float* dy, const int* tokens, float* dtable, int N, int D) {
  __shared__ int seen[kThreads];  // tokens of one round
  const int t = int(threadIdx.x);
  const int v = int(blockIdx.x);                 // this block's row of dtable
  const int d = int(blockIdx.y) * kThreads + t;  // this thread's column, maybe beyond the edge

  // [hole sum "Write dtable[v,d], also where token v does not occur. Add in the order of n, without atomics. seen[] lets the block read each token only once: kThreads of them a round. N and D need not be multiples of kThreads, and every thread must reach every __syncthreads()."]
  float sum = 0;
  for (int n0 = 0; n0 < N; n0 += kThreads) {
    if (n0 + t < N) seen[t] = tokens[n0 + t];
    __syncthreads();  // the round's tokens are there

    for (int i = 0; i < kThreads && n0 + i < N; ++i) {
      if (seen[i] == v && d < D) sum += dy[(n0 + i) * D + d];
    }
    __syncthreads();  // nobody reads them any more
  }
  if (d < D) dtable[v * D + d] = sum;
  // [/hole]
}

/// dy (N, D), tokens (N) → dtable (V, D), all on the device.
inline void embedding_gradient(const float* dy, const int* tokens, float* dtable, int N, int V,
                               int D) {
  const dim3 blocks(unsigned(V), unsigned((D + kThreads - 1) / kThreads));
  launch(scatter_add, blocks, dim3(kThreads))(dy, tokens, dtable, N, D);
}

}  // namespace tpp
