// Numbers that a kernel sees once: read and written 16 bytes at a time, marked to leave the caches first.
//
// A pack stays as it was loaded, in four registers, until its turn comes: then several may be under way.
#pragma once

#include "kernels/common/storage.cuh"

namespace tpp {

template <class T>
struct RawOf;
template <>
struct RawOf<float> {
  using type = float4;
};
template <>
struct RawOf<__nv_bfloat16> {
  using type = uint4;
};
/// kPack<T> numbers as one load brings them.
template <class T>
using Raw = typename RawOf<T>::type;

/// The address must be a multiple of 16.
template <class T>
__device__ inline Raw<T> read_once(const T* p) {
  return __ldcs(reinterpret_cast<const Raw<T>*>(p));
}

__device__ inline void unpack(const float4& raw, float (&v)[4]) {
  v[0] = raw.x, v[1] = raw.y, v[2] = raw.z, v[3] = raw.w;
}
__device__ inline void unpack(const uint4& raw, float (&v)[8]) {
  const unsigned words[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {  // a bfloat16 is the upper half of a float
    v[2 * i] = __uint_as_float(words[i] << 16);
    v[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
  }
}

__device__ inline void write_once(float* p, const float (&v)[4]) {
  __stcs(reinterpret_cast<float4*>(p), make_float4(v[0], v[1], v[2], v[3]));
}
__device__ inline void write_once(__nv_bfloat16* p, const float (&v)[8]) {
  __stcs(reinterpret_cast<uint4*>(p), make_uint4(pack_two(v[0], v[1]), pack_two(v[2], v[3]),
                                                 pack_two(v[4], v[5]), pack_two(v[6], v[7])));
}

/// kCount floats that many threads read: through the caches, 8 or 16 bytes at a time.
template <int kCount>
__device__ inline void read_shared_floats(const float* p, float (&v)[kCount]) {
  static_assert(kCount == 2 || kCount % 4 == 0);
  if constexpr (kCount == 2) {
    const float2 two = __ldg(reinterpret_cast<const float2*>(p));
    v[0] = two.x, v[1] = two.y;
  } else {
#pragma unroll
    for (int i = 0; i < kCount; i += 4) {
      const float4 four = __ldg(reinterpret_cast<const float4*>(p + i));
      v[i] = four.x, v[i + 1] = four.y, v[i + 2] = four.z, v[i + 3] = four.w;
    }
  }
}

}  // namespace tpp
