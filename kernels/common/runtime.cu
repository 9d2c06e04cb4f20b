#include "kernels/common/runtime.h"

#include <thread>

#include "kernels/simt/simt.h"

namespace tpp::twin {
namespace {

void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(error));
  }
}

cudaStream_t cuda(Stream stream) { return static_cast<cudaStream_t>(stream); }

}  // namespace

void* allocate(std::size_t bytes) {
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaSuccess) return memory;
  (void)cudaGetLastError();
  std::string sentence =
      "the device has no room for another " + std::to_string((bytes + 1048575) / 1048576) + " MB";
#ifdef __CUDACC__
  std::size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) == cudaSuccess) {
    sentence += " (" + std::to_string(free / 1048576) + " of " + std::to_string(total / 1048576) +
                " MB are free)";
  }
#endif
  throw std::runtime_error(sentence + ": " + cudaGetErrorString(error));
}

void release(void* memory) noexcept { (void)cudaFree(memory); }

void upload(Stream stream, void* device, const void* host, std::size_t bytes) {
  check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, cuda(stream)), "upload");
}

void download(Stream stream, void* host, const void* device, std::size_t bytes) {
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, cuda(stream)), "download");
  synchronize(stream);
}

void download_later(Stream stream, void* host, const void* device, std::size_t bytes) {
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, cuda(stream)), "download");
}

void copy(Stream stream, void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, cuda(stream)), "copy");
}

void fill_zero(Stream stream, void* device, std::size_t bytes) {
  check(cudaMemsetAsync(device, 0, bytes, cuda(stream)), "fill_zero");
}

Stream make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreate(&stream), "make_stream");
  return stream;
}

void destroy_stream(Stream stream) noexcept { (void)cudaStreamDestroy(cuda(stream)); }

void wait_for(Stream waiting, Stream waited_for) {
#ifdef __CUDACC__
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "wait_for");
  check(cudaEventRecord(event, cuda(waited_for)), "wait_for");
  check(cudaStreamWaitEvent(cuda(waiting), event, 0), "wait_for");
  check(cudaEventDestroy(event), "wait_for");
#else
  (void)waiting,
      (void)waited_for;  // the emulator does everything at once, in the order of the calls
#endif
}

void synchronize(Stream stream) { check(cudaStreamSynchronize(cuda(stream)), "synchronize"); }

Timer::Timer() {
  for (void** event : {&start_, &stop_}) {
    cudaEvent_t made = nullptr;
    check(cudaEventCreate(&made), "Timer");
    *event = made;
  }
}
Timer::~Timer() {
  for (void* event : {start_, stop_}) (void)cudaEventDestroy(static_cast<cudaEvent_t>(event));
}
void Timer::start(Stream stream) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(start_), cuda(stream)), "Timer::start");
}
void Timer::stop(Stream stream) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(stop_), cuda(stream)), "Timer::stop");
}
double Timer::microseconds() const {
  float milliseconds = 0;
  const auto stop = static_cast<cudaEvent_t>(stop_);
  check(cudaEventSynchronize(stop), "Timer");
  check(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(start_), stop), "Timer");
  return 1e3 * double(milliseconds);
}

void* allocate_pinned(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaMallocHost(&memory, bytes), "allocate_pinned");
  return memory;
}
void release_pinned(void* memory) noexcept { (void)cudaFreeHost(memory); }

void begin_capture(Stream stream) {
  check(cudaStreamBeginCapture(cuda(stream), cudaStreamCaptureModeThreadLocal), "begin_capture");
}

Graph end_capture(Stream stream) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(cuda(stream), &graph), "end_capture");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&executable, graph, 0);
  (void)cudaGraphDestroy(graph);
  check(error, "end_capture: instantiate");
  return executable;
}

void replay(Graph graph, Stream stream) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), cuda(stream)), "replay");
}

void destroy_graph(Graph graph) noexcept {
  (void)cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
}

#ifdef __CUDACC__

DeviceInfo device_info() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string("CUDA's runtime says: ") + cudaGetErrorString(error));
  }
  if (count == 0) throw std::runtime_error("CUDA's driver is there and knows no device");
  cudaDeviceProp p;
  check(cudaGetDeviceProperties(&p, 0), "device_info");
  return {p.name, p.multiProcessorCount, 10 * p.major + p.minor, p.totalGlobalMem};
}

#else

DeviceInfo device_info() {
  const int cores = int(std::thread::hardware_concurrency());
  return {"emulator (" + std::to_string(cores) + " cores)", cores, 0, 0};
}

#endif

}  // namespace tpp::twin
