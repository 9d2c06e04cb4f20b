// Activations: what stands between two linear layers, so that they are not one.
#pragma once

#include <string_view>

#include "chapters/02_tape/tape.h"

namespace tpp {

enum class Activation {
  relu,       // max(x, 0)
  gelu,       // x·Φ(x), Φ the normal distribution: ½x·(1 + erf(x/√2))
  gelu_tanh,  // ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), an approximation of gelu
  swish,      // x·σ(x), σ the logistic function; also called SiLU
  solu,       // x·softmax(x), over the features of a row
};

/// Apply an activation to every number; solu looks at the whole row.
///
/// Shapes  x (N, F) → y (N, F)
/// Errors  ShapeError unless y has x's shape
/// Cost    one read of x, one write of y, and an exponential a number, except for relu
/// Paper   relu: Nair & Hinton 2010
///         gelu, gelu_tanh: Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2
///         swish: Ramachandran, Zoph & Le 2017, arXiv:1710.05941, with β = 1
///         solu: Elhage et al. 2022, "Softmax Linear Units"; without the LayerNorm that follows it
/// Twin    kernels/activation
template <Real T>
void activation_forward(Activation kind, In<Mat<T>> x, Out<Mat<T>> y);

/// dx = dy ⊙ f′(x); for solu dx = p ⊙ (dy + dy ⊙ x − ⟨dy, y⟩), p = softmax(x).
///
/// relu's derivative at 0 is taken as 0. y is the forward's result; only solu needs it.
///
/// Shapes  dy, x, y (N, F) → dx (N, F)
template <Real T>
void activation_backward(Activation kind, In<Mat<T>> dy, In<Mat<T>> x, In<Mat<T>> y,
                         Out<Mat<T>> dx);

/// On the tape: x (N, F) → (N, F).
template <Real T>
Var<T> activation(Activation kind, Var<T> x, std::string_view name = "activation");

/// The hidden layer's width in the first Transformer and in GPT-2: four times the model's. A gated
/// layer, which has three matrices instead of two, is narrower: chapter 14.
///
/// Paper   Vaswani et al. 2017, arXiv:1706.03762, section 3.3
[[nodiscard]] constexpr Index feedforward_width(Index D) { return 4 * D; }

}  // namespace tpp
