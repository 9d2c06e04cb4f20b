// For the checks of kernels: arrays on the device that are guarded as inputs and outputs are.
//
//   const float* x = device_input("x", random_floats(7, N * M));
//   DeviceOutput& y = device_output("y", N * M);             // full of NaN
//   answer.softmax(x, y.data(), N, M);
//   expect_near(Values::matrix(y.values(), N, M), want, "4 rows of 100");
//
// The emulator judges every access. Its message (race, out of bounds, a barrier that not all reach)
// ends the step, with the thread and the line. nvcc compiles the same checks for a GPU (--gpu); there is no `reference`
// there, so compare with what the checks compute themselves.
#pragma once

#include <limits>

#include "kernels/common/device_array.h"
#include "tools/learn/check.h"

namespace tpp::learn {

inline void name_on_device([[maybe_unused]] const void* data, [[maybe_unused]] std::string name) {
#ifndef __CUDACC__
  simt::name_buffer(data, std::move(name));
#endif
}

#ifdef __CUDACC__
inline const bool gpu_is_set = [] {
  detail::machine() = [] {
    int count = 0;
    check_cuda(cudaGetDeviceCount(&count), "CUDA");
    cudaDeviceProp device;
    check_cuda(cudaGetDeviceProperties(&device, 0), "CUDA");
    check_cuda(cudaFree(nullptr), "CUDA");  // it can be used, too
    return std::string(device.name) + " (sm_" + std::to_string(device.major * 10 + device.minor) +
           ")";
  };
  return true;
}();
#else
// A thread that spins is named before the check's own time is up. Two mistakes that race alike in one
// order of the threads hardly do so in three.
inline const bool emulator_is_set = [] {
  simt::options().watchdog_seconds = 2;
  for (const simt::Order order :
       {simt::Order::kReverse, simt::Order::kRandom, simt::Order::kForward}) {
    detail::variations().push_back([order] { simt::options().order = order; });
  }
  detail::recorder() = [](const std::function<void()>& run) {
    const simt::Recorder recorder;
    run();
    return recorder.json();
  };
  return true;
}();
#endif

/// An array that the kernel must only read; good until the step ends. T is float, int, …
template <class T>
[[nodiscard]] const T* device_input(const std::string& name, std::vector<T> values) {
  const auto array = std::make_shared<DeviceArray<T>>(values);
  name_on_device(array->data(), name);
  detail::keep({name, array, [array, values] {
                  const std::vector<T> now = array->to_host();
                  return std::memcmp(now.data(), values.data(), values.size() * sizeof(T)) == 0;
                }});
  return array->data();
}

/// An array that the kernel writes.
template <class T = float>
class DeviceOutput {
 public:
  explicit DeviceOutput(const std::vector<T>& values) : array_(values) {}
  [[nodiscard]] T* data() { return array_.data(); }
  /// What stands there now, once every launch is done.
  [[nodiscard]] std::vector<T> values() const {
    check_cuda(cudaDeviceSynchronize(), "the kernel");
    return array_.to_host();
  }

 private:
  DeviceArray<T> array_;
};

/// An array that starts with these values: for what a kernel changes in place or adds to.
template <class T>
[[nodiscard]] DeviceOutput<T>& device_output(const std::string& name,
                                             const std::vector<T>& values) {
  const auto output = std::make_shared<DeviceOutput<T>>(values);
  name_on_device(output->data(), name);
  detail::keep({"", output, nullptr});
  return *output;
}

/// n floats, NaN until written.
[[nodiscard]] inline DeviceOutput<float>& device_output(const std::string& name, std::size_t n) {
  return device_output(name, std::vector<float>(n, std::numeric_limits<float>::quiet_NaN()));
}

}  // namespace tpp::learn
