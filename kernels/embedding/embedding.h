// The CUDA twin of chapter 04's embedding: rows of a table gathered, and their gradients summed back in one order.
//
//   v1_thread_per_column  forward: a thread copies one number. Backward: a thread owns one number of the table's gradient
//                         and looks at every token
//   v2_shared_scan        forward: a warp copies a row, 16 bytes a lane. Backward: a block owns a piece of a row; its
//                         threads look at the tokens together and share the sum
//   v3_slots              backward for large tables: a first kernel notes the places of rare tokens, so that only the
//                         frequent ones are looked for
#pragma once

#include "kernels/common/types.h"

namespace tpp::twin {

enum class EmbeddingVersion { latest, v1_thread_per_column, v2_shared_scan, v3_slots };

/// y[n] = table[tokens[n]]. Tokens lie in [0, V): the caller has looked.
///
/// Shapes     table (V, D), tokens (N) → y (N, D)
/// Bytes      N·D read from rows in no order, N·D written
/// Errors     std::invalid_argument unless N ≥ 0, V ≥ 1 and D ≥ 1
/// Reference  chapters/04_embedding
template <Storage T>
void embedding_forward(Stream stream, const T* table, const int* tokens, T* y, int N, int V, int D,
                       EmbeddingVersion version);

/// How many tokens of one kind have a place in the workspace; more of them are frequent.
inline constexpr int kEmbeddingSlots = 8;

/// How many numbers of 4 bytes embedding_backward needs.
inline std::size_t embedding_backward_work(int N, int V) {
  // counts (V), the number of frequent tokens (1), which they are, slots (V, kEmbeddingSlots)
  return std::size_t(V) + 1 + std::size_t(N / (kEmbeddingSlots + 1)) +
         std::size_t(V) * kEmbeddingSlots;
}

/// dtable[v] = Σ_n dy[n] over the n with tokens[n] = v, the same bits in every run.
///
/// With Write::set the table's other rows become zero; with Write::add they are not touched.
///
/// Shapes  dy (N, D), tokens (N) → dtable (V, D); work (embedding_backward_work(N, V)), used as int
/// Bytes   N·D read; V·D written with Write::set, otherwise the used rows read and written
template <Storage T>
void embedding_backward(Stream stream, const T* dy, const int* tokens, float* dtable, float* work,
                        int N, int V, int D, Write write, EmbeddingVersion version);

}  // namespace tpp::twin
