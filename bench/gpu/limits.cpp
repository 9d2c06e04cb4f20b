// What the machine itself can do: the limits that the twins are held against, measured in the same run.
#include <stdexcept>
#include <string>

#include "bench/gpu/bench.h"

#ifdef TPP_HAS_CUBLASLT
#include <cublasLt.h>
#endif

namespace tpp::bench {
namespace {

#ifdef TPP_HAS_CUBLASLT
constexpr std::size_t kSize = 8192;
constexpr std::size_t kWorkspace = 64 << 20;

void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw std::runtime_error(std::string("cuBLASLt: ") + what + " returned " +
                             std::to_string(int(status)));
  }
}

/// Operations a second of C = A·B, 8192³, by the fastest of the algorithms that cuBLASLt proposes.
double product(cudaDataType_t type, cublasComputeType_t compute, const Effort& effort) {
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t description = nullptr;
  cublasLtMatrixLayout_t layout = nullptr;
  cublasLtMatmulPreference_t preference = nullptr;
  check(cublasLtCreate(&handle), "create");
  check(cublasLtMatmulDescCreate(&description, compute, CUDA_R_32F), "description");
  check(cublasLtMatrixLayoutCreate(&layout, type, kSize, kSize, std::int64_t(kSize)), "layout");
  check(cublasLtMatmulPreferenceCreate(&preference), "preference");
  check(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &kWorkspace, sizeof kWorkspace),
        "preference");
  cublasLtMatmulHeuristicResult_t proposals[8];
  int count = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle, description, layout, layout, layout, layout,
                                       preference, 8, proposals, &count),
        "heuristic");

  // A glance at each proposal, then the best again with all effort
  const auto speed_of = [&](const cublasLtMatmulAlgo_t& algorithm, const Effort& spend) {
    const auto prepare = [=](Arena& arena) -> Launch {
      constexpr std::size_t n = kSize * kSize;
      const bool wide = type == CUDA_R_32F;
      const auto input = [&]() -> const void* {
        if (wide) return arena.normal<float>(n);
        return arena.normal<Bf16>(n);
      };
      const void *a = input(), *b = input();
      void* y = arena.empty<float>(wide ? n : n / 2);
      void* workspace = arena.empty<float>(kWorkspace / sizeof(float));
      return [=](twin::Stream stream) {
        const float one = 1, zero = 0;
        check(cublasLtMatmul(handle, description, &one, a, layout, b, layout, &zero, y, layout, y,
                             layout, &algorithm, workspace, kWorkspace,
                             static_cast<cudaStream_t>(stream)),
              "matmul");
      };
    };
    const Case c{.twin = "matmul",
                 .shape = "8192 × 8192 × 8192",
                 .storage = "",
                 .version = "cuBLASLt",
                 .prepare = prepare};
    return 2.0 * kSize * kSize * kSize / (1e-6 * measure(c, spend).microseconds);
  };
  int best = 0;
  double most = 0;
  for (int i = 0; i < count; ++i) {
    const double speed =
        speed_of(proposals[i].algo, {.repetitions = 3, .seconds = 0, .at_most = 0.1});
    if (speed > most) most = speed, best = i;
  }
  if (count > 0) most = speed_of(proposals[best].algo, effort);
  (void)cublasLtMatmulPreferenceDestroy(preference);
  (void)cublasLtMatrixLayoutDestroy(layout);
  (void)cublasLtMatmulDescDestroy(description);
  (void)cublasLtDestroy(handle);
  return most;
}
#endif

}  // namespace

double Limits::of(Limit limit) const {
  switch (limit) {
    case Limit::copy:
      return copy;
    case Limit::float_product:
      return float_product;
    case Limit::tf32_product:
      return tf32_product;
    case Limit::bf16_product:
      return bf16_product;
  }
  return 0;
}

Limits measure_limits(const Effort& effort) {
  Limits limits;
  constexpr std::size_t kBytes = 1 << 30;
  const Case copy{.twin = "copy",
                  .shape = "1 GiB",
                  .storage = "bytes",
                  .version = "cudaMemcpyAsync",
                  .prepare = [](Arena& arena) -> Launch {
                    const float* from = arena.normal<float>(kBytes / sizeof(float));
                    float* to = arena.empty<float>(kBytes / sizeof(float));
                    return [=](twin::Stream stream) { twin::copy(stream, to, from, kBytes); };
                  }};
  limits.copy = 2.0 * double(kBytes) / (1e-6 * measure(copy, effort).microseconds);
#ifdef TPP_HAS_CUBLASLT
  limits.float_product = product(CUDA_R_32F, CUBLAS_COMPUTE_32F, effort);
  limits.tf32_product = product(CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32, effort);
  limits.bf16_product = product(CUDA_R_16BF, CUBLAS_COMPUTE_32F, effort);
#endif
  return limits;
}

}  // namespace tpp::bench
