// Which embedding kernel, with which launch.
#include "kernels/embedding/embedding.h"

#include "kernels/common/runtime.h"
#include "kernels/embedding/v1_thread_per_column.cuh"
#include "kernels/embedding/v2_shared_scan.cuh"
#include "kernels/embedding/v3_slots.cuh"

namespace tpp::twin {

namespace {

constexpr int kScan = 256;  // threads of a scanning block
constexpr int kSmallTable =
    2048;  // up to here, each row's scan is cheaper than three more launches

void require_sizes(int N, int V, int D) {
  require(N >= 0, "embedding: N must not be negative");
  require(V >= 1 && D >= 1, "embedding: the table needs at least one row and one column");
}

template <class T, int kWidth>
void backward(Stream stream_, const T* dy, const int* tokens, float* dtable, float* work, int N,
              int V, int D, Write write, EmbeddingVersion version) {
  const cudaStream_t stream = cuda_stream(stream_);
  const auto slices = unsigned(ceil_div(D, kScanColumns<kWidth>));
  const auto scan = embedding_backward_v2<T, kScan, kWidth>;
  if (version == EmbeddingVersion::v2_shared_scan) {
    launch(scan, dim3(unsigned(V), slices), kScan, 0, stream)(dy, tokens, nullptr, nullptr, dtable,
                                                              N, V, D, write);
    return;
  }
  const EmbeddingWork places = embedding_work(work, N, V);
  fill_zero(stream_, places.counts, (std::size_t(V) + 1) * sizeof(int));
  if (N > 0)
    launch(embedding_note_places<256>, ceil_div(N, 256), 256, 0, stream)(tokens, places, N);
  launch(embedding_sum_rare<T, kWidth>, ceil_div(V, 8), 256, 0, stream)(dy, places, dtable, V, D,
                                                                        write);
  const int most = N / (kEmbeddingSlots + 1);  // tokens can be frequent
  if (most > 0) {
    launch(scan, dim3(unsigned(most < 256 ? most : 256), slices), kScan, 0, stream)(
        dy, tokens, places.frequent, places.frequent_count, dtable, N, V, D, write);
  }
}

}  // namespace

template <Storage T>
void embedding_forward(Stream stream_, const T* table_, const int* tokens, T* y_, int N, int V,
                       int D, EmbeddingVersion version) {
  require_sizes(N, V, D);
  if (N == 0) return;
  using S = Native<T>;
  const cudaStream_t stream = cuda_stream(stream_);
  const S* table = native(table_);
  S* y = native(y_);
  if (version == EmbeddingVersion::v1_thread_per_column) {
    launch(embedding_forward_v1<S>, N, 128, 0, stream)(table, tokens, y, D);
  } else if (packs<S>(D, {table, y})) {
    launch(embedding_forward_v2<S, kPack<S>>, ceil_div(N, 4), 128, 0, stream)(table, tokens, y, N,
                                                                              D);
  } else {
    launch(embedding_forward_v2<S, 1>, ceil_div(N, 4), 128, 0, stream)(table, tokens, y, N, D);
  }
}

template <Storage T>
void embedding_backward(Stream stream, const T* dy_, const int* tokens, float* dtable, float* work,
                        int N, int V, int D, Write write, EmbeddingVersion version) {
  require_sizes(N, V, D);
  using S = Native<T>;
  const S* dy = native(dy_);
  if (version == EmbeddingVersion::latest) {
    version = V <= kSmallTable ? EmbeddingVersion::v2_shared_scan : EmbeddingVersion::v3_slots;
  }
  if (version == EmbeddingVersion::v1_thread_per_column) {
    launch(embedding_backward_v1<S>, V, 128, 0, cuda_stream(stream))(dy, tokens, dtable, N, D,
                                                                     write);
  } else if (packs<S>(D, {dy}) && packs<float>(D, {dtable})) {
    backward<S, kPack<S>>(stream, dy, tokens, dtable, work, N, V, D, write, version);
  } else {
    backward<S, 1>(stream, dy, tokens, dtable, work, N, V, D, write, version);
  }
}

#define TPP_INSTANTIATE(T)                                                                         \
  template void embedding_forward<T>(Stream, const T*, const int*, T*, int, int, int,              \
                                     EmbeddingVersion);                                            \
  template void embedding_backward<T>(Stream, const T*, const int*, float*, float*, int, int, int, \
                                      Write, EmbeddingVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
