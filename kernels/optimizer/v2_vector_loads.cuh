// v2: v1 read four bytes at a time. Now a thread takes kPacks times four neighbours, and asks for 16 bytes of every
// array, 64·kPacks in all, before it uses the first: a quarter of the instructions, and enough under way to hide the
// memory's latency. Gradients and moments are seen once in a step, so they leave the caches first; the weights stay, the
// next forward pass reads them.
#pragma once

#include "kernels/common/streaming.cuh"
#include "kernels/optimizer/update.cuh"

namespace tpp::twin {

template <OptimizerKind kKind, int kThreads, int kPacks>
__global__ void __launch_bounds__(kThreads)
    optimizer_v2(FloatRule rule, const OptimizerStep* step, const unsigned char* decay_of_line,
                 float* w, const float* g, float* m, float* v, __nv_bfloat16* copy,
                 std::size_t packs) {
  constexpr int kFour = kPack<float>;
  const std::size_t first = std::size_t(blockIdx.x) * (kThreads * kPacks) + threadIdx.x;

  // [snip ask]
  // Ask for everything
  const OptimizerStep now = *step;
  float4 weights[kPacks], gradients[kPacks], means[kPacks], squares[kPacks];
  bool decays[kPacks];
#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const std::size_t pack = first + std::size_t(p * kThreads);
    if (pack >= packs) break;
    decays[p] = decay_of_line != nullptr && decay_of_line[pack / (kDecayLine / kFour)] != 0;
    weights[p] = read_once(w + pack * kFour);
    gradients[p] = read_once(g + pack * kFour);
    if constexpr (kHasM<kKind>) means[p] = read_once(m + pack * kFour);
    if constexpr (kHasV<kKind>) squares[p] = read_once(v + pack * kFour);
  }
  if (!may_update(now)) return;
  const Rates rates(rule, now);
  // [/snip]

#pragma unroll
  for (int p = 0; p < kPacks; ++p) {
    const std::size_t pack = first + std::size_t(p * kThreads);
    if (pack >= packs) break;
    float weight[kFour], gradient[kFour], mean[kFour] = {}, square[kFour] = {};
    unpack(weights[p], weight);
    unpack(gradients[p], gradient);
    if constexpr (kHasM<kKind>) unpack(means[p], mean);
    if constexpr (kHasV<kKind>) unpack(squares[p], square);
#pragma unroll
    for (int i = 0; i < kFour; ++i) {
      update_weight<kKind>(rates, decays[p], gradient[i], weight[i], mean[i], square[i]);
    }
    store_pack(w + pack * kFour, weight);
    if constexpr (kHasM<kKind>) write_once(m + pack * kFour, mean);
    if constexpr (kHasV<kKind>) write_once(v + pack * kFour, square);
    if (copy != nullptr) {
      *reinterpret_cast<uint2*>(copy + pack * kFour) =
          make_uint2(pack_two(weight[0], weight[1]), pack_two(weight[2], weight[3]));
    }
  }
}

}  // namespace tpp::twin
