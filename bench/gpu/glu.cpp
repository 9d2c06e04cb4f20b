// Gated units: SwiGLU at a large model's width, and at the tiny model's. Gate and value are the columns of one matrix.
#include "kernels/glu/glu.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

struct Size {
  int N, F;
};
constexpr Size kSizes[] = {{32768, 5504}, {2048, 344}};

struct Version {
  const char* name;
  twin::GluVersion version;
};
constexpr Version kVersions[] = {{"v1_number_a_thread", twin::GluVersion::v1_number_a_thread},
                                 {"v2_vector_loads", twin::GluVersion::v2_vector_loads},
                                 {"v3_many_in_flight", twin::GluVersion::v3_many_in_flight}};

}  // namespace

void add_glu_cases(Cases& cases) {
  for (const auto& [N, F] : kSizes) {
    for_each_storage([&, N = N, F = F]<Storage T>() {
      const std::size_t n = std::size_t(N) * std::size_t(F);
      for (const auto& [name, version] : kVersions) {
        const Case common{.twin = "",
                          .shape = std::to_string(N) + " × " + std::to_string(F),
                          .storage = storage_of<T>(),
                          .version = name,
                          .prepare = {}};
        Case forward = common, both = common;
        forward.twin = "swiglu forward";
        forward.bytes = 3.0 * double(n * sizeof(T));
        forward.prepare = [N, F, n, version = version](Arena& arena) -> Launch {
          const T* x = arena.normal<T>(2 * n);
          T* y = arena.empty<T>(n);
          return [=](twin::Stream stream) {
            twin::glu_forward<T>(stream, twin::Gate::swiglu, x, 2 * F, x + F, 2 * F, y, N, F,
                                 version);
          };
        };
        both.twin = "swiglu forward + backward";
        both.bytes = 8.0 * double(n * sizeof(T));
        both.prepare = [N, F, n, version = version](Arena& arena) -> Launch {
          const T *x = arena.normal<T>(2 * n), *dy = arena.normal<T>(n);
          T *y = arena.empty<T>(n), *dx = arena.empty<T>(2 * n);
          return [=](twin::Stream stream) {
            twin::glu_forward<T>(stream, twin::Gate::swiglu, x, 2 * F, x + F, 2 * F, y, N, F,
                                 version);
            twin::glu_backward<T>(stream, twin::Gate::swiglu, dy, x, 2 * F, x + F, 2 * F, dx, 2 * F,
                                  dx + F, 2 * F, N, F, version);
          };
        };
        cases.push_back(forward);
        cases.push_back(both);
      }
    });
  }
}

}  // namespace tpp::bench
