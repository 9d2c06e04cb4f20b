// The CUDA twin of chapter 05's cross-entropy: the loss of each row of scores, and its gradient.
//
//   v1_separate     maximum, sum, gradient: the scores are read three times, by a warp a row
//   v2_online       maximum and sum in one pass, by a block a row; the gradient's read comes out of the cache at best
//   v3_row_on_chip  forward and backward are one kernel that reads the scores once and writes the gradient once
#pragma once

#include "kernels/common/types.h"

namespace tpp::twin {

enum class CrossEntropyVersion { latest, v1_separate, v2_online, v3_row_on_chip };

/// log_sum[n] = log Σ_v exp(logits[n,v]),     row_loss[n] = log_sum[n] − logits[n, targets[n]]
///
/// Both are 0 where the target is −1 (ignored). Targets lie in [−1, V): the caller has looked.
///
/// Shapes     logits (N, V), targets (N) → row_loss (N), log_sum (N)
/// Bytes      one read of logits (v2, v3)
/// Errors     std::invalid_argument unless N ≥ 0 and V ≥ 1
/// Reference  chapters/05_softmax
template <Storage T>
void cross_entropy_forward(Stream stream, const T* logits, const int* targets, float* row_loss,
                           float* log_sum, int N, int V, CrossEntropyVersion version);

/// dlogits[n,v] = dloss · inv_count · (exp(logits[n,v] − log_sum[n]) − 1[v = targets[n]])
///
/// Rows whose target is −1 get zeros. A dloss of nullptr stands for 1. dlogits may be logits.
///
/// Shapes  dloss (1), logits (N, V), targets (N), log_sum (N) → dlogits (N, V)
/// Bytes   one read of logits, one write of dlogits
template <Storage T>
void cross_entropy_backward(Stream stream, const float* dloss, const T* logits, const int* targets,
                            float inv_count, const float* log_sum, T* dlogits, int N, int V,
                            CrossEntropyVersion version);

/// Forward and backward at once: row_loss, log_sum and dlogits as above. dlogits may be logits.
///
/// Bytes  v3 reads logits once and writes dlogits once if V ≤ 1024, or if the rows are multiples of 16 bytes and at
///        most 51200 floats or 53248 bfloat16; other rows are read a second time, which the L2 cache may serve
template <Storage T>
void cross_entropy_fused(Stream stream, const float* dloss, const T* logits, const int* targets,
                         float inv_count, float* row_loss, float* log_sum, T* dlogits, int N, int V,
                         CrossEntropyVersion version);

/// loss = inv_count · Σ_n row_loss[n], added up in double, in one order.
///
/// Shapes  row_loss (N) → loss (1)
void cross_entropy_loss(Stream stream, const float* row_loss, float inv_count, float* loss, int N);

/// dlogits[n,v] ·= dloss, for a dlogits that was made with a dloss of 1. Nothing is read or written if dloss is 1.
///
/// Shapes  dloss (1), dlogits (N, V), changed in place
template <Storage T>
void cross_entropy_scale(Stream stream, const float* dloss, T* dlogits, int N, int V);

}  // namespace tpp::twin
