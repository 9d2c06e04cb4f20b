// The planted mistakes, one a run: for compute-sanitizer on a GPU and for the checked emulator, to see who sees what.
//
//   planted                 the names
//   planted off_by_one      makes this mistake; the emulator's report ends it with status 1
//
// tests/kernels/cuda/agree.sh runs all of them under compute-sanitizer.
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "tests/kernels/bug_kernels.cuh"

using namespace tpp;

namespace {

std::vector<float> zeros(std::size_t n) { return std::vector<float>(n); }

struct Mistake {
  const char* name;
  void (*make)();
};

// Buffers have odd sizes, so that what lies behind them belongs to nobody.
const Mistake kMistakes[] = {
    {"off_by_one",
     [] {
       DeviceArray<float> y(100);
       launch(bugs::off_by_one, 1, 128)(y.data(), 100);
     }},
    {"before_the_start",
     [] {
       DeviceArray<float> x(zeros(32)), y(32);
       launch(bugs::before_the_start, 1, 32)(x.data(), y.data());
     }},
    {"no_device_memory",
     [] {
       DeviceArray<float> y(32);
       launch(bugs::copy, 1, 32)(nullptr, y.data());
     }},
    {"use_after_free",
     [] {
       DeviceArray<float> x(zeros(32));
       float* y = nullptr;
       check_cuda(cudaMalloc(&y, 32 * sizeof(float)), "cudaMalloc");
       check_cuda(cudaFree(y), "cudaFree");
       launch(bugs::copy, 1, 32)(x.data(), y);
     }},
    {"misaligned",
     [] {
       DeviceArray<float> x(zeros(200));
       DeviceArray<float4> y(32);
       launch(bugs::misaligned, 1, 32)(x.data(), y.data());
     }},
    {"copy_too_long",
     [] {
       DeviceArray<float> y(zeros(10));
       std::vector<float> host(100);
       check_cuda(cudaMemcpy(host.data(), y.data(), 44, cudaMemcpyDeviceToHost), "cudaMemcpy");
     }},
    {"stack_overflow",
     [] {
       DeviceArray<float> x(zeros(1)), y(32);
       launch(bugs::stack_overflow, 1, 32)(x.data(), y.data(), 10000);
     }},
    {"too_many_threads", [] { launch(bugs::nothing, 1, 2048)(); }},
    {"small_dynamic",
     [] {
       DeviceArray<float> y(64);
       launch(bugs::small_dynamic, 1, 64, 63 * sizeof(float))(y.data());
     }},
    {"shared_overflow",
     [] {
       DeviceArray<float> y(64);
       launch(bugs::shared_overflow, 1, 64)(y.data());
     }},
    {"row_overflow",
     [] {
       DeviceArray<float> y(32);
       launch(bugs::row_overflow, 1, 32)(y.data());
     }},
    {"missing_barrier",
     [] {
       DeviceArray<float> y(128);
       launch(bugs::missing_barrier, 1, 128)(y.data());
     }},
    {"missing_second_barrier",
     [] {
       DeviceArray<float> x(zeros(128)), y(64);
       launch(bugs::missing_second_barrier, 1, 64)(x.data(), y.data());
     }},
    {"old_warp_code",
     [] {
       DeviceArray<float> y(1);
       launch(bugs::old_warp_code<false>, 1, 32)(y.data());
     }},
    {"forgotten_wait",
     [] {
       DeviceArray<float> x(zeros(32)), y(32);
       launch(bugs::forgotten_wait, 1, 32)(x.data(), y.data());
     }},
    {"lost_update",
     [] {
       DeviceArray<float> y(zeros(1));
       launch(bugs::lost_update, 2, 32)(y.data());
     }},
    {"mixed_atomic",
     [] {
       DeviceArray<int> y(std::vector<int>(1));
       launch(bugs::mixed_atomic, 1, 2)(y.data());
     }},
    {"last_block_without_fence",
     [] {
       DeviceArray<float> partial(4), total(1);
       DeviceArray<unsigned> done(std::vector<unsigned>(1));
       launch(bugs::last_block_without_fence, 4, 1)(partial.data(), done.data(), total.data());
     }},
    {"uninitialised_global",
     [] {
       DeviceArray<float> x(32), y(32);
       launch(bugs::copy, 1, 32)(x.data(), y.data());
     }},
    {"uninitialised_shared",
     [] {
       DeviceArray<float> y(64);
       launch(bugs::uninitialised_shared, 1, 64)(y.data());
     }},
    {"stale_shared",
     [] {
       DeviceArray<float> y(64);
       launch(bugs::stale_shared, 2, 32)(y.data());
     }},
    {"divergent_barrier",
     [] {
       DeviceArray<float> y(128);
       launch(bugs::divergent_barrier, 1, 128)(y.data());
     }},
    {"early_return",
     [] {
       DeviceArray<float> y(128);
       launch(bugs::early_return, 1, 128)(y.data(), 100);
     }},
    {"two_barriers",
     [] {
       DeviceArray<float> y(128);
       launch(bugs::two_barriers, 1, 128)(y.data());
     }},
};

// On a GPU a mistake may end in an error of CUDA's, or in nothing; compute-sanitizer speaks for it.
int make(const Mistake& mistake) {
  try {
    mistake.make();
    check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  } catch (const std::exception& e) {
    std::printf("%s\n", e.what());
    return 1;
  }
  std::printf("nothing was reported\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  int unseen = 0;
  for (const Mistake& mistake : kMistakes) {
    if (argc < 2) std::printf("%s\n", mistake.name);
    if (argc == 2 && std::strcmp(argv[1], mistake.name) == 0) return make(mistake);
    if (argc == 2 && std::strcmp(argv[1], "all") == 0) {  // for the emulator, which survives
      std::printf("--- %s\n", mistake.name);
      unseen += make(mistake) == 0;
    }
  }
  if (argc < 2 || std::strcmp(argv[1], "all") == 0) return unseen == 0 ? 0 : 1;
  std::printf("there is no mistake %s\n", argv[1]);
  return 2;
}
