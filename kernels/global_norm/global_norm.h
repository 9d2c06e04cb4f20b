// The length of the whole gradient, and the factor that shortens it: two launches, no atomics, the same bits every time.
//
//   v1_block_per_parameter  a block adds up a parameter; the largest one keeps one block busy while the others are done
//   v2_pieces               parameters are cut into pieces of similar size, a block each, 16 bytes a load
//
// In both the second launch, one block, adds the pieces of each parameter, then the parameters.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "kernels/common/types.h"
#include "kernels/optimizer/optimizer.h"

namespace tpp::twin {

enum class GlobalNormVersion { latest, v1_block_per_parameter, v2_pieces };

/// Where a parameter's gradient stands in the flat buffer.
struct NormSegment {
  std::size_t offset, size;
};

/// The numbers [begin, begin + size) of the flat buffer, all of one parameter.
struct NormPiece {
  std::size_t begin;
  int size;
};

/// How the gradients are cut; made once, uploaded by the caller.
struct NormPlan {
  std::vector<NormPiece> pieces;
  std::vector<int> first;  // (parameters + 1): the first piece of each, then the number of pieces
};

/// Pieces of 16384 numbers, larger ones where a parameter would have more than 512.
inline NormPlan plan_global_norm(std::span<const NormSegment> segments) {
  constexpr std::size_t kPiece = 16384, kMost = 512;
  NormPlan plan;
  for (const NormSegment& s : segments) {
    plan.first.push_back(int(plan.pieces.size()));
    const std::size_t size = std::max(kPiece, ceil_div(ceil_div(s.size, kMost), kPiece) * kPiece);
    require(size <= 0x40000000, "global_norm: a parameter of more than 2^39 numbers");
    for (std::size_t done = 0; done < s.size; done += size) {
      plan.pieces.push_back({s.offset + done, int(std::min(size, s.size - done))});
    }
  }
  plan.first.push_back(int(plan.pieces.size()));
  return plan;
}

/// A plan on the device.
struct NormPlanOnDevice {
  const NormPiece* pieces;  // (piece_count)
  const int* first;         // (parameters + 1)
  int piece_count, parameters;
};

/// What the host looks at after a step.
struct GradientNorm {
  double norm;
  double scale;  // the clip factor; NaN when the norm is not finite
};

/// squares[p] = Σ g² of parameter p;  norm = √Σ_p squares[p];  scale = norm > max_norm ? max_norm / norm : 1
///
/// Sums are double: products of floats are exact in it, and a gradient of 1e30 does not overflow. max_norm = 0 does not
/// clip. Deviation: an infinite norm gives the scale NaN, where the reference has 0, because optimizer_update keeps its
/// hands off such a step and the host reports it.
///
/// Shapes  g: the flat buffer; partial (piece_count) is workspace; squares (parameters), *result, and
///         step->gradient_scale are written, step and result may be nullptr
/// Errors  std::invalid_argument for a negative or NaN max_norm
/// Bytes   4·n read
/// Reference  chapters/10_optimizer/clip.h
void global_norm(Stream stream, const float* g, const NormPlanOnDevice& plan, double max_norm,
                 double* partial, double* squares, OptimizerStep* step, GradientNorm* result,
                 GlobalNormVersion version);

}  // namespace tpp::twin
