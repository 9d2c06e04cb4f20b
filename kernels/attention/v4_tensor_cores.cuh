// v3 multiplies in float: a warp's instruction does 32 multiplies. v4 gives bfloat16 to the tensor cores, where one
// instruction does 2048. The plan of the blocks is v3's; what changes is who holds what.
//
// A warp owns 16 rows. The result of a product, 16 × 8 numbers a piece, lies in the warp's registers just as the next
// product wants its left side, so logits become weights without moving. Weights are rounded to bfloat16 on that way, as
// they are in memory. Probabilities and results pass through shared memory, to leave 16 bytes a lane.
#pragma once

#include "kernels/attention/arguments.cuh"
#include "kernels/attention/v3_head_fused.cuh"
#include "kernels/simt/mma.h"

namespace tpp::twin {

template <int kHead_, int kCols_>
struct TensorTiles {
  using Number = __nv_bfloat16;
  static constexpr int kHead = kHead_, kCols = kCols_;
  static constexpr int kWarps = 4, kThreads = 32 * kWarps, kRows = 16 * kWarps;
  static constexpr int kStride = kHead + 8;  // an odd number of 16 bytes: ldmatrix meets all banks
  static constexpr int kProbStride = kCols + 8;  // the same
  static constexpr int kWeightStride = kCols + 4;
  static constexpr int kNumbers = kRows * kStride + 2 * kCols * kStride + kRows * kProbStride;
  static constexpr std::size_t bytes(bool wants_bias) {
    return kNumbers * sizeof(Number) +
           (kCols + (wants_bias ? kRows * kWeightStride : 0)) * sizeof(float);
  }

  // Of the block's shared memory
  Number* rows;    // (kRows, kHead)   as in v3
  Number* left;    // (kCols, kHead)
  Number* right;   // (kCols, kHead)
  Number* probs;   // (kRows, kCols)
  float* means;    // (kCols)
  float* weights;  // (kRows, kCols)   dS for dbias, only where that is wanted
  __device__ explicit TensorTiles(Number* memory)
      : rows(memory),
        left(rows + kRows * kStride),
        right(left + kCols * kStride),
        probs(right + kCols * kStride),
        means(reinterpret_cast<float*>(probs + kRows * kProbStride)),
        weights(means + kCols) {}
};

// Two bfloat16 in a word
__device__ inline float low_of(unsigned word) { return __uint_as_float(word << 16); }
__device__ inline float high_of(unsigned word) { return __uint_as_float(word & 0xffff0000u); }

/// Eight numbers of which the first `count` are there.
__device__ inline uint4 load_up_to_eight(const __nv_bfloat16* p, int count, bool vectors) {
  if (count <= 0) return make_uint4(0, 0, 0, 0);
  if (vectors) return *reinterpret_cast<const uint4*>(p);
  const auto two = [&](int i) {
    return pack_two(i < count ? to_float(p[i]) : 0, i + 1 < count ? to_float(p[i + 1]) : 0);
  };
  return make_uint4(two(0), two(2), two(4), two(6));
}
__device__ inline void store_up_to_eight(__nv_bfloat16* p, const uint4& v, int count,
                                         bool vectors) {
  if (count <= 0) return;
  if (vectors) {
    *reinterpret_cast<uint4*>(p) = v;
    return;
  }
  const unsigned words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    if (i < count)
      p[i] = __float2bfloat16(i % 2 == 0 ? low_of(words[i / 2]) : high_of(words[i / 2]));
  }
}
__device__ inline float dot(unsigned a, unsigned b) {
  return low_of(a) * low_of(b) + high_of(a) * high_of(b);
}

