// guard: attention_forward_fusedIf has ld.global.v4 st.global.v4
// guard: attention_backward_fusedIf has ld.global.v4 st.global.v4
// guard: attention_forward_tensor has mma.sync ld.global.v4 st.global.v4
// guard: attention_backward_tensor has mma.sync ld.global.v4 st.global.v4
#include "kernels/attention/attention.h"

#include "kernels/attention/v1_unfused_naive.cuh"
#include "kernels/attention/v2_unfused_tiled.cuh"
#include "kernels/attention/v3_head_fused.cuh"
#include "kernels/attention/v4_tensor_cores.cuh"

namespace tpp::twin {
namespace {

using Version = AttentionVersion;

void check(const AttentionShape& shape) {
  require(shape.B >= 1 && shape.T >= 1 && shape.H >= 1 && shape.G >= 1 && shape.K >= 1,
          "attention: every size must be at least 1");
  require(shape.K <= 128, "attention: a head may have 128 features at most");
  require(shape.H % shape.G == 0, "attention: the key heads must divide the query heads");
}

template <Storage T>
Version choose(Version version) {
  constexpr bool kShort = std::is_same_v<T, Bf16>;
  require(kShort || version != Version::v4_tensor_cores,
          "attention: v4_tensor_cores multiplies bfloat16; in float, v3_head_fused is the last");
  if (version != Version::latest) return version;
  return kShort ? Version::v4_tensor_cores : Version::v3_head_fused;
}

/// May rows `ld` apart from `start` be read `count` numbers at a time?
template <class T>
bool together(const T* start, std::size_t ld, int count) {
  return ld % std::size_t(count) == 0 &&
         reinterpret_cast<std::uintptr_t>(start) % (std::size_t(count) * sizeof(T)) == 0;
}

/// One thread a number, for v1.
template <class T>
auto launch_flat(Stream stream, void (*kernel)(AttentionTensors<T>, AttentionShape),
                 const AttentionShape& shape, int heads, int columns) {
  const std::size_t threads = std::size_t(shape.B) * heads * shape.T * columns;
  return launch(kernel, unsigned(ceil_div(threads, std::size_t(256))), 256, 0, cuda_stream(stream));
}

/// One block a tile, for v2.
template <class T>
auto launch_tiles(Stream stream, void (*kernel)(AttentionTensors<T>, AttentionShape),
                  const AttentionShape& shape, int heads, int columns) {
  const dim3 grid(unsigned(shape.B * heads), unsigned(ceil_div(shape.T, kAttentionTile)),
                  unsigned(ceil_div(columns, kAttentionTile)));
  return launch(kernel, grid, kAttentionTile * kAttentionTile, 0, cuda_stream(stream));
}

/// Call f.template operator()<K rounded up>().
template <class F>
void with_head(int K, F&& f) {
  if (K <= 16) return f.template operator()<16>();
  if (K <= 32) return f.template operator()<32>();
  if (K <= 64) return f.template operator()<64>();
  return f.template operator()<128>();
}

template <class... P>
auto launch_fused(void (*kernel)(P...), int blocks, int threads, std::size_t bytes, Stream stream) {
  (void)cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes));
  return launch(kernel, unsigned(blocks), unsigned(threads), bytes, cuda_stream(stream));
}

}  // namespace

template <Storage T>
void attention_forward(Stream stream, const T* q, int ldq, const T* k, int ldk, const T* v, int ldv,
                       const float* bias, T* out, T* probs, const AttentionShape& shape,
                       AttentionVersion version) {
  using N = Native<T>;
  check(shape);
  AttentionTensors<N> x{};
  x.q = native(q), x.k = native(k), x.v = native(v);
  x.ldq = std::size_t(ldq), x.ldk = std::size_t(ldk), x.ldv = std::size_t(ldv);
  x.bias = bias, x.out = native(out), x.probs = native(probs);
  const Version chosen = choose<T>(version);
  const int count = chosen == Version::v4_tensor_cores ? 8 : 4;
  x.vectors = shape.K % count == 0 && together(q, x.ldq, count) && together(k, x.ldk, count) &&
              together(v, x.ldv, count) && together(out, std::size_t(count), count);
  x.prob_vectors = sizeof(T) == 2 && together(probs, std::size_t(shape.T), 8);

  switch (chosen) {
    case Version::v1_unfused_naive:
      launch_flat(stream, attention_logits_naive<N>, shape, shape.H, shape.T)(x, shape);
      launch_flat(stream, attention_softmax_naive<N>, shape, shape.H, 1)(x, shape);
      launch_flat(stream, attention_mix_naive<N>, shape, shape.H, shape.K)(x, shape);
      return;
    case Version::v2_unfused_tiled:
      launch_tiles(stream, attention_logits_tiled<N>, shape, shape.H, shape.T)(x, shape);
      launch_flat(stream, attention_softmax_warp<N>, shape, shape.H, 32)(x, shape);
      launch_tiles(stream, attention_mix_tiled<N>, shape, shape.H, shape.K)(x, shape);
      return;
    case Version::v4_tensor_cores:
      if constexpr (std::is_same_v<T, Bf16>) {
        with_head(shape.K, [&]<int kHead>() {
          using Tiles = TensorTiles<kHead, kHead <= 32 ? 128 : 64>;
          const int blocks = shape.B * shape.H * ceil_div(shape.T, Tiles::kRows);
          launch_fused(attention_forward_tensor<Tiles>, blocks, Tiles::kThreads,
                       Tiles::bytes(false), stream)(x, shape);
        });
      }
      return;
    default:
      with_head(shape.K, [&]<int kHead>() {
        using Tiles = FusedTiles<kHead>;
        const int blocks = shape.B * shape.H * ceil_div(shape.T, Tiles::kRows);
        launch_fused(attention_forward_fused<N, kHead>, blocks, Tiles::kThreads,
                     Tiles::kFloats * sizeof(float), stream)(x, shape);
      });
  }
}

