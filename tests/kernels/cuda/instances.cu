// Every kernel of these tests, templates too, for nvcc: what the emulator runs is CUDA.
#include "kernels/common/device_array.h"
#include "tests/kernels/bug_kernels.cuh"
#include "tests/kernels/good_kernels.cuh"
#include "tests/kernels/memory_kernels.cuh"
#include "tests/kernels/tensor_kernels.cuh"

template __global__ void tpp::good::row_sum<128>(const float*, float*, int);
template __global__ void tpp::good::tiled_product<16>(const float*, const float*, float*, int, int,
                                                      int);
template __global__ void tpp::good::scale_short<__nv_bfloat16>(const __nv_bfloat16*, __nv_bfloat16*,
                                                               float, int);
template __global__ void tpp::memory::transpose_tiled<1>(const float*, float*, int);
template __global__ void tpp::bugs::old_warp_code<false>(float*);

// The host's side: a launch through the same helper.
void add_one(const std::vector<float>& x, std::vector<float>& y) {
  tpp::DeviceArray<float> dx(x), dy(y);
  const int n = static_cast<int>(x.size());
  tpp::launch(tpp::memory::add, (n + 127) / 128, 128)(dx.data(), dy.data(), n);
  y = dy.to_host();
}
