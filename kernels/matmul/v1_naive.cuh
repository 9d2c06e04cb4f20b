// One thread makes one element of C: a loop over k, two loads for one multiplication and addition.
//
// Which element decides the speed. The 32 threads of a warp load at once, and memory answers in sectors of 32 bytes. Where
// neighbours work in neighbouring columns, they ask for one number of A (1 sector) and 32 neighbours of B (4 sectors). Where
// they work in neighbouring rows, they ask for numbers of A that lie K apart: 32 sectors, seven eighths of each unused.
// (These counts are those of the form nn.)
#pragma once

#include "kernels/matmul/product.cuh"

namespace tpp::twin {

constexpr int kV1Fast = 32,
              kV1Slow = 8;  // a block: threads along the fast index, and along the other

template <Form form, bool kCoalesced, class T, class Out>
__global__ void matmul_v1_naive(Product<T, Out> p) {
  const int columns = ceil_div(kCoalesced ? p.N : p.M, kV1Fast);
  const TilePlace place = place_in_rows(int(blockIdx.x), columns);
  const int fast = place.n * kV1Fast + int(threadIdx.x);
  const int slow = place.m * kV1Slow + int(threadIdx.y);
  const int m = kCoalesced ? slow : fast;
  const int n = kCoalesced ? fast : slow;
  if (m >= p.M || n >= p.N) return;

  // [snip v1]
  float sum = 0;
  for (int k = 0; k < p.K; ++k) {
    const float a = to_float(*a_at<form>(p, m, k));
    const float b = to_float(*b_at<form>(p, k, n));
    sum += a * b;
  }
  // [/snip]
  write_result(c_at(p, m, n), sum, p.add);
}

}  // namespace tpp::twin
