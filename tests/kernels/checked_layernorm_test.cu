// What the steps of LayerNorm's ladder change, as the recorder counts it.
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "kernels/layernorm/v1_thread_per_row.cuh"
#include "kernels/layernorm/v2_warp_per_row.cuh"
#include "kernels/layernorm/v3_vector_loads.cuh"
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

}  // namespace

TEST_CASE("recorder: LayerNorm by a thread, a warp, and vectors a row", "[simt]") {
  const int N = 64, D = 256;
  std::vector<float> values(std::size_t(N) * D);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(i * i % 97);
  DeviceArray<float> x(values), w(std::vector<float>(D, 1)), y(values.size()), mean(N), rstd(N);
  simt::name_buffer(x.data(), "x");
  simt::name_buffer(y.data(), "y");

  const auto record = [&](auto forward) {
    simt::Recorder recorder;
    forward(cudaStream_t{}, x.data(), w.data(), nullptr, y.data(), mean.data(), rstd.data(), N, D,
            1e-5f);
    return std::pair{traffic(recorder, "load", "x"), traffic(recorder, "store", "y")};
  };

  // A thread a row: 32 lanes stand in 32 rows, and every number brings 32 bytes along
  const auto [load1, store1] = record(twin::layernorm_forward_v1_launch<float>);
  CHECK(load1.sectors_per_request() == 32);
  CHECK(store1.sectors_per_request() == 32);

  // A warp a row: 32 lanes stand side by side, and every byte that comes is used
  const auto [load2, store2] = record(twin::layernorm_forward_v2_launch<float>);
  CHECK(load2.sectors_per_request() == 4);
  CHECK(store2.sectors_per_request() == 4);
  CHECK(load2.sectors == load1.sectors * 4 / 32 * load2.requests / load1.requests);

  // Vectors: a request is four times as large, and the row is read once instead of three times
  const auto [load3, store3] = record(twin::layernorm_forward_v3_launch<float>);
  CHECK(load3.sectors_per_request() == 16);
  CHECK(store3.sectors_per_request() == 16);
  CHECK(load3.sectors == double(N * D) * sizeof(float) / 32);
  CHECK(load2.sectors == 3 * load3.sectors);
  CHECK(load2.requests == 12 * load3.requests);
}
