// v1: a thread a weight. Neighbouring threads read neighbouring numbers, so nothing is wasted; but a thread has only 16
// bytes under way, and spends as many instructions on addresses as on the update.
#pragma once

#include "kernels/optimizer/update.cuh"

namespace tpp::twin {

template <OptimizerKind kKind>
__global__ void optimizer_v1(FloatRule rule, const OptimizerStep* step,
                             const unsigned char* decay_of_line, float* w, const float* g, float* m,
                             float* v, __nv_bfloat16* copy, std::size_t n) {
  const std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= n || !may_update(*step)) return;
  const Rates rates(rule, *step);
  const bool decays = decay_of_line != nullptr && decay_of_line[i / kDecayLine] != 0;

  float weight = w[i], first = 0, second = 0;
  if constexpr (kHasM<kKind>) first = m[i];
  if constexpr (kHasV<kKind>) second = v[i];
  update_weight<kKind>(rates, decays, g[i], weight, first, second);
  w[i] = weight;
  if constexpr (kHasM<kKind>) m[i] = first;
  if constexpr (kHasV<kKind>) v[i] = second;
  if (copy != nullptr) copy[i] = from_float<__nv_bfloat16>(weight);
}

}  // namespace tpp::twin
