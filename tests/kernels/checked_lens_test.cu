// The kernel lens counts what the recorder counts: random requests of every kind, held against its numbers.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "kernels/common/device_array.h"
#include "tests/testing.h"
#include "viewer/kernels/request.h"
#include "viewer/kernels/trace.h"

using namespace tpp;

namespace {

constexpr int kRounds = 12, kThreads = 64, kTile = 512;  // elements of 16 bytes in the tile

// Each thread of the block accesses x and the tile where `where` says; −1: not at all.
template <class T>
__global__ void wander(const T* x, T* y, const int* where) {
  __shared__ unsigned char odd[20];  // so that the tile begins anywhere
  __shared__ T tile[kTile];
  const int t = int(threadIdx.x);
  if (t < 20) odd[t] = 1;
  for (int i = t; i < kTile; i += kThreads) tile[i] = x[i];
  __syncthreads();
  for (int round = 0; round < kRounds; ++round) {
    const int at = where[round * kThreads + t];
    if (at < 0) continue;
    const T far = x[at + odd[t % 20] - 1];
    const T near = tile[at];
    y[round * kThreads + t] = round % 2 == 0 ? far : near;
  }
}

__global__ void add_up(int* sums, const int* where) {
  __shared__ int local[kTile];
  const int t = int(threadIdx.x);
  for (int i = t; i < kTile; i += kThreads) local[i] = 0;
  __syncthreads();
  for (int round = 0; round < kRounds; ++round) {
    const int at = where[round * kThreads + t];
    if (at < 0) continue;
    const int before = atomicAdd(&local[at], 1);
    atomicAdd(&sums[at], before);
  }
}

// As ./run counts writes it.
viewer::Trace trace_of(const simt::Recorder& r) {
  return viewer::read_trace(
      R"({"format": "tpp-trace 1", "chapter": "00", "section": "random", "title": "random", "versions": [{"name": "v", "least": 0, "record": )" +
          r.json() + "}]}",
      "random");
}

// Every request and every sum.
void expect_equal(const simt::Recorder& r, std::size_t least) {
  const viewer::Trace trace = trace_of(r);  // refuses what is not equal
  const viewer::TraceVersion& v = trace.versions.at(0);
  CHECK(v.requests.size() > least);
  std::vector<std::uint64_t> cost(v.lines.size()), ideal(v.lines.size()), lanes(v.lines.size());
  for (const viewer::TraceRequest& request : v.requests) {
    const viewer::TraceLine& line = v.lines[std::size_t(request.line)];
    CHECK(viewer::cost_of(line, request) == request.cost);
    cost[std::size_t(request.line)] += std::uint64_t(request.cost);
    ideal[std::size_t(request.line)] += std::uint64_t(viewer::ideal_of(line, request));
    for (int lane = 0; lane < 32; ++lane)
      lanes[std::size_t(request.line)] += request.takes_part(lane);
  }
  // One block: its requests are all that there are
  const std::vector<simt::LineStats> lines = r.lines();
  REQUIRE(lines.size() == v.lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    INFO(lines[i].op << " " << lines[i].array << ", line " << lines[i].line);
    CHECK(v.lines[i].array == lines[i].array);
    CHECK(v.lines[i].kept.size() == lines[i].requests);
    const bool global = lines[i].space == 'g';
    CHECK(cost[i] == (global ? lines[i].sectors : lines[i].wavefronts));
    CHECK(ideal[i] == (global ? lines[i].ideal_sectors : lines[i].ideal_wavefronts));
    CHECK(lanes[i] == lines[i].lanes);
  }
}

// Far and near, some equal, some left out.
std::vector<int> places(unsigned seed) {
  std::mt19937 bits(seed);
  std::vector<int> where(kRounds * kThreads);
  for (std::size_t i = 0; i < where.size(); ++i) {
    const unsigned kind = unsigned(i) / kThreads % 4;
    const int t = int(i % kThreads);
    where[i] = kind == 0   ? int(bits() % kTile)
               : kind == 1 ? int(bits() % 8) * 32
               : kind == 2 ? t * int(1 + seed % 7)
                           : int(bits() % 3);
    if (kind != 2 && bits() % 5 == 0) where[i] = -1;
  }
  return where;
}

template <class T>
void wander_with(unsigned seed) {
  DeviceArray<T> x{std::vector<T>(kTile)}, y(kRounds * kThreads);
  DeviceArray<int> where(places(seed));
  simt::name_buffer(x.data(), "x");
  simt::Recorder r;
  launch(wander<T>, 1, kThreads)(x.data(), y.data(), where.data());
  expect_equal(r, 60);
}

}  // namespace

TEST_CASE("kernel lens: random requests cost what the recorder counted", "[simt][emulated]") {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    wander_with<float>(seed);
    wander_with<float2>(seed);
    wander_with<float4>(seed);
    wander_with<double>(seed);
    wander_with<unsigned char>(seed);
    wander_with<short>(seed);
    DeviceArray<int> sums{std::vector<int>(kTile)}, where(places(seed));
    simt::Recorder r;
    launch(add_up, 1, kThreads)(sums.data(), where.data());
    expect_equal(r, 30);
  }
}

TEST_CASE("kernel lens: requests come in the order of the program", "[simt][emulated]") {
  DeviceArray<float> x{std::vector<float>(kTile)}, y(kRounds * kThreads);
  std::vector<int> all(kRounds * kThreads);
  for (std::size_t i = 0; i < all.size(); ++i)  // odd lanes sit out some rounds
    all[i] = i / kThreads % 3 == 0 && i % 2 == 1 ? -1 : int(i % kTile);
  DeviceArray<int> where(all);
  simt::Recorder r;
  launch(wander<float>, 1, kThreads)(x.data(), y.data(), where.data());
  const viewer::Trace trace = trace_of(r);
  const viewer::TraceVersion& v = trace.versions.at(0);
  int phase = 0;
  std::vector<std::vector<std::int32_t>> stored(2);
  for (const viewer::TraceRequest& request : v.requests) {
    CHECK(request.phase >= phase);
    phase = request.phase;
    const viewer::TraceLine& line = v.lines[std::size_t(request.line)];
    if (line.shared || line.op != viewer::TraceLine::Op::store) continue;
    std::int32_t lowest = -1;
    for (int lane = 31; lane >= 0; --lane)
      if (request.takes_part(lane)) lowest = request.offset[std::size_t(lane)];
    stored[std::size_t(request.warp)].push_back(lowest);
  }
  // y is stored round by round
  for (const auto& offsets : stored) {
    CHECK(offsets.size() == kRounds);
    CHECK(std::is_sorted(offsets.begin(), offsets.end()));
  }
}
