// Device memory, copies, streams, graphs: the little of CUDA's runtime that host code needs.
//
// Compiled twice, by nvcc and by the C++ compiler against kernels/simt. Errors: std::runtime_error with
// CUDA's sentence, and the emulator's own.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "kernels/common/types.h"

namespace tpp::twin {

/// Device memory. Errors: std::runtime_error that says how much was asked for and how much is left.
[[nodiscard]] void* allocate(std::size_t bytes);
void release(void* memory) noexcept;
void upload(Stream stream, void* device, const void* host, std::size_t bytes);
/// Returns when the bytes are there.
void download(Stream stream, void* host, const void* device, std::size_t bytes);
/// The same without waiting: `host` must be pinned, and holds the bytes after synchronize().
void download_later(Stream stream, void* host, const void* device, std::size_t bytes);
void copy(Stream stream, void* to, const void* from, std::size_t bytes);
void fill_zero(Stream stream, void* device, std::size_t bytes);
/// Host memory that a captured upload may read at every replay.
[[nodiscard]] void* allocate_pinned(std::size_t bytes);
void release_pinned(void* memory) noexcept;

[[nodiscard]] Stream make_stream();
void destroy_stream(Stream stream) noexcept;
void synchronize(Stream stream);
/// What is put into `waiting` from now on runs after what is in `waited_for` now. On a GPU it may be captured.
void wait_for(Stream waiting, Stream waited_for);

/// Everything between begin and end is written down instead of done; replay() does it.
using Graph = void*;
void begin_capture(Stream stream);
[[nodiscard]] Graph end_capture(Stream stream);
void replay(Graph graph, Stream stream);
void destroy_graph(Graph graph) noexcept;

/// Time between two places of a stream, by the device's clock.
class Timer {
 public:
  Timer();
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void start(Stream stream);
  void stop(Stream stream);
  [[nodiscard]] double microseconds() const;  // waits for stop's place

 private:
  void *start_ = nullptr, *stop_ = nullptr;
};

struct DeviceInfo {
  std::string name;  // "NVIDIA H100 80GB HBM3", "emulator (2 cores)"
  int multiprocessors = 0;
  int capability = 0;  // 90 for sm_90
  std::size_t memory = 0;
};
/// Errors: std::runtime_error when there is no device that can be used, with the reason.
[[nodiscard]] DeviceInfo device_info();

/// n values of T on the device; not initialised unless made from a vector.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t n) : size_(n) {
    if (n != 0) data_ = static_cast<T*>(allocate(n * sizeof(T)));
  }
  explicit Buffer(const std::vector<T>& values) : Buffer(values.size()) {
    if (size_ != 0) upload(nullptr, data_, values.data(), size_ * sizeof(T));
  }
  ~Buffer() { release(data_); }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  [[nodiscard]] T* data() { return data_; }
  [[nodiscard]] const T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::vector<T> to_host() const {
    std::vector<T> values(size_);
    if (size_ != 0) download(nullptr, values.data(), data_, size_ * sizeof(T));
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tpp::twin
