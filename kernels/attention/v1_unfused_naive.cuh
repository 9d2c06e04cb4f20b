// The definition, three launches forward: a thread computes one logit, then one row of the softmax, then one number of the
// result. Between the launches everything stands in memory. Backward likewise, with ∂L/∂logits in the workspace.
//
// A thread reads whole rows of q and k for itself: the same row is fetched by T threads, and neighbouring threads read
// addresses a row apart.
#pragma once

#include "kernels/attention/arguments.cuh"

namespace tpp::twin {

/// Thread i of a flat grid is (b, h, t, s) with s fastest; false beyond the last.
struct AttentionPlace {
  int b, h, g, t, s;
};
__device__ inline bool attention_place(const AttentionShape& shape, int heads, int columns,
                                       AttentionPlace& at) {
  std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= std::size_t(shape.B) * heads * shape.T * columns) return false;
  at.s = int(i % columns), i /= columns;
  at.t = int(i % shape.T), i /= shape.T;
  at.h = int(i % heads), i /= heads;
  at.b = int(i);
  at.g = at.h / (shape.H / shape.G);
  return true;
}

// [snip attention_logits]
// logits[t,s] = scale·⟨q[t], k[s]⟩ + bias[s − t]
template <class T>
__global__ void attention_logits_naive(AttentionTensors<T> x, AttentionShape shape) {
  AttentionPlace at;
  if (!attention_place(shape, shape.H, shape.T, at)) return;
  if (at.s >= shape.mask.visible(at.t, shape.T)) return;
  const T* q = head_rows(x.q, x.ldq, shape, at.b, at.h).row(at.t);
  const T* k = head_rows(x.k, x.ldk, shape, at.b, at.g).row(at.s);
  float sum = 0;
  for (int i = 0; i < shape.K; ++i) sum += to_float(q[i]) * to_float(k[i]);
  sum *= shape.scale;
  if (x.bias != nullptr) sum += bias_of(x.bias, shape, at.h)[at.s - at.t];
  prob_rows(x.probs, shape, at.b, at.h).row(at.t)[at.s] = from_float<T>(sum);
}
// [/snip]

// probs[t] = softmax(logits[t])
template <class T>
__global__ void attention_softmax_naive(AttentionTensors<T> x, AttentionShape shape) {
  AttentionPlace at;
  if (!attention_place(shape, shape.H, 1, at)) return;
  T* row = prob_rows(x.probs, shape, at.b, at.h).row(at.t);
  const int seen = shape.mask.visible(at.t, shape.T);
  float top = to_float(row[0]), sum = 0;
  for (int s = 1; s < seen; ++s) top = fmaxf(top, to_float(row[s]));
  for (int s = 0; s < seen; ++s) sum += __expf(to_float(row[s]) - top);
  for (int s = 0; s < seen; ++s) row[s] = from_float<T>(__expf(to_float(row[s]) - top) / sum);
  for (int s = seen; s < shape.T; ++s) row[s] = from_float<T>(0.0f);
}

// out[t,i] = Σ_s probs[t,s]·v[s,i]
template <class T>
__global__ void attention_mix_naive(AttentionTensors<T> x, AttentionShape shape) {
  AttentionPlace at;
  if (!attention_place(shape, shape.H, shape.K, at)) return;
  const T* p = prob_rows(x.probs, shape, at.b, at.h).row(at.t);
  const HeadRows<const T> v = head_rows(x.v, x.ldv, shape, at.b, at.g);
  const int seen = shape.mask.visible(at.t, shape.T);
  float sum = 0;
  for (int s = 0; s < seen; ++s) sum += to_float(p[s]) * to_float(v.row(s)[at.s]);
  head_rows(x.out, std::size_t(shape.H) * shape.K, shape, at.b, at.h).row(at.t)[at.s] =
      from_float<T>(sum);
}

// dP[t,s] = ⟨dout[t], v[s]⟩
template <class T>
__global__ void attention_dprobs_naive(AttentionTensors<T> x, AttentionShape shape) {
  AttentionPlace at;
  if (!attention_place(shape, shape.H, shape.T, at)) return;
  const T* dout = head_rows(x.dout, std::size_t(shape.H) * shape.K, shape, at.b, at.h).row(at.t);
  const T* v = head_rows(x.v, x.ldv, shape, at.b, at.g).row(at.s);
  float sum = 0;
  for (int i = 0; i < shape.K; ++i) sum += to_float(dout[i]) * to_float(v[i]);
  prob_rows(x.work, shape, at.b, at.h).row(at.t)[at.s] = sum;
}

