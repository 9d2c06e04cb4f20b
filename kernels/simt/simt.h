// The one header of a kernel file. For nvcc it is CUDA and two helpers; for g++ and clang++ it is the
// CUDA language on a CPU.
//
//   launch(kernel, grid, block, bytes = 0, stream = 0)(arguments…)   is kernel<<<grid, block, …>>>(…)
//   float* s = dynamic_shared<float>();                              is extern __shared__ float s[];
//
// Everything else in a kernel is plain CUDA.
#pragma once

#ifdef __CUDACC__

#ifndef TPP_FLOAT_ONLY  // exercises: their compiler waits for nobody, and these three headers are a quarter of its time
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#endif
#include <cuda_runtime.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace tpp {

/// The launch's dynamic shared memory, 128-byte aligned.
template <class T>
__device__ inline T* dynamic_shared() {
  extern __shared__ __align__(128) unsigned char tpp_dynamic_shared[];
  return reinterpret_cast<T*>(tpp_dynamic_shared);
}

/// A kernel with its launch configuration; call it with the kernel's arguments.
/// Errors: std::runtime_error when CUDA refuses the launch.
template <class... P>
auto launch(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t bytes = 0,
            cudaStream_t stream = nullptr) {
  return [=](std::type_identity_t<P>... arguments) {
    kernel<<<grid, block, bytes, stream>>>(arguments...);
    if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) {
      throw std::runtime_error(std::string("launch: ") + cudaGetErrorString(error));
    }
  };
}

}  // namespace tpp

#else

#include "kernels/simt/atomic.h"
#include "kernels/simt/emulator.h"
#include "kernels/simt/host_api.h"
#include "kernels/simt/language.h"
#include "kernels/simt/launch.h"
#include "kernels/simt/pipeline.h"
#include "kernels/simt/warp.h"

#endif
