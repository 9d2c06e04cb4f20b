// Which cross-entropy kernel, with which launch.
#include "kernels/cross_entropy/cross_entropy.h"

#include "kernels/cross_entropy/loss.cuh"
#include "kernels/cross_entropy/v1_separate.cuh"
#include "kernels/cross_entropy/v2_online.cuh"
#include "kernels/cross_entropy/v3_row_on_chip.cuh"

namespace tpp::twin {

namespace {

constexpr int kBlock = 512;  // threads that share a long row

void require_rows(int N, int V) {
  require(N >= 0, "cross_entropy: N must not be negative");
  require(V >= 1, "cross_entropy: a row needs at least one score");
}

void check_launch(cudaError_t error) {
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string("cross_entropy: ") + cudaGetErrorString(error));
  }
}

/// How many blocks that fill an SM run at once.
int blocks_at_once() {
#ifdef __CUDACC__
  int device = 0, count = 0;
  check_launch(cudaGetDevice(&device));
  check_launch(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device));
  return count;
#else
  return 2;  // few, so that a block meets several rows
#endif
}

/// Everything of a launch but the kernel.
template <class T>
struct Fused {
  cudaStream_t stream;
  const float* dloss;
  const T* logits;
  const int* targets;
  float inv_count;
  float *row_loss, *log_sum;
  T* dlogits;
  int N, V;

  template <class Kernel>
  void run(Kernel* kernel, int grid, int block, std::size_t bytes = 0) const {
    launch(kernel, grid, block, bytes, stream)(dloss, logits, targets, inv_count, row_loss, log_sum,
                                               dlogits, N, V);
  }

  // The narrowest holder: 8 or 32 numbers a thread of a warp; 16, 32, 64 or about 100 a thread of a block
  template <int kWidth>
  void run_v3() const {
    if (V <= 32 * 8)
      return run(cross_entropy_fused_warp<T, 8 / kWidth, kWidth>, grid_of(32, N), block_of(32));
    if (V <= 32 * 32)
      return run(cross_entropy_fused_warp<T, 32 / kWidth, kWidth>, grid_of(32, N), block_of(32));
    if constexpr (kWidth > 1) {
      if (V <= 4096) return run_block<128, 0, 32 / kWidth>();
      if (V <= 16384) return run_block<512, 0, 32 / kWidth>();
      if (V <= 32768) return run_block<512, 32 / kWidth, 64 / kWidth>();
      if constexpr (sizeof(T) == 4) {
        if (V <= 51200) return run_block<512, 16, 25>();
      } else {
        if (V <= 49152) return run_block<512, 8, 12>();
        if (V <= 53248) return run_block<512, 12, 13>();
      }
    }
    run(cross_entropy_fused_v2<T, kBlock, kWidth>, N, kBlock);
  }

  template <int kThreads, int kCertain, int kPacks>
  void run_block() const {
    const auto kernel = cross_entropy_fused_block<T, kThreads, kCertain, kPacks>;
    constexpr int kBytes = kThreads * kPacks * 16;
    check_launch(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes));
    const int grid = blocks_at_once() * kBlocksPerSm<kThreads>;
    run(kernel, N < grid ? N : grid, kThreads, kBytes);
  }
};

}  // namespace

template <Storage T>
void cross_entropy_forward(Stream stream_, const T* logits_, const int* targets, float* row_loss,
                           float* log_sum, int N, int V, CrossEntropyVersion version) {
  require_rows(N, V);
  if (N == 0) return;
  using S = Native<T>;
  const cudaStream_t stream = cuda_stream(stream_);
  const S* logits = native(logits_);
  const auto run = [&](auto kernel, int grid, int block) {
    launch(kernel, grid, block, 0, stream)(logits, targets, row_loss, log_sum, N, V);
  };
  switch (version) {
    case CrossEntropyVersion::v1_separate:
      return run(cross_entropy_forward_v1<S>, grid_of(32, N), block_of(32));
    case CrossEntropyVersion::v2_online:
      return run(cross_entropy_forward_v2<S, kBlock, 1>, N, kBlock);
    case CrossEntropyVersion::latest:
    case CrossEntropyVersion::v3_row_on_chip:
      if (packs<S>(V, {logits})) {
        if (V <= 1024)
          return run(cross_entropy_forward_v2<S, 32, kPack<S>>, grid_of(32, N), block_of(32));
        return run(cross_entropy_forward_v2<S, kBlock, kPack<S>>, N, kBlock);
      }
      if (V <= 1024) return run(cross_entropy_forward_v2<S, 32, 1>, grid_of(32, N), block_of(32));
      return run(cross_entropy_forward_v2<S, kBlock, 1>, N, kBlock);
  }
}

