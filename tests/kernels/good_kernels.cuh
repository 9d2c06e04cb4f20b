// Right kernels, one for each part of the language. nvcc compiles the same file.
#pragma once

#include "kernels/common/reduce.cuh"
#include "kernels/simt/simt.h"

namespace tpp::good {

// One thread an element.
__global__ void axpy(float a, const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += a * x[i];
}

// One block a row: shuffles, static shared memory in a template, two barriers.
template <int kThreads>
__global__ void row_sum(const float* x, float* y, int n) {
  float v = 0;
  for (int i = threadIdx.x; i < n; i += kThreads) v += x[blockIdx.x * n + i];
  v = block_sum<kThreads>(v);
  if (threadIdx.x == 0) y[blockIdx.x] = v;
}

// c = a·b with tiles in dynamic shared memory; ragged sizes.
template <int kTile>
__global__ void tiled_product(const float* a, const float* b, float* c, int m, int n, int k) {
  float* tile_a = dynamic_shared<float>();
  float* tile_b = tile_a + kTile * kTile;
  const int x = threadIdx.x, y = threadIdx.y;
  const int row = blockIdx.y * kTile + y, column = blockIdx.x * kTile + x;
  float sum = 0;
  for (int k0 = 0; k0 < k; k0 += kTile) {
    tile_a[y * kTile + x] = row < m && k0 + x < k ? a[row * k + k0 + x] : 0;
    tile_b[y * kTile + x] = k0 + y < k && column < n ? b[(k0 + y) * n + column] : 0;
    __syncthreads();
    for (int i = 0; i < kTile; ++i) sum += tile_a[y * kTile + i] * tile_b[i * kTile + x];
    __syncthreads();
  }
  if (row < m && column < n) c[row * n + column] = sum;
}

template <class T>
__global__ void scale_short(const T* x, T* y, float a, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = T(a * float(x[i]));
}

// All shuffles of one warp, each with width 8, into columns of out.
__global__ void shuffles(int* out) {
  const int l = threadIdx.x;
  out[0 * 32 + l] = __shfl_sync(0xffffffffu, l, 3, 8);
  out[1 * 32 + l] = __shfl_up_sync(0xffffffffu, l, 2, 8);
  out[2 * 32 + l] = __shfl_down_sync(0xffffffffu, l, 2, 8);
  out[3 * 32 + l] = __shfl_xor_sync(0xffffffffu, l, 5, 8);
  int v = l;
  if (l < 16) {
    v = __shfl_xor_sync(0x0000ffffu, v, 1);
  } else {
    v = __shfl_xor_sync(0xffff0000u, v, 2);
  }
  out[4 * 32 + l] = v;
}

__global__ void votes(unsigned* out) {
  const int l = threadIdx.x;
  out[0 * 32 + l] = __ballot_sync(0xffffffffu, l % 3 == 0);
  out[1 * 32 + l] = __any_sync(0xffffffffu, l == 7);
  out[2 * 32 + l] = __all_sync(0xffffffffu, l < 31);
  out[3 * 32 + l] = __match_any_sync(0xffffffffu, l % 4);
  out[4 * 32 + l] = __reduce_add_sync(0xffffffffu, unsigned(l));
  out[5 * 32 + l] = unsigned(__reduce_max_sync(0xffffffffu, l - 40));
  out[6 * 32 + l] = __reduce_xor_sync(0xffffffffu, 1u << l);
}

// The three counting barriers.
__global__ void counting(int* out) {
  const int odd = threadIdx.x % 2;
  const int count = __syncthreads_count(odd);
  const int all = __syncthreads_and(odd);
  const int any = __syncthreads_or(odd);
  if (threadIdx.x == 0) out[0] = count, out[1] = all, out[2] = any;
}

// The last block to finish adds up what all blocks left.
__global__ void last_block_sums(const float* x, float* partial, unsigned* done, float* total,
                                int n) {
  __shared__ bool last;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float v = block_sum<64>(i < n ? x[i] : 0.0f);
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = v;
    __threadfence();
    last = atomicAdd(done, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last) return;
  if (threadIdx.x == 0) {
    float sum = 0;
    for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b];
    *total = sum;
  }
}

// Lanes hand values on through shared memory; __syncwarp orders them.
__global__ void warp_reverse(int* out) {
  __shared__ int s[32];
  s[threadIdx.x] = threadIdx.x;
  __syncwarp();
  out[threadIdx.x] = s[31 - threadIdx.x];
}

// cp.async: the next piece arrives while this one is used.
__global__ void pipelined_sum(const float* x, float* y, int pieces) {
  __shared__ __align__(16) float buffer[2][32];
  const int l = threadIdx.x;
  if (l < 8) __pipeline_memcpy_async(&buffer[0][l * 4], &x[l * 4], 16);
  __pipeline_commit();
  float sum = 0;
  for (int p = 0; p < pieces; ++p) {
    if (p + 1 < pieces && l < 8) {
      __pipeline_memcpy_async(&buffer[(p + 1) % 2][l * 4], &x[(p + 1) * 32 + l * 4], 16);
    }
    __pipeline_commit();
    __pipeline_wait_prior(1);
    __syncthreads();
    sum += buffer[p % 2][31 - l];
    __syncthreads();
  }
  y[l] = sum;
}

// A grid and blocks of three dimensions.
__global__ void coordinates(int* out) {
  const int bx = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const int tx = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const int threads = blockDim.x * blockDim.y * blockDim.z;
  out[bx * threads + tx] = bx * threads + tx;
}

// For timing: what one shuffle and one barrier cost.
__global__ void many_shuffles(float* out, int times) {
  float v = float(threadIdx.x);
  for (int i = 0; i < times; ++i) v = __shfl_xor_sync(0xffffffffu, v, 1);
  out[threadIdx.x] = v;
}
__global__ void many_barriers(float* out, int times) {
  for (int i = 0; i < times; ++i) __syncthreads();
  out[threadIdx.x] = 0;
}

}  // namespace tpp::good
