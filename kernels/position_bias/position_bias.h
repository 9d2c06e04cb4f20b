// Biases by offset: T5's learned ones and ALiBi's fixed ones.
//
//   v1_thread_per_number   forward: a thread finds the bucket of its number; backward: a thread per number of dtable looks
//                          at every offset
//   v2_shared_bucket       forward: a bucket is found once for all heads; backward: a warp shares the offsets
#pragma once

#include "kernels/common/types.h"

namespace tpp::twin {

enum class PositionBiasVersion { latest, v1_thread_per_number, v2_shared_bucket };

/// bias[h, s − t + T − 1] = table[bucket(s − t), h]; the bucket in double, as the reference's t5_bucket().
///
/// Shapes  table (buckets, H) → bias (H, 2·length − 1); all float: parameters and logits are
/// Errors  std::invalid_argument unless there are 2 buckets (4 and an even number to look both ways) and max_distance
///         exceeds half of a direction's buckets
/// Reference  chapters/07_position
void t5_bias_forward(Stream stream, const float* table, float* bias, int length, int H,
                     bool bidirectional, int buckets, int max_distance,
                     PositionBiasVersion version);

/// dtable[j, h] = Σ of dbias[h, ·] over the offsets whose bucket is j.
void t5_bias_backward(Stream stream, const float* dbias, float* dtable, Write write, int length,
                      int H, bool bidirectional, int buckets, int max_distance,
                      PositionBiasVersion version);

/// bias[h, s − t + T − 1] = −m[h]·|s − t|, m the reference's alibi_slopes(H).
///
/// Shapes  → bias (H, 2·length − 1)
void alibi_bias(Stream stream, float* bias, int length, int H);

}  // namespace tpp::twin