// dS[t] = probs[t] ⊙ (dP[t] − Σ_s probs[t,s]·dP[t,s])
template <class T>
__global__ void attention_dlogits_naive(AttentionTensors<T> x, AttentionShape shape) {
  AttentionPlace at;
  if (!attention_place(shape, shape.H, 1, at)) return;
  const T* p = prob_rows(x.probs, shape, at.b, at.h).row(at.t);
  float* d = prob_rows(x.work, shape, at.b, at.h).row(at.t);
  const int seen = shape.mask.visible(at.t, shape.T);
  float mean = 0;
  for (int s = 0; s < seen; ++s) mean += to_float(p[s]) * d[s];
  for (int s = 0; s < seen; ++s) d[s] = to_float(p[s]) * (d[s] - mean);
  for (int s = seen; s < shape.T; ++s) d[s] = 0;
}

// dq[t,i] = scale·Σ_s dS[t,s]·k[s,i]
template <class T>
__global__ void attention_dq_naive(AttentionTensors<T> x, AttentionShape shape) {
  AttentionPlace at;
  if (!attention_place(shape, shape.H, shape.K, at)) return;
  const float* ds = prob_rows(x.work, shape, at.b, at.h).row(at.t);
  const HeadRows<const T> k = head_rows(x.k, x.ldk, shape, at.b, at.g);
  const int seen = shape.mask.visible(at.t, shape.T);
  float sum = 0;
  for (int s = 0; s < seen; ++s) sum += ds[s] * to_float(k.row(s)[at.s]);
  head_rows(x.dq, x.lddq, shape, at.b, at.h).row(at.t)[at.s] = from_float<T>(shape.scale * sum);
}

// dk[s,i] = scale·Σ_h Σ_t dS[t,s]·q[t,i],   dv[s,i] = Σ_h Σ_t probs[t,s]·dout[t,i]: place.t is s here
template <class T>
__global__ void attention_dkv_naive(AttentionTensors<T> x, AttentionShape shape) {
  AttentionPlace at;
  if (!attention_place(shape, shape.G, shape.K, at)) return;
  const int g = at.h, s = at.t, i = at.s, share = shape.H / shape.G;
  // [snip attention_dkv]
  float dk = 0, dv = 0;
  for (int h = g * share; h < (g + 1) * share; ++h) {
    const HeadRows<const T> q = head_rows(x.q, x.ldq, shape, at.b, h);
    const HeadRows<const T> dout =
        head_rows(x.dout, std::size_t(shape.H) * shape.K, shape, at.b, h);
    const HeadRows<T> p = prob_rows(x.probs, shape, at.b, h);
    const HeadRows<float> ds = prob_rows(x.work, shape, at.b, h);
    for (int t = shape.mask.first_query(s, shape.T); t < shape.T; ++t) {
      dk += ds.row(t)[s] * to_float(q.row(t)[i]);
      dv += to_float(p.row(t)[s]) * to_float(dout.row(t)[i]);
    }
  }
  head_rows(x.dk, x.lddk, shape, at.b, g).row(s)[i] = from_float<T>(shape.scale * dk);
  head_rows(x.dv, x.lddv, shape, at.b, g).row(s)[i] = from_float<T>(dv);
  // [/snip]
}

// dbias[h,o] = Σ_b Σ over s − t + T − 1 = o of dS[t,s]: a thread walks its diagonal in every sequence
static __global__ void attention_dbias_naive(const float* dlogits, float* dbias, Write write,
                                             AttentionShape shape) {
  const int L = shape.T, o = int(blockIdx.x * blockDim.x + threadIdx.x), h = int(blockIdx.y);
  if (o >= 2 * L - 1) return;
  const int offset = o - (L - 1);
  float sum = 0;
  for (int b = 0; b < shape.B; ++b) {
    const HeadRows<const float> ds = prob_rows(dlogits, shape, b, h);
    for (int t = offset < 0 ? -offset : 0; t < L && t + offset < L; ++t) {
      sum += ds.row(t)[t + offset];
    }
  }
  float& target = dbias[std::size_t(h) * (2 * L - 1) + o];
  target = write == Write::set ? sum : target + sum;
}

}  // namespace tpp::twin
