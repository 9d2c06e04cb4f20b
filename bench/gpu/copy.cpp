// The copy of a tensor: what every memory-bound twin is held against, here by the runtime's own kernel. The pattern of
// a case file.
#include "bench/gpu/bench.h"

namespace tpp::bench {

void add_copy_cases(Cases& cases) {
  for_each_storage([&]<Storage T>() {
    // One big shape as in TARGETS, one as the tiny model has it
    for (const auto& [N, D] : {std::pair{32768, 2048}, std::pair{2048, 128}}) {
      const std::size_t n = std::size_t(N) * std::size_t(D);
      cases.push_back({.twin = "copy",
                       .shape = std::to_string(N) + " × " + std::to_string(D),
                       .storage = storage_of<T>(),
                       .version = "cudaMemcpyAsync",
                       .bytes = 2.0 * double(n * sizeof(T)),
                       .prepare = [n](Arena& arena) -> Launch {
                         const T* from = arena.normal<T>(n);
                         T* to = arena.empty<T>(n);
                         return [=](twin::Stream stream) {
                           twin::copy(stream, to, from, n * sizeof(T));
                         };
                       }});
    }
  });
}

}  // namespace tpp::bench
