// v2 sent T·T numbers a head through memory after every launch. v3 is one launch forward and one backward: a block takes 32
// rows of one head, keeps their logits in registers, and hands them to the next product through shared memory. Only the
// probabilities are written, once.
//
// A warp owns four rows. In the first product a lane owns every 32nd column: four rows at once, so a row of keys fetched
// from shared memory serves four queries, and the softmax is shuffles within the warp. In the second a lane owns four
// columns of the result and a share of the sum.
//
// Backward has two kinds of blocks in the same launch. A query block computes dq. A key block computes dk and dv; it
// computes dP once more for itself, because waiting for the query blocks would be a second launch.
#pragma once

#include "kernels/attention/arguments.cuh"
#include "kernels/common/reduce.cuh"

namespace tpp::twin {

template <int kHead_>  // the features of a head, K, rounded up
struct FusedTiles {
  static constexpr int kHead = kHead_;
  static constexpr int kWarps = 8, kThreads = 32 * kWarps;
  static constexpr int kRows = 4 * kWarps;              // a block's own rows
  static constexpr int kCols = kHead <= 32 ? 128 : 64;  // rows of the other side at a time
  static constexpr int kGroups = kCols / 32;            // columns of a lane
  static constexpr int kStride = kHead + 4;             // an odd number of 16 bytes:
  static constexpr int kWeightStride = kCols + 4;  //   eight lanes at eight rows meet all 32 banks
  static constexpr int kFloats =
      kRows * kStride + 2 * kCols * kStride + kRows * kWeightStride + kCols;

  // Of the block's shared memory
  float* rows;     // (kRows, kHead)   q, dout or v of the block's own rows
  float* left;     // (kCols, kHead)   the other side of the first product: k, v or dout
  float* right;    // (kCols, kHead)   and of the second: v, k or q
  float* weights;  // (kRows, kCols)   probs or dS, a warp's four rows at a time
  float* means;    // (kCols)          ⟨dout[t], out[t]⟩
  __device__ explicit FusedTiles(float* memory)
      : rows(memory),
        left(rows + kRows * kStride),
        right(left + kCols * kStride),
        weights(right + kCols * kStride),
        means(weights + kRows * kWeightStride) {}
};

__device__ inline float4 load_four(const float* p) { return *reinterpret_cast<const float4*>(p); }
__device__ inline float4 load_four(const __nv_bfloat16* p) {
  const uint2 packed = *reinterpret_cast<const uint2*>(p);
  return make_float4(__uint_as_float(packed.x << 16), __uint_as_float(packed.x & 0xffff0000u),
                     __uint_as_float(packed.y << 16), __uint_as_float(packed.y & 0xffff0000u));
}
/// Four numbers of which only the first `count` are there; the others are 0.
template <class T>
__device__ float4 load_up_to_four(const T* p, int count, bool vectors) {
  if (count <= 0) return make_float4(0, 0, 0, 0);
  if (vectors) return load_four(p);  // a row is a multiple of four
  return make_float4(to_float(p[0]), count > 1 ? to_float(p[1]) : 0, count > 2 ? to_float(p[2]) : 0,
                     count > 3 ? to_float(p[3]) : 0);
}

__device__ inline void store_four(float* p, float4 v) { *reinterpret_cast<float4*>(p) = v; }
__device__ inline void store_four(__nv_bfloat16* p, float4 v) {
  *reinterpret_cast<uint2*>(p) = make_uint2(pack_two(v.x, v.y), pack_two(v.z, v.w));
}
template <class T>
__device__ void store_up_to_four(T* p, float4 v, int count, bool vectors) {
  if (count <= 0) return;
  if (vectors) return store_four(p, v);
  p[0] = from_float<T>(v.x);
  if (count > 1) p[1] = from_float<T>(v.y);
  if (count > 2) p[2] = from_float<T>(v.z);
  if (count > 3) p[3] = from_float<T>(v.w);
}

__device__ inline float dot(float4 a, float4 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}
__device__ inline void add_scaled(float4& sum, float w, float4 v) {
  sum.x += w * v.x, sum.y += w * v.y, sum.z += w * v.z, sum.w += w * v.w;
}

/// Rows [first, first + kCount) of x into shared memory; rows from `limit` on and columns from K on are 0.
/// With `out`, also means[row] = ⟨x[row], out[row]⟩.
template <class Tiles, int kCount, bool kMeans, class T>
__device__ void load_rows(float* tile, HeadRows<const T> x, int first, int limit, int K,
                          bool vectors, HeadRows<const T> out = {}, float* means = nullptr) {
  constexpr int kLanes = Tiles::kHead / 4, kSteps = (kCount * kLanes) / Tiles::kThreads;
  constexpr int kAll = kSteps == 0 ? 1 : kSteps;
  static_assert(kSteps == 0 || kCount * kLanes % Tiles::kThreads == 0);
  // Ask for everything, then write it down
  float4 values[kAll];
  float sums[kAll];
#pragma unroll
  for (int step = 0; step < kAll; ++step) {
    const int i = step * Tiles::kThreads + int(threadIdx.x);
    const int row = i / kLanes, c = 4 * (i % kLanes);
    const int count = row < kCount && first + row < limit ? K - c : 0;
    values[step] = load_up_to_four(x.at + std::size_t(first + row) * x.stride + c, count, vectors);
    if (kMeans) {
      sums[step] =
          dot(values[step],
              load_up_to_four(out.at + std::size_t(first + row) * out.stride + c, count, vectors));
    }
  }
#pragma unroll
  for (int step = 0; step < kAll; ++step) {
    const int i = step * Tiles::kThreads + int(threadIdx.x);
    const int row = i / kLanes, c = 4 * (i % kLanes);
    if (kMeans) {
      for (int d = kLanes / 2; d > 0; d /= 2) {
        sums[step] += __shfl_xor_sync(0xffffffffu, sums[step], d);
      }
    }
    if (row < kCount) {
      store_four(tile + row * Tiles::kStride + c, values[step]);
      if (kMeans && c == 0) means[row] = sums[step];
    }
  }
}

/// sum[i][j] = ⟨rows[i], cols[32·j + lane]⟩ for the warp's four rows and the first `groups` of 32 columns; else 0.
template <class Tiles>
__device__ void compare_rows(const float* rows, const float* cols, int groups,
                             float (&sum)[4][Tiles::kGroups]) {
  const float* mine = cols + int(threadIdx.x) % 32 * Tiles::kStride;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < Tiles::kGroups; ++j) sum[i][j] = 0;
  }