template <Storage T>
void attention_backward(Stream stream, const T* dout, const T* q, int ldq, const T* k, int ldk,
                        const T* v, int ldv, const T* out, const T* probs, T* dq, int lddq, T* dk,
                        int lddk, T* dv, int lddv, float* dbias, Write write, float* work,
                        const AttentionShape& shape, AttentionVersion version) {
  using N = Native<T>;
  check(shape);
  AttentionTensors<N> x{};
  x.q = native(q), x.k = native(k), x.v = native(v);
  x.ldq = std::size_t(ldq), x.ldk = std::size_t(ldk), x.ldv = std::size_t(ldv);
  // The kernels of the backward pass read these two
  x.out = native(const_cast<T*>(out)), x.probs = native(const_cast<T*>(probs));
  x.dout = native(dout), x.dq = native(dq), x.dk = native(dk), x.dv = native(dv);
  x.lddq = std::size_t(lddq), x.lddk = std::size_t(lddk), x.lddv = std::size_t(lddv);
  x.work = work;
  const Version chosen = choose<T>(version);
  const int count = chosen == Version::v4_tensor_cores ? 8 : 4;
  const auto width = std::size_t(count);
  x.vectors = shape.K % count == 0 && together(q, x.ldq, count) && together(k, x.ldk, count) &&
              together(v, x.ldv, count) && together(out, width, count) &&
              together(dout, width, count) && together(dq, x.lddq, count) &&
              together(dk, x.lddk, count) && together(dv, x.lddv, count);
  x.prob_vectors = sizeof(T) == 2 && together(probs, std::size_t(shape.T), 8);
  const auto dbias_from_logits = [&] {
    if (dbias == nullptr) return;
    const dim3 grid(unsigned(ceil_div(2 * shape.T - 1, 128)), unsigned(shape.H));
    launch(attention_dbias_naive, grid, 128, 0, cuda_stream(stream))(work, dbias, write, shape);
  };
  const auto dbias_from_parts = [&](int rows) {
    if (dbias == nullptr) return;
    const dim3 grid(unsigned(ceil_div(2 * shape.T - 1, 32)), unsigned(shape.H));
    launch(attention_dbias_sum, grid, 256, 0, cuda_stream(stream))(work, dbias, write, shape, rows);
  };

  switch (chosen) {
    case Version::v1_unfused_naive:
      launch_flat(stream, attention_dprobs_naive<N>, shape, shape.H, shape.T)(x, shape);
      launch_flat(stream, attention_dlogits_naive<N>, shape, shape.H, 1)(x, shape);
      launch_flat(stream, attention_dq_naive<N>, shape, shape.H, shape.K)(x, shape);
      launch_flat(stream, attention_dkv_naive<N>, shape, shape.G, shape.K)(x, shape);
      dbias_from_logits();
      return;
    case Version::v2_unfused_tiled:
      launch_tiles(stream, attention_dprobs_tiled<N>, shape, shape.H, shape.T)(x, shape);
      launch_flat(stream, attention_dlogits_warp<N>, shape, shape.H, 32)(x, shape);
      launch_tiles(stream, attention_dq_tiled<N>, shape, shape.H, shape.K)(x, shape);
      launch_tiles(stream, attention_dkv_tiled<N>, shape, shape.G, shape.K)(x, shape);
      dbias_from_logits();
      return;
    case Version::v4_tensor_cores:
      if constexpr (std::is_same_v<T, Bf16>) {
        with_head(shape.K, [&]<int kHead>() {
          using Tiles = TensorTiles<kHead, 64>;
          const int tiles = ceil_div(shape.T, Tiles::kRows), keys = shape.B * shape.G * tiles;
          const int blocks = keys + shape.B * shape.H * tiles;
          launch_fused(attention_backward_tensor<Tiles>, blocks, Tiles::kThreads,
                       Tiles::bytes(dbias != nullptr), stream)(x, shape, dbias != nullptr, keys);
          dbias_from_parts(Tiles::kRows);
        });
      }
      return;
    default:
      with_head(shape.K, [&]<int kHead>() {
        using Tiles = FusedTiles<kHead>;
        const int tiles = ceil_div(shape.T, Tiles::kRows), keys = shape.B * shape.G * tiles;
        const int blocks = keys + shape.B * shape.H * tiles;
        launch_fused(attention_backward_fused<N, kHead>, blocks, Tiles::kThreads,
                     Tiles::kFloats * sizeof(float), stream)(x, shape, dbias != nullptr, keys);
        dbias_from_parts(Tiles::kRows);
      });
  }
}

#define TPP_INSTANTIATE(T)                                                                        \
  template void attention_forward<T>(Stream, const T*, int, const T*, int, const T*, int,         \
                                     const float*, T*, T*, const AttentionShape&,                 \
                                     AttentionVersion);                                           \
  template void attention_backward<T>(Stream, const T*, const T*, int, const T*, int, const T*,   \
                                      int, const T*, const T*, T*, int, T*, int, T*, int, float*, \
                                      Write, float*, const AttentionShape&, AttentionVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
