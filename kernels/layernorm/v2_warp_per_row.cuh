// v1 gave a row to one thread: neighbouring lanes read addresses D apart, 32 sectors a load. v2 gives it to a warp:
// neighbouring lanes read neighbouring addresses, 4 sectors a load, and shuffles add up what the lanes found.
//
// The gradients of gain and bias no longer walk all rows in one thread: blocks take a share of the rows each and leave
// partial sums, which a second kernel adds up in order.
#pragma once

#include "kernels/common/partial_sums.cuh"
#include "kernels/common/reduce.cuh"
#include "kernels/common/storage.cuh"

namespace tpp::twin {

/// b may be null.
template <class T>
__global__ void layernorm_forward_v2(const T* x, const float* w, const float* b, T* y, float* mean,
                                     float* rstd, int N, int D, float eps) {
  const int lane = int(threadIdx.x) % 32;
  const int n = int((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  if (n >= N) return;
  const T* row = x + std::size_t(n) * D;
  T* out = y + std::size_t(n) * D;

  // [snip layernorm_forward_v2]
  // Measure the row: its mean, and one over its standard deviation around that mean
  float sum = 0, squares = 0;
  for (int d = lane; d < D; d += 32) sum += to_float(row[d]);
  const float m = warp_sum(sum) / float(D);
  for (int d = lane; d < D; d += 32) {
    const float centred = to_float(row[d]) - m;
    squares += centred * centred;
  }
  const float r = rsqrtf(warp_sum(squares) / float(D) + eps);

  // Shift and scale the row, then each feature to its gain and bias
  for (int d = lane; d < D; d += 32) {
    const float unit = (to_float(row[d]) - m) * r;
    out[d] = from_float<T>(unit * w[d] + (b != nullptr ? b[d] : 0));
  }
  if (lane == 0) mean[n] = m, rstd[n] = r;
  // [/snip]
}

/// dx_in may be null.
template <class T>
__global__ void layernorm_backward_v2(const T* dy, const T* x, const float* w, const float* mean,
                                      const float* rstd, const T* dx_in, T* dx, int N, int D) {
  const int lane = int(threadIdx.x) % 32;
  const int n = int((blockIdx.x * blockDim.x + threadIdx.x) / 32);
  if (n >= N) return;
  const std::size_t row = std::size_t(n) * D;
  const float m = mean[n], r = rstd[n];

  // The mean of g = dy·w, and its component along x̂
  float shift = 0, along = 0;
  for (int d = lane; d < D; d += 32) {
    const float g = to_float(dy[row + d]) * w[d];
    shift += g;
    along += g * ((to_float(x[row + d]) - m) * r);
  }
  shift = warp_sum(shift) / float(D), along = warp_sum(along) / float(D);

  // Remove both
  for (int d = lane; d < D; d += 32) {
    const float unit = (to_float(x[row + d]) - m) * r;
    const float other = dx_in != nullptr ? to_float(dx_in[row + d]) : 0;
    dx[row + d] = from_float<T>(other + (to_float(dy[row + d]) * w[d] - shift - unit * along) * r);
  }
}

/// partial[block, 0, d] = Σ dy·x̂, partial[block, 1, d] = Σ dy over the block's rows. A block is 32 columns × kDeep.
template <class T, int kDeep>
__global__ void __launch_bounds__(32 * kDeep)
    layernorm_gain_backward_v2(const T* dy, const T* x, const float* mean, const float* rstd,
                               float* partial, int N, int D) {
  __shared__ float of_lane[2][kDeep][32];
  const int lane = int(threadIdx.x), y = int(threadIdx.y);
  const int d = int(blockIdx.x) * 32 + lane;
  float gain = 0, bias = 0;
  if (d < D) {
    for (int n = int(blockIdx.y) * kDeep + y; n < N; n += int(gridDim.y) * kDeep) {
      const std::size_t at = std::size_t(n) * D + d;
      gain += to_float(dy[at]) * ((to_float(x[at]) - mean[n]) * rstd[n]);
      bias += to_float(dy[at]);
    }
  }
  of_lane[0][y][lane] = gain;
  of_lane[1][y][lane] = bias;
  __syncthreads();
  if (y >= 2 || d >= D) return;
  float total = 0;
  for (int i = 0; i < kDeep; ++i) total += of_lane[y][i][lane];
  partial[(std::size_t(blockIdx.y) * 2 + y) * D + d] = total;
}

template <class T>
void layernorm_forward_v2_launch(cudaStream_t stream, const T* x, const float* w, const float* b,
                                 T* y, float* mean, float* rstd, int N, int D, float eps) {
  constexpr int kWarps = 4;
  launch(layernorm_forward_v2<T>, dim3(unsigned(ceil_div(N, kWarps))), dim3(32 * kWarps), 0,
         stream)(x, w, b, y, mean, rstd, N, D, eps);
}

template <class T>
void layernorm_backward_v2_launch(cudaStream_t stream, Stream gain_stream, const T* dy, const T* x,
                                  const float* w, const float* mean, const float* rstd,
                                  const T* dx_in, T* dx, float* dw, float* db, float* partial,
                                  int N, int D, Write write) {
  constexpr int kWarps = 4, kDeep = 8;
  const int blocks = std::min(ceil_div(N, 4 * kDeep), kPartialRows);
  launch(layernorm_gain_backward_v2<T, kDeep>, dim3(unsigned(ceil_div(D, 32)), unsigned(blocks)),
         dim3(32, kDeep), 0, stream)(dy, x, mean, rstd, partial, N, D);
  go_on_in(gain_stream, stream);
  sum_columns_of_two(gain_stream, partial, blocks, dw, db, D, write);
  launch(layernorm_backward_v2<T>, dim3(unsigned(ceil_div(N, kWarps))), dim3(32 * kWarps), 0,
         stream)(dy, x, w, mean, rstd, dx_in, dx, N, D);
}

}  // namespace tpp::twin
