// guard: layernorm_forward_v3 has ld.global.v4 st.global.v4
// guard: layernorm_backward_v3 has ld.global.v4 st.global.v4
#include "kernels/layernorm/layernorm.h"

#include "kernels/layernorm/v1_thread_per_row.cuh"
#include "kernels/layernorm/v2_warp_per_row.cuh"
#include "kernels/layernorm/v3_vector_loads.cuh"

namespace tpp::twin {
namespace {

// What runs: the one asked for, or the newest that this shape and these addresses allow
template <class T>
LayerNormVersion choose(LayerNormVersion version, int D, std::initializer_list<const T*> rows,
                        const float* w, const float* b) {
  if (version == LayerNormVersion::latest) version = LayerNormVersion::v3_vector_loads;
  const bool fits = D <= kLayerNormWidest && packs<T>(D, rows) && packs(D, {w, b});
  if (version == LayerNormVersion::v3_vector_loads && !fits) {
    version = LayerNormVersion::v2_warp_per_row;
  }
  return version;
}

}  // namespace

template <Storage T>
void layernorm_forward(Stream stream, const T* x, const float* w, const float* b, T* y, float* mean,
                       float* rstd, int N, int D, float eps, LayerNormVersion version) {
  require(N > 0 && D > 0, "layernorm: there are no rows or no columns");
  const cudaStream_t at = cuda_stream(stream);
  const Native<T>* in = native(x);
  Native<T>* out = native(y);
  switch (choose<T>(version, D, {x, y}, w, b)) {
    case LayerNormVersion::v1_thread_per_row:
      return layernorm_forward_v1_launch(at, in, w, b, out, mean, rstd, N, D, eps);
    case LayerNormVersion::v2_warp_per_row:
      return layernorm_forward_v2_launch(at, in, w, b, out, mean, rstd, N, D, eps);
    case LayerNormVersion::v3_vector_loads:
    case LayerNormVersion::latest:
      return layernorm_forward_v3_launch(at, in, w, b, out, mean, rstd, N, D, eps);
  }
}

template <Storage T>
void layernorm_backward(Stream stream, Stream gain_stream, const T* dy, const T* x, const float* w,
                        const float* mean, const float* rstd, const T* dx_in, T* dx, float* dw,
                        float* db, float* work, int N, int D, Write write,
                        LayerNormVersion version) {
  require(N > 0 && D > 0, "layernorm: there are no rows or no columns");
  const cudaStream_t at = cuda_stream(stream);
  const Native<T>*g = native(dy), *in = native(x);
  Native<T>* out = native(dx);
  switch (choose<T>(version, D, {dy, x, dx_in, dx}, w, nullptr)) {
    case LayerNormVersion::v1_thread_per_row:
      layernorm_backward_v1_launch(at, g, in, w, mean, rstd, native(dx_in), out, dw, db, N, D,
                                   write);
      return go_on_in(gain_stream, stream);
    case LayerNormVersion::v2_warp_per_row:
      return layernorm_backward_v2_launch(at, gain_stream, g, in, w, mean, rstd, native(dx_in), out,
                                          dw, db, work, N, D, write);
    case LayerNormVersion::v3_vector_loads:
    case LayerNormVersion::latest:
      return layernorm_backward_v3_launch(at, gain_stream, g, in, w, mean, rstd, native(dx_in), out,
                                          dw, db, work, N, D, write);
  }
}

#define TPP_INSTANTIATE(T)                                                                      \
  template void layernorm_forward<T>(Stream, const T*, const float*, const float*, T*, float*,  \
                                     float*, int, int, float, LayerNormVersion);                \
  template void layernorm_backward<T>(Stream, Stream, const T*, const T*, const float*,         \
                                      const float*, const float*, const T*, T*, float*, float*, \
                                      float*, int, int, Write, LayerNormVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
