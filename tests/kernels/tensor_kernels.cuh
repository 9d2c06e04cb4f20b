// A product on tensor cores: one warp, 16 rows, 8 columns. nvcc compiles the same file.
#pragma once

#include "kernels/simt/mma.h"
#include "kernels/simt/simt.h"

namespace tpp::tensor {

// c (16, 8) = a (16, k) · b (k, 8), k a multiple of 32.
__global__ void warp_product(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c, int k) {
  __shared__ __align__(16) __nv_bfloat16 tile_a[16][32];
  __shared__ __align__(16) __nv_bfloat16 tile_b[32][8];
  const int l = threadIdx.x;
  float sum[4] = {0, 0, 0, 0};
  for (int k0 = 0; k0 < k; k0 += 32) {
    for (int m = 0; m < 16; ++m) tile_a[m][l] = a[m * k + k0 + l];
    for (int n = 0; n < 8; ++n) tile_b[l][n] = b[(k0 + l) * 8 + n];
    __syncwarp();
    unsigned fragment_b[4];
    ldmatrix_x4_trans(fragment_b, tile_b[l]);
    for (int half = 0; half < 2; ++half) {
      unsigned fragment_a[4];
      ldmatrix_x4(fragment_a, &tile_a[l % 16][half * 16 + l / 16 * 8]);
      const unsigned two[2] = {fragment_b[2 * half], fragment_b[2 * half + 1]};
      mma_m16n8k16(sum, fragment_a, two, sum);
    }
    __syncwarp();
  }
  const int g = l / 4, t = l % 4;
  c[g * 8 + 2 * t] = sum[0];
  c[g * 8 + 2 * t + 1] = sum[1];
  c[(g + 8) * 8 + 2 * t] = sum[2];
  c[(g + 8) * 8 + 2 * t + 1] = sum[3];
}

// Half a warp cannot do it.
__global__ void half_warp(float* c) {
  if (threadIdx.x >= 16) return;
  const unsigned a[4] = {0, 0, 0, 0}, b[2] = {0, 0};
  float sum[4] = {0, 0, 0, 0};
  mma_m16n8k16(sum, a, b, sum);
  c[threadIdx.x] = sum[0];
}

}  // namespace tpp::tensor
