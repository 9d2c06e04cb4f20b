// A device that a model can live on, and everything that is decided once: which twins, which stream, which precision.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kernels/device/table.h"

namespace tpp {

/// Where a model trains. On `cpu` the references do the work and there is no Device.
enum class DeviceKind { cpu, gpu, emulated };

/// What products read and what activations are stored as; sums are float.
enum class Precision {
  float32,
  tf32,  // stored as float; the tensor cores read 10 bits of mantissa
  bf16,  // stored as bfloat16; parameters, their gradients and statistics stay float
};

class Device {
 public:
  Device(const twin::Backend& backend, DeviceKind kind, Precision precision)
      : backend_(backend),
        kind_(kind),
        precision_(precision),
        info_(backend.runtime.device_info()),
        stream_(backend.runtime.make_stream()),
        side_stream_(kind == DeviceKind::gpu ? backend.runtime.make_stream() : stream_) {
    backend_.runtime.prepare_products(stream_);
    if (has_side_stream()) backend_.runtime.prepare_products(side_stream_);
  }
  ~Device() {
    for (const twin::Stream stream : {side_stream_, stream_}) {
      backend_.runtime.release_products(stream);
      backend_.runtime.destroy_stream(stream);
      if (!has_side_stream()) break;
    }
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  [[nodiscard]] DeviceKind kind() const { return kind_; }
  [[nodiscard]] Precision precision() const { return precision_; }
  [[nodiscard]] bool stores_bf16() const { return precision_ == Precision::bf16; }
  [[nodiscard]] std::size_t storage_bytes() const { return stores_bf16() ? 2 : 4; }
  [[nodiscard]] const twin::DeviceInfo& info() const { return info_; }
  [[nodiscard]] const twin::Runtime& runtime() const { return backend_.runtime; }
  [[nodiscard]] twin::Stream stream() const { return stream_; }
  /// A second queue on a GPU, for work that nobody waits for until the end of a pass. The emulator has one.
  [[nodiscard]] twin::Stream side_stream() const { return side_stream_; }
  [[nodiscard]] bool has_side_stream() const { return side_stream_ != stream_; }

  /// Call f(table, stream) with the table of this device's storage type.
  template <class F>
  decltype(auto) run(F&& f) const {
    if (stores_bf16()) return f(backend_.bf16, stream_);
    return f(backend_.float32, stream_);
  }
  /// The table whose tensors are all float.
  [[nodiscard]] const twin::Table<float>& float32() const { return backend_.float32; }

 private:
  const twin::Backend& backend_;
  DeviceKind kind_;
  Precision precision_;
  twin::DeviceInfo info_;
  twin::Stream stream_, side_stream_;
};

/// Device memory of `bytes` bytes that frees itself.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(const Device& device, std::size_t bytes)
      : device_(&device), data_(device.runtime().allocate(bytes)), bytes_(bytes) {}
  ~DeviceMemory() {
    if (device_ != nullptr) device_->runtime().release(data_);
  }
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }

  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void swap(DeviceMemory& other) {
    std::swap(device_, other.device_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }
  const Device* device_ = nullptr;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// The device by its name, or null for `cpu`.
///
/// Errors  std::runtime_error when there is none, or none with this precision: what was looked for, what was found, and
///         what to do
[[nodiscard]] std::unique_ptr<Device> open_device(DeviceKind kind, Precision precision);

/// "cpu", "gpu", "emulated"; "float32", "tf32", "bf16".
[[nodiscard]] std::string_view device_kind_name(DeviceKind kind);
[[nodiscard]] std::string_view precision_name(Precision precision);

}  // namespace tpp
