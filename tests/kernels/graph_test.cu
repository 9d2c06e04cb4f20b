// Streams that capture: what is written down happens at every launch of the graph, and not before. What CUDA refuses
// meanwhile is refused here.
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kernels/common/device_array.h"
#include "tests/testing.h"

using namespace tpp;

namespace {

__global__ void add_to_all(float* x, int n, float step) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) x[i] += step;
}

// step[0] comes from the device, so it may change between two launches of a graph.
__global__ void add_loaded(float* x, const float* step) { x[threadIdx.x] += step[0]; }

__global__ void two_vectors(float4 a, float4 b, float4* y) {
  y[threadIdx.x] = make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

struct Stream {
  cudaStream_t raw = nullptr;
  Stream() { check_cuda(cudaStreamCreate(&raw), "cudaStreamCreate"); }
  explicit Stream(unsigned flags) {
    check_cuda(cudaStreamCreateWithFlags(&raw, flags), "cudaStreamCreateWithFlags");
  }
  ~Stream() { (void)cudaStreamDestroy(raw); }
  Stream(const Stream&) = delete;
};

struct Graph {
  cudaGraphExec_t raw = nullptr;
  std::size_t nodes = 0;
  ~Graph() { (void)cudaGraphExecDestroy(raw); }
};

void begin(cudaStream_t stream, cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal) {
  check_cuda(cudaStreamBeginCapture(stream, mode), "cudaStreamBeginCapture");
}

std::unique_ptr<Graph> end(cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  check_cuda(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  auto result = std::make_unique<Graph>();
  check_cuda(cudaGraphGetNodes(graph, nullptr, &result->nodes), "cudaGraphGetNodes");
  check_cuda(cudaGraphInstantiate(&result->raw, graph, 0), "cudaGraphInstantiate");
  check_cuda(cudaGraphDestroy(graph), "cudaGraphDestroy");
  return result;
}

void replay(const Graph& graph, cudaStream_t stream) {
  check_cuda(cudaGraphLaunch(graph.raw, stream), "cudaGraphLaunch");
  check_cuda(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
}

std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const simt::Error& e) {
    return e.what();
  }
  return "(no report)";
}

void check_refused(const std::function<void()>& f, const std::string& piece) {
  const std::string message = refusal(f);
  INFO(message);
  INFO("must hold: " << piece);
  CHECK(message.find(piece) != std::string::npos);
}

// Begin a capture, do what CUDA refuses, and see that there is no graph.
void check_spoils(const std::function<void(cudaStream_t)>& f, const std::string& piece) {
  Stream s;
  begin(s.raw);
  check_refused([&] { f(s.raw); }, piece);
  cudaGraph_t graph = nullptr;
  check_refused([&] { cudaStreamEndCapture(s.raw, &graph); }, "so there is no graph");
  CHECK(graph == nullptr);

  // The stream itself is fine again.
  begin(s.raw);
  CHECK(end(s.raw)->nodes == 0);
}

std::vector<float> values(std::size_t n, float v) { return std::vector<float>(n, v); }

}  // namespace

TEST_CASE("graph: nothing happens before the launch, everything at each", "[simt]") {
  Stream s;
  DeviceArray<float> x(values(5, 1)), y(5);
  std::vector<float> out(5, -1);
  begin(s.raw);
  {
    const int n = 5;  // arguments are copied
    float step = 2;
    launch(add_to_all, 3, 2, 0, s.raw)(x.data(), n, step);
    step = 100;
    cudaMemcpyAsync(y.data(), x.data(), 5 * sizeof(float), cudaMemcpyDeviceToDevice, s.raw);
    cudaMemsetAsync(x.data() + 4, 0, sizeof(float), s.raw);
    cudaMemcpyAsync(out.data(), y.data(), 5 * sizeof(float), cudaMemcpyDeviceToHost, s.raw);
  }
  const auto graph = end(s.raw);
  CHECK(graph->nodes == 4);
  CHECK(x.to_host() == values(5, 1));
  CHECK(out == values(5, -1));

  replay(*graph, s.raw);
  CHECK(out == values(5, 3));
  CHECK(x.to_host() == std::vector<float>{3, 3, 3, 3, 0});
  replay(*graph, nullptr);  // in any stream
  CHECK(out == std::vector<float>{5, 5, 5, 5, 2});
}

TEST_CASE("graph: what changes comes by pointer", "[simt]") {
  Stream s;
  DeviceArray<float> x(values(4, 0)), step(1);
  std::vector<float> from_host{1};
  begin(s.raw);
  cudaMemcpyAsync(step.data(), from_host.data(), sizeof(float), cudaMemcpyHostToDevice, s.raw);
  launch(add_loaded, 1, 4, 0, s.raw)(x.data(), step.data());
  const auto graph = end(s.raw);
  for (const float each : {1.0f, 10.0f, 100.0f}) {
    from_host[0] = each;
    replay(*graph, s.raw);
  }
  CHECK(x.to_host() == values(4, 111));
}

