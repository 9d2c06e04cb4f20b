// v1: a block a parameter, a number a load. The sum lies where the parameter's first piece has its place, the others'
// places hold zeros.
#pragma once

#include "kernels/global_norm/sum.cuh"

namespace tpp::twin {

template <int kThreads>
__global__ void __launch_bounds__(kThreads)
    squares_v1(const float* g, const NormPiece* pieces, const int* first, double* partial) {
  const int begin = first[blockIdx.x], end = first[blockIdx.x + 1];
  if (begin == end) return;
  const std::size_t start = pieces[begin].begin;
  const std::size_t size = pieces[end - 1].begin + std::size_t(pieces[end - 1].size) - start;

  double sum = 0;
  for (std::size_t i = threadIdx.x; i < size; i += kThreads) {
    const double v = double(g[start + i]);
    sum += v * v;
  }
  sum = block_sum_double<kThreads>(sum);
  for (int i = begin + int(threadIdx.x); i < end; i += kThreads) partial[i] = i == begin ? sum : 0;
}

}  // namespace tpp::twin
