// Which tile sizes of the matmul ladder's last rungs a GPU likes best. A program of its own, not part of the build:
//
//   nvcc -O3 -std=c++20 -arch=native --expt-relaxed-constexpr --split-compile=0 -I. bench/gpu/matmul_sweep.cu -lcublas -o matmul_sweep && ./matmul_sweep
//
// Every row is checked against cuBLAS's product, then timed: the median of several launches, in TFLOP/s and as a share of
// cuBLAS in the same run.
#include <cublas_v2.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/matmul/v4_vectorised.cuh"
#include "kernels/matmul/v5_double_buffered.cuh"
#include "kernels/matmul/v6_tensor_cores.cuh"

using namespace tpp;
using namespace tpp::twin;

namespace {

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "matmul_sweep: %s: %s\n", what, cudaGetErrorString(cudaGetLastError()));
  std::exit(1);
}

// Sums of twelve uniform numbers are nearly normal; zeros or ones would draw less power and lie.
template <class T>
__global__ void fill(T* x, std::size_t n, unsigned seed) {
  for (std::size_t i = blockIdx.x * std::size_t(blockDim.x) + threadIdx.x; i < n;
       i += std::size_t(gridDim.x) * blockDim.x) {
    unsigned h = unsigned(i) * 2654435761u + seed;
    float sum = -6;
    for (int k = 0; k < 12; ++k) {
      h ^= h >> 16, h *= 0x7feb352du, h ^= h >> 15, h *= 0x846ca68bu, h ^= h >> 16;
      sum += float(h) * 0x1p-32f;
    }
    x[i] = from_float<T>(sum);
  }
}

template <class T>
__global__ void compare(const T* x, const T* y, std::size_t n, float* worst) {
  float mine = 0;
  for (std::size_t i = blockIdx.x * std::size_t(blockDim.x) + threadIdx.x; i < n;
       i += std::size_t(gridDim.x) * blockDim.x) {
    const float difference = fabsf(to_float(x[i]) - to_float(y[i]));
    mine = difference <= mine ? mine : difference;  // NaN stays
  }
  if (!(mine <= 0)) {
    atomicMax(reinterpret_cast<int*>(worst), mine == mine ? __float_as_int(mine) : 0x7f800000);
  }
}

// Median seconds
template <class F>
double time_of(F&& launch_once) {
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin) == cudaSuccess && cudaEventCreate(&end) == cudaSuccess, "events");
  launch_once();
  std::vector<float> times;
  float total = 0;
  while (times.size() < 5 || (total < 150 && times.size() < 200)) {
    float milliseconds = 0;
    (void)cudaEventRecord(begin);
    launch_once();
    (void)cudaEventRecord(end);
    check(cudaEventSynchronize(end) == cudaSuccess, "a launch");
    (void)cudaEventElapsedTime(&milliseconds, begin, end);
    times.push_back(milliseconds), total += milliseconds;
  }
  (void)cudaEventDestroy(begin), (void)cudaEventDestroy(end);
  std::sort(times.begin(), times.end());
  return 1e-3 * double(times[times.size() / 2]);
}

template <class T>
struct Problem {
  int n;
  T *a, *b, *c, *want;
  float* worst;
  double cublas = 0;  // operations a second
  double best = 0;
  char best_name[96] = "";

  Problem(cublasHandle_t blas, int size) : n(size) {
    const std::size_t count = std::size_t(n) * std::size_t(n);
    for (T** p : {&a, &b, &c, &want}) {
      check(cudaMalloc(p, count * sizeof(T)) == cudaSuccess, "memory");
    }
    check(cudaMalloc(&worst, sizeof(float)) == cudaSuccess, "memory");
    fill<<<2048, 256>>>(a, count, 1), fill<<<2048, 256>>>(b, count, 2);
    constexpr bool kFloat = std::is_same_v<T, float>;
    const cudaDataType_t type = kFloat ? CUDA_R_32F : CUDA_R_16BF;
    const float one = 1, zero = 0;
    cublas = 2e0 * n * double(n) * n / time_of([&] {
               check(cublasGemmEx(blas, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one, b, type, n, a,
                                  type, n, &zero, want, type, n, CUBLAS_COMPUTE_32F,
                                  CUBLAS_GEMM_DEFAULT) == CUBLAS_STATUS_SUCCESS,
                     "cuBLAS");
             });
    std::printf("\n%s, %d³: cuBLAS %.1f TFLOP/s\n", kFloat ? "float32" : "bfloat16", n,
                1e-12 * cublas);
  }
  ~Problem() {
    if (best > 0) std::printf("best: %s, %.3f of cuBLAS\n", best_name, best / cublas);
    for (void* p : {static_cast<void*>(a), static_cast<void*>(b), static_cast<void*>(c),
                    static_cast<void*>(want), static_cast<void*>(worst)}) {
      (void)cudaFree(p);
    }
  }

