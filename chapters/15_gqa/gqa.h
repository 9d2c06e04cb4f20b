// Fewer keys than queries: several query heads share one key and value head.
//
// While a model generates, it keeps the keys and values of everything that it has read. With H key
// heads that memory is the limit of long contexts. G = 1 is multi-query attention, 1 < G < H is
// grouped-query attention, G = H is chapter 06.
#pragma once

#include "chapters/06_attention/attention.h"

namespace tpp {

/// Attention in which query head h uses key and value head h / (H/G): neighbours share.
///
/// Shapes  q (B·T, H·K), k, v (B·T, G·K), bias (H, 2T − 1) or an empty Var → (B·T, H·K)
/// Names   as attention()
/// Errors  ShapeError unless G divides H
/// Cost    as attention(): sharing saves memory and reading, not arithmetic
/// Paper   Ainslie et al. 2023, arXiv:2305.13245, section 2.2; G = 1: Shazeer 2019, arXiv:1911.02150
template <Real T>
Var<T> grouped_query_attention(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, AttentionConfig cfg,
                               std::string_view name = "attention");

/// Turn the key (or value) projection of a multi-head model into that of G groups: the mean of the
/// heads that will share.
///
///   pooled[g·K + i] = (G/H) · Σ_{h in group g} w[h·K + i]
///
/// Shapes  w (H·K, D) → pooled (G·K, D)
/// Errors  ShapeError unless G divides H and H divides w's rows
/// Paper   Ainslie et al. 2023, section 2.1: then train on for a few percent of the steps
template <Real T>
void mean_pool_heads(In<Mat<T>> w, Index H, Index G, Out<Mat<T>> pooled);

// [snip kv_cache_bytes]
/// Bytes that a model keeps for each token it has read: a key and a value, for each layer and head.
[[nodiscard]] constexpr Index kv_cache_bytes_per_token(Index layers, Index G, Index K,
                                                       Index bytes_per_number = 4) {
  return 2 * layers * G * K * bytes_per_number;
}
// [/snip]

}  // namespace tpp