#pragma unroll 4
  for (int c = 0; c < Tiles::kHead; c += 4) {
    float4 a[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) a[i] = load_four(rows + i * Tiles::kStride + c);
#pragma unroll
    for (int j = 0; j < Tiles::kGroups; ++j) {
      if (j >= groups) continue;
      const float4 b = load_four(mine + 32 * j * Tiles::kStride + c);
#pragma unroll
      for (int i = 0; i < 4; ++i) sum[i][j] += dot(a[i], b);
    }
  }
}

/// sum[i] += this lane's share of Σ_s weights[i][s]·values[s], for its four columns. Weights from `count` on are 0.
template <class Tiles>
__device__ void mix_rows(const float* weights, const float* values, int count, float4 (&sum)[4]) {
  constexpr int kLanes = Tiles::kHead / 4, kShares = 32 / kLanes;
  const int lane = int(threadIdx.x) % 32, c = 4 * (lane % kLanes);
#pragma unroll 2
  for (int s = 4 * (lane / kLanes); s < count; s += 4 * kShares) {
    float4 w[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) w[i] = load_four(weights + i * Tiles::kWeightStride + s);
    const float* v = values + s * Tiles::kStride + c;
    const float4 v0 = load_four(v), v1 = load_four(v + Tiles::kStride),
                 v2 = load_four(v + 2 * Tiles::kStride), v3 = load_four(v + 3 * Tiles::kStride);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      add_scaled(sum[i], w[i].x, v0), add_scaled(sum[i], w[i].y, v1);
      add_scaled(sum[i], w[i].z, v2), add_scaled(sum[i], w[i].w, v3);
    }
  }
}

