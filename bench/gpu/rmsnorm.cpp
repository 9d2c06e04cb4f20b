// RMSNorm: alone, there and back, and with the residual sum before it.
#include "kernels/rmsnorm/rmsnorm.h"
#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

using twin::RmsNormVersion;
using twin::Write;

constexpr float kEps = 1e-5f;
constexpr std::pair<RmsNormVersion, const char*> kVersions[] = {
    {RmsNormVersion::v1_block_per_row, "v1_block_per_row"},
    {RmsNormVersion::v2_row_in_registers, "v2_row_in_registers"}};

// x and branch, the gain, what backward is given, and what comes out
template <Storage T>
struct Buffers {
  const T *x, *branch, *dy;
  const float* w;
  T *s, *y, *dx;
  float *rstd, *dw, *work;

  Buffers(Arena& arena, int N, int D, bool residual) {
    const std::size_t n = std::size_t(N) * std::size_t(D);
    x = arena.normal<T>(n), dy = arena.normal<T>(n), w = arena.normal<float>(std::size_t(D));
    branch = residual ? arena.normal<T>(n) : nullptr, s = residual ? arena.empty<T>(n) : nullptr;
    y = arena.empty<T>(n), dx = arena.empty<T>(n);
    rstd = arena.empty<float>(std::size_t(N)), dw = arena.empty<float>(std::size_t(D));
    work = arena.empty<float>(twin::rmsnorm_backward_work(N, D));
  }
};

}  // namespace

void add_rmsnorm_cases(Cases& cases) {
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
        const RmsNormVersion version = version_;
        add("rmsnorm forward", name, 2 * matrix + row + column, [=](Arena& arena) -> Launch {
          const Buffers<T> b(arena, N, D, false);
          return [=](twin::Stream stream) {
            twin::rmsnorm_forward(stream, b.x, b.w, b.y, b.rstd, N, D, kEps, version);
          };
        });
        add("rmsnorm forward + backward", name, 5 * matrix + 3 * row + 2 * column,
            [=](Arena& arena) -> Launch {
              const Buffers<T> b(arena, N, D, false);
              return [=](twin::Stream stream) {
                twin::rmsnorm_forward(stream, b.x, b.w, b.y, b.rstd, N, D, kEps, version);
                twin::rmsnorm_backward(stream, stream, b.dy, b.x, b.w, b.rstd, b.dx, b.dw, b.work,
                                       N, D, Write::set, version);
              };
            });
        add("rmsnorm of a residual sum, forward", name, 4 * matrix + row + column,
            [=](Arena& arena) -> Launch {
              const Buffers<T> b(arena, N, D, true);
              return [=](twin::Stream stream) {
                twin::rmsnorm_residual_forward(stream, b.x, b.branch, b.w, b.s, b.y, b.rstd, N, D,
                                               kEps, version);
              };
            });
      }
    }
  });
}

}  // namespace tpp::bench