TEST_CASE("graph: vectors are arguments too", "[simt]") {
  Stream s;
  DeviceArray<float4> y(2);
  begin(s.raw);
  launch(two_vectors, 1, 2, 0, s.raw)(float4(1, 2, 3, 4), float4(10, 20, 30, 40), y.data());
  const auto graph = end(s.raw);
  replay(*graph, s.raw);
  const auto got = y.to_host();
  CHECK((got[1].x == 11 && got[1].y == 22 && got[1].z == 33 && got[1].w == 44));
}

TEST_CASE("graph: work of the host keeps the stream's order", "[simt]") {
  Stream s;
  DeviceArray<float> x(values(4, 1));
  float* p = x.data();
  const auto twice = [p] {
    simt::host_reads(p, 4 * sizeof(float), "twice");
    for (int i = 0; i < 4; ++i) p[i] *= 2;
    simt::host_writes(p, 4 * sizeof(float), "twice");
  };
  simt::on_host(s.raw, twice);  // no capture: now
  CHECK(x.to_host() == values(4, 2));

  begin(s.raw);
  launch(add_to_all, 1, 4, 0, s.raw)(p, 4, 1.0f);
  simt::on_host(s.raw, twice);
  launch(add_to_all, 1, 4, 0, s.raw)(p, 4, 1.0f);
  const auto graph = end(s.raw);
  CHECK(graph->nodes == 3);
  CHECK(x.to_host() == values(4, 2));
  replay(*graph, s.raw);
  CHECK(x.to_host() == values(4, 7));  // (2 + 1)·2 + 1

  check_refused([&] { simt::host_writes(p + 2, 3 * sizeof(float), "product"); },
                "product: 12 bytes at offset 8 are not inside");
  DeviceArray<float> fresh(4);
  const auto read = [&] { simt::host_reads(fresh.data(), 16, "product"); };
  check_refused(read, simt::checked() ? "product reads buffer #" : "(no report)");
  simt::host_writes(fresh.data(), 16, "product");
  CHECK(refusal(read) == "(no report)");
}

TEST_CASE("graph: a graph in a graph, and one that was destroyed after", "[simt]") {
  Stream s, t;
  DeviceArray<float> x(values(4, 0));
  begin(s.raw);
  launch(add_to_all, 1, 4, 0, s.raw)(x.data(), 4, 1.0f);
  auto inner = end(s.raw);
  begin(t.raw);
  CHECK(cudaGraphLaunch(inner->raw, t.raw) == cudaSuccess);
  CHECK(cudaGraphLaunch(inner->raw, t.raw) == cudaSuccess);
  const auto outer = end(t.raw);
  inner.reset();
  replay(*outer, t.raw);
  CHECK(x.to_host() == values(4, 2));
}

TEST_CASE("graph: mistakes are found when it runs", "[simt]") {
  Stream s;
  auto x = std::make_unique<DeviceArray<float>>(values(4, 0));
  begin(s.raw);
  cudaMemsetAsync(x->data(), 0, 16, s.raw);
  const auto graph = end(s.raw);
  replay(*graph, s.raw);
  x.reset();
  check_refused([&] { cudaGraphLaunch(graph->raw, s.raw); }, "use after cudaFree of buffer #");

  // But a launch that CUDA refuses is refused at once.
  begin(s.raw);
  check_refused([&] { launch(add_to_all, 1, 2048, 0, s.raw)(nullptr, 0, 0.0f); },
                "2048 threads in a block");
  end(s.raw);
}

TEST_CASE("graph: what CUDA refuses during a capture", "[simt]") {
  DeviceArray<float> x(values(4, 0));
  std::vector<float> host(4);
  float* p = x.data();
  check_spoils([](cudaStream_t s) { cudaStreamSynchronize(s); },
               "cudaStreamSynchronize: this stream captures");
  check_spoils([](cudaStream_t) { cudaStreamSynchronize(nullptr); },
               "cudaStreamSynchronize: a stream captures; the legacy stream (0)");
  check_spoils([](cudaStream_t) { cudaDeviceSynchronize(); }, "cudaDeviceSynchronize: not while");
  check_spoils([](cudaStream_t) { cudaMalloc(static_cast<float**>(nullptr), 4); },
               "cudaMalloc: not while a stream captures");
  check_spoils([&](cudaStream_t) { cudaFree(p); }, "cudaFree: not while a stream captures");
  check_spoils([](cudaStream_t) { cudaMallocHost(static_cast<float**>(nullptr), 4); },
               "cudaMallocHost: not while a stream captures");
  check_spoils([&](cudaStream_t) { cudaMemcpy(host.data(), p, 16, cudaMemcpyDeviceToHost); },
               "cudaMemcpy: not while a stream captures");
  check_spoils(
      [&](cudaStream_t) { cudaMemcpyAsync(host.data(), p, 16, cudaMemcpyDeviceToHost, nullptr); },
      "cudaMemcpyAsync: a stream captures; the legacy stream (0)");
  check_spoils([&](cudaStream_t) { cudaMemset(p, 0, 16); }, "the legacy stream (0)");
  check_spoils([&](cudaStream_t) { launch(add_to_all, 1, 4)(p, 4, 1.0f); },
               "launch: a stream captures; the legacy stream (0)");
  check_spoils([](cudaStream_t) { simt::on_host(nullptr, [] {}); }, "the legacy stream (0)");
  CHECK(x.to_host() == values(4, 0));  // nothing of that was done, x is not freed
}

