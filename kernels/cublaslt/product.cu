#include "kernels/cublaslt/product.h"

#include "kernels/cublaslt/by_tiles.cuh"

#ifdef TPP_HAS_CUBLASLT
#include <cublasLt.h>

#include <array>
#include <map>
#include <mutex>
#endif

namespace tpp::twin {

template <Storage T, Storage Out>
void product_by_tiles(Stream stream, ProductShape shape, const T* a, int lda, const T* b, int ldb,
                      Out* c, int ldc, Write write) {
  check_product(shape, lda, ldb, ldc);
  if (shape.M == 0 || shape.N == 0) return;
  constexpr int kTile = 16;
  const dim3 grid(unsigned(ceil_div(shape.N, kTile)), unsigned(ceil_div(shape.M, kTile)));
  require(grid.y <= 65535, "product_by_tiles: at most a million rows");
  launch(product_tiles<kTile, Native<T>, Native<Out>>, grid, dim3(kTile, kTile), 0,
         cuda_stream(stream))(shape, native(a), lda, native(b), ldb, native(c), ldc,
                              write == Write::add);
}

#define TPP_INSTANTIATE(T, Out)                                                                    \
  template void product_by_tiles<T, Out>(Stream, ProductShape, const T*, int, const T*, int, Out*, \
                                         int, Write);
TPP_INSTANTIATE(float, float)
TPP_INSTANTIATE(Bf16, Bf16)
TPP_INSTANTIATE(Bf16, float)
#undef TPP_INSTANTIATE

#if defined(__CUDACC__) && defined(TPP_HAS_CUBLASLT)

namespace {

constexpr std::size_t kWorkspace = std::size_t(32) << 20;
constexpr int kSuggestions = 8;

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string("cuBLASLt, ") + what + ": " +
                           cublasLtGetStatusString(status));
}
void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string("product, ") + what + ": " + cudaGetErrorString(error));
}

// What a choice of algorithm depends on: the shape, strides, types, and how the addresses are aligned
using Key = std::array<int, 14>;

// A product that the library has prepared. Descriptors are memory of the host, and stay.
struct Plan {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t left = nullptr, right = nullptr, out = nullptr;
  cublasLtMatmulAlgo_t algorithm = {};
  bool by_tiles = false;  // the library has nothing for this
  bool tuned = false;
};

void forget(Plan& plan) {
  if (plan.operation != nullptr) (void)cublasLtMatmulDescDestroy(plan.operation);
  for (const cublasLtMatrixLayout_t layout : {plan.left, plan.right, plan.out}) {
    if (layout != nullptr) (void)cublasLtMatrixLayoutDestroy(layout);
  }
  plan = {};
}

struct Library {
  std::mutex mutex;
  cublasLtHandle_t handle = nullptr;
  std::map<Stream, void*> workspaces;
  std::map<Key, Plan> plans;
  bool tune = false;
};

// Never destroyed: CUDA may be gone when the program's statics are
Library& library() {
  static auto* all = new Library;
  return *all;
}

bool is_capturing(Stream stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(cuda_stream(stream), &status), "asking for a capture");
  return status != cudaStreamCaptureStatusNone;
}

// The library's handle and this stream's workspace; the lock is held
void* workspace_of(Library& lib, Stream stream) {
  const auto found = lib.workspaces.find(stream);
  if (found != lib.workspaces.end()) return found->second;
  if (is_capturing(stream)) {
    throw std::logic_error(
        "product: call prepare_products(stream) before the stream captures; a "
        "workspace cannot be allocated now");
  }
  if (lib.handle == nullptr) check(cublasLtCreate(&lib.handle), "creating a handle");
  void* memory = nullptr;
  check(cudaMalloc(&memory, kWorkspace), "allocating 32 MB of workspace");
  return lib.workspaces[stream] = memory;
}

template <class T>
constexpr cudaDataType_t kType = std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_16BF;

// The largest power of two up to 256 that divides an address
int alignment_of(const void* p) {
  const auto address = reinterpret_cast<std::uintptr_t>(p);
  int alignment = 256;
  while (address % std::uintptr_t(alignment) != 0) alignment /= 2;
  return alignment;
}

