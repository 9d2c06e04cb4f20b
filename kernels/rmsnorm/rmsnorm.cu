// guard: rmsnorm_forward_v2 has ld.global.v4 st.global.v4
// guard: rmsnorm_backward_v2 has ld.global.v4 st.global.v4
#include "kernels/rmsnorm/rmsnorm.h"

#include "kernels/rmsnorm/v1_block_per_row.cuh"
#include "kernels/rmsnorm/v2_row_in_registers.cuh"

namespace tpp::twin {
namespace {

template <class T>
void forward(Stream stream, const T* x, const T* branch, const float* w, T* s, T* y, float* rstd,
             int N, int D, float eps, RmsNormVersion version) {
  require(N > 0 && D > 0, "rmsnorm: there are no rows or no columns");
  const cudaStream_t at = cuda_stream(stream);
  const bool fast = D <= kRmsNormWidest && packs<T>(D, {x, branch, s, y}) && packs(D, {w});
  if (version == RmsNormVersion::v1_block_per_row || !fast) {
    rmsnorm_forward_v1_launch<T>(at, x, branch, w, s, y, rstd, N, D, eps);
  } else {
    rmsnorm_forward_v2_launch<T>(at, x, branch, w, s, y, rstd, N, D, eps);
  }
}

template <class T>
void backward(Stream stream, Stream gain_stream, const T* dy, const T* dx_in, const T* x,
              const float* w, const float* rstd, T* dx, float* dw, float* work, int N, int D,
              Write write, RmsNormVersion version) {
  require(N > 0 && D > 0, "rmsnorm: there are no rows or no columns");
  const cudaStream_t at = cuda_stream(stream);
  const bool fast = D <= kRmsNormWidest && packs<T>(D, {dy, dx_in, x, dx}) && packs(D, {w});
  const int rows = version == RmsNormVersion::v1_block_per_row || !fast
                       ? rmsnorm_backward_v1_launch<T>(at, dy, dx_in, x, w, rstd, dx, work, N, D)
                       : rmsnorm_backward_v2_launch<T>(at, dy, dx_in, x, w, rstd, dx, work, N, D);
  go_on_in(gain_stream, stream);
  sum_columns(gain_stream, work, rows, dw, D, write);
}

}  // namespace

template <Storage T>
void rmsnorm_forward(Stream stream, const T* x, const float* w, T* y, float* rstd, int N, int D,
                     float eps, RmsNormVersion version) {
  forward<Native<T>>(stream, native(x), nullptr, w, nullptr, native(y), rstd, N, D, eps, version);
}

template <Storage T>
void rmsnorm_backward(Stream stream, Stream gain_stream, const T* dy, const T* x, const float* w,
                      const float* rstd, T* dx, float* dw, float* work, int N, int D, Write write,
                      RmsNormVersion version) {
  backward<Native<T>>(stream, gain_stream, native(dy), nullptr, native(x), w, rstd, native(dx), dw,
                      work, N, D, write, version);
}

template <Storage T>
void rmsnorm_residual_forward(Stream stream, const T* x, const T* branch, const float* w, T* s,
                              T* y, float* rstd, int N, int D, float eps, RmsNormVersion version) {
  require(branch != nullptr && s != nullptr, "rmsnorm_residual: branch and s must be there");
  forward<Native<T>>(stream, native(x), native(branch), w, native(s), native(y), rstd, N, D, eps,
                     version);
}

template <Storage T>
void rmsnorm_residual_backward(Stream stream, Stream gain_stream, const T* dy, const T* ds_in,
                               const T* s, const float* w, const float* rstd, T* ds, float* dw,
                               float* work, int N, int D, Write write, RmsNormVersion version) {
  require(ds_in != nullptr, "rmsnorm_residual: ds_in must be there");
  backward<Native<T>>(stream, gain_stream, native(dy), native(ds_in), native(s), w, rstd,
                      native(ds), dw, work, N, D, write, version);
}

#define TPP_INSTANTIATE(T)                                                                        \
  template void rmsnorm_forward<T>(Stream, const T*, const float*, T*, float*, int, int, float,   \
                                   RmsNormVersion);                                               \
  template void rmsnorm_backward<T>(Stream, Stream, const T*, const T*, const float*,             \
                                    const float*, T*, float*, float*, int, int, Write,            \
                                    RmsNormVersion);                                              \
  template void rmsnorm_residual_forward<T>(Stream, const T*, const T*, const float*, T*, T*,     \
                                            float*, int, int, float, RmsNormVersion);             \
  template void rmsnorm_residual_backward<T>(Stream, Stream, const T*, const T*, const T*,        \
                                             const float*, const float*, T*, float*, float*, int, \
                                             int, Write, RmsNormVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
