// Streams: everything is done at once, unless the stream captures. Then it is written down, and a graph does it.
#include <chrono>
#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "kernels/simt/internal.h"

using Work = std::function<void()>;

struct simt_graph {
  std::vector<Work> works;
};

struct simt_graph_exec {
  std::vector<Work> works;
};

struct simt_stream {
  bool blocking = true;  // ordered against the legacy stream
  std::unique_ptr<simt_graph> capture;
  bool broken = false;  // something that CUDA refuses was tried meanwhile
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;  // that began the capture
};

struct simt_event {
  std::chrono::steady_clock::time_point time;
  bool captured = false;
};

namespace tpp::simt {

namespace {

std::set<cudaStream_t>& streams() {
  static auto* all = new std::set<cudaStream_t>;
  return *all;
}

[[noreturn]] void refuse_call(const std::string& function, const std::string& why) {
  throw Error("simt: " + function + ": " + why);
}

// A refused call spoils the captures that it disturbs, as CUDA has it.
[[noreturn]] void spoil(simt_stream& stream, const std::string& function, const std::string& why) {
  stream.broken = true;
  refuse_call(function, why);
}

// Is this a stream that somebody made and nobody destroyed?
void require_stream(cudaStream_t stream, const char* function) {
  if (stream != nullptr && streams().count(stream) == 0) {
    refuse_call(function, "this stream was destroyed, or never made");
  }
}

// The legacy stream waits for every blocking stream, and a stream that captures has nothing to wait for.
void refuse_legacy(const char* function) {
  for (const cudaStream_t stream : streams()) {
    if (stream->capture == nullptr || !stream->blocking) continue;
    spoil(*stream, function,
          "a stream captures; the legacy stream (0) would wait for it. Use a stream of your own");
  }
}

// Write it down if the stream captures. False: do it now.
bool write_down(cudaStream_t stream, const char* function, const Work& work) {
  require_host(function);
  const std::lock_guard lock(device_lock());
  require_stream(stream, function);
  if (stream == nullptr) return refuse_legacy(function), false;
  if (stream->capture == nullptr) return false;
  stream->capture->works.push_back(work);
  return true;
}

}  // namespace

void refuse_in_capture(const char* function) {
  const std::lock_guard lock(device_lock());
  for (const cudaStream_t stream : streams()) {
    if (stream->capture == nullptr || stream->mode == cudaStreamCaptureModeRelaxed) continue;
    if (stream->mode == cudaStreamCaptureModeThreadLocal &&
        stream->thread != std::this_thread::get_id()) {
      continue;
    }
    spoil(*stream, function, "not while a stream captures: a graph cannot hold it, do it before");
  }
}

void run_grid(const Launch& launch, cudaStream_t stream) {
  if (worker != nullptr && worker->lane != nullptr) {
    refuse("a launch inside a kernel (dynamic parallelism) is not supported");
  }
  const std::lock_guard lock(device_lock());
  check_limits(launch);
  if (stream == nullptr || streams().count(stream) == 0 || stream->capture == nullptr) {
    write_down(stream, "launch", {});
    return run_now(launch);
  }

  // The graph has its own copy of the arguments, as bytes.
  struct Piece {
    alignas(64) unsigned char bytes[64];
  };
  std::vector<Piece> arguments((launch.call_bytes + sizeof(Piece) - 1) / sizeof(Piece));
  std::memcpy(arguments.data(), launch.call, launch.call_bytes);
  write_down(stream, "launch", [launch, arguments = std::move(arguments)] {
    Launch again = launch;
    again.call = arguments.data();
    run_now(again);
  });
}

void on_host(cudaStream_t stream, std::function<void()> work) {
  if (!write_down(stream, "on_host", work)) work();
}

}  // namespace tpp::simt

using namespace tpp::simt;

// --- Copies -------------------------------------------------------------------------------------------

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  require_host("cudaMemcpy");
  refuse_in_capture("cudaMemcpy");
  write_down(nullptr, "cudaMemcpy", {});
  return copy_memory(to, from, bytes, kind), cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const auto work = [=] { copy_memory(to, from, bytes, kind); };
  if (!write_down(stream, "cudaMemcpyAsync", work)) work();
  return cudaSuccess;
}

cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  return cudaMemsetAsync(to, value, bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  const auto work = [=] { fill_memory(to, value, bytes); };
  if (!write_down(stream, "cudaMemset", work)) work();
  return cudaSuccess;
}

// --- Streams and events -------------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const std::lock_guard lock(device_lock());
  *stream = new simt_stream;
  (*stream)->blocking = (flags & cudaStreamNonBlocking) == 0;
  streams().insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(device_lock());
  require_stream(stream, "cudaStreamDestroy");
  if (stream == nullptr) return cudaErrorInvalidValue;
  streams().erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard lock(device_lock());
  require_stream(stream, "cudaStreamSynchronize");
  if (stream == nullptr) return refuse_legacy("cudaStreamSynchronize"), cudaSuccess;
  if (stream->capture != nullptr) {
    spoil(*stream, "cudaStreamSynchronize",
          "this stream captures: nothing runs that could be waited for. Launch the graph first");
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  const std::lock_guard lock(device_lock());
  for (const cudaStream_t stream : streams()) {
    if (stream->capture == nullptr) continue;
    spoil(*stream, "cudaDeviceSynchronize", "not while a stream captures");
  }
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) { return *event = new simt_event, cudaSuccess; }

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard lock(device_lock());
  require_stream(stream, "cudaEventRecord");
  if (stream == nullptr) refuse_legacy("cudaEventRecord");
  event->captured = stream != nullptr && stream->capture != nullptr;
  event->time = std::chrono::steady_clock::now();
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->captured) {
    refuse_call("cudaEventSynchronize",
                "the event was recorded in a capture and never happens; record it around "
                "cudaGraphLaunch");
  }
  return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
  cudaEventSynchronize(start);
  cudaEventSynchronize(stop);
  *milliseconds = std::chrono::duration<float, std::milli>(stop->time - start->time).count();
  return cudaSuccess;
}

// --- Graphs -------------------------------------------------------------------------------------------

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const std::lock_guard lock(device_lock());
  const char* name = "cudaStreamBeginCapture";
  require_stream(stream, name);
  if (stream == nullptr) refuse_call(name, "the legacy stream (0) cannot capture; make a stream");
  if (stream->capture != nullptr) refuse_call(name, "this stream captures already");
  stream->capture = std::make_unique<simt_graph>();
  stream->broken = false;
  stream->mode = mode;
  stream->thread = std::this_thread::get_id();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(device_lock());
  const char* name = "cudaStreamEndCapture";
  *graph = nullptr;
  require_stream(stream, name);
  if (stream == nullptr || stream->capture == nullptr) {
    refuse_call(name, "this stream does not capture");
  }
  if (stream->mode != cudaStreamCaptureModeRelaxed &&
      stream->thread != std::this_thread::get_id()) {
    refuse_call(name, "the thread that began the capture must end it");
  }
  std::unique_ptr<simt_graph> captured = std::move(stream->capture);
  if (stream->broken) {
    refuse_call(name, "a call was refused during the capture, so there is no graph");
  }
  *graph = captured.release();
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const std::lock_guard lock(device_lock());
  require_stream(stream, "cudaStreamIsCapturing");
  const bool captures = stream != nullptr && stream->capture != nullptr;
  *status = !captures        ? cudaStreamCaptureStatusNone
            : stream->broken ? cudaStreamCaptureStatusInvalidated
                             : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  if (nodes != nullptr) refuse_call("cudaGraphGetNodes", "here it only counts; give nullptr");
  *count = graph->works.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  *executable = new simt_graph_exec{graph->works};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const auto work = [works = executable->works] {
    for (const Work& each : works) each();
  };
  if (!write_down(stream, "cudaGraphLaunch", work)) {
    for (const Work& each : executable->works) each();
  }
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

// --- Memory of the host -------------------------------------------------------------------------------

cudaError_t simt_malloc_host(void** pointer, std::size_t bytes) {
  refuse_in_capture("cudaMallocHost");
  *pointer = ::operator new(bytes, std::nothrow);
  return *pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaFreeHost(void* pointer) {
  ::operator delete(pointer);
  return cudaSuccess;
}