void run(const Library& lib, const Plan& plan, const cublasLtMatmulAlgo_t& algorithm, Stream stream,
         const void* left, const void* right, void* out, bool add, void* workspace) {
  const float alpha = 1, beta = add ? 1.0f : 0.0f;
  check(cublasLtMatmul(lib.handle, plan.operation, &alpha, left, plan.left, right, plan.right,
                       &beta, out, plan.out, out, plan.out, &algorithm, workspace, kWorkspace,
                       cuda_stream(stream)),
        "a product");
}

// The fastest of `count` suggestions, the output going to memory of its own
int fastest(const Library& lib, const Plan& plan,
            const cublasLtMatmulHeuristicResult_t* suggestions, int count, Stream stream,
            const void* left, const void* right, std::size_t out_bytes, bool add, void* workspace) {
  constexpr int kRuns = 10;
  void* out = nullptr;
  cudaEvent_t start = nullptr, stop = nullptr;
  check(cudaMalloc(&out, out_bytes), "tuning");
  check(cudaMemsetAsync(out, 0, out_bytes, cuda_stream(stream)), "tuning");
  check(cudaEventCreate(&start), "tuning");
  check(cudaEventCreate(&stop), "tuning");
  int best = 0;
  float best_time = 0;
  for (int i = 0; i < count; ++i) {
    if (suggestions[i].state != CUBLAS_STATUS_SUCCESS) continue;
    for (int r = 0; r < kRuns + 2; ++r) {
      if (r == 2) check(cudaEventRecord(start, cuda_stream(stream)), "tuning");
      run(lib, plan, suggestions[i].algo, stream, left, right, out, add, workspace);
    }
    check(cudaEventRecord(stop, cuda_stream(stream)), "tuning");
    check(cudaEventSynchronize(stop), "tuning");
    float time = 0;
    check(cudaEventElapsedTime(&time, start, stop), "tuning");
    if (i == 0 || time < best_time) best = i, best_time = time;
  }
  (void)cudaEventDestroy(start);
  (void)cudaEventDestroy(stop);
  (void)cudaFree(out);
  return best;
}

// Ask the library for ways to do it, and choose.
//
// It thinks in columns: what is (M, N) in rows is (N, M) in columns. So it computes cᵀ = op(b)ᵀ·op(a)ᵀ, and since b in
// rows is bᵀ in columns, "left" is b and "right" is a, transposed where the caller says so.
template <class T, class Out>
Plan make_plan(const Library& lib, Stream stream, const ProductShape& s, const T* a, int lda,
               const T* b, int ldb, Out* c, int ldc, bool add, bool tf32, void* workspace) {
  Plan plan;
  const cublasComputeType_t compute =
      std::is_same_v<T, float> && tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  check(cublasLtMatmulDescCreate(&plan.operation, compute, CUDA_R_32F), "describing");
  const cublasOperation_t op_left = s.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t op_right = s.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  check(cublasLtMatmulDescSetAttribute(plan.operation, CUBLASLT_MATMUL_DESC_TRANSA, &op_left,
                                       sizeof op_left),
        "describing");
  check(cublasLtMatmulDescSetAttribute(plan.operation, CUBLASLT_MATMUL_DESC_TRANSB, &op_right,
                                       sizeof op_right),
        "describing");
  const auto layout = [](cublasLtMatrixLayout_t* to, cudaDataType_t type, int rows, int columns,
                         int stride) {
    check(cublasLtMatrixLayoutCreate(to, type, std::uint64_t(rows), std::uint64_t(columns), stride),
          "describing");
  };
  layout(&plan.left, kType<T>, s.transpose_b ? s.K : s.N, s.transpose_b ? s.N : s.K, ldb);
  layout(&plan.right, kType<T>, s.transpose_a ? s.M : s.K, s.transpose_a ? s.K : s.M, lda);
  layout(&plan.out, kType<Out>, s.N, s.M, ldc);

  // What it may use and rely on. Parts of a sum meet as floats, never as rounded bfloat16
  cublasLtMatmulPreference_t wish = nullptr;
  check(cublasLtMatmulPreferenceCreate(&wish), "describing");
  const auto want = [&](cublasLtMatmulPreferenceAttributes_t which, auto value) {
    check(cublasLtMatmulPreferenceSetAttribute(wish, which, &value, sizeof value), "describing");
  };
  want(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t(kWorkspace));
  want(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, std::uint32_t(alignment_of(b)));
  want(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, std::uint32_t(alignment_of(a)));
  want(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, std::uint32_t(alignment_of(c)));
  want(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, std::uint32_t(alignment_of(c)));
  want(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
       std::uint32_t(std::is_same_v<Out, float> ? CUBLASLT_REDUCTION_SCHEME_MASK
                                                : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));

  std::array<cublasLtMatmulHeuristicResult_t, kSuggestions> suggestions = {};
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(lib.handle, plan.operation, plan.left, plan.right, plan.out,
                                     plan.out, wish, kSuggestions, suggestions.data(), &count);
  (void)cublasLtMatmulPreferenceDestroy(wish);
  if (status != CUBLAS_STATUS_SUCCESS || count == 0) {
    forget(plan);
    plan.by_tiles = plan.tuned = true;
    return plan;
  }
  int choice = 0;
  plan.tuned = lib.tune && !is_capturing(stream);
  if (plan.tuned && count > 1) {
    const std::size_t out_bytes = std::size_t(s.M) * std::size_t(ldc) * sizeof(Out);
    choice = fastest(lib, plan, suggestions.data(), count, stream, b, a, out_bytes, add, workspace);
  }
  plan.algorithm = suggestions[std::size_t(choice)].algo;
  return plan;
}

}  // namespace

