// guard: glu_forward_v[23] has ld.global.v4 st.global.v4
// guard: glu_backward_v[23] has ld.global.v4 st.global.v4
#include "kernels/glu/glu.h"

#include "kernels/glu/v1_number_a_thread.cuh"
#include "kernels/glu/v2_vector_loads.cuh"
#include "kernels/glu/v3_many_in_flight.cuh"

namespace tpp::twin {
namespace {

constexpr int kThreads = 256;
// Rows of a thread in v3: enough bytes under way for a large matrix, enough threads for a small one
constexpr int kForwardRows = 4, kBackwardRows = 2;
constexpr std::size_t kLarge = std::size_t(1) << 19;  // packs in the matrix

unsigned blocks_for(std::size_t threads) {
  require(threads <= 0xffffff00u, "glu: more than 2^32 threads would be needed");
  return unsigned(ceil_div(threads, std::size_t(kThreads)));
}

/// Call `run` with the function of one number that the kind stands for.
template <class F>
void with_function(Gate kind, F&& run) {
  switch (kind) {
    case Gate::glu:
      return run(Logistic{});
    case Gate::bilinear:
      return run(Identity{});
    case Gate::reglu:
      return run(Relu{});
    case Gate::geglu:
      return run(Gelu{});
    case Gate::swiglu:
      return run(Swish{});
  }
  require(false, "glu: there is no such kind of gate");
}

}  // namespace

template <Storage T>
void glu_forward(Stream stream, Gate kind, const T* gate, int ldg, const T* value, int ldv, T* y,
                 int N, int F, GluVersion version) {
  require(N >= 1 && F >= 1, "glu: N and F must be positive");
  require(ldg >= F && ldv >= F, "glu: rows of gate and value must be at least F numbers apart");
  const cudaStream_t s = cuda_stream(stream);
  const auto *g = native(gate), *v = native(value);
  using W = Native<T>;
  const std::size_t numbers = std::size_t(N) * F, all = numbers / kPack<W>;
  const bool vectors = packs(F, {g, v, static_cast<const W*>(native(y))}) && ldg % kPack<W> == 0 &&
                       ldv % kPack<W> == 0;
  if (version == GluVersion::v1_number_a_thread || !vectors) {
    launch(glu_forward_v1<W>, blocks_for(numbers), kThreads, 0, s)(kind, g, ldg, v, ldv, native(y),
                                                                   N, F);
  } else if (version == GluVersion::v2_vector_loads) {
    launch(glu_forward_v2<W>, blocks_for(all), kThreads, 0, s)(kind, g, ldg, v, ldv, native(y), N,
                                                               F);
  } else {
    with_function(kind, [&]<class A>(A) {
      const auto run = [&](auto kernel, int rows) {
        const std::size_t threads = std::size_t(ceil_div(N, rows)) * (F / kPack<W>);
        launch(kernel, blocks_for(threads), kThreads, 0, s)(g, ldg, v, ldv, native(y), N, F);
      };
      if (all >= kLarge) {
        run(&glu_forward_v3<A, kForwardRows, W>, kForwardRows);
      } else {
        run(&glu_forward_v3<A, 1, W>, 1);
      }
    });
  }
}

template <Storage T>
void glu_backward(Stream stream, Gate kind, const T* dy, const T* gate, int ldg, const T* value,
                  int ldv, T* dgate, int lddg, T* dvalue, int lddv, int N, int F,
                  GluVersion version) {
  require(N >= 1 && F >= 1, "glu: N and F must be positive");
  require(ldg >= F && ldv >= F && lddg >= F && lddv >= F,
          "glu: rows of gate, value and their gradients must be at least F numbers apart");
  const cudaStream_t s = cuda_stream(stream);
  using W = Native<T>;
  const W *d = native(dy), *g = native(gate), *v = native(value);
  W *dg = native(dgate), *dv = native(dvalue);
  const std::size_t numbers = std::size_t(N) * F, all = numbers / kPack<W>;
  const bool vectors = packs<W>(F, {d, g, v, dg, dv}) && ldg % kPack<W> == 0 &&
                       ldv % kPack<W> == 0 && lddg % kPack<W> == 0 && lddv % kPack<W> == 0;
  if (version == GluVersion::v1_number_a_thread || !vectors) {
    launch(glu_backward_v1<W>, blocks_for(numbers), kThreads, 0, s)(kind, d, g, ldg, v, ldv, dg,
                                                                    lddg, dv, lddv, N, F);
  } else if (version == GluVersion::v2_vector_loads) {
    launch(glu_backward_v2<W>, blocks_for(all), kThreads, 0, s)(kind, d, g, ldg, v, ldv, dg, lddg,
                                                                dv, lddv, N, F);
  } else {
    with_function(kind, [&]<class A>(A) {
      const auto run = [&](auto kernel, int rows) {
        const std::size_t threads = std::size_t(ceil_div(N, rows)) * (F / kPack<W>);
        launch(kernel, blocks_for(threads), kThreads, 0, s)(d, g, ldg, v, ldv, dg, lddg, dv, lddv,
                                                            N, F);
      };
      if (all >= kLarge) {
        run(&glu_backward_v3<A, kBackwardRows, W>, kBackwardRows);
      } else {
        run(&glu_backward_v3<A, 1, W>, 1);
      }
    });
  }
}

#define TPP_INSTANTIATE(T)                                                                         \
  template void glu_forward<T>(Stream, Gate, const T*, int, const T*, int, T*, int, int,           \
                               GluVersion);                                                        \
  template void glu_backward<T>(Stream, Gate, const T*, const T*, int, const T*, int, T*, int, T*, \
                                int, int, int, GluVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