/// Add up the lanes' shares, scale, and write the warp's four rows from `first` on.
template <class Tiles, class T>
__device__ void store_rows(HeadRows<T> x, int first, int limit, int K, bool vectors, float scale,
                           float4 (&sum)[4]) {
  constexpr int kLanes = Tiles::kHead / 4, kShares = 32 / kLanes;
  const int lane = int(threadIdx.x) % 32, c = 4 * (lane % kLanes), share = lane / kLanes;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    float4 v = sum[i];
    for (int d = kLanes; d < 32; d *= 2) {
      v.x += __shfl_xor_sync(0xffffffffu, v.x, d), v.y += __shfl_xor_sync(0xffffffffu, v.y, d);
      v.z += __shfl_xor_sync(0xffffffffu, v.z, d), v.w += __shfl_xor_sync(0xffffffffu, v.w, d);
    }
    v.x *= scale, v.y *= scale, v.z *= scale, v.w *= scale;
    if (i % kShares == share && first + i < limit) {
      store_up_to_four(x.row(first + i) + c, v, K - c, vectors);
    }
  }
}

/// How many groups of 32 hold `count` columns.
template <class Tiles>
__device__ int groups_of(int count) {
  return max(0, min((count + 31) / 32, Tiles::kGroups));
}

// --- Forward ----------------------------------------------------------------------------------------

template <class T, int kHead>
__global__ __launch_bounds__(256) void attention_forward_fused(AttentionTensors<T> x,
                                                               AttentionShape shape) {
  using Tiles = FusedTiles<kHead>;
  constexpr int kCols = Tiles::kCols, kGroups = Tiles::kGroups;
  const Tiles tiles(dynamic_shared<float>());

  // Which rows: the last ones see most keys and come first
  const int L = shape.T, K = shape.K, heads = shape.B * shape.H;
  const int b = int(blockIdx.x) % heads / shape.H, h = int(blockIdx.x) % shape.H;
  const int g = h / (shape.H / shape.G);
  const int t0 = (ceil_div(L, Tiles::kRows) - 1 - int(blockIdx.x) / heads) * Tiles::kRows;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, mine = t0 + 4 * warp;
  const int seen = shape.mask.visible(min(t0 + Tiles::kRows, L) - 1, L);
  const int seen_here = mine < L ? shape.mask.visible(min(mine + 4, L) - 1, L) : 0;
  const HeadRows<const T> k = head_rows(x.k, x.ldk, shape, b, g),
                          v = head_rows(x.v, x.ldv, shape, b, g);
  float* weights = tiles.weights + 4 * warp * Tiles::kWeightStride;
  int visible[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) visible[i] = shape.mask.visible(min(mine + i, L - 1), L);

  // Look at all keys for each row's maximum and sum. The first tile of values comes along: one wait for memory
  float logits[4][kGroups], top[4], sum[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) top[i] = -INFINITY, sum[i] = 0;
  load_rows<Tiles, Tiles::kRows, false>(tiles.rows, head_rows(x.q, x.ldq, shape, b, h), t0, L, K,
                                        x.vectors);
  const auto compute_logits = [&](int s0) {
    compare_rows<Tiles>(tiles.rows + 4 * warp * Tiles::kStride, tiles.left,
                        groups_of<Tiles>(seen_here - s0), logits);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < kGroups; ++j) {
        const int s = s0 + 32 * j + lane;
        float& logit = logits[i][j];
        logit *= shape.scale;
        if (s >= visible[i]) {
          logit = -INFINITY;
        } else if (x.bias != nullptr && mine + i < L) {
          logit += bias_of(x.bias, shape, h)[s - (mine + i)];
        }
      }
    }
  };
  for (int s0 = 0; s0 < seen; s0 += kCols) {
    if (s0 > 0) __syncthreads();
    load_rows<Tiles, kCols, false>(tiles.left, k, s0, seen, K, x.vectors);
    if (s0 == 0) load_rows<Tiles, kCols, false>(tiles.right, v, s0, seen, K, x.vectors);
    __syncthreads();
    compute_logits(s0);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      float highest = logits[i][0];
#pragma unroll
      for (int j = 1; j < kGroups; ++j) highest = fmaxf(highest, logits[i][j]);
      highest = fmaxf(top[i], warp_max(highest));  // finite: the first tile has key 0
      float more = 0;
#pragma unroll
      for (int j = 0; j < kGroups; ++j) more += __expf(logits[i][j] - highest);
      sum[i] = sum[i] * __expf(top[i] - highest) + warp_sum(more);
      top[i] = highest;
    }
  }

  // Write the probabilities and mix the values. With one tile the logits are still there
  const HeadRows<T> probs = prob_rows(x.probs, shape, b, h);
  float4 mixed[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) mixed[i] = make_float4(0, 0, 0, 0), sum[i] = 1 / sum[i];
  for (int s0 = 0; s0 < seen; s0 += kCols) {
    if (seen > kCols) {
      __syncthreads();
      load_rows<Tiles, kCols, false>(tiles.left, k, s0, seen, K, x.vectors);
      if (s0 > 0) load_rows<Tiles, kCols, false>(tiles.right, v, s0, seen, K, x.vectors);
      __syncthreads();
      compute_logits(s0);
    }
    __syncwarp();
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < kGroups; ++j) {
        const int column = 32 * j + lane;
        const float p = __expf(logits[i][j] - top[i]) * sum[i];
        weights[i * Tiles::kWeightStride + column] = p;
        if (mine + i < L && s0 + column < L) probs.row(mine + i)[s0 + column] = from_float<T>(p);
      }
    }
    __syncwarp();
    mix_rows<Tiles>(weights, tiles.right, min(kCols, seen_here - s0), mixed);
  }
  store_rows<Tiles>(head_rows(x.out, std::size_t(shape.H) * K, shape, b, h), mine, L, K, x.vectors,
                    1, mixed);

  // What no query of the block sees is 0
  for (int i = 0; i < 4 && mine + i < L; ++i) {
    for (int s = ceil_div(seen, kCols) * kCols + lane; s < L; s += 32) {
      probs.row(mine + i)[s] = from_float<T>(0.0f);
    }
  }
}

