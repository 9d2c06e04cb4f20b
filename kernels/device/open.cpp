#include <dlfcn.h>

#include <filesystem>

#include "kernels/device/device.h"

namespace tpp {
namespace {

// Beside the program, where the build puts it
std::string gpu_library() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (error ? std::filesystem::path(".") : program.parent_path()) / "libtpp_gpu.so";
}

const twin::Backend& gpu_backend() {
  const std::string path = gpu_library();
  if (!std::filesystem::exists(path)) {
    throw std::runtime_error("there is no GPU code in this build (looked for " + path +
                             "). It is compiled where CMake finds both NVIDIA's nvcc and a device: "
                             "install the CUDA Toolkit 12 or 13 and "
                             "build again, or force it with TPP_CMAKE_ARGS=-DTPP_GPU=ON. Without a "
                             "GPU, --device emulated runs the same "
                             "kernels on this processor");
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw std::runtime_error("the GPU code in " + path + " could not be loaded: " + dlerror());
  }
  const auto get = reinterpret_cast<const twin::Backend* (*)()>(dlsym(library, "tpp_gpu_backend"));
  const twin::Backend* backend = get == nullptr ? nullptr : get();
  if (backend == nullptr || backend->size != sizeof(twin::Backend)) {
    throw std::runtime_error(path + " is of another build: build everything again");
  }
  return *backend;
}

const twin::Backend& emulated_backend() {
#ifdef TPP_NO_EMULATOR
  throw std::runtime_error(
      "the emulator is not in this build: its own stacks do not mix with the sanitizers that it "
      "was built with");
#else
  static const twin::Backend backend;
  return backend;
#endif
}

}  // namespace

std::unique_ptr<Device> open_device(DeviceKind kind, Precision precision) {
  if (kind == DeviceKind::cpu) {
    if (precision != Precision::float32) {
      throw std::runtime_error(
          "the processor computes in float32; " + std::string(precision_name(precision)) +
          " needs --device gpu or --device emulated. Or say --precision float32");
    }
    return nullptr;
  }
  if (kind == DeviceKind::emulated) {
    return std::make_unique<Device>(emulated_backend(), kind, precision);
  }
  try {
    auto device = std::make_unique<Device>(gpu_backend(), kind, precision);
    if (device->info().capability < 80) {
      throw std::runtime_error("the device is " + device->info().name + ", sm_" +
                               std::to_string(device->info().capability) +
                               ", and the kernels need sm_80 (Ampere) or newer");
    }
    return device;
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string("no GPU: ") + error.what());
  }
}

std::string_view device_kind_name(DeviceKind kind) {
  return kind == DeviceKind::cpu ? "cpu" : kind == DeviceKind::gpu ? "gpu" : "emulated";
}

std::string_view precision_name(Precision precision) {
  return precision == Precision::float32 ? "float32"
         : precision == Precision::tf32  ? "tf32"
                                         : "bf16";
}

}  // namespace tpp
