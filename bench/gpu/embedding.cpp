// Embedding: the tiny model's table of bytes, and GPT-2's, with tokens drawn evenly.
#include "kernels/embedding/embedding.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

using twin::EmbeddingVersion;

struct Step {
  EmbeddingVersion version;
  const char* name;
};
constexpr Step kSteps[] = {{EmbeddingVersion::v1_thread_per_column, "v1_thread_per_column"},
                           {EmbeddingVersion::v2_shared_scan, "v2_shared_scan"},
                           {EmbeddingVersion::v3_slots, "v3_slots"}};

struct Size {
  int N, V, D;
};

}  // namespace

void add_embedding_cases(Cases& cases) {
  for_each_storage([&]<Storage T>() {
    for (const Size s : {Size{16384, 50304, 768}, Size{16384, 256, 128}, Size{2048, 256, 128}}) {
      const std::string shape =
          std::to_string(s.N) + " of " + std::to_string(s.V) + " × " + std::to_string(s.D);
      const std::size_t rows = std::size_t(s.N) * std::size_t(s.D),
                        table_size = std::size_t(s.V) * std::size_t(s.D);
      for (const Step& step : kSteps) {
        if (step.version == EmbeddingVersion::v3_slots) continue;  // v2's
        cases.push_back({.twin = "embedding forward",
                         .shape = shape,
                         .storage = storage_of<T>(),
                         .version = step.name,
                         .bytes = 2.0 * double(rows * sizeof(T)) + 4.0 * s.N,
                         .prepare = [=, version = step.version](Arena& arena) -> Launch {
                           const T* table = arena.normal<T>(table_size);
                           const int* tokens = arena.indices(std::size_t(s.N), s.V);
                           T* y = arena.empty<T>(rows);
                           return [=](twin::Stream stream) {
                             twin::embedding_forward(stream, table, tokens, y, s.N, s.V, s.D,
                                                     version);
                           };
                         }});
      }
      for (const Step& step : kSteps) {
        cases.push_back({.twin = "embedding backward",
                         .shape = shape,
                         .storage = storage_of<T>(),
                         .version = step.name,
                         .bytes = double(rows * sizeof(T)) + 4.0 * double(table_size) + 4.0 * s.N,
                         .prepare = [=, version = step.version](Arena& arena) -> Launch {
                           const T* dy = arena.normal<T>(rows);
                           const int* tokens = arena.indices(std::size_t(s.N), s.V);
                           float* dtable = arena.empty<float>(table_size);
                           float* work =
                               arena.empty<float>(twin::embedding_backward_work(s.N, s.V));
                           return [=](twin::Stream stream) {
                             twin::embedding_backward(stream, dy, tokens, dtable, work, s.N, s.V,
                                                      s.D, twin::Write::set, version);
                           };
                         }});
      }
    }
  });
}

}  // namespace tpp::bench
