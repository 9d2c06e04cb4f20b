// guard: activation_forward_v2 has ld.global.v4 st.global.v4
// guard: activation_backward_v2 has ld.global.v4 st.global.v4
#include "kernels/activation/activation.h"

#include "kernels/activation/solu_warp_a_row.cuh"
#include "kernels/activation/v1_number_a_thread.cuh"
#include "kernels/activation/v2_vector_loads.cuh"

namespace tpp::twin {
namespace {

constexpr int kThreads = 256;
// Rows under way in a thread of v2: bytes for a large matrix, enough threads for a small one
constexpr int kForwardRows = 4, kBackwardRows = 4;
constexpr std::size_t kLarge = std::size_t(1) << 19;  // packs in the matrix

unsigned blocks_for(std::size_t threads) {
  require(threads <= 0xffffff00u, "activation: more than 2^32 threads would be needed");
  return unsigned(ceil_div(threads, std::size_t(kThreads)));
}

/// Call `run` with the function of one number that the kind stands for.
template <class F>
void with_function(Activation kind, F&& run) {
  switch (kind) {
    case Activation::relu:
      return run(Relu{});
    case Activation::gelu:
      return run(Gelu{});
    case Activation::gelu_tanh:
      return run(GeluTanh{});
    case Activation::swish:
      return run(Swish{});
    case Activation::solu:
      break;
  }
  require(false, "activation: there is no such kind");
}

}  // namespace

template <Storage T>
void activation_forward(Stream stream, Activation kind, const T* x, const float* bias, T* y, int N,
                        int F, ActivationVersion version) {
  require(N >= 1 && F >= 1, "activation: N and F must be positive");
  const cudaStream_t s = cuda_stream(stream);
  using W = Native<T>;
  const W* in = native(x);
  W* out = native(y);
  const std::size_t numbers = std::size_t(N) * F, all = numbers / kPack<W>;
  const bool v1 = version == ActivationVersion::v1_number_a_thread;
  const bool vectors = packs<W>(F, {in, out}) && packs<float>(4, {bias});

  if (kind == Activation::solu) {
    if (v1) {
      launch(solu_forward_v1<W>, blocks_for(N), kThreads, 0, s)(in, bias, out, N, F);
    } else if (vectors) {
      launch(solu_forward_v2<kPack<W>, W>, ceil_div(N, 4), 128, 0, s)(in, bias, out, N, F);
    } else {
      launch(solu_forward_v2<1, W>, ceil_div(N, 4), 128, 0, s)(in, bias, out, N, F);
    }
  } else if (v1 || !vectors) {
    launch(activation_forward_v1<W>, blocks_for(numbers), kThreads, 0, s)(kind, in, bias, out, N,
                                                                          F);
  } else {
    with_function(kind, [&]<class A>(A) {
      const auto run = [&](auto kernel, int rows) {
        const std::size_t threads = std::size_t(ceil_div(N, rows)) * (F / kPack<W>);
        launch(kernel, blocks_for(threads), kThreads, 0, s)(in, bias, out, N, F);
      };
      if (all >= kLarge) {
        run(&activation_forward_v2<A, kForwardRows, W>, kForwardRows);
      } else {
        run(&activation_forward_v2<A, 1, W>, 1);
      }
    });
  }
}

template <Storage T>
void activation_backward(Stream stream, Activation kind, const T* dy, const T* x, const float* bias,
                         T* dx, float* dbias, Write write, float* work, int N, int F,
                         ActivationVersion version) {
  require(N >= 1 && F >= 1, "activation: N and F must be positive");
  require(!dbias || work, "activation: dbias needs activation_backward_work(N, F) floats of work");
  const cudaStream_t s = cuda_stream(stream);
  using W = Native<T>;
  const W *d = native(dy), *in = native(x);
  W* out = native(dx);
  const std::size_t numbers = std::size_t(N) * F, all = numbers / kPack<W>;
  const int chunk = activation_rows_of_a_sum(N), chunks = ceil_div(N, chunk);
  const bool v1 = version == ActivationVersion::v1_number_a_thread;
  const bool vectors = packs<W>(F, {d, in, out}) && packs<float>(4, {bias});
  const auto add = [&] {
    launch(add_partials<8>, ceil_div(F, 32), 256, 0, s)(work, dbias, write, chunks, F);
  };

  if (kind == Activation::solu) {
    if (v1) {
      launch(solu_backward_v1<W>, blocks_for(N), kThreads, 0, s)(d, in, bias, out, N, F);
      if (dbias) launch(column_sums_v1<W>, blocks_for(F), kThreads, 0, s)(out, dbias, write, N, F);
      return;
    }
    if (vectors) {
      launch(solu_backward_v2<kPack<W>, W>, ceil_div(N, 4), 128, 0, s)(d, in, bias, out, N, F);
    } else {
      launch(solu_backward_v2<1, W>, ceil_div(N, 4), 128, 0, s)(d, in, bias, out, N, F);
    }
    if (dbias) {
      launch(column_partials<W>, dim3(blocks_for(F), chunks), kThreads, 0, s)(out, work, chunk, N,
                                                                              F);
      add();
    }
  } else if (v1 || !vectors) {
    launch(activation_backward_v1<W>, blocks_for(numbers), kThreads, 0, s)(kind, d, in, bias, out,
                                                                           N, F);
    if (dbias) {
      launch(activation_dbias_v1<W>, blocks_for(F), kThreads, 0, s)(kind, d, in, bias, dbias, write,
                                                                    N, F);
    }
  } else {
    with_function(kind, [&]<class A>(A) {
      const auto run = [&](auto kernel, int rows) {
        const std::size_t threads = std::size_t(ceil_div(N, rows)) * (F / kPack<W>);
        launch(kernel, blocks_for(threads), kThreads, 0, s)(d, in, bias, out,
                                                            dbias ? work : nullptr, rows, N, F);
      };
      if (dbias) {
        run(&activation_backward_v2<A, kBackwardRows, W>, chunk);
      } else if (all >= kLarge) {
        run(&activation_backward_v2<A, kBackwardRows, W>, kBackwardRows);
      } else {
        run(&activation_backward_v2<A, 1, W>, 1);
      }
    });
    if (dbias) add();
  }
}

#define TPP_INSTANTIATE(T)                                                                       \
  template void activation_forward<T>(Stream, Activation, const T*, const float*, T*, int, int,  \
                                      ActivationVersion);                                        \
  template void activation_backward<T>(Stream, Activation, const T*, const T*, const float*, T*, \
                                       float*, Write, float*, int, int, ActivationVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
