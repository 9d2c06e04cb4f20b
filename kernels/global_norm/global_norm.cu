// guard: squares_v2 has ld.global.v4
#include "kernels/global_norm/global_norm.h"

#include "kernels/common/storage.cuh"
#include "kernels/global_norm/v1_block_per_parameter.cuh"
#include "kernels/global_norm/v2_pieces.cuh"

namespace tpp::twin {

void global_norm(Stream stream, const float* g, const NormPlanOnDevice& plan, double max_norm,
                 double* partial, double* squares, OptimizerStep* step, GradientNorm* result,
                 GlobalNormVersion version) {
  constexpr int kThreads = 256, kPacks = 4, kFinish = 1024;
  require(max_norm >= 0, "global_norm: the largest norm must be positive, or 0 for no clipping");
  require(plan.parameters >= 0 && plan.piece_count >= 0, "global_norm: a plan without sense");
  const cudaStream_t s = cuda_stream(stream);
  if (plan.piece_count > 0 && version == GlobalNormVersion::v1_block_per_parameter) {
    launch(squares_v1<kThreads>, unsigned(plan.parameters), kThreads, 0, s)(g, plan.pieces,
                                                                            plan.first, partial);
  } else if (plan.piece_count > 0) {
    launch(squares_v2<kThreads, kPacks>, unsigned(plan.piece_count), kThreads, 0, s)(g, plan.pieces,
                                                                                     partial);
  }
  launch(finish_norm<kFinish>, 1, kFinish, 0, s)(partial, plan.first, plan.parameters, max_norm,
                                                 squares, step, result);
}

}  // namespace tpp::twin
