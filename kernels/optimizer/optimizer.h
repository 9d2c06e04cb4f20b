// The update of all weights of a model in one launch.
//
//   v1_thread_per_weight  a thread a weight
//   v2_vector_loads       a thread four neighbours: 16 bytes of each array under way before the first is used
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/common/types.h"

namespace tpp::twin {

enum class OptimizerVersion { latest, v1_thread_per_weight, v2_vector_loads };

enum class OptimizerKind { sgd, momentum, adam, adamw };

/// What stays as it is for a whole run.
struct OptimizerRule {
  OptimizerKind kind = OptimizerKind::adamw;
  double momentum = 0.9;      // momentum: how much of the last step's velocity stays
  double beta1 = 0.9;         // adam, adamw: the same for the mean of the gradients
  double beta2 = 0.95;        // adam, adamw: and for the mean of their squares
  double eps = 1e-8;          // adam, adamw: added to the root of the second moment
  double weight_decay = 0.1;  // λ, for weights that decay
};

/// What changes from step to step. It lies on the device, so that a captured launch sees the new values.
struct OptimizerStep {
  float lr;              // η
  float bias1, bias2;    // 1 − β₁ᵗ, 1 − β₂ᵗ: adam, adamw
  float gradient_scale;  // multiplies every gradient: the clip factor
};

/// The step t, from 1. The powers are double's: at t = 1, 1 − β₂ᵗ in float would lose digits.
inline OptimizerStep optimizer_step(const OptimizerRule& rule, double lr, long t,
                                    double gradient_scale) {
  return {float(lr), float(1 - std::pow(rule.beta1, double(t))),
          float(1 - std::pow(rule.beta2, double(t))), float(gradient_scale)};
}

/// So many weights share the answer to "does it decay?": a cache line of the flat buffer, where one parameter stands.
inline constexpr int kDecayLine = 16;

/// w, m, v ← the update of w, m, v by g.
///
///   sgd       w ← w − η·(g + λ·w)
///   momentum  m ← μ·m + (g + λ·w);  w ← w − η·m
///   adam      g ← g + λ·w;  m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;  w ← w − η·m̂ / (√v̂ + eps)
///   adamw     m, v the same without λ;  w ← w − η·(m̂ / (√v̂ + eps) + λ·w)
///
/// g is scaled by step->gradient_scale before all. If that is not finite, nothing is touched: the caller reports it.
/// A moment of exactly 0 moves no weight, even where eps is 0 too: gaps between parameters hold zeros and keep them.
///
/// Shapes  w, g, m, v (n); decay_of_line (⌈n / kDecayLine⌉), not 0 where λ counts, or nullptr: nowhere;
///         copy (n): the new weights as bfloat16, or nullptr. sgd needs neither m nor v, momentum no v
/// Errors  std::invalid_argument for an array that is missing, a β or a momentum outside [0, 1)
/// Bytes   adamw: 28·n (w, g, m, v read; w, m, v written), and 2·n for the copy
/// Reference  chapters/10_optimizer/optimizer.h
void optimizer_update(Stream stream, const OptimizerRule& rule, const OptimizerStep* step,
                      const unsigned char* decay_of_line, float* w, const float* g, float* m,
                      float* v, Bf16* copy, std::size_t n, OptimizerVersion version);

}  // namespace tpp::twin
