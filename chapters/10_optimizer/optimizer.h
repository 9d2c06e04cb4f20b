// Optimizers: from a gradient to a step, number by number.
//
// Every update looks at one weight, its gradient and its own moments, and at nothing else. So
// threads may divide the weights as they like: any partition gives the same bits.
#pragma once

#include "chapters/01_tensor/tensor.h"

namespace tpp {

enum class OptimizerKind { sgd, momentum, adam, adamw };

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::adamw;
  double momentum = 0.9;      // momentum: how much of the last step's velocity stays
  double beta1 = 0.9;         // adam, adamw: the same for the mean of the gradients
  double beta2 = 0.95;        // adam, adamw: and for the mean of their squares
  double eps = 1e-8;          // adam, adamw: added to the root of the second moment
  double weight_decay = 0.1;  // λ, for weights that decay
};

/// A stretch of the flat buffers: `count` weights with what belongs to them.
template <Real T>
struct UpdateRange {
  T* w = nullptr;        // (count) weights, updated
  const T* g = nullptr;  // (count) gradients
  T* m = nullptr;        // (count) first moments, start at 0; momentum, adam, adamw
  T* v = nullptr;        // (count) second moments, start at 0; adam, adamw
  Index count = 0;
};

/// What changes from one update to the next.
struct UpdateStep {
  long step = 1;              // t, from 1
  double lr = 0;              // η, the learning rate of this step
  bool decay = false;         // whether these weights decay (matrices do; gains and biases do not)
  double gradient_scale = 1;  // multiplies every gradient: the clip factor
};

/// w ← w − η·(g + λ·w).
///
/// Errors  ShapeError for a null buffer, a step below 1, a β or a momentum outside [0, 1)
/// Cost    reads w, g, writes w: memory-bound
/// Twin    kernels/optimizer
template <Real T>
void sgd_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at);

/// m ← μ·m + (g + λ·w);  w ← w − η·m.
///
/// Paper   Polyak 1964, "Some methods of speeding up the convergence of iteration methods"
template <Real T>
void momentum_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at);

/// Adam, with weight decay as a term of the gradient (L2): decay is then divided by √v like the
/// rest, so weights with large gradients hardly decay.
///
///   g′ = g + λ·w;   m ← β₁·m + (1 − β₁)·g′;   v ← β₂·v + (1 − β₂)·g′²
///   w ← w − η · m̂ / (√v̂ + eps),     m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
///
/// The moments start at 0 and are too small at first: m̂ and v̂ undo that.
///
/// Paper   Kingma & Ba 2014, arXiv:1412.6980, algorithm 1
/// Twin    kernels/optimizer
template <Real T>
void adam_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at);

/// AdamW: the moments see the gradient alone, and every weight decays at the same rate.
///
///   m, v as Adam's, with g′ = g;     w ← w − η · (m̂ / (√v̂ + eps) + λ·w)
///
/// Deviation: the paper's decay does not depend on Adam's step size α, only on the schedule. Here
/// it is λ times the whole learning rate, as in most programs.
///
/// Cost    reads w, g, m, v, writes w, m, v: 28 bytes a weight in float, memory-bound
/// Paper   Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2
/// Twin    kernels/optimizer
template <Real T>
void adamw_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, const UpdateStep& at);

/// The update that cfg.kind names.
template <Real T>
void optimizer_update(const OptimizerConfig& cfg, const UpdateRange<T>& range,
                      const UpdateStep& at);
template <Real T>
void optimizer_update(const OptimizerConfig& cfg, const UpdateRange<T>& range, long step, double lr,
                      bool decay, double gradient_scale) {
  optimizer_update<T>(cfg, range, {step, lr, decay, gradient_scale});
}

/// How many buffers of moments an optimizer keeps: 0, 1 (m) or 2 (m and v).
[[nodiscard]] constexpr int moment_count(OptimizerKind kind) {
  return kind == OptimizerKind::sgd ? 0 : kind == OptimizerKind::momentum ? 1 : 2;
}

}  // namespace tpp
