// Wrong kernels, one mistake each. A comment "<- name" marks the lines that the checker must name.
#pragma once

#include "kernels/simt/simt.h"

namespace tpp::bugs {

__global__ void missing_barrier(float* y) {
  __shared__ float s[128];
  s[threadIdx.x] = float(threadIdx.x);    // <- missing_barrier write
  y[threadIdx.x] = s[127 - threadIdx.x];  // <- missing_barrier read
}

__global__ void missing_second_barrier(const float* x, float* y) {
  __shared__ float tile[64];
  float sum = 0;
  for (int t = 0; t < 2; ++t) {
    tile[threadIdx.x] = x[t * 64 + threadIdx.x];  // <- second_barrier write
    __syncthreads();
    sum += tile[63 - threadIdx.x];  // <- second_barrier read
  }
  y[threadIdx.x] = sum;
}

__global__ void divergent_barrier(float* y) {
  if (threadIdx.x < 64) __syncthreads();  // <- divergent_barrier
  y[threadIdx.x] = 0;
}

__global__ void two_barriers(float* y) {
  if (threadIdx.x < 64) {
    __syncthreads();  // <- two_barriers first
  } else {
    __syncthreads();  // <- two_barriers second
  }
  y[threadIdx.x] = 0;
}

__global__ void early_return(float* y, int n) {
  if (int(threadIdx.x) >= n) return;
  __syncthreads();  // <- early_return
  y[threadIdx.x] = 0;
}

__global__ void off_by_one(float* y, int n) {
  const int i = threadIdx.x;
  if (i <= n) y[i] = 1;  // <- off_by_one
}

__global__ void before_the_start(const float* x, float* y) {
  y[threadIdx.x] = x[int(threadIdx.x) - 1];  // <- before_the_start
}

__global__ void small_dynamic(float* y) {
  float* s = dynamic_shared<float>();
  s[threadIdx.x] = 1;  // <- small_dynamic
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];
}

__global__ void shared_overflow(float* y) {
  __shared__ float s[64];
  s[threadIdx.x + 1] = 1;  // <- shared_overflow
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];
}

__global__ void row_overflow(float* y) {
  __shared__ float s[4][32];
  s[1][threadIdx.x + 1] = 1;  // <- row_overflow
  __syncthreads();
  y[threadIdx.x] = s[1][threadIdx.x];
}

__global__ void uninitialised_shared(float* y) {
  __shared__ float s[64];
  if (threadIdx.x < 32) s[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];  // <- uninitialised_shared
}

// Shared memory does not outlive its block.
__global__ void stale_shared(float* y) {
  __shared__ float s[32];
  if (blockIdx.x == 0) s[threadIdx.x] = 1;
  __syncthreads();
  y[blockIdx.x * 32 + threadIdx.x] = s[threadIdx.x];  // <- stale_shared
}

__global__ void copy(const float* x, float* y) {
  const float v = x[threadIdx.x];  // <- copy read
  y[threadIdx.x] = v;              // <- copy write
}

__global__ void misaligned(const float* x, float4* y) {
  y[threadIdx.x] = reinterpret_cast<const float4*>(x + 1)[threadIdx.x];  // <- misaligned
}

__global__ void divergent_shuffle(float* y) {
  float v = float(threadIdx.x);
  if (threadIdx.x < 16) v += __shfl_xor_sync(0xffffffffu, v, 1);  // <- divergent_shuffle shuffle
  __syncthreads();                                                // <- divergent_shuffle barrier
  y[threadIdx.x] = v;
}

__global__ void mixed_shuffles(float* y) {
  float v = float(threadIdx.x);
  if (threadIdx.x < 16) {
    v = __shfl_xor_sync(0xffffffffu, v, 1);  // <- mixed_shuffles first
  } else {
    v = __shfl_xor_sync(0xffffffffu, v, 2);  // <- mixed_shuffles second
  }
  y[threadIdx.x] = v;
}

__global__ void mask_without_caller(float* y) {
  y[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, float(threadIdx.x), 1);  // <- mask_without_caller
}

__global__ void bad_width(float* y) {
  y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, float(threadIdx.x), 1, 24);
}

// Warps have not run in lock-step since Volta. kSync makes it right.
template <bool kSync>
__global__ void old_warp_code(float* y) {
  __shared__ float s[64];
  s[threadIdx.x] = 1;
  s[threadIdx.x + 32] = 1;
  for (int d = 32; d > 0; d /= 2) {
    if (kSync) __syncwarp();
    const float other = s[threadIdx.x + d];
    if (kSync) __syncwarp();
    s[threadIdx.x] += other;
  }
  if (threadIdx.x == 0) y[0] = s[0];
}

__global__ void lost_update(float* y) {
  y[0] += 1;  // <- lost_update
}

__global__ void mixed_atomic(int* y) {
  if (threadIdx.x == 0) {
    y[0] = 5;  // <- mixed_atomic plain
  } else {
    atomicAdd(&y[0], 1);  // <- mixed_atomic atomic
  }
}

// The last block reads what others wrote without a fence.
__global__ void last_block_without_fence(float* partial, unsigned* done, float* total) {
  partial[blockIdx.x] = 1;  // <- last_block write
  if (atomicAdd(done, 1u) != gridDim.x - 1) return;
  float sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += partial[b];  // <- last_block read
  *total = sum;
}

__global__ void forgotten_wait(const float* x, float* y) {
  __shared__ __align__(16) float s[32];
  if (threadIdx.x < 8) __pipeline_memcpy_async(&s[threadIdx.x * 4], &x[threadIdx.x * 4], 16);
  __pipeline_commit();
  __syncthreads();
  y[threadIdx.x] = s[threadIdx.x];  // <- forgotten_wait
}

__device__ inline float deep(const float* x, int n) {
  volatile float room[256];
  for (int i = 0; i < 256; ++i) room[i] = float(i + n);
  return n == 0 ? room[5] : deep(x, n - 1) + room[n % 256];
}

__global__ void stack_overflow(const float* x, float* y, int depth) {
  y[threadIdx.x] = deep(x, depth);
}

// A thread that waits for another one without a barrier.
__global__ void spinning(int* flag) {
  if (threadIdx.x == 0) {
    while (atomicAdd(flag, 0) == 0) {
    }
  } else {
    atomicExch(flag, 1);
  }
}

// Time and sleep belong to a device.
__global__ void sleeping() { __nanosleep(100); }

__global__ void nothing() {}

}  // namespace tpp::bugs