/// Rows [first, first + kCount) of x, kWidth numbers wide, into shared memory; what lies outside of (limit, columns) is 0.
/// With `out`, also means[row] = ⟨x[row], out[row]⟩.
template <int kCount, int kWidth, int kThreads, bool kMeans>
__device__ void load_tile(__nv_bfloat16* tile, HeadRows<const __nv_bfloat16> x, int first,
                          int limit, int columns, bool vectors,
                          HeadRows<const __nv_bfloat16> out = {}, float* means = nullptr) {
  constexpr int kLanes = kWidth / 8, kSteps = kCount * kLanes / kThreads;
  static_assert(kSteps * kThreads == kCount * kLanes);
  uint4 values[kSteps];
  float sums[kSteps];
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    const int i = step * kThreads + int(threadIdx.x), row = i / kLanes, c = 8 * (i % kLanes);
    const int count = first + row < limit ? columns - c : 0;
    const uint4 a =
        load_up_to_eight(x.at + std::size_t(first + row) * x.stride + c, count, vectors);
    values[step] = a;
    if (kMeans) {
      const uint4 b =
          load_up_to_eight(out.at + std::size_t(first + row) * out.stride + c, count, vectors);
      sums[step] = dot(a.x, b.x) + dot(a.y, b.y) + dot(a.z, b.z) + dot(a.w, b.w);
    }
  }
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    const int i = step * kThreads + int(threadIdx.x), row = i / kLanes, c = 8 * (i % kLanes);
    *reinterpret_cast<uint4*>(tile + row * (kWidth + 8) + c) = values[step];
    if (kMeans) {
      for (int d = kLanes / 2; d > 0; d /= 2) {
        sums[step] += __shfl_xor_sync(0xffffffffu, sums[step], d);
      }
      if (c == 0) means[row] = sums[step];
    }
  }
}

/// The warp's 16 rows of a tile to memory.
template <int kWidth>
__device__ void store_tile(const __nv_bfloat16* tile, HeadRows<__nv_bfloat16> x, int first,
                           int limit, int columns, bool vectors) {
  constexpr int kLanes = kWidth / 8;
#pragma unroll
  for (int i0 = 0; i0 < 16 * kLanes; i0 += 32) {
    const int i = i0 + int(threadIdx.x) % 32, row = i / kLanes, c = 8 * (i % kLanes);
    if (first + row >= limit) continue;
    store_up_to_eight(x.row(first + row) + c,
                      *reinterpret_cast<const uint4*>(tile + row * (kWidth + 8) + c), columns - c,
                      vectors);
  }
}

/// Where this lane's two numbers of piece j and row half i stand in a tile: rows l/4 and l/4 + 8, columns 2·(l%4) and next.
__device__ inline int piece_at(int stride, int i, int j) {
  const int lane = int(threadIdx.x) % 32;
  return (lane / 4 + 8 * i) * stride + 8 * j + 2 * (lane % 4);
}

/// sum = rows·colsᵀ: 16 rows of the warp with the first `count` of kCols, in pieces of 16 × 8; the other pieces are 0.
template <class Tiles>
__device__ void compare_tensor(const __nv_bfloat16* rows, const __nv_bfloat16* cols, int count,
                               float (&sum)[Tiles::kCols / 8][4]) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int j = 0; j < Tiles::kCols / 8; ++j) {
    sum[j][0] = sum[j][1] = sum[j][2] = sum[j][3] = 0;
  }
#pragma unroll
  for (int i = 0; i < Tiles::kHead; i += 16) {
    unsigned a[4];
    ldmatrix_x4(a, rows + lane % 16 * Tiles::kStride + i + lane / 16 * 8);
#pragma unroll
    for (int j = 0; j < Tiles::kCols / 16; ++j) {
      if (16 * j >= count) continue;
      unsigned b[4];
      ldmatrix_x4(
          b, cols + (16 * j + lane / 16 * 8 + lane % 8) * Tiles::kStride + i + lane / 8 % 2 * 8);
      const unsigned b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
      mma_m16n8k16(sum[2 * j], a, b0, sum[2 * j]);
      mma_m16n8k16(sum[2 * j + 1], a, b1, sum[2 * j + 1]);
    }
  }
}

/// sum += weights·values for 16 of the values' rows.
template <class Tiles>
__device__ void mix_tensor(const unsigned (&weights)[4], const __nv_bfloat16* values,
                           float (&sum)[Tiles::kHead / 8][4]) {
  const int lane = int(threadIdx.x) % 32;
#pragma unroll
  for (int n = 0; n < Tiles::kHead / 16; ++n) {
    unsigned b[4];
    ldmatrix_x4_trans(b, values + lane % 16 * Tiles::kStride + 16 * n + lane / 16 * 8);
    const unsigned b0[2] = {b[0], b[1]}, b1[2] = {b[2], b[3]};
    mma_m16n8k16(sum[2 * n], weights, b0, sum[2 * n]);
    mma_m16n8k16(sum[2 * n + 1], weights, b1, sum[2 * n + 1]);
  }
}

