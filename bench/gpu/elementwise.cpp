// The small operations of a model: residual sums, biases and their gradients, copies of weights in bfloat16, positions.
#include "kernels/elementwise/elementwise.h"

#include "bench/gpu/bench.h"

namespace tpp::bench {
namespace {

struct Size {
  int N, D;
};
constexpr Size kSizes[] = {{32768, 2048},
                           {2048, 128}};  // as large as the others; as the tiny model has it

std::string text(Size s) { return std::to_string(s.N) + " × " + std::to_string(s.D); }

// A case that moves `bytes` for each of the N·D numbers
template <class Prepare>
void add_case(Cases& cases, const std::string& twin, Size s, const std::string& storage,
              double bytes, Prepare prepare) {
  cases.push_back({.twin = twin,
                   .shape = text(s),
                   .storage = storage,
                   .version = "vector loads",
                   .bytes = bytes * s.N * s.D,
                   .prepare = prepare});
}

}  // namespace

void add_elementwise_cases(Cases& cases) {
  for (const Size s : kSizes) {
    const auto [N, D] = s;
    const std::size_t n = std::size_t(N) * std::size_t(D);
    for_each_storage([&, N = N, D = D]<Storage T>() {
      const std::string storage = storage_of<T>();
      add_case(cases, "add", s, storage, 3 * sizeof(T), [=](Arena& arena) -> Launch {
        const T *a = arena.normal<T>(n), *b = arena.normal<T>(n);
        T* y = arena.empty<T>(n);
        return [=](twin::Stream stream) { twin::add(stream, a, D, b, D, y, D, N, D); };
      });
      add_case(cases, "add_to", s, storage, 3 * sizeof(T), [=](Arena& arena) -> Launch {
        const T* x = arena.normal<T>(n);
        T* y = arena.zeros<T>(n);
        return [=](twin::Stream stream) { twin::add_to(stream, x, D, y, D, N, D); };
      });
      add_case(cases, "add_row", s, storage, 2 * sizeof(T), [=](Arena& arena) -> Launch {
        const T* x = arena.normal<T>(n);
        const float* b = arena.normal<float>(std::size_t(D));
        T* y = arena.empty<T>(n);
        return [=](twin::Stream stream) { twin::add_row(stream, x, D, b, y, D, N, D); };
      });
      add_case(cases, "column sums", s, storage, sizeof(T), [=](Arena& arena) -> Launch {
        const T* x = arena.normal<T>(n);
        float *out = arena.empty<float>(std::size_t(D)),
              *work = arena.empty<float>(twin::column_sums_work(N, D));
        return [=](twin::Stream stream) {
          twin::column_sums(stream, x, D, out, work, N, D, twin::Write::set);
        };
      });
      add_case(cases, "fill", s, storage, sizeof(T), [=](Arena& arena) -> Launch {
        T* y = arena.empty<T>(n);
        return [=](twin::Stream stream) { twin::fill(stream, y, D, 1.0f, N, D); };
      });
      const int length = std::min(N / 16, 1024);
      add_case(cases, "positions", s, storage, 2 * sizeof(T), [=](Arena& arena) -> Launch {
        const T *x = arena.normal<T>(n),
                *table = arena.normal<T>(std::size_t(length) * std::size_t(D));
        T* y = arena.empty<T>(n);
        return [=](twin::Stream stream) { twin::add_positions(stream, x, table, y, N, length, D); };
      });
      add_case(cases, "positions backward", s, storage, sizeof(T), [=](Arena& arena) -> Launch {
        const T* dy = arena.normal<T>(n);
        float* dtable = arena.empty<float>(std::size_t(length) * std::size_t(D));
        float* work = arena.empty<float>(twin::add_positions_backward_work(N, length, D));
        return [=](twin::Stream stream) {
          twin::add_positions_backward(stream, dy, dtable, work, N, length, length, D,
                                       twin::Write::set);
        };
      });
    });
    add_case(cases, "float to bf16", s, "float, bf16", sizeof(float) + sizeof(Bf16),
             [n, N = N, D = D](Arena& arena) -> Launch {
               const float* x = arena.normal<float>(n);
               Bf16* y = arena.empty<Bf16>(n);
               return [=](twin::Stream stream) { twin::convert(stream, x, D, y, D, N, D); };
             });
  }
}

}  // namespace tpp::bench
