// Right kernels that differ in how they reach memory: what the recorder counts. nvcc compiles the same file.
#pragma once

#include "kernels/simt/simt.h"

namespace tpp::memory {

// Neighbouring lanes write a column: 32 sectors a request.
__global__ void transpose_naive(const float* a, float* b, int n) {
  const int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 8 + threadIdx.y;
  const float v = a[y * n + x];  // <- naive load
  b[x * n + y] = v;              // <- naive store
}

// Through a tile: both sides coalesced. kPad = 0 reads a column of one bank, kPad = 1 of 32.
template <int kPad>
__global__ void transpose_tiled(const float* a, float* b, int n) {
  __shared__ float tile[32][32 + kPad];
  const int x = threadIdx.x;
  for (int y = threadIdx.y; y < 32; y += 8) {
    const float v = a[(blockIdx.y * 32 + y) * n + blockIdx.x * 32 + x];
    tile[y][x] = v;
  }
  __syncthreads();
  for (int y = threadIdx.y; y < 32; y += 8) {
    const float v = tile[x][y];  // <- column of the tile
    b[(blockIdx.x * 32 + y) * n + blockIdx.y * 32 + x] = v;
  }
}

// A vector is one access.
__global__ void scale4(const float4* x, float4* y, float a, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float4 v = x[i];
  v.x *= a, v.y *= a, v.z *= a, v.w *= a;
  y[i] = v;
}

// Shared atomics, then global ones.
__global__ void histogram(const int* values, int* bins, int n) {
  __shared__ int local[16];
  if (threadIdx.x < 16) local[threadIdx.x] = 0;
  __syncthreads();
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) atomicAdd(&local[values[i]], 1);
  __syncthreads();
  if (threadIdx.x < 16) atomicAdd(&bins[threadIdx.x], local[threadIdx.x]);
}

// One thread an element.
__global__ void add(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += x[i];
}

}  // namespace tpp::memory
