// LayerNorm: every step of the ladder.
#include "kernels/layernorm/layernorm.h"
#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

using twin::LayerNormVersion;
using twin::Write;

constexpr float kEps = 1e-5f;
constexpr std::pair<LayerNormVersion, const char*> kVersions[] = {
    {LayerNormVersion::v1_thread_per_row, "v1_thread_per_row"},
    {LayerNormVersion::v2_warp_per_row, "v2_warp_per_row"},
    {LayerNormVersion::v3_vector_loads, "v3_vector_loads"}};

template <Storage T>
struct Buffers {
  const T *x, *dy;
  const float *w, *b;
  T *y, *dx;
  float *mean, *rstd, *dw, *db, *work;

  Buffers(Arena& arena, int N, int D) {
    const std::size_t n = std::size_t(N) * std::size_t(D), row = std::size_t(D);
    x = arena.normal<T>(n), dy = arena.normal<T>(n);
    w = arena.normal<float>(row), b = arena.normal<float>(row);
    y = arena.empty<T>(n), dx = arena.empty<T>(n);
    mean = arena.empty<float>(std::size_t(N)), rstd = arena.empty<float>(std::size_t(N));
    dw = arena.empty<float>(row), db = arena.empty<float>(row);
    work = arena.empty<float>(twin::layernorm_backward_work(N, D));
  }
};

}  // namespace

void add_layernorm_cases(Cases& cases) {
  for_each_storage([&]<Storage T>() {
    // One big shape as in TARGETS, one as the tiny model has it
    for (const auto& [N_, D_] : {std::pair{32768, 2048}, std::pair{2048, 128}}) {
      const int N = N_, D = D_;
      const double matrix = double(N) * D * sizeof(T), row = 4.0 * D, column = 4.0 * N;
      const auto add = [&](const char* twin, const char* version, double bytes, auto prepare) {
        cases.push_back({.twin = twin,
                         .shape = std::to_string(N) + " × " + std::to_string(D),
                         .storage = storage_of<T>(),
                         .version = version,
                         .bytes = bytes,
                         .prepare = prepare});
      };
      for (const auto& [version_, name] : kVersions) {
        const LayerNormVersion version = version_;
        add("layernorm forward", name, 2 * matrix + 2 * row + 2 * column,
            [=](Arena& arena) -> Launch {
              const Buffers<T> b(arena, N, D);
              return [=](twin::Stream stream) {
                twin::layernorm_forward(stream, b.x, b.w, b.b, b.y, b.mean, b.rstd, N, D, kEps,
                                        version);
              };
            });
        add("layernorm forward + backward", name, 5 * matrix + 5 * row + 4 * column,
            [=](Arena& arena) -> Launch {
              const Buffers<T> b(arena, N, D);
              return [=](twin::Stream stream) {
                twin::layernorm_forward(stream, b.x, b.w, b.b, b.y, b.mean, b.rstd, N, D, kEps,
                                        version);
                twin::layernorm_backward<T>(stream, stream, b.dy, b.x, b.w, b.mean, b.rstd, nullptr,
                                            b.dx, b.dw, b.db, b.work, N, D, Write::set, version);
              };
            });
      }
    }
  });
}

}  // namespace tpp::bench