  template <class... P>
  void row(const char* name, void (*kernel)(P...), int tile_m, int tile_n, int threads, int bytes,
           std::type_identity_t<P>... arguments) {
    cudaFuncAttributes about{};
    if (cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes) !=
            cudaSuccess ||
        cudaFuncGetAttributes(&about, reinterpret_cast<const void*>(kernel)) != cudaSuccess) {
      (void)cudaGetLastError();
      std::printf("  %-44s does not fit this device\n", name);
      return;
    }
    int blocks = 0;
    (void)cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads,
                                                        std::size_t(bytes));
    const std::size_t count = std::size_t(n) * std::size_t(n);
    check(cudaMemset(c, 0xff, count * sizeof(T)) == cudaSuccess, "memset");
    const unsigned grid = unsigned(ceil_div(n, tile_m)) * unsigned(ceil_div(n, tile_n));
    const double seconds =
        time_of([&] { launch(kernel, grid, unsigned(threads), std::size_t(bytes))(arguments...); });
    check(cudaMemset(worst, 0, sizeof(float)) == cudaSuccess, "memset");
    compare<<<2048, 256>>>(c, want, count, worst);
    float difference = 0;
    check(cudaMemcpy(&difference, worst, sizeof(float), cudaMemcpyDeviceToHost) == cudaSuccess,
          name);
    // Numbers are of size √n; a stored bfloat16 of 6√n may be off by a rounding
    const double allowed = std::sqrt(double(n)) * (std::is_same_v<T, float> ? 1e-4 : 0.05);
    const double speed = 2e0 * n * double(n) * n / seconds;
    const bool right = difference <= allowed;
    std::printf(
        "  %-44s %4d registers %4zu B spilled %3d KB shared %d blocks  %7.1f TFLOP/s  %.3f%s\n",
        name, about.numRegs, about.localSizeBytes, bytes / 1024, blocks, 1e-12 * speed,
        speed / cublas, right ? "" : "  WRONG");
    std::fflush(stdout);
    if (right && speed > best) best = speed, std::snprintf(best_name, sizeof best_name, "%s", name);
  }
};

#define TPP_V5(...)                                                                              \
  floats.row("v5 <" #__VA_ARGS__ ">",                                                            \
             &matmul_v5_double_buffered<Form::nn, V5Tiles<__VA_ARGS__>, true>,                   \
             V5Tiles<__VA_ARGS__>::kM, V5Tiles<__VA_ARGS__>::kN, V5Tiles<__VA_ARGS__>::kThreads, \
             V5Tiles<__VA_ARGS__>::kBytes, {floats.a, floats.b, floats.c, n, n, n, false}, true)
#define TPP_V6(...)                                                                              \
  shorts.row("v6 <" #__VA_ARGS__ ">",                                                            \
             &matmul_v6_tensor_cores<Form::nn, V6Tiles<__VA_ARGS__>, __nv_bfloat16>,             \
             V6Tiles<__VA_ARGS__>::kM, V6Tiles<__VA_ARGS__>::kN, V6Tiles<__VA_ARGS__>::kThreads, \
             V6Tiles<__VA_ARGS__>::kBytes, {shorts.a, shorts.b, shorts.c, n, n, n, false}, true)

}  // namespace

int main() {
  cudaDeviceProp device{};
  check(cudaGetDeviceProperties(&device, 0) == cudaSuccess, "device");
  std::printf("%s. Tiles: M, N, K, warps down, warps across, stages, blocks a multiprocessor, …\n",
              device.name);
  cublasHandle_t blas = nullptr;
  check(cublasCreate(&blas) == CUBLAS_STATUS_SUCCESS, "cuBLAS");
  for (const int n : {8192, 4096}) {
    {
      Problem<__nv_bfloat16> shorts(blas, n);
      TPP_V6(128, 256, 64, 2, 4, 4, 1);
      TPP_V6(128, 256, 64, 2, 4, 3, 1);
      TPP_V6(256, 128, 64, 4, 2, 4, 1);
      TPP_V6(256, 128, 64, 4, 2, 3, 1);
      TPP_V6(128, 256, 32, 2, 4, 4, 1);
      TPP_V6(128, 256, 32, 2, 4, 6, 1);
      TPP_V6(256, 128, 32, 4, 2, 5, 1);
      TPP_V6(128, 128, 64, 2, 2, 3, 2);
      TPP_V6(128, 128, 32, 2, 2, 4, 2);
      TPP_V6(128, 128, 32, 4, 2, 4, 1);
      TPP_V6(128, 128, 32, 4, 2, 4, 2);
      TPP_V6(128, 256, 64, 2, 4, 4, 1, true, 4);
      TPP_V6(128, 256, 64, 2, 4, 4, 1, true, 16);
      TPP_V6(256, 128, 64, 4, 2, 4, 1, true, 4);
    }
    {
      Problem<float> floats(blas, n);
      floats.row("v4", &matmul_v4_vectorised<Form::nn>, kV4Tile, kV4Tile, kV4Threads, 0,
                 {floats.a, floats.b, floats.c, n, n, n, false}, true, true);
      TPP_V5(128, 128, 16, 4, 2, 3, 2);
      TPP_V5(128, 128, 16, 4, 2, 2, 2);
      TPP_V5(128, 128, 16, 4, 2, 4, 2);
      TPP_V5(128, 128, 8, 4, 2, 4, 2);
      TPP_V5(128, 128, 32, 4, 2, 2, 2);
      TPP_V5(128, 128, 32, 4, 2, 3, 2);
      TPP_V5(128, 128, 16, 2, 4, 3, 2);
      TPP_V5(128, 256, 16, 2, 4, 3, 1);
      TPP_V5(256, 128, 16, 4, 2, 3, 1);
      TPP_V5(128, 256, 8, 2, 4, 4, 1);
      TPP_V5(128, 256, 32, 2, 4, 2, 1);
      TPP_V5(128, 256, 16, 2, 4, 3, 1, 4);
      TPP_V5(128, 128, 16, 4, 2, 3, 2, 16);
    }
  }
  (void)cublasDestroy(blas);
}
