#include "chapters/06_attention/attention.h"

#include <cmath>

#include "chapters/01_tensor/matmul.h"
#include "chapters/02_tape/device.h"
#include "chapters/02_tape/slots.h"
#include "chapters/06_attention/exercises/heads/reference.h"     // head_place, probs_row
#include "chapters/06_attention/exercises/one_head/reference.h"  // attention_head_forward

namespace tpp {

// [snip attention_head_backward]
template <Real T>
void attention_head_backward(In<Mat<T>> dout, In<Mat<T>> q, In<Mat<T>> k, In<Mat<T>> v,
                             In<Mat<T>> probs, Mask mask, T scale, Write shared, Out<Mat<T>> dq,
                             Out<Mat<T>> dk, Out<Mat<T>> dv, Out<RowVec<T>> dbias,
                             Out<Mat<T>> work) {
  const Index L = q.rows();
  if (shared == Write::set) {
    dk.setZero();
    dv.setZero();
  }
  for (Index t0 = 0; t0 < L; t0 += kAttentionBlock) {
    const Index rows = std::min(kAttentionBlock, L - t0);
    const Index seen = mask.visible(t0 + rows - 1, L);

    // out = P·v: each of the two has a gradient
    matmul_nt<T>(dout.middleRows(t0, rows), v.topRows(seen), work.topLeftCorner(rows, seen));
    matmul_tn<T>(probs.block(t0, 0, rows, seen), dout.middleRows(t0, rows), dv.topRows(seen),
                 Write::add);
    // [/snip]

    // [snip attention_softmax_backward]
    for (Index t = t0; t < t0 + rows; ++t) {
      // Through the softmax: only what differs from the row's mean moves the weights
      const auto p = probs.row(t).head(seen).array();
      auto ds = work.row(t - t0).head(seen).array();
      ds = p * (ds - (p * ds).sum());
      if (dbias.size() != 0) dbias.segment(L - 1 - t, seen) += ds.matrix();
      ds *= scale;
    }
    // [/snip]

    // [snip attention_logits_backward]
    // logits = scale · q·kᵀ
    matmul<T>(work.topLeftCorner(rows, seen), k.topRows(seen), dq.middleRows(t0, rows));
    matmul_tn<T>(work.topLeftCorner(rows, seen), q.middleRows(t0, rows), dk.topRows(seen),
                 Write::add);
    // [/snip]
  }
}

namespace {

// All heads of all sequences in one call. The twin wants the forward's result again: ⟨dout[t], out[t]⟩ is the
// mean that the softmax's gradient takes away
template <Real T>
Var<T> attention_on_device(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, const AttentionConfig& cfg,
                           T scale, Var<T> probs, Var<T> out) {
  Tape<T>& tape = *q.tape;
  const twin::AttentionShape shape{
      .B = int(q.rows() / cfg.T),
      .T = int(cfg.T),
      .H = int(cfg.H),
      .G = int(cfg.G),
      .K = int(q.cols() / cfg.H),
      .scale = float(scale),
      .mask = {twin::AttentionMask::Kind(int(cfg.mask.kind)), int(cfg.mask.length)}};
  run_twin(tape, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
    const DeviceView<S> q_at = q.template view<S>(), k_at = k.template view<S>(),
                        v_at = v.template view<S>();
    twin.attention_forward(stream, q_at.data, q_at.stride, k_at.data, k_at.stride, v_at.data,
                           v_at.stride, bias ? bias.template device<float>() : nullptr,
                           out.template device<S>(), probs.template device<S>(), shape, {});
  });
  tape.record(probs);

  const auto backward = [=](Tape<T>& t) {
    const Sink<T> dq = t.sink(q), dk = t.sink(k), dv = t.sink(v);
    const bool wants_bias = bias && t.wants_grad(bias);
    float* dbias = nullptr;
    twin::Write write = twin::Write::set;
    if (wants_bias) {
      const Target<T> target = t.target(bias);
      dbias = target.template device<float>();
      write = twin_write(target.write);
    }
    float* work = t.template device_scratch<float>(
        twin::attention_backward_work(shape, wants_bias, twin::AttentionVersion::latest));
    run_twin(t, [&]<class S>(const twin::Table<S>& twin, twin::Stream stream) {
      const DeviceView<S> q_at = q.template view<S>(), k_at = k.template view<S>(),
                          v_at = v.template view<S>();
      const DeviceView<S> dq_at = dq.template view<S>(), dk_at = dk.template view<S>(),
                          dv_at = dv.template view<S>();
      twin.attention_backward(stream, out.template device_grad<S>(), q_at.data, q_at.stride,
                              k_at.data, k_at.stride, v_at.data, v_at.stride,
                              out.template device<S>(), probs.template device<S>(), dq_at.data,
                              dq_at.stride, dk_at.data, dk_at.stride, dv_at.data, dv_at.stride,
                              dbias, write, work, shape, {});
    });
  };
  return bias ? tape.record(out, {q, k, v, bias}, backward) : tape.record(out, {q, k, v}, backward);
}

using KeyHead = Index (*)(Index h, Index H, Index G);

// A reader's choice of the key head of query head h, or null for the book's, h / (H/G): neighbours share.
template <Real T>
KeyHead key_head_of_reader() {
  static const Slot& place = slot("key_head");
  return mine_in<T, Index(Index, Index, Index)>(place, nullptr);
}

Index checked_key_head(KeyHead mine, Index h, Index H, Index G) {
  if (mine == nullptr) return h / (H / G);
  const Index g = mine(h, H, G);
  if (g >= 0 && g < G) return g;
  throw InputError("Your key_head gives query head " + std::to_string(h) + " the key head " +
                   std::to_string(g) + ", but there are " + std::to_string(G) + " (0 to " +
                   std::to_string(G - 1) + ").");
}

}  // namespace