template <Storage T>
void cross_entropy_backward(Stream stream_, const float* dloss, const T* logits_,
                            const int* targets, float inv_count, const float* log_sum, T* dlogits_,
                            int N, int V, CrossEntropyVersion version) {
  require_rows(N, V);
  if (N == 0) return;
  using S = Native<T>;
  const cudaStream_t stream = cuda_stream(stream_);
  const S* logits = native(logits_);
  S* dlogits = native(dlogits_);
  const bool vectors =
      (version == CrossEntropyVersion::latest || version == CrossEntropyVersion::v3_row_on_chip) &&
      packs<S>(V, {logits, dlogits});
  const auto run = [&](auto kernel, int block) {
    launch(kernel, N, block, 0, stream)(dloss, logits, targets, inv_count, log_sum, dlogits, V);
  };
  const int block = V <= 1024 ? 64 : 256;
  if (vectors) {
    run(cross_entropy_backward_v1<S, kPack<S>>, block);
  } else {
    run(cross_entropy_backward_v1<S, 1>, block);
  }
}

template <Storage T>
void cross_entropy_fused(Stream stream_, const float* dloss, const T* logits_, const int* targets,
                         float inv_count, float* row_loss, float* log_sum, T* dlogits_, int N,
                         int V, CrossEntropyVersion version) {
  require_rows(N, V);
  if (N == 0) return;
  using S = Native<T>;
  const Fused<S> fused{cuda_stream(stream_),
                       dloss,
                       native(logits_),
                       targets,
                       inv_count,
                       row_loss,
                       log_sum,
                       native(dlogits_),
                       N,
                       V};
  switch (version) {
    case CrossEntropyVersion::v1_separate:
      cross_entropy_forward(stream_, logits_, targets, row_loss, log_sum, N, V, version);
      return cross_entropy_backward(stream_, dloss, logits_, targets, inv_count, log_sum, dlogits_,
                                    N, V, version);
    case CrossEntropyVersion::v2_online:
      return fused.run(cross_entropy_fused_v2<S, kBlock, 1>, N, kBlock);
    case CrossEntropyVersion::latest:
    case CrossEntropyVersion::v3_row_on_chip:
      if (packs<S>(V, {fused.logits, fused.dlogits})) return fused.template run_v3<kPack<S>>();
      return fused.template run_v3<1>();
  }
}

void cross_entropy_loss(Stream stream, const float* row_loss, float inv_count, float* loss, int N) {
  require(N >= 0, "cross_entropy: N must not be negative");
  constexpr int kThreads = 1024;
  launch(cross_entropy_loss_kernel<kThreads>, 1, kThreads, 0, cuda_stream(stream))(
      row_loss, inv_count, loss, N);
}

template <Storage T>
void cross_entropy_scale(Stream stream, const float* dloss, T* dlogits, int N, int V) {
  require_rows(N, V);
  if (N == 0) return;
  using S = Native<T>;
  const int block = V <= 1024 ? 64 : 256;
  if (packs<S>(V, {native(dlogits)})) {
    launch(cross_entropy_scale_kernel<S, kPack<S>>, N, block, 0, cuda_stream(stream))(
        dloss, native(dlogits), V);
  } else {
    launch(cross_entropy_scale_kernel<S, 1>, N, block, 0, cuda_stream(stream))(dloss,
                                                                               native(dlogits), V);
  }
}

#define TPP_INSTANTIATE(T)                                                                        \
  template void cross_entropy_forward<T>(Stream, const T*, const int*, float*, float*, int, int,  \
                                         CrossEntropyVersion);                                    \
  template void cross_entropy_backward<T>(Stream, const float*, const T*, const int*, float,      \
                                          const float*, T*, int, int, CrossEntropyVersion);       \
  template void cross_entropy_fused<T>(Stream, const float*, const T*, const int*, float, float*, \
                                       float*, T*, int, int, CrossEntropyVersion);                \
  template void cross_entropy_scale<T>(Stream, const float*, T*, int, int);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