// --- Backward ---------------------------------------------------------------------------------------

/// A query block's part of dbias: `work` has T + kRows − 1 numbers for it, the first for key 0 and its last query.
template <class Tiles>
__device__ void add_diagonals(const float* weights, int s0, int seen, float* work) {
  __syncthreads();
  const int columns = min(Tiles::kCols, seen - s0);
  for (int d = int(threadIdx.x); d < columns + Tiles::kRows - 1; d += Tiles::kThreads) {
    const int first = max(0, Tiles::kRows - 1 - d);
    const int last = min(Tiles::kRows - 1, columns - 1 - d + Tiles::kRows - 1);
    float sum = 0;
    for (int r = first; r <= last; ++r) {
      sum += weights[r * Tiles::kWeightStride + d - (Tiles::kRows - 1) + r];
    }
    work[s0 + d] += sum;
  }
}

// dq[t] = scale·Σ_s dS[t,s]·k[s]
template <class T, int kHead>
__device__ void attention_query_block(AttentionTensors<T> x, AttentionShape shape, bool wants_bias,
                                      int block) {
  using Tiles = FusedTiles<kHead>;
  constexpr int kCols = Tiles::kCols, kGroups = Tiles::kGroups;
  const Tiles tiles(dynamic_shared<float>());
  const int L = shape.T, K = shape.K, heads = shape.B * shape.H, count = ceil_div(L, Tiles::kRows);
  const int b = block % heads / shape.H, h = block % shape.H, g = h / (shape.H / shape.G);
  const int tile = count - 1 - block / heads, t0 = tile * Tiles::kRows;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, mine = t0 + 4 * warp;
  const int seen = shape.mask.visible(min(t0 + Tiles::kRows, L) - 1, L);
  const int seen_here = mine < L ? shape.mask.visible(min(mine + 4, L) - 1, L) : 0;
  const std::size_t width = std::size_t(shape.H) * K;
  const HeadRows<const T> out = head_rows<const T>(x.out, width, shape, b, h);
  const HeadRows<const T> probs = prob_rows<const T>(x.probs, shape, b, h);
  float* weights = tiles.weights + 4 * warp * Tiles::kWeightStride;
  float* diagonals = nullptr;
  if (wants_bias) {
    const std::size_t length = std::size_t(L) + Tiles::kRows - 1;
    diagonals = x.work + ((std::size_t(b) * count + tile) * shape.H + h) * length;
    for (std::size_t d = threadIdx.x; d < length; d += Tiles::kThreads) diagonals[d] = 0;
  }

  load_rows<Tiles, Tiles::kRows, true>(tiles.rows, head_rows(x.dout, width, shape, b, h), t0, L, K,
                                       x.vectors, out, tiles.means);
  float4 dq[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) dq[i] = make_float4(0, 0, 0, 0);
  for (int s0 = 0; s0 < seen; s0 += kCols) {
    if (s0 > 0) __syncthreads();
    load_rows<Tiles, kCols, false>(tiles.left, head_rows(x.v, x.ldv, shape, b, g), s0, seen, K,
                                   x.vectors);
    load_rows<Tiles, kCols, false>(tiles.right, head_rows(x.k, x.ldk, shape, b, g), s0, seen, K,
                                   x.vectors);
    float p[4][kGroups];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int here = mine + i < L ? shape.mask.visible(mine + i, L) : 0;
#pragma unroll
      for (int j = 0; j < kGroups; ++j) {
        const int s = s0 + 32 * j + lane;
        p[i][j] = s < here ? to_float(probs.row(mine + i)[s]) : 0;
      }
    }
    __syncthreads();

    // Through the mix and the softmax: only what differs from the row's mean moves the weights
    float d[4][kGroups];
    compare_rows<Tiles>(tiles.rows + 4 * warp * Tiles::kStride, tiles.left,
                        groups_of<Tiles>(seen_here - s0), d);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float mean = tiles.means[4 * warp + i];
#pragma unroll
      for (int j = 0; j < kGroups; ++j) {
        weights[i * Tiles::kWeightStride + 32 * j + lane] = p[i][j] * (d[i][j] - mean);
      }
    }
    __syncwarp();
    mix_rows<Tiles>(weights, tiles.right, min(kCols, seen_here - s0), dq);
    if (wants_bias) add_diagonals<Tiles>(tiles.weights, s0, seen, diagonals);
  }
  store_rows<Tiles>(head_rows(x.dq, x.lddq, shape, b, h), mine, L, K, x.vectors, shape.scale, dq);
}

