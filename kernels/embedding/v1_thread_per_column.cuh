// v1 gives one number to a thread. In the backward direction that thread looks at all N tokens, and so do its D − 1
// neighbours in the row: nothing is shared, but nothing is written twice either, so that no order is left to chance.
#pragma once

#include "kernels/common/storage.cuh"

namespace tpp::twin {

template <class T>
__global__ void embedding_forward_v1(const T* table, const int* tokens, T* y, int D) {
  const int n = int(blockIdx.x);
  for (int d = int(threadIdx.x); d < D; d += int(blockDim.x)) {
    y[std::size_t(n) * D + d] = table[std::size_t(tokens[n]) * D + d];
  }
}

template <class T>
__global__ void embedding_backward_v1(const T* dy, const int* tokens, float* dtable, int N, int D,
                                      Write write) {
  const int v = int(blockIdx.x);
  for (int d = int(threadIdx.x); d < D; d += int(blockDim.x)) {
    // [snip v1_backward]
    float sum = 0;
    for (int n = 0; n < N; ++n) {
      if (tokens[n] == v) sum += to_float(dy[std::size_t(n) * D + d]);
    }
    // [/snip]
    float& result = dtable[std::size_t(v) * D + d];
    result = write == Write::add ? result + sum : sum;
  }
}

}  // namespace tpp::twin