/// Scale the warp's 16 × kHead result and write it, through the warp's own rows of a tile.
template <class Tiles>
__device__ void store_result(const float (&sum)[Tiles::kHead / 8][4], float scale,
                             __nv_bfloat16* tile, HeadRows<__nv_bfloat16> x, int first, int limit,
                             int K, bool vectors) {
  __syncwarp();
#pragma unroll
  for (int n = 0; n < Tiles::kHead / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      *reinterpret_cast<unsigned*>(tile + piece_at(Tiles::kStride, i, n)) =
          pack_two(scale * sum[n][2 * i], scale * sum[n][2 * i + 1]);
    }
  }
  __syncwarp();
  store_tile<Tiles::kHead>(tile, x, first, limit, K, vectors);
}

/// The largest, or the sum, of a row's four lanes.
__device__ inline float quad_max(float v) {
  v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, 1));
  return fmaxf(v, __shfl_xor_sync(0xffffffffu, v, 2));
}
__device__ inline float quad_sum(float v) {
  v += __shfl_xor_sync(0xffffffffu, v, 1);
  return v + __shfl_xor_sync(0xffffffffu, v, 2);
}

// --- Forward ----------------------------------------------------------------------------------------

template <class Tiles>
__global__ __launch_bounds__(128) void attention_forward_tensor(AttentionTensors<__nv_bfloat16> x,
                                                                AttentionShape shape) {
  constexpr int kCols = Tiles::kCols, kPieces = kCols / 8;
  const Tiles tiles(dynamic_shared<__nv_bfloat16>());
  const int L = shape.T, K = shape.K, heads = shape.B * shape.H;
  const int b = int(blockIdx.x) % heads / shape.H, h = int(blockIdx.x) % shape.H;
  const int g = h / (shape.H / shape.G);
  const int t0 = (ceil_div(L, Tiles::kRows) - 1 - int(blockIdx.x) / heads) * Tiles::kRows;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, mine = t0 + 16 * warp;
  const int seen = shape.mask.visible(min(t0 + Tiles::kRows, L) - 1, L);
  const int seen_here = mine < L ? shape.mask.visible(min(mine + 16, L) - 1, L) : 0;
  const auto k = head_rows(x.k, x.ldk, shape, b, g), v = head_rows(x.v, x.ldv, shape, b, g);
  const int row[2] = {min(mine + lane / 4, L - 1), min(mine + lane / 4 + 8, L - 1)};
  const int visible[2] = {shape.mask.visible(row[0], L), shape.mask.visible(row[1], L)};
  __nv_bfloat16* my_probs = tiles.probs + 16 * warp * Tiles::kProbStride;
  __nv_bfloat16* my_rows = tiles.rows + 16 * warp * Tiles::kStride;

  // Look at all keys for each row's maximum and sum. The first tile of values comes along: one wait for memory
  float logits[kPieces][4], top[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};
  const auto compute_logits = [&](int s0) {
    compare_tensor<Tiles>(my_rows, tiles.left, seen_here - s0, logits);
#pragma unroll
    for (int j = 0; j < kPieces; ++j) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int s = s0 + 8 * j + 2 * (lane % 4) + e % 2;
        float& logit = logits[j][e];
        logit *= shape.scale;
        if (s >= visible[e / 2]) {
          logit = -INFINITY;
        } else if (x.bias != nullptr) {
          logit += bias_of(x.bias, shape, h)[s - row[e / 2]];
        }
      }
    }
  };
  load_tile<Tiles::kRows, Tiles::kHead, Tiles::kThreads, false>(
      tiles.rows, head_rows(x.q, x.ldq, shape, b, h), t0, L, K, x.vectors);
  for (int s0 = 0; s0 < seen; s0 += kCols) {
    if (s0 > 0) __syncthreads();
    load_tile<kCols, Tiles::kHead, Tiles::kThreads, false>(tiles.left, k, s0, seen, K, x.vectors);
    if (s0 == 0) {
      load_tile<kCols, Tiles::kHead, Tiles::kThreads, false>(tiles.right, v, s0, seen, K,
                                                             x.vectors);
    }
    __syncthreads();
    compute_logits(s0);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float highest = top[i];
#pragma unroll
      for (int j = 0; j < kPieces; ++j) {
        highest = fmaxf(highest, fmaxf(logits[j][2 * i], logits[j][2 * i + 1]));
      }
      highest = quad_max(highest);  // finite: the first tile has key 0
      float more = 0;
#pragma unroll
      for (int j = 0; j < kPieces; ++j) {
        more += __expf(logits[j][2 * i] - highest) + __expf(logits[j][2 * i + 1] - highest);
      }
      sum[i] = sum[i] * __expf(top[i] - highest) + quad_sum(more);
      top[i] = highest;
    }
  }

  // Write the probabilities and mix the values. With one tile the logits are still there
  const HeadRows<__nv_bfloat16> probs = prob_rows(x.probs, shape, b, h);
  float mixed[Tiles::kHead / 8][4];