// dv[s] = Σ_h Σ_t probs[t,s]·dout[t],   dk[s] = scale·Σ_h Σ_t dS[t,s]·q[t]: here the block's rows are keys
template <class T, int kHead>
__device__ void attention_key_block(AttentionTensors<T> x, AttentionShape shape, int block) {
  using Tiles = FusedTiles<kHead>;
  constexpr int kCols = Tiles::kCols, kGroups = Tiles::kGroups;
  const Tiles tiles(dynamic_shared<float>());
  const int L = shape.T, K = shape.K, heads = shape.B * shape.G, share = shape.H / shape.G;
  const int b = block % heads / shape.G, g = block % shape.G;
  const int s0 = block / heads * Tiles::kRows;  // the first keys are seen most often and come first
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, mine = s0 + 4 * warp;
  const std::size_t width = std::size_t(shape.H) * K;
  float* weights = tiles.weights + 4 * warp * Tiles::kWeightStride;

  load_rows<Tiles, Tiles::kRows, false>(tiles.rows, head_rows(x.v, x.ldv, shape, b, g), s0, L, K,
                                        x.vectors);
  float4 dk[4], dv[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) dk[i] = dv[i] = make_float4(0, 0, 0, 0);
  const int first = shape.mask.first_query(s0, L);
  for (int h = g * share; h < (g + 1) * share; ++h) {
    const HeadRows<const T> probs = prob_rows<const T>(x.probs, shape, b, h);
    for (int t0 = first; t0 < L; t0 += kCols) {
      __syncthreads();
      load_rows<Tiles, kCols, true>(tiles.left, head_rows(x.dout, width, shape, b, h), t0, L, K,
                                    x.vectors, head_rows<const T>(x.out, width, shape, b, h),
                                    tiles.means);
      load_rows<Tiles, kCols, false>(tiles.right, head_rows(x.q, x.ldq, shape, b, h), t0, L, K,
                                     x.vectors);

      // Transpose the probabilities: a lane reads four queries of one key and writes them as neighbours
#pragma unroll
      for (int r = 0; r < kCols / 4; r += Tiles::kWarps) {
        const int t = t0 + 4 * (r + warp), s = s0 + lane;
        float p[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          p[i] = t + i < L && s < shape.mask.visible(t + i, L) ? to_float(probs.row(t + i)[s]) : 0;
        }
        store_four(tiles.weights + lane * Tiles::kWeightStride + 4 * (r + warp),
                   make_float4(p[0], p[1], p[2], p[3]));
      }
      __syncthreads();

      float d[4][kGroups];
      const int columns = min(kCols, L - t0);
      compare_rows<Tiles>(tiles.rows + 4 * warp * Tiles::kStride, tiles.left,
                          groups_of<Tiles>(columns), d);
#pragma unroll
      for (int j = 0; j < kGroups; ++j) {
        const float mean = tiles.means[32 * j + lane];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          d[i][j] = weights[i * Tiles::kWeightStride + 32 * j + lane] * (d[i][j] - mean);
        }
      }
      mix_rows<Tiles>(weights, tiles.left, columns, dv);
      __syncwarp();
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < kGroups; ++j) {
          weights[i * Tiles::kWeightStride + 32 * j + lane] = d[i][j];
        }
      }
      __syncwarp();
      mix_rows<Tiles>(weights, tiles.right, columns, dk);
    }
  }
  store_rows<Tiles>(head_rows(x.dk, x.lddk, shape, b, g), mine, L, K, x.vectors, shape.scale, dk);
  store_rows<Tiles>(head_rows(x.dv, x.lddv, shape, b, g), mine, L, K, x.vectors, 1, dv);
}

