// What the steps of softmax's ladder change, as the recorder counts it; and that cross-entropy's last step reads once.
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "kernels/cross_entropy/v2_online.cuh"
#include "kernels/cross_entropy/v3_row_on_chip.cuh"
#include "kernels/softmax/v1_thread_per_row.cuh"
#include "kernels/softmax/v2_warp_per_row.cuh"
#include "kernels/softmax/v3_row_in_registers.cuh"
#include "tests/testing.h"

using namespace tpp;

namespace {

struct Traffic {
  double requests = 0, sectors = 0;
  [[nodiscard]] double sectors_per_request() const { return sectors / requests; }
};

// All that the launches of a recorder read from, or wrote to, an array
Traffic traffic(const simt::Recorder& recorder, const std::string& op, const std::string& array) {
  Traffic total;
  for (const simt::LineStats& line : recorder.lines()) {
    if (line.op != op || line.array != array) continue;
    total.requests += double(line.requests);
    total.sectors += double(line.sectors);
  }
  return total;
}

std::vector<float> scores(int N, int M) {
  std::vector<float> values(std::size_t(N) * std::size_t(M));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(i * i % 97) / 10;
  return values;
}

}  // namespace

TEST_CASE("recorder: softmax by a thread, a warp, and registers a row", "[simt]") {
  const int N = 64, M = 256;
  DeviceArray<float> x(scores(N, M)), y(std::size_t(N) * M);
  simt::name_buffer(x.data(), "x");
  simt::name_buffer(y.data(), "y");
  const auto record = [&](auto kernel, int grid, int block) {
    simt::Recorder recorder;
    launch(kernel, grid, block)(x.data(), y.data(), N, M);
    return std::pair{traffic(recorder, "load", "x"), traffic(recorder, "store", "y")};
  };
  const double once = N * M * sizeof(float) / 32.0;  // sectors of x

  // A thread a row: 32 lanes stand in 32 rows, and every number brings 32 bytes along, three times
  const auto [load1, store1] = record(twin::softmax_forward_v1<float>, 1, 64);
  CHECK(load1.sectors_per_request() == 32);
  CHECK(store1.sectors_per_request() == 32);
  CHECK(load1.sectors == 3 * 8 * once);

  // A warp a row: every byte that comes is used, but the row still comes three times
  const auto [load2, store2] = record(twin::softmax_forward_v2<float, 32>, N / 4, 128);
  CHECK(load2.sectors_per_request() == 4);
  CHECK(store2.sectors_per_request() == 4);
  CHECK(load2.sectors == 3 * once);

  // In registers: once, and a quarter of the requests for it
  const auto [load3, store3] = record(twin::softmax_forward_v3<float, 32, 2, 4>, N / 4, 128);
  CHECK(load3.sectors_per_request() == 16);
  CHECK(store3.sectors_per_request() == 16);
  CHECK(load3.sectors == once);
  CHECK(load2.requests == 12 * load3.requests);
}

TEST_CASE("recorder: cross-entropy reads a row twice, or once through shared memory", "[simt]") {
  const int N = 6, V = 2048, kThreads = 128, kPacks = 8;
  DeviceArray<float> logits(scores(N, V)), dlogits(std::size_t(N) * V), row_loss(N), log_sum(N);
  DeviceArray<int> targets(std::vector<int>{3, 0, 2047, 5, 6, 7});
  simt::name_buffer(logits.data(), "logits");
  simt::name_buffer(dlogits.data(), "dlogits");
  const auto record = [&](auto kernel, int grid, std::size_t bytes) {
    simt::Recorder recorder;
    launch(kernel, grid, kThreads, bytes)(nullptr, logits.data(), targets.data(), 1.0f,
                                          row_loss.data(), log_sum.data(), dlogits.data(), N, V);
    return traffic(recorder, "load", "logits");
  };
  const double once = N * V * sizeof(float) / 32.0;
  const double targets_alone = N;  // each row's score of its target is looked up
  CHECK(record(twin::cross_entropy_fused_v2<float, kThreads, 4>, N, 0).sectors ==
        2 * once + targets_alone);
  CHECK(
      record(twin::cross_entropy_fused_block<float, kThreads, 0, kPacks>, 2, kThreads * kPacks * 16)
          .sectors == once + targets_alone);
}