template <Storage T, Storage Out>
void product(Stream stream, ProductShape shape, const T* a, int lda, const T* b, int ldb, Out* c,
             int ldc, Write write, bool tf32) {
  check_product(shape, lda, ldb, ldc);
  if (shape.M == 0 || shape.N == 0) return;
  const bool add = write == Write::add;
  Library& lib = library();
  std::unique_lock lock(lib.mutex);
  void* workspace = workspace_of(lib, stream);
  const Key key = {shape.transpose_a,
                   shape.transpose_b,
                   shape.M,
                   shape.N,
                   shape.K,
                   lda,
                   ldb,
                   ldc,
                   alignment_of(a),
                   alignment_of(b),
                   alignment_of(c),
                   kType<T>,
                   kType<Out>,
                   2 * int(add) + int(tf32)};
  Plan& plan = lib.plans[key];
  const bool is_new = plan.operation == nullptr && !plan.by_tiles;
  if (shape.K == 0) {
    plan.by_tiles = true;
  } else if (is_new || (lib.tune && !plan.tuned && !is_capturing(stream))) {
    forget(plan);
    plan = make_plan(lib, stream, shape, a, lda, b, ldb, c, ldc, add, tf32, workspace);
  }
  if (plan.by_tiles) {
    lock.unlock();
    product_by_tiles(stream, shape, a, lda, b, ldb, c, ldc, write);
    return;
  }
  run(lib, plan, plan.algorithm, stream, b, a, c, add, workspace);
}

void prepare_products(Stream stream) {
  const std::lock_guard lock(library().mutex);
  (void)workspace_of(library(), stream);
}

void release_products(Stream stream) noexcept {
  const std::lock_guard lock(library().mutex);
  const auto found = library().workspaces.find(stream);
  if (found == library().workspaces.end()) return;
  (void)cudaFree(found->second);
  library().workspaces.erase(found);
}

void tune_products(bool tune) {
  const std::lock_guard lock(library().mutex);
  library().tune = tune;
}

#elif defined(__CUDACC__)

// No cuBLASLt where this was compiled
template <Storage T, Storage Out>
void product(Stream stream, ProductShape shape, const T* a, int lda, const T* b, int ldb, Out* c,
             int ldc, Write write, bool /*tf32*/) {
  product_by_tiles(stream, shape, a, lda, b, ldb, c, ldc, write);
}
void prepare_products(Stream) {}
void release_products(Stream) noexcept {}
void tune_products(bool) {}

#endif

#ifdef __CUDACC__
#define TPP_INSTANTIATE(T, Out)                                                                \
  template void product<T, Out>(Stream, ProductShape, const T*, int, const T*, int, Out*, int, \
                                Write, bool);
TPP_INSTANTIATE(float, float)
TPP_INSTANTIATE(Bf16, Bf16)
TPP_INSTANTIATE(Bf16, float)
#undef TPP_INSTANTIATE
#endif

}  // namespace tpp::twin
