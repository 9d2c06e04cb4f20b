// The update of all weights, and the norm of all gradients before it: nothing but memory.
#include "kernels/optimizer/optimizer.h"

#include "bench/gpu/bench.h"
#include "kernels/global_norm/global_norm.h"

namespace tpp::bench {
namespace {

struct Size {
  std::string name;
  std::size_t n;
};
const Size kSizes[] = {{"134 M", std::size_t(1) << 27}, {"0.76 M (tiny)", 760'832}};

void add_update(Cases& cases, const std::string& twin, twin::OptimizerKind kind, int arrays,
                const Size& size, const std::string& version, twin::OptimizerVersion which,
                bool with_copy) {
  const std::size_t n = size.n;
  cases.push_back(
      {.twin = twin,
       .shape = size.name,
       .storage = "float",
       .version = version,
       .bytes = double(n) * (4.0 * arrays + (with_copy ? 2 : 0)),
       .prepare = [=](Arena& arena) -> Launch {
         const twin::OptimizerRule rule{.kind = kind};
         float *w = arena.normal<float>(n), *m = arena.zeros<float>(n), *v = arena.zeros<float>(n);
         const float* g = arena.normal<float>(n);
         Bf16* copy = with_copy ? arena.empty<Bf16>(n) : nullptr;
         const auto* step = arena.copy_of(std::vector{twin::optimizer_step(rule, 1e-4, 10, 1)});
         const auto* decay = arena.copy_of(std::vector<unsigned char>(n / twin::kDecayLine + 1, 1));
         return [=](twin::Stream stream) {
           twin::optimizer_update(stream, rule, step, decay, w, g, m, v, copy, n, which);
         };
       }});
}

// Parameters like a model's: one large table, matrices, gains.
std::vector<twin::NormSegment> segments_of(std::size_t n) {
  std::vector<twin::NormSegment> segments;
  std::size_t at = 0;
  for (std::size_t size = n / 4; at < n; size = segments.size() % 3 == 0 ? 768 : n / 60) {
    segments.push_back({at, std::min(size / 16 * 16, n - at)});
    at += segments.back().size;
  }
  return segments;
}

void add_norm(Cases& cases, const Size& size, const std::string& version,
              twin::GlobalNormVersion which) {
  const std::size_t n = size.n;
  cases.push_back({.twin = "global norm",
                   .shape = size.name,
                   .storage = "float",
                   .version = version,
                   .bytes = 4.0 * double(n),
                   .prepare = [=](Arena& arena) -> Launch {
                     const twin::NormPlan plan = twin::plan_global_norm(segments_of(n));
                     const float* g = arena.normal<float>(n);
                     const auto* pieces = arena.copy_of(plan.pieces);
                     const auto* first = arena.copy_of(plan.first);
                     const int count = int(plan.pieces.size()),
                               parameters = int(plan.first.size()) - 1;
                     auto* partial = arena.copy_of(std::vector<double>(plan.pieces.size()));
                     auto* squares = arena.copy_of(std::vector<double>(plan.first.size()));
                     auto* step = arena.copy_of(std::vector<twin::OptimizerStep>(1));
                     auto* result = arena.copy_of(std::vector<twin::GradientNorm>(1));
                     return [=](twin::Stream stream) {
                       twin::global_norm(stream, g, {pieces, first, count, parameters}, 1, partial,
                                         squares, step, result, which);
                     };
                   }});
}

}  // namespace

void add_optimizer_cases(Cases& cases) {
  using Kind = twin::OptimizerKind;
  using Version = twin::OptimizerVersion;
  using NormVersion = twin::GlobalNormVersion;
  for (const Size& size : kSizes) {
    add_update(cases, "adamw", Kind::adamw, 7, size, "v1_thread_per_weight",
               Version::v1_thread_per_weight, false);
    add_update(cases, "adamw", Kind::adamw, 7, size, "v2_vector_loads", Version::v2_vector_loads,
               false);
    add_update(cases, "adamw + bf16 copy", Kind::adamw, 7, size, "v2_vector_loads",
               Version::v2_vector_loads, true);
    add_update(cases, "sgd", Kind::sgd, 3, size, "v2_vector_loads", Version::v2_vector_loads,
               false);
    add_norm(cases, size, "v1_block_per_parameter", NormVersion::v1_block_per_parameter);
    add_norm(cases, size, "v2_pieces", NormVersion::v2_pieces);
  }
}

}  // namespace tpp::bench
