#include "kernels/position_bias/position_bias.h"

#include "kernels/common/storage.cuh"
#include "kernels/position_bias/v1_thread_per_number.cuh"
#include "kernels/position_bias/v2_shared_bucket.cuh"

namespace tpp::twin {
namespace {

T5Buckets checked(int length, int H, bool bidirectional, int buckets, int max_distance) {
  require(length >= 1 && H >= 1, "t5_bias: the length and the number of heads must be positive");
  require(buckets >= (bidirectional ? 4 : 2) && (!bidirectional || buckets % 2 == 0),
          "t5_bias: needs 2 buckets, or an even number from 4 on to look both ways");
  require(max_distance > (bidirectional ? buckets / 2 : buckets) / 2,
          "t5_bias: max_distance must exceed the distances with own buckets");
  return {bidirectional, buckets, max_distance};
}

}  // namespace

void t5_bias_forward(Stream stream, const float* table, float* bias, int length, int H,
                     bool bidirectional, int buckets, int max_distance,
                     PositionBiasVersion version) {
  const T5Buckets bucket = checked(length, H, bidirectional, buckets, max_distance);
  const auto blocks = unsigned(ceil_div(2 * length - 1, 128));
  if (version == PositionBiasVersion::v1_thread_per_number) {
    launch(t5_bias_forward_naive, dim3(blocks, unsigned(H)), 128, 0, cuda_stream(stream))(
        table, bias, length, H, bucket);
  } else {
    launch(t5_bias_forward_shared, blocks, 128, 0, cuda_stream(stream))(table, bias, length, H,
                                                                        bucket);
  }
}

void t5_bias_backward(Stream stream, const float* dbias, float* dtable, Write write, int length,
                      int H, bool bidirectional, int buckets, int max_distance,
                      PositionBiasVersion version) {
  const T5Buckets bucket = checked(length, H, bidirectional, buckets, max_distance);
  const int count = buckets * H;
  if (version == PositionBiasVersion::v1_thread_per_number) {
    launch(t5_bias_backward_naive, unsigned(ceil_div(count, 128)), 128, 0, cuda_stream(stream))(
        dbias, dtable, write, length, H, bucket);
  } else {
    launch(t5_bias_backward_warp, unsigned(ceil_div(count, 4)), 128, 0, cuda_stream(stream))(
        dbias, dtable, write, length, H, bucket);
  }
}

void alibi_bias(Stream stream, float* bias, int length, int H) {
  require(length >= 1 && H >= 1, "alibi: the length and the number of heads must be positive");
  const dim3 grid(unsigned(ceil_div(2 * length - 1, 128)), unsigned(H));
  launch(alibi_bias_fill, grid, 128, 0, cuda_stream(stream))(bias, length, H);
}

}  // namespace tpp::twin