template <Real T>
Var<T> detail::attention_with_heads(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, AttentionConfig cfg,
                                    std::string_view name) {
  const Index L = cfg.T, H = cfg.H, G = cfg.G;
  const Mask mask = cfg.mask;
  require(L > 0 && q.rows() % L == 0, "attention: T must divide the number of rows");
  require(H > 0 && q.cols() % H == 0, "attention: H must divide the number of columns");
  require(G > 0 && H % G == 0, "attention: the key heads must divide the query heads");
  const Index B = q.rows() / L, K = q.cols() / H;
  const Heads heads{.B = B, .T = L, .H = H, .K = K};
  require_shape("attention: k", k.shape(), {q.rows(), G * K});
  require_shape("attention: v", v.shape(), {q.rows(), G * K});
  if (bias) require_shape("attention: the bias", bias.shape(), {H, 2 * L - 1});
  const T scale = cfg.scale == 0 ? T(1) / std::sqrt(T(K)) : T(cfg.scale);

  // Forward: one head of one sequence at a time
  Tape<T>& tape = *q.tape;
  const Var<T> probs = tape.make(B * H * L, L, "probs");  // (B·H·T, T)
  const Var<T> out = tape.make(q.rows(), q.cols(), name);
  if (tape.on_device()) return attention_on_device(q, k, v, bias, cfg, scale, probs, out);
  const RowVec<T> none;
  static const Slot& mine = slot("attention_head_forward");
  const KeyHead reader = key_head_of_reader<T>();
  for (Index b = 0; b < B; ++b) {
    for (Index h = 0; h < H; ++h) {
      const Index g = checked_key_head(reader, h, H, G);
      const auto head = [&](const Var<T>& x, Index i) {
        const auto [row, col] = head_place(heads, b, i, 0, 0);
        return x.value().block(row, col, L, K);
      };
      const auto p = probs.value().middleRows(probs_row(heads, b, h, 0), L);
      if (bias) {
        in_slot<T>(mine, attention_head_forward<T>)(
            head(q, h), head(k, g), head(v, g), bias.value().row(h), mask, scale, head(out, h), p);
      } else {
        in_slot<T>(mine, attention_head_forward<T>)(head(q, h), head(k, g), head(v, g), none, mask,
                                                    scale, head(out, h), p);
      }
    }
  }
  tape.record(probs);

  // Backward: a group's first head sets dk and dv, the others add
  const auto backward = [=](Tape<T>& t) {
    const Sink<T> dq = t.sink(q), dk = t.sink(k), dv = t.sink(v);
    const bool wants_bias = bias && t.wants_grad(bias);
    MatMap<T> dbias = t.scratch_mat(wants_bias ? H : 0, wants_bias ? 2 * L - 1 : 0);
    dbias.setZero();
    const MatMap<T> work = t.scratch_mat(kAttentionBlock, L);
    RowMap<T> nothing(nullptr, 0);
    if (reader) {  // who comes first to a key head, and whether anybody comes, is open
      dk.mat().setZero();
      dv.mat().setZero();
    }
    for (Index b = 0; b < B; ++b) {
      for (Index h = 0; h < H; ++h) {
        const Index g = checked_key_head(reader, h, H, G);
        const bool first = reader == nullptr && h % (H / G) == 0;
        const Write shared = first ? Write::set : Write::add;
        const auto block = [&](MatMap<T> x, Index i) {
          const auto [row, col] = head_place(heads, b, i, 0, 0);
          return x.block(row, col, L, K);
        };
        const auto p = probs.value().middleRows(probs_row(heads, b, h, 0), L);
        RowMap<T> db = wants_bias ? RowMap<T>(dbias.data() + h * (2 * L - 1), 2 * L - 1) : nothing;
        attention_head_backward<T>(block(out.grad(), h), block(q.value(), h), block(k.value(), g),
                                   block(v.value(), g), p, mask, scale, shared, block(dq.mat(), h),
                                   block(dk.mat(), g), block(dv.mat(), g), db, MatMap<T>(work));
      }
    }
    if (wants_bias) t.target(bias).put(dbias);
  };
  return bias ? tape.record(out, {q, k, v, bias}, backward) : tape.record(out, {q, k, v}, backward);
}

template <Real T>
Var<T> attention(Var<T> q, Var<T> k, Var<T> v, Var<T> bias, AttentionConfig cfg,
                 std::string_view name) {
  require(cfg.G == cfg.H,
          "attention: every query head has its own keys here; sharing is chapter 15");
  return detail::attention_with_heads(q, k, v, bias, cfg, name);
}

#define TPP_INSTANTIATE(T)                                                                         \
  template void attention_head_forward<T>(In<Mat<T>>, In<Mat<T>>, In<Mat<T>>, In<RowVec<T>>, Mask, \
                                          T, Out<Mat<T>>, Out<Mat<T>>);                            \
  template void attention_head_backward<T>(In<Mat<T>>, In<Mat<T>>, In<Mat<T>>, In<Mat<T>>,         \
                                           In<Mat<T>>, Mask, T, Write, Out<Mat<T>>, Out<Mat<T>>,   \
                                           Out<Mat<T>>, Out<RowVec<T>>, Out<Mat<T>>);              \
  template Var<T> attention<T>(Var<T>, Var<T>, Var<T>, Var<T>, AttentionConfig, std::string_view); \
  template Var<T> detail::attention_with_heads<T>(Var<T>, Var<T>, Var<T>, Var<T>, AttentionConfig, \
                                                  std::string_view);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
