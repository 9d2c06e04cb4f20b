// Storage is float or bfloat16, arithmetic is float: how a kernel reads and writes both.
#pragma once

#include "kernels/common/types.h"
#include "kernels/simt/simt.h"

namespace tpp {

// What the kernel calls it: float stays float, Bf16 is CUDA's __nv_bfloat16.
template <class T>
struct NativeOf;
template <>
struct NativeOf<float> {
  using type = float;
};
template <>
struct NativeOf<Bf16> {
  using type = __nv_bfloat16;
};
template <class T>
using Native = typename NativeOf<T>::type;

/// A twin's pointer as its kernels see it.
template <class T>
Native<T>* native(T* p) {
  return reinterpret_cast<Native<T>*>(p);
}
template <class T>
const Native<T>* native(const T* p) {
  return reinterpret_cast<const Native<T>*>(p);
}

inline cudaStream_t cuda_stream(twin::Stream stream) { return static_cast<cudaStream_t>(stream); }

__device__ inline float to_float(float v) { return v; }
__device__ inline float to_float(__nv_bfloat16 v) { return __bfloat162float(v); }

template <class T>
__device__ inline T from_float(float v);
template <>
__device__ inline float from_float<float>(float v) {
  return v;
}
template <>
__device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float v) {
  return __float2bfloat16(v);
}

// --- Sixteen bytes at a time ------------------------------------------------------------------------

/// How many numbers 16 bytes hold: 4 floats, 8 bfloat16.
template <class T>
inline constexpr int kPack = 16 / int(sizeof(T));

/// Read kPack<T> numbers by one load. The address must be a multiple of 16.
__device__ inline void load_pack(const float* p, float (&v)[4]) {
  const float4 packed = *reinterpret_cast<const float4*>(p);
  v[0] = packed.x, v[1] = packed.y, v[2] = packed.z, v[3] = packed.w;
}
__device__ inline void load_pack(const __nv_bfloat16* p, float (&v)[8]) {
  const uint4 packed = *reinterpret_cast<const uint4*>(p);
  const unsigned words[4] = {packed.x, packed.y, packed.z, packed.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {  // a bfloat16 is the upper half of a float
    v[2 * i] = __uint_as_float(words[i] << 16);
    v[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
  }
}

/// Write kPack<T> numbers by one store.
__device__ inline void store_pack(float* p, const float (&v)[4]) {
  *reinterpret_cast<float4*>(p) = make_float4(v[0], v[1], v[2], v[3]);
}
__device__ inline unsigned pack_two(float low, float high) {
#ifdef __CUDACC__
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const unsigned*>(&pair);
#else
  return unsigned(Bf16(low).bits) | unsigned(Bf16(high).bits) << 16;
#endif
}
__device__ inline void store_pack(__nv_bfloat16* p, const float (&v)[8]) {
  *reinterpret_cast<uint4*>(p) = make_uint4(pack_two(v[0], v[1]), pack_two(v[2], v[3]),
                                            pack_two(v[4], v[5]), pack_two(v[6], v[7]));
}

/// May rows of `columns` numbers that start at these addresses be read 16 bytes at a time?
template <class T>
bool packs(int columns, std::initializer_list<const T*> starts) {
  bool fits = columns % kPack<T> == 0;
  for (const T* p : starts) fits = fits && reinterpret_cast<std::uintptr_t>(p) % 16 == 0;
  return fits;
}

}  // namespace tpp
