// guard: rope_v3 has ld.global.v4 st.global.v4
#include "kernels/rope/rope.h"

#include "kernels/rope/v1_thread_per_pair.cuh"
#include "kernels/rope/v2_table.cuh"
#include "kernels/rope/v3_vector_loads.cuh"

namespace tpp::twin {
namespace {

constexpr int kThreads = 256;
// Heads of a thread in v3: bytes under way for a large matrix, threads for a small one
constexpr int kHeadsOfAThread = 4;
constexpr std::size_t kLarge = std::size_t(1) << 19;  // packs in the matrices

template <Storage T>
NativeHeads<Native<T>> native_heads(const RopeHeads<T>& h) {
  return {native(h.x), native(h.y), h.ldx, h.ldy, h.heads};
}

template <Storage T>
bool heads_pack(const RopeHeads<T>& h, int K) {
  constexpr int kWidth = kPack<Native<T>>;
  return h.heads == 0 || (packs<Native<T>>(K / 2, {native(h.x), native<T>(h.y)}) &&
                          h.ldx % kWidth == 0 && h.ldy % kWidth == 0);
}

template <Storage T>
void one_thread_a_pair(cudaStream_t s, const RopeHeads<T>& h, int length, int K,
                       const RopeAngles& angles, Pairing pairing, int N, float direction,
                       bool table) {
  if (h.heads == 0) return;
  const std::size_t blocks = ceil_div(std::size_t(N) * h.heads * (K / 2), std::size_t(kThreads));
  require(blocks <= 0x7fffffffu, "rope: more than 2^31 blocks would be needed");
  if (table) {
    launch(rope_v2<Native<T>>, unsigned(blocks), kThreads, 0, s)(
        native(h.x), h.ldx, length, K, angles.cos, angles.sin, pairing, native(h.y), h.ldy, N,
        h.heads, direction);
  } else {
    launch(rope_v1<Native<T>>, unsigned(blocks), kThreads, 0, s)(native(h.x), h.ldx, length, K,
                                                                 angles.base, pairing, native(h.y),
                                                                 h.ldy, N, h.heads, direction);
  }
}

template <Storage T>
void rotate(Stream stream, const RopeHeads<T>& q, const RopeHeads<T>& k, int length, int K,
            const RopeAngles& angles, Pairing pairing, int N, float direction,
            RopeVersion version) {
  require(K > 0 && K % 2 == 0, "rope: a head needs an even number of features, they turn in pairs");
  require(N >= 1 && length >= 1, "rope: N and the length must be positive");
  require(q.heads >= 1 && k.heads >= 0, "rope: there must be a head");
  for (const RopeHeads<T>* h : {&q, &k}) {
    require(h->ldx >= h->heads * K && h->ldy >= h->heads * K,
            "rope: rows must be at least heads·K numbers apart");
  }
  const cudaStream_t s = cuda_stream(stream);
  constexpr int kWidth = kPack<Native<T>>;
  const bool vectors =
      heads_pack(q, K) && heads_pack(k, K) && packs<float>(K / 2, {angles.cos, angles.sin});
  if (version == RopeVersion::v1_thread_per_pair || version == RopeVersion::v2_table || !vectors) {
    const bool table = version != RopeVersion::v1_thread_per_pair;
    one_thread_a_pair(s, q, length, K, angles, pairing, N, direction, table);
    one_thread_a_pair(s, k, length, K, angles, pairing, N, direction, table);
    return;
  }

  const int packs_a_head = K / 2 / kWidth;
  const auto run = [&](auto kernel, int heads) {
    const int items = (ceil_div(q.heads, heads) + ceil_div(k.heads, heads)) * packs_a_head;
    const int rows = std::max(1, kThreads / items);
    launch(kernel, unsigned(ceil_div(N, rows)), kThreads, 0, s)(
        native_heads(q), native_heads(k), length, K, angles.cos, angles.sin, N, direction);
  };
  using W = Native<T>;
  const bool large = std::size_t(N) * (q.heads + k.heads) * packs_a_head * 2 >= kLarge;
  if (pairing == Pairing::adjacent) {
    if (large) {
      run(&rope_v3<true, kHeadsOfAThread, W>, kHeadsOfAThread);
    } else {
      run(&rope_v3<true, 1, W>, 1);
    }
  } else {
    if (large) {
      run(&rope_v3<false, kHeadsOfAThread, W>, kHeadsOfAThread);
    } else {
      run(&rope_v3<false, 1, W>, 1);
    }
  }
}

}  // namespace

template <Storage T>
void rope_forward(Stream stream, const T* x, int ldx, int length, int K, const RopeAngles& angles,
                  Pairing pairing, T* y, int ldy, int N, int heads, RopeVersion version) {
  rotate<T>(stream, {x, ldx, y, ldy, heads}, {}, length, K, angles, pairing, N, 1.0f, version);
}

template <Storage T>
void rope_backward(Stream stream, const T* dy, int lddy, int length, int K,
                   const RopeAngles& angles, Pairing pairing, T* dx, int lddx, int N, int heads,
                   RopeVersion version) {
  rotate<T>(stream, {dy, lddy, dx, lddx, heads}, {}, length, K, angles, pairing, N, -1.0f, version);
}

template <Storage T>
void rope_forward_both(Stream stream, const RopeHeads<T>& q, const RopeHeads<T>& k, int length,
                       int K, const RopeAngles& angles, Pairing pairing, int N,
                       RopeVersion version) {
  rotate<T>(stream, q, k, length, K, angles, pairing, N, 1.0f, version);
}

template <Storage T>
void rope_backward_both(Stream stream, const RopeHeads<T>& dq, const RopeHeads<T>& dk, int length,
                        int K, const RopeAngles& angles, Pairing pairing, int N,
                        RopeVersion version) {
  rotate<T>(stream, dq, dk, length, K, angles, pairing, N, -1.0f, version);
}

#define TPP_INSTANTIATE(T)                                                                        \
  template void rope_forward<T>(Stream, const T*, int, int, int, const RopeAngles&, Pairing, T*,  \
                                int, int, int, RopeVersion);                                      \
  template void rope_backward<T>(Stream, const T*, int, int, int, const RopeAngles&, Pairing, T*, \
                                 int, int, int, RopeVersion);                                     \
  template void rope_forward_both<T>(Stream, const RopeHeads<T>&, const RopeHeads<T>&, int, int,  \
                                     const RopeAngles&, Pairing, int, RopeVersion);               \
  template void rope_backward_both<T>(Stream, const RopeHeads<T>&, const RopeHeads<T>&, int, int, \
                                      const RopeAngles&, Pairing, int, RopeVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