#pragma unroll
  for (int n = 0; n < Tiles::kHead / 8; ++n) {
    mixed[n][0] = mixed[n][1] = mixed[n][2] = mixed[n][3] = 0;
  }
  sum[0] = 1 / sum[0], sum[1] = 1 / sum[1];
  for (int s0 = 0; s0 < seen; s0 += kCols) {
    if (seen > kCols) {
      __syncthreads();
      load_tile<kCols, Tiles::kHead, Tiles::kThreads, false>(tiles.left, k, s0, seen, K, x.vectors);
      if (s0 > 0) {
        load_tile<kCols, Tiles::kHead, Tiles::kThreads, false>(tiles.right, v, s0, seen, K,
                                                               x.vectors);
      }
      __syncthreads();
      compute_logits(s0);
    }
#pragma unroll
    for (int j = 0; j < kPieces; j += 2) {
      unsigned p[4];  // pieces j and j + 1, rows l/4 and l/4 + 8: the left side of the next product
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int i = e % 2;
        const float* two = &logits[j + e / 2][2 * i];
        p[e] = pack_two(__expf(two[0] - top[i]) * sum[i], __expf(two[1] - top[i]) * sum[i]);
        *reinterpret_cast<unsigned*>(my_probs + piece_at(Tiles::kProbStride, i, j + e / 2)) = p[e];
      }
      if (s0 + 8 * j < seen_here) mix_tensor<Tiles>(p, tiles.right + 8 * j * Tiles::kStride, mixed);
    }
    __syncwarp();
    store_tile<kCols>(my_probs, {probs.at + s0, probs.stride}, mine, L, L - s0, x.prob_vectors);
    __syncwarp();
  }
  store_result<Tiles>(mixed, 1, my_rows, head_rows(x.out, std::size_t(shape.H) * K, shape, b, h),
                      mine, L, K, x.vectors);

  // What no query of the block sees is 0
  const int first = ceil_div(seen, kCols) * kCols;
  for (int i = lane; i < 16 * ceil_div(max(L - first, 0), 8); i += 32) {
    const int t = mine + i % 16, s = first + i / 16 * 8;
    if (t < L) {
      store_up_to_eight(probs.row(t) + s, make_uint4(0, 0, 0, 0), L - s, x.prob_vectors);
    }
  }
}

// --- Backward ---------------------------------------------------------------------------------------

