#include "kernels/scalenorm/scalenorm.h"

#include "kernels/common/runtime.h"
#include "kernels/scalenorm/v1_warp_per_row.cuh"

namespace tpp::twin {
namespace {

constexpr int kWarps = 4;
dim3 blocks(int N) { return dim3(unsigned(ceil_div(N, kWarps))); }

}  // namespace

template <Storage T>
void scalenorm_forward(Stream stream, const T* x, const float* g, T* y, float* rnorm, int N, int D,
                       float eps, ScaleNormVersion) {
  require(N > 0 && D > 0, "scalenorm: there are no rows or no columns");
  launch(scalenorm_forward_v1<Native<T>>, blocks(N), dim3(32 * kWarps), 0, cuda_stream(stream))(
      native(x), g, native(y), rnorm, N, D, eps);
}

template <Storage T>
void scalenorm_backward(Stream stream, Stream gain_stream, const T* dy, const T* x, const float* g,
                        const float* rnorm, T* dx, float* dg, float* work, int N, int D, float eps,
                        Write write, ScaleNormVersion) {
  require(N > 0 && D > 0, "scalenorm: there are no rows or no columns");
  const cudaStream_t at = cuda_stream(stream);
  launch(scalenorm_backward_v1<Native<T>>, blocks(N), dim3(32 * kWarps), 0, at)(
      native(dy), native(x), g, rnorm, native(dx), work, N, D, eps);
  if (gain_stream != stream) wait_for(gain_stream, stream);
  launch(scalenorm_gain_backward_v1<1024>, dim3(1), dim3(1024), 0, cuda_stream(gain_stream))(
      work, dg, N, write);
}

#define TPP_INSTANTIATE(T)                                                                        \
  template void scalenorm_forward<T>(Stream, const T*, const float*, T*, float*, int, int, float, \
                                     ScaleNormVersion);                                           \
  template void scalenorm_backward<T>(Stream, Stream, const T*, const T*, const float*,           \
                                      const float*, T*, float*, float*, int, int, float, Write,   \
                                      ScaleNormVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
