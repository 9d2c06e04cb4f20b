// What a GPU benchmark of a twin is: a launch, the bytes or operations that it cannot do without, and the limit that
// they are held against.
//
// A file bench/gpu/<op>.cpp defines add_<op>_cases(Cases&); CMake finds it by its name. Plain C++: a case calls a twin
// as everybody does, and the linker chooses nvcc's. bench/gpu/copy.cpp is the pattern.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernels/common/runtime.h"

namespace tpp::bench {

/// What a case could reach at most, measured in the same run.
enum class Limit {
  copy,           // device-to-device copy of 1 GiB, bytes read and written
  float_product,  // cuBLASLt, 8192³, float32
  tf32_product,   // cuBLASLt, 8192³, float32 rounded to tf32
  bf16_product,   // cuBLASLt, 8192³, bfloat16, sums in float32
};

/// Device memory of one case. It lives as long as the case's launches; a launch holds plain pointers.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// n numbers, not initialised: outputs and workspaces.
  template <Storage T>
  [[nodiscard]] T* empty(std::size_t n) {
    return static_cast<T*>(take(n * sizeof(T)));
  }
  /// n normal numbers with this deviation.
  template <Storage T>
  [[nodiscard]] T* normal(std::size_t n, float deviation = 1) {
    T* p = empty<T>(n);
    fill_normal(p, n * sizeof(T), std::is_same_v<T, float>, deviation);
    return p;
  }
  /// n zeros.
  template <Storage T>
  [[nodiscard]] T* zeros(std::size_t n) {
    T* p = empty<T>(n);
    twin::fill_zero(nullptr, p, n * sizeof(T));
    return p;
  }
  /// n whole numbers from 0 to below - 1.
  [[nodiscard]] int* indices(std::size_t n, int below);
  /// What the caller has in a vector (settings that twins read from the device, say).
  template <class T>
  [[nodiscard]] T* copy_of(const std::vector<T>& values) {
    T* p = static_cast<T*>(take(values.size() * sizeof(T)));
    twin::upload(nullptr, p, values.data(), values.size() * sizeof(T));
    twin::synchronize(nullptr);  // the vector may go
    return p;
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void* take(std::size_t bytes);
  void fill_normal(void* p, std::size_t bytes, bool is_float, float deviation);

  std::vector<void*> taken_;
  std::size_t bytes_ = 0;
};

/// Enqueues the work, nothing else: it is captured into a graph where it is short.
using Launch = std::function<void(twin::Stream)>;

struct Case {
  std::string
      twin;  // "rmsnorm forward": the names of kTargets in bench/gpu/targets.h, or one of your own
  std::string shape;    // "32768 × 2048"
  std::string storage;  // "float", "bf16": storage_of<T>()
  std::string
      version;  // "v3_vector_loads"; the cases of a twin come oldest first, the last is held to the target
  double bytes = 0;  // each input read once, each output written once; or
  double flops = 0;  // operations, for Limit::…_product
  Limit limit = Limit::copy;
  /// Take the buffers and say what to launch. Called just before the measurement; for small shapes several times, so
  /// that launches take turns on buffers that the L2 cache does not hold.
  std::function<Launch(Arena&)> prepare;
};
using Cases = std::vector<Case>;

template <Storage T>
[[nodiscard]] std::string storage_of() {
  return std::is_same_v<T, float> ? "float" : "bf16";
}

/// Call `add.template operator()<T>()` for float and for bfloat16.
template <class F>
void for_each_storage(F&& add) {
  add.template operator()<float>();
  add.template operator()<Bf16>();
}

// --- Measuring --------------------------------------------------------------------------------------------------

struct Result {
  double microseconds = 0;      // median
  double lower = 0, upper = 0;  // quartiles
  int repetitions = 0;
};

struct Effort {
  int repetitions = 20;   // at least,
  double seconds = 0.05;  // and at least so long,
  double at_most = 1;     // but not longer than this
};

/// Warm up, then the median time of a launch.
/// Errors: std::runtime_error with CUDA's sentence, whatever the twin throws
[[nodiscard]] Result measure(const Case& c, const Effort& effort);

struct Limits {
  double copy = 0;  // bytes/s
  double float_product = 0, tf32_product = 0,
         bf16_product = 0;  // operations/s; 0: no cuBLASLt in this build
  [[nodiscard]] double of(Limit limit) const;
};
[[nodiscard]] Limits measure_limits(const Effort& effort);

}  // namespace tpp::bench