// dq[t] = scale·Σ_s dS[t,s]·k[s]
template <class Tiles>
__device__ void attention_query_tensor(AttentionTensors<__nv_bfloat16> x, AttentionShape shape,
                                       bool wants_bias, int block) {
  constexpr int kCols = Tiles::kCols, kPieces = kCols / 8;
  const Tiles tiles(dynamic_shared<__nv_bfloat16>());
  const int L = shape.T, K = shape.K, heads = shape.B * shape.H, count = ceil_div(L, Tiles::kRows);
  const int b = block % heads / shape.H, h = block % shape.H, g = h / (shape.H / shape.G);
  const int tile = count - 1 - block / heads, t0 = tile * Tiles::kRows;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, mine = t0 + 16 * warp;
  const int seen = shape.mask.visible(min(t0 + Tiles::kRows, L) - 1, L);
  const int seen_here = mine < L ? shape.mask.visible(min(mine + 16, L) - 1, L) : 0;
  const std::size_t width = std::size_t(shape.H) * K;
  const HeadRows<const __nv_bfloat16> probs = prob_rows<const __nv_bfloat16>(x.probs, shape, b, h);
  const __nv_bfloat16* my_probs = tiles.probs + 16 * warp * Tiles::kProbStride;
  __nv_bfloat16* my_rows = tiles.rows + 16 * warp * Tiles::kStride;
  float* diagonals = nullptr;
  if (wants_bias) {
    const std::size_t length = std::size_t(L) + Tiles::kRows - 1;
    diagonals = x.work + ((std::size_t(b) * count + tile) * shape.H + h) * length;
    for (std::size_t d = threadIdx.x; d < length; d += Tiles::kThreads) diagonals[d] = 0;
  }

  load_tile<Tiles::kRows, Tiles::kHead, Tiles::kThreads, true>(
      tiles.rows, head_rows(x.dout, width, shape, b, h), t0, L, K, x.vectors,
      head_rows<const __nv_bfloat16>(x.out, width, shape, b, h), tiles.means);
  float dq[Tiles::kHead / 8][4];
#pragma unroll
  for (int n = 0; n < Tiles::kHead / 8; ++n) dq[n][0] = dq[n][1] = dq[n][2] = dq[n][3] = 0;
  for (int s0 = 0; s0 < seen; s0 += kCols) {
    if (s0 > 0) __syncthreads();
    load_tile<kCols, Tiles::kHead, Tiles::kThreads, false>(
        tiles.left, head_rows(x.v, x.ldv, shape, b, g), s0, seen, K, x.vectors);
    load_tile<kCols, Tiles::kHead, Tiles::kThreads, false>(
        tiles.right, head_rows(x.k, x.ldk, shape, b, g), s0, seen, K, x.vectors);
    load_tile<Tiles::kRows, kCols, Tiles::kThreads, false>(
        tiles.probs, {probs.at + s0, probs.stride}, t0, L, L - s0, x.prob_vectors);
    __syncthreads();

    // Through the mix and the softmax: only what differs from the row's mean moves the weights
    float d[kPieces][4];
    compare_tensor<Tiles>(my_rows, tiles.left, seen_here - s0, d);
    const float mean[2] = {tiles.means[16 * warp + lane / 4],
                           tiles.means[16 * warp + lane / 4 + 8]};
#pragma unroll
    for (int j = 0; j < kPieces; j += 2) {
      unsigned ds[4];
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int i = e % 2, piece = j + e / 2;
        const unsigned p =
            *reinterpret_cast<const unsigned*>(my_probs + piece_at(Tiles::kProbStride, i, piece));
        const float low = low_of(p) * (d[piece][2 * i] - mean[i]);
        const float high = high_of(p) * (d[piece][2 * i + 1] - mean[i]);
        ds[e] = pack_two(low, high);
        if (wants_bias) {
          float* two = tiles.weights + 16 * warp * Tiles::kWeightStride +
                       piece_at(Tiles::kWeightStride, i, piece);
          two[0] = low, two[1] = high;
        }
      }
      if (s0 + 8 * j < seen_here) mix_tensor<Tiles>(ds, tiles.right + 8 * j * Tiles::kStride, dq);
    }
    if (wants_bias) add_diagonals<Tiles>(tiles.weights, s0, seen, diagonals);
  }
  store_result<Tiles>(dq, shape.scale, my_rows, head_rows(x.dq, x.lddq, shape, b, h), mine, L, K,
                      x.vectors);
}

