// The limits of shared memory: static arrays and what a launch asks for share 48 KB, or 227 KB once a kernel asks.
#include <string>

#include "kernels/common/device_array.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

__global__ void static_and_dynamic(float* y) {
  __shared__ float tile[4096];
  float* s = dynamic_shared<float>();
  tile[threadIdx.x] = s[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = tile[31 - threadIdx.x] + s[threadIdx.x];
}

// The array belongs to a function that it calls.
__device__ float mirrored(float v) {
  __shared__ float inner[4096];
  inner[threadIdx.x] = v;
  __syncthreads();
  return inner[31 - threadIdx.x];
}
__global__ void called_and_dynamic(float* y) { y[threadIdx.x] = mirrored(1); }

// nvcc refuses to make this one.
template <int kFirst>
__global__ void large_static(float* y) {
  __shared__ float first[kFirst], second[4097];
  first[threadIdx.x] = second[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = first[31 - threadIdx.x] + second[31 - threadIdx.x];
}

template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const simt::Error& e) {
    return e.what();
  }
  return "(no report)";
}

const std::string kAbove = ": above 48 KB needs cudaFuncSetAttribute, above 227 KB never fits";

}  // namespace

TEST_CASE("limits: static and dynamic shared memory together", "[simt]") {
  DeviceArray<float> y(32);
  const auto run = [&](std::size_t bytes) {
    return refusal([&] { launch(static_and_dynamic, 1, 32, bytes)(y.data()); });
  };
  CHECK(run(32 * 1024) == "(no report)");
  CHECK(run(32 * 1024 + 4) ==
        "simt: launch of static_and_dynamic: 32772 bytes of dynamic shared memory beside tile "
        "16384 B" +
            kAbove);

  // 227 KB less its own 16 KB is the most that it can ask for
  const auto ask = [&](int bytes) {
    return refusal([&] {
      cudaFuncSetAttribute(static_and_dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    });
  };
  CHECK(ask(211 * 1024) == "(no report)");
  CHECK(ask(211 * 1024 + 1) ==
        "simt: cudaFuncSetAttribute: 216065 bytes of dynamic shared memory beside tile 16384 B; "
        "227 KB is the most");
  CHECK(run(211 * 1024) == "(no report)");
  CHECK(run(211 * 1024 + 4).find(kAbove) != std::string::npos);
}

TEST_CASE("limits: static arrays alone have 48 KB", "[simt]") {
  DeviceArray<float> y(32);
  CHECK(refusal([&] { launch(large_static<8191>, 1, 32)(y.data()); }) == "(no report)");
  CHECK(refusal([&] { launch(large_static<8192>, 1, 32)(y.data()); }) ==
        "simt: launch of large_static<8192>: static shared arrays of 49156 bytes (first 32768 B, "
        "second 16388 B): above 48 KB they must be dynamic");
}

TEST_CASE("limits: arrays of called functions count, where accesses are seen", "[simt]") {
  DeviceArray<float> y(32);
  const auto run = [&](std::size_t bytes) {
    return refusal([&] { launch(called_and_dynamic, 1, 32, bytes)(y.data()); });
  };
  CHECK(run(32 * 1024) == "(no report)");
  const std::string message =
      "simt: launch of called_and_dynamic: 32772 bytes of dynamic shared memory beside inner "
      "16384 B" +
      kAbove;
  CHECK(run(32 * 1024 + 4) == (simt::checked() ? message : "(no report)"));

  // It may ask for 227 KB, since nobody knows of the 16 KB before it runs
  const auto ask = [] {
    cudaFuncSetAttribute(called_and_dynamic, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         220 * 1024);
  };
  CHECK(refusal(ask) == "(no report)");
  CHECK(run(211 * 1024) == "(no report)");
  CHECK((run(211 * 1024 + 4).find(kAbove) != std::string::npos) == simt::checked());
}
