// Cross-entropy: GPT-2's vocabulary, where a row fills an SM, and the tiny model's.
#include "kernels/cross_entropy/cross_entropy.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

using twin::CrossEntropyVersion;

struct Step {
  CrossEntropyVersion version;
  const char* name;
};
constexpr Step kSteps[] = {{CrossEntropyVersion::v1_separate, "v1_separate"},
                           {CrossEntropyVersion::v2_online, "v2_online"},
                           {CrossEntropyVersion::v3_row_on_chip, "v3_row_on_chip"}};

}  // namespace

void add_cross_entropy_cases(Cases& cases) {
  for_each_storage([&]<Storage T>() {
    for (const auto& [N, V] :
         {std::pair{8192, 50304}, std::pair{16384, 8192}, std::pair{2048, 256}}) {
      const std::size_t n = std::size_t(N) * std::size_t(V);
      const std::string shape = std::to_string(N) + " × " + std::to_string(V);
      // Targets in; losses and logarithms of sums out
      const double rows = double(N) * (sizeof(int) + 2 * sizeof(float));
      for (const Step& step : kSteps) {
        cases.push_back(
            {.twin = "cross-entropy forward",
             .shape = shape,
             .storage = storage_of<T>(),
             .version = step.name,
             .bytes = double(n * sizeof(T)) + rows,
             .prepare = [=, N = N, V = V, version = step.version](Arena& arena) -> Launch {
               const T* logits = arena.normal<T>(n, 3);
               const int* targets = arena.indices(std::size_t(N), V);
               float* row_loss = arena.empty<float>(std::size_t(N));
               float* log_sum = arena.empty<float>(std::size_t(N));
               return [=](twin::Stream stream) {
                 twin::cross_entropy_forward(stream, logits, targets, row_loss, log_sum, N, V,
                                             version);
               };
             }});
      }
      for (const Step& step : kSteps) {
        cases.push_back(
            {.twin = "cross-entropy forward + backward",
             .shape = shape,
             .storage = storage_of<T>(),
             .version = step.name,
             .bytes = 2.0 * double(n * sizeof(T)) + rows,
             .prepare = [=, N = N, V = V, version = step.version](Arena& arena) -> Launch {
               const T* logits = arena.normal<T>(n, 3);
               const int* targets = arena.indices(std::size_t(N), V);
               float* row_loss = arena.empty<float>(std::size_t(N));
               float* log_sum = arena.empty<float>(std::size_t(N));
               T* dlogits = arena.empty<T>(n);
               return [=](twin::Stream stream) {
                 twin::cross_entropy_fused(stream, nullptr, logits, targets, 1 / float(N), row_loss,
                                           log_sum, dlogits, N, V, version);
               };
             }});
      }
    }
  });
  cases.push_back({.twin = "cross-entropy loss",
                   .shape = "16384",
                   .storage = "float",
                   .version = "one block",
                   .bytes = 16384 * sizeof(float),
                   .prepare = [](Arena& arena) -> Launch {
                     const float* row_loss = arena.normal<float>(16384);
                     float* loss = arena.empty<float>(1);
                     return [=](twin::Stream stream) {
                       twin::cross_entropy_loss(stream, row_loss, 1.0f, loss, 16384);
                     };
                   }});
}

}  // namespace tpp::bench
