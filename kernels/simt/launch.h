// launch(kernel, grid, block, …)(arguments…) and dynamic_shared<T>() on the CPU.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/simt/host_api.h"
#include "kernels/simt/types.h"

namespace tpp {

namespace simt {

struct Launch {
  const void* kernel;
  dim3 grid, block;
  std::size_t bytes;              // of dynamic shared memory
  void (*run)(const void* call);  // one thread of the kernel
  const void* call;               // the kernel and its arguments
  std::size_t call_bytes;
};

/// Run it, or write it down if the stream captures.
void run_grid(const Launch& launch, cudaStream_t stream);
void* dynamic_shared_memory();

template <class... P>
struct Call {
  void (*kernel)(P...);
  std::tuple<P...> arguments;

  // Each thread gets its own copy of the arguments; reading them is no access to device memory.
  template <std::size_t... I>
  __attribute__((no_sanitize("thread"))) void operator()(std::index_sequence<I...>) const {
    kernel(std::get<I>(arguments)...);
  }
  __attribute__((no_sanitize("thread"))) static void run(const void* call) {
    (*static_cast<const Call*>(call))(std::index_sequence_for<P...>{});
  }
};

}  // namespace simt

/// The launch's dynamic shared memory, 128-byte aligned.
template <class T>
inline T* dynamic_shared() {
  return static_cast<T*>(simt::dynamic_shared_memory());
}

/// A kernel with its launch configuration; call it with the kernel's arguments.
/// Errors: simt::Error for a launch that CUDA would refuse, and for every mistake found while the kernel runs.
template <class... P>
auto launch(void (*kernel)(P...), dim3 grid, dim3 block, std::size_t bytes = 0,
            cudaStream_t stream = nullptr) {
  return [=](std::type_identity_t<P>... arguments) {
    const simt::Call<P...> call{kernel, std::tuple<P...>(arguments...)};
    simt::run_grid({reinterpret_cast<const void*>(kernel), grid, block, bytes,
                    &simt::Call<P...>::run, &call, sizeof(call)},
                   stream);
  };
}

}  // namespace tpp
