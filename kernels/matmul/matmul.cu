// guard: matmul_v4_vectorised has ld.global.v4 ld.shared.v4 st.global.v4
// guard: matmul_v5_double_buffered has cp.async.cg cp.async.ca ld.shared.v4 st.global.v4
// guard: matmul_v6_tensor_cores has cp.async.cg ldmatrix mma.sync
#include "kernels/matmul/matmul.h"

#include "kernels/matmul/v1_naive.cuh"
#include "kernels/matmul/v2_tiled.cuh"
#include "kernels/matmul/v3_register_blocked.cuh"
#include "kernels/matmul/v4_vectorised.cuh"
#include "kernels/matmul/v5_double_buffered.cuh"
#include "kernels/matmul/v6_tensor_cores.cuh"

namespace tpp::twin {
namespace {

// The sizes that an H100 likes best: bench/gpu/matmul_sweep.cu tells
using LargeFloatTiles = V5Tiles<128, 256, 16, 2, 4, 3, 1>;
using SmallFloatTiles = V5Tiles<128, 128, 16, 4, 2, 3, 2>;
using RaggedFloatTiles = V5Tiles<128, 128, 8, 4, 2, 4, 1>;  // where copies go float by float
using LargeTiles = V6Tiles<256, 128, 64, 4, 2, 4, 1>;  // 192 KB of shared memory: H100 and its like
using SmallTiles = V6Tiles<128, 128, 32, 4, 2, 4, 1>;
using RaggedTiles = V6Tiles<64, 64, 32, 2, 2, 2, 1, false>;
constexpr std::size_t kFillsDevice = 96;  // blocks of large tiles that are worth a launch

unsigned blocks_of(int M, int N, int tile_m, int tile_n) {
  const std::size_t blocks = std::size_t(ceil_div(M, tile_m)) * std::size_t(ceil_div(N, tile_n));
  require(blocks <= 0x7fffffff,
          "matmul: C has more tiles than a launch has blocks; do it in parts");
  return unsigned(blocks);
}

// Do rows of `length` numbers that start at p all start at a multiple of `bytes`?
template <class T>
bool rows_start_at(const T* p, int length, std::size_t bytes) {
  return reinterpret_cast<std::uintptr_t>(p) % bytes == 0 &&
         std::size_t(length) * sizeof(T) % bytes == 0;
}

// May this kernel have so much shared memory? A device may say no.
template <class... P>
bool has_shared_memory(void (*kernel)(P...), int bytes) {
  if (bytes <= 48 * 1024) return true;
  if (cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes) ==
      cudaSuccess) {
    return true;
  }
  (void)cudaGetLastError();
  return false;
}

template <Form form, bool kCoalesced, class T, class Out>
void run_v1(cudaStream_t stream, const Product<T, Out>& p) {
  const int fast = kCoalesced ? p.N : p.M, slow = kCoalesced ? p.M : p.N;
  launch(matmul_v1_naive<form, kCoalesced, T, Out>, blocks_of(slow, fast, kV1Slow, kV1Fast),
         dim3(kV1Fast, kV1Slow), 0, stream)(p);
}

template <Form form, class T, class Out>
void run_v2(cudaStream_t stream, const Product<T, Out>& p) {
  launch(matmul_v2_tiled<form, T, Out>, blocks_of(p.M, p.N, kV2Tile, kV2Tile),
         dim3(kV2Tile, kV2Tile), 0, stream)(p);
}

template <Form form, class T, class Out>
void run_v3(cudaStream_t stream, const Product<T, Out>& p) {
  launch(matmul_v3_register_blocked<form, T, Out>, blocks_of(p.M, p.N, kV3Tile, kV3Tile),
         kV3Threads, 0, stream)(p);
}

// Do the rows of A and B start at multiples of 16 bytes?
template <Form form, class T, class Out>
bool inputs_fit(const Product<T, Out>& p) {
  return rows_start_at(p.a, kARunsAlongK<form> ? p.K : p.M, 16) &&
         rows_start_at(p.b, kBRunsAlongK<form> ? p.K : p.N, 16);
}

template <Form form>
void run_v4(cudaStream_t stream, const Product<float, float>& p) {
  launch(matmul_v4_vectorised<form>, blocks_of(p.M, p.N, kV4Tile, kV4Tile), kV4Threads, 0, stream)(
      p, inputs_fit<form>(p), rows_start_at(p.c, p.N, 16));
}

template <Form form, class Tiles, bool kVector>
bool run_v5(cudaStream_t stream, const Product<float, float>& p) {
  const auto kernel = &matmul_v5_double_buffered<form, Tiles, kVector>;
  if (!has_shared_memory(kernel, Tiles::kBytes)) return false;
  launch(kernel, blocks_of(p.M, p.N, Tiles::kM, Tiles::kN), Tiles::kThreads, Tiles::kBytes, stream)(
      p, rows_start_at(p.c, p.N, 16));
  return true;
}

template <class Tiles, class T, class Out>
bool fills_device(const Product<T, Out>& p) {
  return blocks_of(p.M, p.N, Tiles::kM, Tiles::kN) >= kFillsDevice;
}

template <Form form>
void choose_v5(cudaStream_t stream, const Product<float, float>& p) {
  if constexpr (form != Form::nt) {  // there, both operands go float by float
    if (inputs_fit<form>(p)) {
      if (fills_device<LargeFloatTiles>(p) && run_v5<form, LargeFloatTiles, true>(stream, p))
        return;
      if (run_v5<form, SmallFloatTiles, true>(stream, p)) return;
    }
  }
  require(run_v5<form, RaggedFloatTiles, false>(stream, p),
          "matmul: this device has too little shared memory for v5");
}

template <Form form, class Tiles, class Out>
bool run_v6(cudaStream_t stream, const Product<__nv_bfloat16, Out>& p) {
  const auto kernel = &matmul_v6_tensor_cores<form, Tiles, Out>;
  if (!has_shared_memory(kernel, Tiles::kBytes)) return false;
  launch(kernel, blocks_of(p.M, p.N, Tiles::kM, Tiles::kN), Tiles::kThreads, Tiles::kBytes, stream)(
      p, rows_start_at(p.c, p.N, 2 * sizeof(Out)));
  return true;
}

template <Form form, class Out>
void choose_v6(cudaStream_t stream, const Product<__nv_bfloat16, Out>& p) {
  if (!inputs_fit<form>(p)) {
    (void)run_v6<form, RaggedTiles>(stream, p);
    return;
  }
  if (fills_device<LargeTiles>(p) && run_v6<form, LargeTiles>(stream, p)) return;
  require(run_v6<form, SmallTiles>(stream, p),
          "matmul: this device has too little shared memory for v6");
}

template <class T, class Out>
bool overlap(const T* x, std::size_t n, const Out* c, std::size_t n_c) {
  const auto begin = reinterpret_cast<std::uintptr_t>(x), end = begin + n * sizeof(T);
  const auto begin_c = reinterpret_cast<std::uintptr_t>(c), end_c = begin_c + n_c * sizeof(Out);
  return begin < end_c && begin_c < end;
}

template <Form form, Storage T, Storage Out>
void run(Stream to, const T* a, const T* b, Out* c, int M, int N, int K, Write write,
         MatmulVersion version) {
  require(a != nullptr && b != nullptr && c != nullptr, "matmul: a, b or c is null");
  require(M >= 1 && N >= 1 && K >= 1, "matmul: M, N and K must be at least 1");
  const std::size_t m = std::size_t(M), n = std::size_t(N), k = std::size_t(K);
  require(!overlap(a, m * k, c, m * n) && !overlap(b, k * n, c, m * n),
          "matmul: c overlaps a or b, which are read while c is written");

  const Product<Native<T>, Native<Out>> p{native(a), native(b), native(c),          M,
                                          N,         K,         write == Write::add};
  const cudaStream_t stream = cuda_stream(to);
  constexpr bool kFloat = std::is_same_v<T, float>;
  switch (version) {
    case MatmulVersion::v1_naive_uncoalesced:
      return run_v1<form, false>(stream, p);
    case MatmulVersion::v1_naive:
      return run_v1<form, true>(stream, p);
    case MatmulVersion::v2_tiled:
      return run_v2<form>(stream, p);
    case MatmulVersion::v3_register_blocked:
      return run_v3<form>(stream, p);
    case MatmulVersion::v4_vectorised:
      if constexpr (kFloat) return run_v4<form>(stream, p);
      break;
    case MatmulVersion::v5_double_buffered:
    case MatmulVersion::latest:
      if constexpr (kFloat) return choose_v5<form>(stream, p);
      if (version == MatmulVersion::v5_double_buffered) break;
      [[fallthrough]];
    case MatmulVersion::v6_tensor_cores:
      if constexpr (!kFloat) return choose_v6<form>(stream, p);
      break;
  }
  require(false, kFloat ? "matmul: v6 multiplies bfloat16; for float the last version is v5"
                        : "matmul: v4 and v5 multiply float; for bfloat16 take v1 to v3 or v6");
}

}  // namespace

