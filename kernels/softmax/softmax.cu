// Which softmax kernel, with which launch.
#include "kernels/softmax/softmax.h"

#include "kernels/softmax/v1_thread_per_row.cuh"
#include "kernels/softmax/v2_warp_per_row.cuh"
#include "kernels/softmax/v3_row_in_registers.cuh"

namespace tpp::twin {

namespace {

constexpr int kBlock = 512;  // threads that hold a wide row

void require_rows(int N, int M) {
  require(N >= 0, "softmax: N must not be negative");
  require(M >= 1, "softmax: a row without scores has no probabilities");
}

// The narrowest of four holders: 8 or 32 numbers a thread, in a warp or in a block
template <class T, int kWidth>
void forward_in_registers(cudaStream_t stream, const T* x, T* y, int N, int M) {
  if (M <= 32 * 8) {
    launch(softmax_forward_v3<T, 32, 8 / kWidth, kWidth>, grid_of(32, N), block_of(32), 0, stream)(
        x, y, N, M);
  } else if (M <= 32 * 32) {
    launch(softmax_forward_v3<T, 32, 32 / kWidth, kWidth>, grid_of(32, N), block_of(32), 0, stream)(
        x, y, N, M);
  } else if (M <= kBlock * 8) {
    launch(softmax_forward_v3<T, kBlock, 8 / kWidth, kWidth>, N, kBlock, 0, stream)(x, y, N, M);
  } else if (M <= kBlock * 32) {
    launch(softmax_forward_v3<T, kBlock, 32 / kWidth, kWidth>, N, kBlock, 0, stream)(x, y, N, M);
  } else {
    launch(softmax_forward_v2<T, kBlock>, N, kBlock, 0, stream)(x, y, N, M);
  }
}

template <class T, int kWidth>
void backward_in_registers(cudaStream_t stream, const T* dy, const T* y, T* dx, int N, int M) {
  if (M <= 32 * 8) {
    launch(softmax_backward_v3<T, 32, 8 / kWidth, kWidth>, grid_of(32, N), block_of(32), 0, stream)(
        dy, y, dx, N, M);
  } else if (M <= 32 * 32) {
    launch(softmax_backward_v3<T, 32, 32 / kWidth, kWidth>, grid_of(32, N), block_of(32), 0,
           stream)(dy, y, dx, N, M);
  } else if (M <= kBlock * 8) {
    launch(softmax_backward_v3<T, kBlock, 8 / kWidth, kWidth>, N, kBlock, 0, stream)(dy, y, dx, N,
                                                                                     M);
  } else if (M <= kBlock * 32) {
    launch(softmax_backward_v3<T, kBlock, 32 / kWidth, kWidth>, N, kBlock, 0, stream)(dy, y, dx, N,
                                                                                      M);
  } else {
    launch(softmax_backward_v2<T, kBlock>, N, kBlock, 0, stream)(dy, y, dx, N, M);
  }
}

}  // namespace

template <Storage T>
void softmax_forward(Stream stream_, const T* x_, T* y_, int N, int M, SoftmaxVersion version) {
  require_rows(N, M);
  if (N == 0) return;
  const cudaStream_t stream = cuda_stream(stream_);
  const Native<T>* x = native(x_);
  Native<T>* y = native(y_);
  switch (version) {
    case SoftmaxVersion::v1_thread_per_row:
      launch(softmax_forward_v1<Native<T>>, ceil_div(N, 64), 64, 0, stream)(x, y, N, M);
      break;
    case SoftmaxVersion::v2_warp_per_row:
      launch(softmax_forward_v2<Native<T>, 32>, grid_of(32, N), block_of(32), 0, stream)(x, y, N,
                                                                                         M);
      break;
    case SoftmaxVersion::latest:
    case SoftmaxVersion::v3_row_in_registers:
      if (packs<Native<T>>(M, {x, y})) {
        forward_in_registers<Native<T>, kPack<Native<T>>>(stream, x, y, N, M);
      } else {
        forward_in_registers<Native<T>, 1>(stream, x, y, N, M);
      }
      break;
  }
}

template <Storage T>
void softmax_backward(Stream stream_, const T* dy_, const T* y_, T* dx_, int N, int M,
                      SoftmaxVersion version) {
  require_rows(N, M);
  if (N == 0) return;
  const cudaStream_t stream = cuda_stream(stream_);
  const Native<T>*dy = native(dy_), *y = native(y_);
  Native<T>* dx = native(dx_);
  switch (version) {
    case SoftmaxVersion::v1_thread_per_row:
      launch(softmax_backward_v1<Native<T>>, ceil_div(N, 64), 64, 0, stream)(dy, y, dx, N, M);
      break;
    case SoftmaxVersion::v2_warp_per_row:
      launch(softmax_backward_v2<Native<T>, 32>, grid_of(32, N), block_of(32), 0, stream)(dy, y, dx,
                                                                                          N, M);
      break;
    case SoftmaxVersion::latest:
    case SoftmaxVersion::v3_row_in_registers:
      if (packs<Native<T>>(M, {dy, y, dx})) {
        backward_in_registers<Native<T>, kPack<Native<T>>>(stream, dy, y, dx, N, M);
      } else {
        backward_in_registers<Native<T>, 1>(stream, dy, y, dx, N, M);
      }
      break;
  }
}

#define TPP_INSTANTIATE(T)                                                          \
  template void softmax_forward<T>(Stream, const T*, T*, int, int, SoftmaxVersion); \
  template void softmax_backward<T>(Stream, const T*, const T*, T*, int, int, SoftmaxVersion);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(Bf16)
#undef TPP_INSTANTIATE

}  // namespace tpp::twin