TEST_CASE("graph: what CUDA allows during a capture", "[simt]") {
  DeviceArray<float> x(values(4, 0));
  float* p = nullptr;
  Stream s, other;

  // Another stream works on; another thread may allocate, but not use the legacy stream.
  begin(s.raw);
  launch(add_to_all, 1, 4, 0, other.raw)(x.data(), 4, 1.0f);
  CHECK(cudaStreamSynchronize(other.raw) == cudaSuccess);
  std::string legacy;
  std::thread([&] { check_cuda(cudaMalloc(&p, 16), "cudaMalloc"); }).join();
  cudaStreamCaptureStatus status{};
  cudaStreamIsCapturing(s.raw, &status);
  CHECK(status == cudaStreamCaptureStatusActive);
  std::thread([&] { legacy = refusal([&] { cudaMemset(p, 0, 16); }); }).join();
  CHECK(legacy.find("the legacy stream (0)") != std::string::npos);
  cudaStreamIsCapturing(s.raw, &status);
  CHECK(status == cudaStreamCaptureStatusInvalidated);
  cudaGraph_t graph = nullptr;
  check_refused([&] { cudaStreamEndCapture(s.raw, &graph); }, "so there is no graph");
  CHECK(x.to_host() == values(4, 1));
  CHECK(cudaFree(p) == cudaSuccess);

  // A relaxed capture lets its own thread allocate; a stream without ties leaves the legacy stream alone.
  Stream free_stream(cudaStreamNonBlocking);
  begin(free_stream.raw, cudaStreamCaptureModeRelaxed);
  CHECK(cudaMalloc(&p, 16) == cudaSuccess);
  CHECK(cudaFree(p) == cudaSuccess);
  launch(add_to_all, 1, 4)(x.data(), 4, 1.0f);
  launch(add_to_all, 1, 4, 0, free_stream.raw)(x.data(), 4, 10.0f);
  CHECK(x.to_host() == values(4, 2));
  replay(*end(free_stream.raw), free_stream.raw);
  CHECK(x.to_host() == values(4, 12));

  // A global one forbids it to every thread.
  begin(s.raw, cudaStreamCaptureModeGlobal);
  std::string refused;
  std::thread([&] { refused = refusal([&] { cudaMalloc(&p, 16); }); }).join();
  CHECK(refused.find("cudaMalloc: not while a stream captures") != std::string::npos);
  check_refused([&] { cudaStreamEndCapture(s.raw, &graph); }, "so there is no graph");
}

TEST_CASE("graph: captures that cannot begin or end", "[simt]") {
  Stream s;
  cudaGraph_t graph = nullptr;
  check_refused([] { begin(nullptr); }, "the legacy stream (0) cannot capture");
  check_refused([&] { cudaStreamEndCapture(s.raw, &graph); }, "this stream does not capture");
  begin(s.raw);
  check_refused([&] { begin(s.raw); }, "this stream captures already");
  std::string other_thread;
  std::thread([&] { other_thread = refusal([&] { cudaStreamEndCapture(s.raw, &graph); }); }).join();
  CHECK(other_thread.find("the thread that began the capture must end it") != std::string::npos);
  end(s.raw);

  cudaStream_t gone = nullptr;
  cudaStreamCreate(&gone);
  cudaStreamDestroy(gone);
  check_refused([&] { cudaStreamSynchronize(gone); }, "this stream was destroyed");
  check_refused([&] { launch(add_to_all, 1, 1, 0, gone)(nullptr, 0, 0.0f); }, "was destroyed");
}

TEST_CASE("graph: an event of a capture never happens", "[simt]") {
  Stream s;
  cudaEvent_t event = nullptr;
  cudaEventCreate(&event);
  begin(s.raw);
  CHECK(cudaEventRecord(event, s.raw) == cudaSuccess);
  const auto graph = end(s.raw);
  check_refused([&] { cudaEventSynchronize(event); }, "recorded in a capture and never happens");
  CHECK(cudaEventRecord(event, s.raw) == cudaSuccess);
  CHECK(cudaEventSynchronize(event) == cudaSuccess);
  cudaEventDestroy(event);
}