template <Storage T, Storage Out>
void matmul(Stream stream, const T* a, const T* b, Out* c, int M, int N, int K, Write write,
            MatmulVersion version) {
  run<Form::nn>(stream, a, b, c, M, N, K, write, version);
}

template <Storage T, Storage Out>
void matmul_nt(Stream stream, const T* a, const T* b, Out* c, int M, int N, int K, Write write,
               MatmulVersion version) {
  run<Form::nt>(stream, a, b, c, M, N, K, write, version);
}

template <Storage T, Storage Out>
void matmul_tn(Stream stream, const T* a, const T* b, Out* c, int M, int N, int K, Write write,
               MatmulVersion version) {
  run<Form::tn>(stream, a, b, c, M, N, K, write, version);
}

#define TPP_INSTANTIATE(T, Out)                                                                   \
  template void matmul(Stream, const T*, const T*, Out*, int, int, int, Write, MatmulVersion);    \
  template void matmul_nt(Stream, const T*, const T*, Out*, int, int, int, Write, MatmulVersion); \
  template void matmul_tn(Stream, const T*, const T*, Out*, int, int, int, Write, MatmulVersion);
TPP_INSTANTIATE(float, float)
TPP_INSTANTIATE(Bf16, Bf16)
TPP_INSTANTIATE(Bf16, float)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
