// Row softmax: the shape that has a target, scores of a tiny model's attention, and a row that only a block can hold.
#include "kernels/softmax/softmax.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

using twin::SoftmaxVersion;

struct Step {
  SoftmaxVersion version;
  const char* name;
};
constexpr Step kSteps[] = {{SoftmaxVersion::v1_thread_per_row, "v1_thread_per_row"},
                           {SoftmaxVersion::v2_warp_per_row, "v2_warp_per_row"},
                           {SoftmaxVersion::v3_row_in_registers, "v3_row_in_registers"}};

}  // namespace

void add_softmax_cases(Cases& cases) {
  for_each_storage([&]<Storage T>() {
    for (const auto& [N, M] :
         {std::pair{65536, 1024}, std::pair{8192, 8192}, std::pair{8192, 128}}) {
      const std::size_t n = std::size_t(N) * std::size_t(M);
      for (const Step& step : kSteps) {
        const std::string shape = std::to_string(N) + " × " + std::to_string(M);
        cases.push_back(
            {.twin = "softmax",
             .shape = shape,
             .storage = storage_of<T>(),
             .version = step.name,
             .bytes = 2.0 * double(n * sizeof(T)),
             .prepare = [=, N = N, M = M, version = step.version](Arena& arena) -> Launch {
               const T* x = arena.normal<T>(n);
               T* y = arena.empty<T>(n);
               return
                   [=](twin::Stream stream) { twin::softmax_forward(stream, x, y, N, M, version); };
             }});
      }
      for (const Step& step : kSteps) {
        cases.push_back(
            {.twin = "softmax backward",
             .shape = std::to_string(N) + " × " + std::to_string(M),
             .storage = storage_of<T>(),
             .version = step.name,
             .bytes = 3.0 * double(n * sizeof(T)),
             .prepare = [=, N = N, M = M, version = step.version](Arena& arena) -> Launch {
               const T* dy = arena.normal<T>(n);
               const T* y = arena.normal<T>(n);
               T* dx = arena.empty<T>(n);
               return [=](twin::Stream stream) {
                 twin::softmax_backward(stream, dy, y, dx, N, M, version);
               };
             }});
      }
    }
  });
}

}  // namespace tpp::bench
