// Bias and activation: gelu as a GPT of the same width has it, and solu, which needs its row twice.
#include "kernels/activation/activation.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

struct Size {
  int N, F;
};
constexpr Size kSizes[] = {{32768, 4096}, {2048, 512}};

struct Kind {
  const char* name;
  twin::Activation kind;
};
constexpr Kind kKinds[] = {{"gelu", twin::Activation::gelu}, {"solu", twin::Activation::solu}};

struct Version {
  const char* name;
  twin::ActivationVersion version;
};
constexpr Version kVersions[] = {
    {"v1_number_a_thread", twin::ActivationVersion::v1_number_a_thread},
    {"v2_vector_loads", twin::ActivationVersion::v2_vector_loads}};

}  // namespace

void add_activation_cases(Cases& cases) {
  for (const auto& [kind_name, kind] : kKinds) {
    for (const auto& [N, F] : kSizes) {
      for_each_storage([&, N = N, F = F, kind = kind, kind_name = kind_name]<Storage T>() {
        const std::size_t n = std::size_t(N) * std::size_t(F);
        for (const auto& [name, version] : kVersions) {
          const Case common{.twin = "",
                            .shape = std::to_string(N) + " × " + std::to_string(F),
                            .storage = storage_of<T>(),
                            .version = name,
                            .prepare = {}};
          Case forward = common, backward = common;
          forward.twin = std::string("bias + ") + kind_name + " forward";
          forward.bytes = 2.0 * double(n * sizeof(T)) + 4.0 * F;
          forward.prepare = [N, F, n, kind, version = version](Arena& arena) -> Launch {
            const T* x = arena.normal<T>(n);
            const float* bias = arena.normal<float>(std::size_t(F));
            T* y = arena.empty<T>(n);
            return [=](twin::Stream stream) {
              twin::activation_forward<T>(stream, kind, x, bias, y, N, F, version);
            };
          };
          backward.twin = std::string("bias + ") + kind_name + " backward";
          backward.bytes = 3.0 * double(n * sizeof(T)) + 8.0 * F;
          backward.prepare = [N, F, n, kind, version = version](Arena& arena) -> Launch {
            const T *x = arena.normal<T>(n), *dy = arena.normal<T>(n);
            const float* bias = arena.normal<float>(std::size_t(F));
            T* dx = arena.empty<T>(n);
            float *dbias = arena.empty<float>(std::size_t(F)),
                  *work = arena.empty<float>(twin::activation_backward_work(N, F));
            return [=](twin::Stream stream) {
              twin::activation_backward<T>(stream, kind, dy, x, bias, dx, dbias, twin::Write::set,
                                           work, N, F, version);
            };
          };
          cases.push_back(forward);
          cases.push_back(backward);
        }
      });
    }
  }
}

}  // namespace tpp::bench
