// A decoder-only Transformer: embed, L blocks on a residual stream, norm, un-embed.
//
//   x = embed(tokens)                                    (B·T, D)
//   for each block:  x = x + attention(norm(x));  x = x + feed_forward(norm(x))     (pre-norm)
//   logits = norm(x) · Wᵀ                                (B·T, V)
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "chapters/11_gpt/parts.h"
#include "kernels/common/types.h"

namespace tpp {

/// The frame with its parts built: a table of parameters, and a forward pass.
///
/// A model owns no memory for parameters: a trainer, a checkpoint or a test does, laid out by table().
///
/// Paper   Radford et al. 2019 (GPT-2) for the frame; each part names its own
template <Real T>
class Model {
 public:
  /// Errors  InputError, one sentence each, for sizes that cannot be: heads that do not divide, …
  Model(const ModelConfig& config, const Parts<T>& parts);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  [[nodiscard]] const ModelConfig& config() const { return config_; }
  [[nodiscard]] const ParameterTable& table() const { return table_; }

  /// Put the parameters on the tape, in the table's order. `grads` may be null: then they are
  /// constants. `bound` is filled with one Var a parameter; its memory is used again.
  /// For a tape on a device they lie in its memory; `copies` are the values in its storage type, where
  /// that is not float.
  void bind(Tape<T>& tape, T* values, T* grads, Write write, std::vector<Var<T>>& bound,
            Bf16* copies = nullptr) const;

  /// logits (B·length, V) of B sequences of `length` tokens.
  ///
  /// Names   embed/tokens, embed/out; block0/attn/{norm, qkv, q, k, v, q_rotated, k_rotated, probs,
  ///         heads, out, residual}; block0/ffn/{norm, …, out, residual}; final/norm; logits
  /// Errors  ShapeError unless 1 ≤ length ≤ T and length divides the number of tokens
  Var<T> forward(Tape<T>& tape, std::span<const Var<T>> bound, std::span<const int> tokens,
                 Index length) const;

  /// forward(), then the mean cross-entropy. `count`: see cross_entropy().
  Var<T> loss(Tape<T>& tape, std::span<const Var<T>> bound, std::span<const int> tokens,
              std::span<const int> targets, Index length, double count = 0) const;

  /// Multiply-adds count two: 6 a parameter and token that is multiplied, plus attention to
  /// the keys that the mask shows.
  [[nodiscard]] double flops_per_token() const;

 private:
  struct Block {
    std::string name;  // "block0"
    Layer<T> attn_norm_in, attn, attn_norm_out;
    Layer<T> ffn_norm_in, ffn, ffn_norm_out;
  };

  ModelConfig config_;
  ParameterTable table_;
  Position<T> position_;
  std::vector<Block> blocks_;
  Layer<T> final_norm_;
  int embedding_ = -1, unembedding_ = -1;
  double alpha_ = 1;  // DeepNorm's scale of the residual stream
};

}  // namespace tpp
