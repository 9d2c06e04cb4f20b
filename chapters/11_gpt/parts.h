// The parts list: a Transformer is a frame that knows only what its parts can do.
//
// Every architecture in this book is the same frame (chapter 11) with other parts in it. A part is a
// small value: a name, and a function that builds it. Building declares the part's parameters and
// returns its forward pass. Gradients come from the tape, so a part has nothing else to say. A new
// component is a new chapter with a new part; the frame does not change.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "chapters/02_tape/ops.h"
#include "chapters/02_tape/parameters.h"
#include "chapters/06_attention/attention.h"
#include "chapters/08_layernorm/placement.h"
#include "chapters/09_feedforward/activation.h"

namespace tpp {

/// The sizes of a model and the choices that are not parts.
struct ModelConfig {
  Index layers = 4;
  Index D = 128;  // width of the residual stream
  Index H = 4;    // query heads; K = D/H
  Index G = 2;    // key and value heads
  Index F = 344;  // feed-forward width
  Index V = 256;  // vocabulary
  Index T = 128;  // longest sequence

  bool bias = false;  // biases in linear layers and norms
  bool tied = true;   // the un-embedding is the embedding
  Placement placement = Placement::pre;
  Mask mask = Mask::causal();
  double init = 0.02;  // standard deviation of weights; those that end in the residual stream have
                       // init/√(2·layers)

  [[nodiscard]] Index K() const { return D / H; }
};

/// One forward pass: where it is recorded, and what it is about.
template <Real T>
struct Pass {
  Tape<T>& tape;
  Index length;                        // tokens in a sequence; the rows are B·length
  std::span<const Var<T>> parameters;  // by their number in the table
  Var<T> position_bias = {};           // (H, 2·length − 1), or empty

  /// A parameter by its number; an empty Var for −1, a parameter that the part does without.
  [[nodiscard]] Var<T> operator[](int parameter) const {
    return parameter < 0 ? Var<T>{} : parameters[std::size_t(parameter)];
  }
};

// [snip part_types]
/// A built part, mostly x (B·T, D) → (B·T, D). `name` is the name of its result on the tape.
template <Real T>
using Layer = std::function<Var<T>(const Pass<T>&, Var<T> x, std::string_view name)>;

/// A norm over rows of any width.
template <Real T>
struct NormPart {
  std::string name;
  std::function<Layer<T>(ParameterTable&, const std::string& at, Index width, const ModelConfig&)>
      build;
};
// [/snip]

/// A built position: up to three places where a model can learn about order. Empty ones do nothing.
template <Real T>
struct Position {
  Layer<T> embed;   // on the embeddings, x (B·T, D)
  Layer<T> rotate;  // on queries and on keys, x (B·T, heads·K)
  // Queries and keys at once, for a part that can do it in one go; else empty. Names as below
  std::function<std::array<Var<T>, 2>(const Pass<T>&, Var<T> q, Var<T> k)> rotate_both;
  std::function<Var<T>(const Pass<T>&)> bias;  // to the logits, (H, 2T − 1), by s − t + T − 1
};
template <Real T>
struct PositionPart {
  std::string name;
  std::function<Position<T>(ParameterTable&, const ModelConfig&)> build;
};

/// Attention with its projections. It rotates and biases as the position says.
template <Real T>
struct AttentionPart {
  std::string name;
  std::function<Layer<T>(ParameterTable&, const std::string& at, const ModelConfig&,
                         const Position<T>&)>
      build;
};

template <Real T>
struct FeedForwardPart {
  std::string name;
  std::function<Layer<T>(ParameterTable&, const std::string& at, const ModelConfig&)> build;
};

// [snip parts]
template <Real T>
struct Parts {
  NormPart<T> norm;
  PositionPart<T> position;
  AttentionPart<T> attention;
  FeedForwardPart<T> feed_forward;
};
// [/snip]

// --- The parts of chapters 06 to 09 ---------------------------------------------------------------

template <Real T>
NormPart<T> layernorm_part();

template <Real T>
PositionPart<T> no_position_part();
template <Real T>
PositionPart<T> sinusoidal_part();
template <Real T>
PositionPart<T> learned_position_part();
template <Real T>
PositionPart<T> t5_part();
template <Real T>
PositionPart<T> alibi_part();

/// H heads, each with its own keys and values.
template <Real T>
AttentionPart<T> multi_head_part();

/// y = W₂·f(W₁·x). SoLU is followed by a LayerNorm, as its authors have it.
template <Real T>
FeedForwardPart<T> feed_forward_part(Activation activation);

// --- What parts share --------------------------------------------------------------------------------

/// Declare a weight (outputs, inputs), and its bias if the model has biases (else the number is −1).
struct LinearIds {
  int weight = -1, bias = -1;
};
LinearIds declare_linear(ParameterTable& table, const std::string& at, Index outputs, Index inputs,
                         const ModelConfig& cfg, Init init);

/// How a block's weights start: chapter 10's rule, with DeepNorm's factor where the placement asks.
struct BlockInit {
  double plain = 0;     // query, key
  double value = 0;     // value, and the first feed-forward weight
  double residual = 0;  // weights whose output is added to the residual stream
};
[[nodiscard]] BlockInit block_init(const ModelConfig& cfg);

template <Real T>
[[nodiscard]] Var<T> apply_linear(const Pass<T>& pass, LinearIds ids, Var<T> x,
                                  std::string_view name) {
  return linear(x, pass[ids.weight], pass[ids.bias], name);
}

/// What mixes the heads' values: chapter 06's attention, or a later chapter's.
template <Real T>
using AttentionOp = Var<T> (*)(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, AttentionConfig cfg,
                               std::string_view name);

/// Attention with G key and value heads: one product for queries, keys and values together, rotation,
/// the heads, the output projection. `position` must outlive the layer.
///
/// Names   "qkv", its columns "q", "k", "v"; "q_rotated", "k_rotated" when the position rotates;
///         "probs", "heads"
template <Real T>
Layer<T> build_attention(ParameterTable& table, const std::string& at, const ModelConfig& cfg,
                         Index G, const Position<T>& position, AttentionOp<T> op);

}  // namespace tpp