// dv[s] = Σ_h Σ_t probs[t,s]·dout[t],   dk[s] = scale·Σ_h Σ_t dS[t,s]·q[t]: here the block's rows are keys
template <class Tiles>
__device__ void attention_key_tensor(AttentionTensors<__nv_bfloat16> x, AttentionShape shape,
                                     int block) {
  constexpr int kCols = Tiles::kCols, kPieces = kCols / 8;
  static_assert(kCols == Tiles::kRows, "the tile of probabilities is read both ways");
  const Tiles tiles(dynamic_shared<__nv_bfloat16>());
  const int L = shape.T, K = shape.K, heads = shape.B * shape.G, share = shape.H / shape.G;
  const int b = block % heads / shape.G, g = block % shape.G;
  const int s0 = block / heads * Tiles::kRows;  // the first keys are seen most often and come first
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, mine = s0 + 16 * warp;
  const std::size_t width = std::size_t(shape.H) * K;
  __nv_bfloat16* my_rows = tiles.rows + 16 * warp * Tiles::kStride;

  load_tile<Tiles::kRows, Tiles::kHead, Tiles::kThreads, false>(
      tiles.rows, head_rows(x.v, x.ldv, shape, b, g), s0, L, K, x.vectors);
  float dk[Tiles::kHead / 8][4], dv[Tiles::kHead / 8][4];
#pragma unroll
  for (int n = 0; n < Tiles::kHead / 8; ++n) {
#pragma unroll
    for (int e = 0; e < 4; ++e) dk[n][e] = dv[n][e] = 0;
  }
  const int first = shape.mask.first_query(s0, L);
  for (int h = g * share; h < (g + 1) * share; ++h) {
    const auto probs = prob_rows<const __nv_bfloat16>(x.probs, shape, b, h);
    for (int t0 = first; t0 < L; t0 += kCols) {
      __syncthreads();
      load_tile<kCols, Tiles::kHead, Tiles::kThreads, true>(
          tiles.left, head_rows(x.dout, width, shape, b, h), t0, L, K, x.vectors,
          head_rows<const __nv_bfloat16>(x.out, width, shape, b, h), tiles.means);
      load_tile<kCols, Tiles::kHead, Tiles::kThreads, false>(
          tiles.right, head_rows(x.q, x.ldq, shape, b, h), t0, L, K, x.vectors);
      load_tile<kCols, Tiles::kRows, Tiles::kThreads, false>(
          tiles.probs, {probs.at + s0, probs.stride}, t0, L, L - s0, x.prob_vectors);
      __syncthreads();

      float d[kPieces][4];
      compare_tensor<Tiles>(my_rows, tiles.left, L - t0, d);
#pragma unroll
      for (int j = 0; j < kPieces; j += 2) {
        // ldmatrix transposes the probabilities on their way
        unsigned p[4], ds[4];
        ldmatrix_x4_trans(p, tiles.probs + (8 * j + lane / 16 * 8 + lane % 8) * Tiles::kProbStride +
                                 16 * warp + lane / 8 % 2 * 8);
        mix_tensor<Tiles>(p, tiles.left + 8 * j * Tiles::kStride, dv);
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          const int i = e % 2, piece = j + e / 2;
          const float* mean = tiles.means + 8 * piece + 2 * (lane % 4);
          ds[e] = pack_two(low_of(p[e]) * (d[piece][2 * i] - mean[0]),
                           high_of(p[e]) * (d[piece][2 * i + 1] - mean[1]));
        }
        mix_tensor<Tiles>(ds, tiles.right + 8 * j * Tiles::kStride, dk);
      }
    }
  }
  __syncthreads();  // without a query that sees these keys, the rows have not been waited for yet
  store_result<Tiles>(dk, shape.scale, my_rows, head_rows(x.dk, x.lddk, shape, b, g), mine, L, K,
                      x.vectors);
  store_result<Tiles>(dv, 1, my_rows, head_rows(x.dv, x.lddv, shape, b, g), mine, L, K, x.vectors);
}

template <class Tiles>
__global__ __launch_bounds__(128) void attention_backward_tensor(AttentionTensors<__nv_bfloat16> x,
                                                                 AttentionShape shape,
                                                                 bool wants_bias, int key_blocks) {
  const int block = int(blockIdx.x);
  if (block < key_blocks) {
    attention_key_tensor<Tiles>(x, shape, block);
  } else {
    attention_query_tensor<Tiles>(x, shape, wants_bias, block - key_blocks);
  }
}

}  // namespace tpp::twin
