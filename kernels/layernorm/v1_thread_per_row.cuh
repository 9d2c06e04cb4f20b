// v1: a thread a row, as the reference's loop. Right, and slow: at each moment the 32 lanes of a warp read 32 different
// rows, addresses D apart, so that a load fetches 32 sectors of 32 bytes and uses 4 bytes of each.
#pragma once

#include "kernels/common/storage.cuh"

namespace tpp::twin {

/// b may be null.
template <class T>
__global__ void layernorm_forward_v1(const T* x, const float* w, const float* b, T* y, float* mean,
                                     float* rstd, int N, int D, float eps) {
  const int n = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (n >= N) return;
  const T* row = x + std::size_t(n) * D;
  T* out = y + std::size_t(n) * D;

  // [snip layernorm_forward_v1]
  // Measure the row: its mean, and one over its standard deviation around that mean
  float sum = 0, squares = 0;
  for (int d = 0; d < D; ++d) sum += to_float(row[d]);
  const float m = sum / float(D);
  for (int d = 0; d < D; ++d) squares += (to_float(row[d]) - m) * (to_float(row[d]) - m);
  const float r = rsqrtf(squares / float(D) + eps);

  // Shift and scale the row, then each feature to its gain and bias
  for (int d = 0; d < D; ++d) {
    const float unit = (to_float(row[d]) - m) * r;
    out[d] = from_float<T>(unit * w[d] + (b != nullptr ? b[d] : 0));
  }
  mean[n] = m;
  rstd[n] = r;
  // [/snip]
}

/// dx_in may be null.
template <class T>
__global__ void layernorm_backward_v1(const T* dy, const T* x, const float* w, const float* mean,
                                      const float* rstd, const T* dx_in, T* dx, int N, int D) {
  const int n = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (n >= N) return;
  const std::size_t row = std::size_t(n) * D;
  const float m = mean[n], r = rstd[n];

  // The mean of g = dy·w, and its component along x̂
  float shift = 0, along = 0;
  for (int d = 0; d < D; ++d) {
    const float g = to_float(dy[row + d]) * w[d];
    shift += g;
    along += g * ((to_float(x[row + d]) - m) * r);
  }
  shift /= float(D), along /= float(D);

  // Remove both
  for (int d = 0; d < D; ++d) {
    const float unit = (to_float(x[row + d]) - m) * r;
    const float other = dx_in != nullptr ? to_float(dx_in[row + d]) : 0;
    dx[row + d] = from_float<T>(other + (to_float(dy[row + d]) * w[d] - shift - unit * along) * r);
  }
}

/// Gain and bias saw every row: a thread a column walks them all. db may be null.
template <class T>
__global__ void layernorm_gain_backward_v1(const T* dy, const T* x, const float* mean,
                                           const float* rstd, float* dw, float* db, int N, int D,
                                           Write write) {
  const int d = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (d >= D) return;
  float gain = 0, bias = 0;
  for (int n = 0; n < N; ++n) {
    const std::size_t at = std::size_t(n) * D + d;
    gain += to_float(dy[at]) * ((to_float(x[at]) - mean[n]) * rstd[n]);
    bias += to_float(dy[at]);
  }
  dw[d] = write == Write::add ? dw[d] + gain : gain;
  if (db != nullptr) db[d] = write == Write::add ? db[d] + bias : bias;
}

template <class T>
void layernorm_forward_v1_launch(cudaStream_t stream, const T* x, const float* w, const float* b,
                                 T* y, float* mean, float* rstd, int N, int D, float eps) {
  constexpr int kThreads = 128;
  launch(layernorm_forward_v1<T>, dim3(unsigned(ceil_div(N, kThreads))), dim3(kThreads), 0, stream)(
      x, w, b, y, mean, rstd, N, D, eps);
}

template <class T>
void layernorm_backward_v1_launch(cudaStream_t stream, const T* dy, const T* x, const float* w,
                                  const float* mean, const float* rstd, const T* dx_in, T* dx,
                                  float* dw, float* db, int N, int D, Write write) {
  // The gradients of gain and bias first, because dx may be dy
  constexpr int kThreads = 128;
  launch(layernorm_gain_backward_v1<T>, dim3(unsigned(ceil_div(D, kThreads))), dim3(kThreads), 0,
         stream)(dy, x, mean, rstd, dw, db, N, D, write);
  launch(layernorm_backward_v1<T>, dim3(unsigned(ceil_div(N, kThreads))), dim3(kThreads), 0,
         stream)(dy, x, w, mean, rstd, dx_in, dx, N, D);
}

}  // namespace tpp::twin
