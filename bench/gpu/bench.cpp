// How a launch is timed: buffers that the cache does not hold, a graph of many launches where one is short, medians.
#include "bench/gpu/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numbers>

#include "chapters/01_tensor/random.h"

namespace tpp::bench {
namespace {

constexpr std::size_t kPattern =
    4 << 20;  // random numbers made on the host; longer tensors repeat them
constexpr std::size_t kBeyondCache = 512ull << 20;  // ten times an H100's L2
constexpr double kShort = 50;  // µs: below, launching itself would be measured

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

const std::vector<float>& normal_pattern() {
  static const std::vector<float> pattern = [] {
    Philox rng(7);
    std::vector<float> values(kPattern);
    for (std::size_t i = 0; i + 1 < kPattern; i += 2) {  // Box and Muller
      const double radius = std::sqrt(-2 * std::log(1 - rng.uniform()));
      const double angle = 2 * std::numbers::pi * rng.uniform();
      values[i] = float(radius * std::cos(angle));
      values[i + 1] = float(radius * std::sin(angle));
    }
    return values;
  }();
  return pattern;
}

/// The first `filled` bytes again and again, up to `bytes`.
void repeat(void* p, std::size_t filled, std::size_t bytes) {
  auto* at = static_cast<char*>(p);
  while (filled < bytes) {
    const std::size_t more = std::min(filled, bytes - filled);
    twin::copy(nullptr, at + filled, at, more);
    filled += more;
  }
  twin::synchronize(nullptr);
}

/// Streams and graphs that end with their scope.
struct OwnStream {
  twin::Stream stream = twin::make_stream();
  OwnStream() = default;
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  ~OwnStream() { twin::destroy_stream(stream); }
};
struct OwnGraph {
  twin::Graph graph = nullptr;
  OwnGraph() = default;
  OwnGraph(const OwnGraph&) = delete;
  OwnGraph& operator=(const OwnGraph&) = delete;
  ~OwnGraph() {
    if (graph != nullptr) twin::destroy_graph(graph);
  }
};

}  // namespace

// --- Memory -------------------------------------------------------------------------------------------

Arena::~Arena() {
  for (void* p : taken_) twin::release(p);
}

void* Arena::take(std::size_t bytes) {
  taken_.push_back(twin::allocate(std::max<std::size_t>(bytes, 1)));
  bytes_ += bytes;
  return taken_.back();
}

void Arena::fill_normal(void* p, std::size_t bytes, bool is_float, float deviation) {
  const std::size_t size = is_float ? sizeof(float) : sizeof(Bf16);
  const std::size_t n = std::min(bytes / size, kPattern);
  const std::vector<float>& pattern = normal_pattern();
  if (is_float) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = deviation * pattern[i];
    twin::upload(nullptr, p, values.data(), n * size);
    twin::synchronize(nullptr);
  } else {
    std::vector<Bf16> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = Bf16(deviation * pattern[i]);
    twin::upload(nullptr, p, values.data(), n * size);
    twin::synchronize(nullptr);
  }
  repeat(p, n * size, bytes);
}

int* Arena::indices(std::size_t n, int below) {
  Philox rng(8);
  std::vector<int> values(std::min(n, kPattern));
  for (int& value : values) value = std::min(below - 1, int(rng.uniform() * below));
  int* p = static_cast<int*>(take(n * sizeof(int)));
  twin::upload(nullptr, p, values.data(), values.size() * sizeof(int));
  twin::synchronize(nullptr);
  repeat(p, values.size() * sizeof(int), n * sizeof(int));
  return p;
}

// --- Time ---------------------------------------------------------------------------------------------

Result measure(const Case& c, const Effort& effort) {
  const OwnStream own;
  const twin::Stream stream = own.stream;
  std::vector<std::unique_ptr<Arena>> arenas;
  std::vector<Launch> launches;
  do {  // as many sets of buffers as the cache cannot hold
    arenas.push_back(std::make_unique<Arena>());
    launches.push_back(c.prepare(*arenas.back()));
  } while (launches.size() < 64 &&
           launches.size() * std::max<std::size_t>(arenas[0]->bytes(), 1) < kBeyondCache);
  twin::synchronize(nullptr);

  // Warm up: the first launch loads the code; then until the clock is up
  std::size_t turn = 0;
  const auto next = [&] { launches[turn++ % launches.size()](stream); };
  twin::Timer timer;
  next();
  twin::synchronize(stream);
  double once = 0;
  const double warm_until = now() + std::min(0.02, effort.seconds);
  for (int i = 0; i < 2 || (now() < warm_until && i < 1000); ++i) {
    timer.start(stream);
    next();
    timer.stop(stream);
    once = timer.microseconds();
    if (once > 1e6 * effort.at_most) break;
  }

  // Put many short launches into a graph, each set of buffers as often as the others
  std::size_t launches_a_sample = 1;
  OwnGraph own_graph;
  if (once < kShort) {
    const auto wanted = std::size_t(std::ceil(8 * kShort / std::max(once, 1.0)));
    launches_a_sample = (wanted + launches.size() - 1) / launches.size() * launches.size();
    bool captures = true;
    try {
      twin::begin_capture(stream);
    } catch (const std::runtime_error&) {
      captures = false;  // the emulator
    }
    if (captures) {
      for (std::size_t i = 0; i < launches_a_sample; ++i) next();
      own_graph.graph = twin::end_capture(stream);
      twin::replay(own_graph.graph, stream);
      twin::synchronize(stream);
    }
  }

  std::vector<double> samples;
  const double start = now();
  while (true) {
    timer.start(stream);
    if (own_graph.graph != nullptr) {
      twin::replay(own_graph.graph, stream);
    } else {
      for (std::size_t i = 0; i < launches_a_sample; ++i) next();
    }
    timer.stop(stream);
    samples.push_back(timer.microseconds() / double(launches_a_sample));
    const double spent = now() - start;
    if (spent > effort.at_most && samples.size() >= 3) break;
    if (int(samples.size()) >= effort.repetitions && spent > effort.seconds) break;
    if (samples.size() >= 100'000) break;
  }
  std::sort(samples.begin(), samples.end());
  return {.microseconds = samples[samples.size() / 2],
          .lower = samples[samples.size() / 4],
          .upper = samples[samples.size() * 3 / 4],
          .repetitions = int(samples.size())};
}

}  // namespace tpp::bench