// A key block has H/G heads and three products to do, a query block two: key blocks come first
template <class T, int kHead>
__global__ __launch_bounds__(256) void attention_backward_fused(AttentionTensors<T> x,
                                                                AttentionShape shape,
                                                                bool wants_bias, int key_blocks) {
  const int block = int(blockIdx.x);
  if (block < key_blocks) {
    attention_key_block<T, kHead>(x, shape, block);
  } else {
    attention_query_block<T, kHead>(x, shape, wants_bias, block - key_blocks);
  }
}

// dbias[h,o] = Σ_b Σ_tile of the query blocks' parts. 32 offsets a block, eight shares of the sum
static __global__ void attention_dbias_sum(const float* parts, float* dbias, Write write,
                                           AttentionShape shape, int rows) {
  __shared__ float shares[8][32];
  const int L = shape.T, lane = int(threadIdx.x) % 32, share = int(threadIdx.x) / 32;
  const int o = int(blockIdx.x) * 32 + lane, h = int(blockIdx.y);
  const int tiles = ceil_div(L, rows), length = L + rows - 1;
  float sum = 0;
  for (int i = share; i < shape.B * tiles; i += 8) {
    const int at =
        o - (L - 1) + i % tiles * rows + rows - 1;  // the part starts at key 0, last query
    if (o < 2 * L - 1 && at >= 0 && at < length) {
      sum += parts[(std::size_t(i) * shape.H + h) * length + at];
    }
  }
  shares[share][lane] = sum;
  __syncthreads();
  if (share != 0 || o >= 2 * L - 1) return;
  for (int i = 1; i < 8; ++i) sum += shares[i][lane];
  float& target = dbias[std::size_t(h) * (2 * L - 1) + o];
  target = write == Write::set ? sum : target + sum;
}

}  // namespace tpp::twin
