// Attention that writes its probabilities to memory, for every head of every sequence in one call.
//
//   v1_unfused_naive   three launches: logits, softmax, mix. A thread computes one number
//   v2_unfused_tiled   the same launches: the products walk through tiles in shared memory, a warp takes a row
//   v3_head_fused      one launch forward, one backward: a block keeps its rows of a head from product to product
//   v4_tensor_cores    the same plan in bfloat16 for mma.m16n8k16; in float `latest` is v3
#pragma once

#include <cstddef>

#include "kernels/common/types.h"

namespace tpp::twin {

enum class AttentionVersion {
  latest,
  v1_unfused_naive,
  v2_unfused_tiled,
  v3_head_fused,
  v4_tensor_cores
};

/// Query t sees the keys 0 … visible(t) − 1, as chapters/06_attention/mask.h says.
struct AttentionMask {
  enum class Kind { full, causal, prefix, padding };
  Kind kind = Kind::causal;
  int length = 0;

  /// How many of L keys query t sees: at least one.
  [[nodiscard]] constexpr int visible(int t, int L) const {
    int count = L;
    if (kind == Kind::causal) count = t + 1;
    if (kind == Kind::prefix) count = t + 1 > length ? t + 1 : length;
    if (kind == Kind::padding) count = length;
    return count < 1 ? 1 : count > L ? L : count;
  }
  /// The first of L queries that sees key s; L if none does. Later queries see it, too.
  [[nodiscard]] constexpr int first_query(int s, int L) const {
    if (s < visible(0, L)) return 0;
    return kind == Kind::causal || kind == Kind::prefix ? s : L;
  }
};

struct AttentionShape {
  int B = 0;  // sequences
  int T = 0;  // tokens of each
  int H = 0;  // query heads
  int G = 0;  // key and value heads; query head h uses head h / (H/G)
  int K = 0;  // features of a head, at most 128
  float scale = 0;
  AttentionMask mask;
};

/// logits[t,s] = scale·⟨q[t], k[s]⟩ + bias[s − t + T − 1],   probs = softmax(logits), 0 where the mask hides,
/// out[t] = Σ_s probs[t,s]·v[s].
///
/// Shapes  q (B·T, H·K), k, v (B·T, G·K), rows ldq, ldk, ldv numbers apart; bias (H, 2T − 1) or null
///         → out (B·T, H·K), probs (B·H·T, T)
/// Cost    B·H·T·T·K multiplies a product, of which a block leaves out the keys that none of its queries sees;
///         bytes: q, k, v, out once, probs once. v1 and v2 write the logits where probs will stand, so in bfloat16
///         they round them; v3 and v4 do not. Beyond a tile of keys (128; 64 from K = 33 on) v3 and v4
///         compute the logits twice, which costs less than keeping them
/// Errors  std::invalid_argument for sizes below 1, K > 128, G that does not divide H, v4 in float
/// Reference  chapters/06_attention, chapters/15_gqa
template <Storage T>
void attention_forward(Stream stream, const T* q, int ldq, const T* k, int ldk, const T* v, int ldv,
                       const float* bias, T* out, T* probs, const AttentionShape& shape,
                       AttentionVersion version);

/// Floats of workspace for attention_backward. v1 and v2 keep ∂L/∂logits, v3 and v4 need nothing without a bias.
[[nodiscard]] constexpr std::size_t attention_backward_work(const AttentionShape& shape,
                                                            bool wants_bias,
                                                            AttentionVersion version) {
  const std::size_t heads = std::size_t(shape.B) * std::size_t(shape.H), L = std::size_t(shape.T);
  if (version == AttentionVersion::v1_unfused_naive ||
      version == AttentionVersion::v2_unfused_tiled) {
    return heads * L * L;
  }
  return wants_bias ? heads * ((L + 15) / 16) * (L + 63) : 0;  // an upper bound for every tile size
}

/// With dP = dout·vᵀ and dS = probs ⊙ (dP − Σ_s probs ⊙ dP):
///   dq = scale·dS·k,   dk = scale·dSᵀ·q,   dv = probsᵀ·dout,   dbias[o] = Σ over s − t + T − 1 = o of dS.
///
/// dk and dv are sums over the query heads that share them, dbias over the batch; always in the same order.
/// Shapes  as forward; dq, dk, dv overwritten, rows lddq, lddk, lddv apart; dbias (H, 2T − 1) or null: not wanted;
///         work: attention_backward_work() floats. `out` is the forward's: Σ_s probs[t,s]·dP[t,s] = ⟨dout[t], out[t]⟩
/// Cost    two launches with dbias, one without. v3 and v4 compute dP twice, once for dq and once for dk and dv: that
///         is what makes their blocks independent of each other
template <Storage T>
void attention_backward(Stream stream, const T* dout, const T* q, int ldq, const T* k, int ldk,
                        const T* v, int ldv, const T* out, const T* probs, T* dq, int lddq, T* dk,
                        int lddk, T* dv, int lddv, float* dbias, Write write, float* work,
                        const AttentionShape& shape, AttentionVersion version);

}  // namespace tpp::twin
