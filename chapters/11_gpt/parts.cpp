#include "chapters/11_gpt/parts.h"

#include <algorithm>

#include "chapters/02_tape/slots.h"
#include "chapters/07_position/relative_bias.h"
#include "chapters/07_position/sinusoidal.h"
#include "chapters/08_layernorm/layernorm.h"
#include "chapters/10_optimizer/init.h"

namespace tpp {

// --- What parts share --------------------------------------------------------------------------------

LinearIds declare_linear(ParameterTable& table, const std::string& at, Index outputs, Index inputs,
                         const ModelConfig& cfg, Init init) {
  LinearIds ids;
  ids.weight = table.add(at, outputs, inputs, init, true);
  if (cfg.bias) ids.bias = table.add_row(at + "_bias", outputs, 0);
  return ids;
}

BlockInit block_init(const ModelConfig& cfg) {
  if (cfg.placement == Placement::deepnorm) {
    const double beta = deepnorm_scale(int(cfg.layers)).beta;
    return {.plain = cfg.init, .value = cfg.init * beta, .residual = cfg.init * beta};
  }
  return {.plain = cfg.init,
          .value = cfg.init,
          .residual = cfg.init / std::sqrt(2.0 * double(cfg.layers))};
}

// [snip build_attention]
template <Real T>
Layer<T> build_attention(ParameterTable& table, const std::string& at, const ModelConfig& cfg,
                         Index G, const Position<T>& position, AttentionOp<T> op) {
  const Index H = cfg.H, K = cfg.K();
  const BlockInit init = block_init(cfg);
  const LinearIds wqkv = declare_linear(table, at + "/wqkv", (H + 2 * G) * K, cfg.D, cfg,
                                        Init::normal(init.plain, (H + G) * K, init.value));
  const LinearIds wo =
      declare_linear(table, at + "/wo", cfg.D, H * K, cfg, Init::normal(init.residual));

  return [=, &position, mask = cfg.mask](const Pass<T>& pass, Var<T> x, std::string_view name) {
    // Ask, offer, and give: queries, keys and values of every head in one product
    const Var<T> qkv = apply_linear(pass, wqkv, x, "qkv");  // (N, (H+2G)·K)
    auto [q, k, v] = split<T, 3>(qkv, {H * K, G * K, G * K}, {"q", "k", "v"});

    // Tell queries and keys where they stand
    if (position.rotate_both) {
      const auto rotated = position.rotate_both(pass, q, k);
      q = rotated[0], k = rotated[1];
    } else if (position.rotate) {
      q = position.rotate(pass, q, "q_rotated");  // (N, H·K)
      k = position.rotate(pass, k, "k_rotated");  // (N, G·K)
    }

    // Mix the values, and write the result in the residual stream's language
    const Var<T> heads =
        op(q, k, v, pass.position_bias, {.T = pass.length, .H = H, .G = G, .mask = mask}, "heads");
    return apply_linear(pass, wo, heads, name);  // (N, D)
  };
}
// [/snip]

// --- Norm -----------------------------------------------------------------------------------------

template <Real T>
NormPart<T> layernorm_part() {
  return {"layernorm",
          [](ParameterTable& table, const std::string& at, Index width,
             const ModelConfig& cfg) -> Layer<T> {
            const int gain = table.add_row(at + "/gain", width, 1);
            const int bias = cfg.bias ? table.add_row(at + "/bias", width, 0) : -1;
            return [=](const Pass<T>& pass, Var<T> x, std::string_view name) {
              return layernorm(x, pass[gain], pass[bias], {}, name);
            };
          }};
}

// --- Position -------------------------------------------------------------------------------------

template <Real T>
PositionPart<T> no_position_part() {
  return {"none", [](ParameterTable&, const ModelConfig&) { return Position<T>{}; }};
}

template <Real T>
PositionPart<T> sinusoidal_part() {
  return {"sinusoidal", [](ParameterTable&, const ModelConfig& cfg) {
            static const Slot& mine = slot("sinusoidal_table");
            const Mat<T> table = in_slot<T>(mine, sinusoidal_table<T>)(cfg.T, cfg.D) * T(cfg.init);
            Position<T> position;
            // The paper scales the embeddings up by √D; we scale the table down to the embeddings' size
            position.embed = [table](const Pass<T>& pass, Var<T> x, std::string_view name) {
              const ConstMatMap<T> view(table.data(), table.rows(), table.cols(),
                                        Eigen::OuterStride<>(table.cols()));
              return add_positions(x, pass.tape.constant(view, "table"), pass.length, name);
            };
            return position;
          }};
}

template <Real T>
PositionPart<T> learned_position_part() {
  return {"learned", [](ParameterTable& table, const ModelConfig& cfg) {
            const int id = table.add("position/table", cfg.T, cfg.D, Init::normal(cfg.init), true);
            Position<T> position;
            position.embed = [id](const Pass<T>& pass, Var<T> x, std::string_view name) {
              return add_positions(x, pass[id], pass.length, name);
            };
            return position;
          }};
}

template <Real T>
PositionPart<T> t5_part() {
  return {"t5", [](ParameterTable& table, const ModelConfig& cfg) {
            constexpr Index kBuckets = 32;
            const int id = table.add("position/t5", kBuckets, cfg.H, Init::constant(0), false);
            const bool both = cfg.mask.kind != Mask::Kind::causal;
            Position<T> position;
            position.bias = [=](const Pass<T>& pass) {
              return t5_bias(pass[id], pass.length, both, "t5_bias");
            };
            return position;
          }};
}

template <Real T>
PositionPart<T> alibi_part() {
  return {"alibi", [](ParameterTable&, const ModelConfig& cfg) {
            static const Slot& mine = slot("alibi_bias");
            Mat<T> (*const book)(Index, Index) = alibi_bias<T>;
            const Mat<T> bias = in_slot<T>(mine, book)(cfg.H, cfg.T);  // (H, 2T − 1)
            Position<T> position;
            position.bias = [bias](const Pass<T>& pass) {
              return alibi_bias<T>(pass.tape, bias, pass.length);
            };
            return position;
          }};
}

// --- Attention and feed-forward -------------------------------------------------------------------

template <Real T>
AttentionPart<T> multi_head_part() {
  return {"mha", [](ParameterTable& table, const std::string& at, const ModelConfig& cfg,
                    const Position<T>& position) {
            return build_attention<T>(table, at, cfg, cfg.H, position, &attention<T>);
          }};
}

// [snip feed_forward_part]
template <Real T>
FeedForwardPart<T> feed_forward_part(Activation kind) {
  constexpr const char* kNames[] = {"relu", "gelu", "gelu_tanh", "swish", "solu"};
  return {kNames[int(kind)],
          [kind](ParameterTable& table, const std::string& at, const ModelConfig& cfg) -> Layer<T> {
            const BlockInit init = block_init(cfg);
            const LinearIds w_in =
                declare_linear(table, at + "/w_in", cfg.F, cfg.D, cfg, Init::normal(init.value));
            Layer<T> norm;
            if (kind == Activation::solu) {
              norm = layernorm_part<T>().build(table, at + "/solu_norm", cfg.F, cfg);
            }
            const LinearIds w_out = declare_linear(table, at + "/w_out", cfg.D, cfg.F, cfg,
                                                   Init::normal(init.residual));
            return [=](const Pass<T>& pass, Var<T> x, std::string_view name) {
              const Var<T> in = apply_linear(pass, w_in, x, "in");  // (N, F)
              Var<T> hidden = activation(kind, in, "hidden");       // (N, F)
              if (norm) hidden = norm(pass, hidden, "solu_norm");
              return apply_linear(pass, w_out, hidden, name);  // (N, D)
            };
          }};
}
// [/snip]

#define TPP_INSTANTIATE(T)                                                                      \
  template Layer<T> build_attention<T>(ParameterTable&, const std::string&, const ModelConfig&, \
                                       Index, const Position<T>&, AttentionOp<T>);              \
  template NormPart<T> layernorm_part<T>();                                                     \
  template PositionPart<T> no_position_part<T>();                                               \
  template PositionPart<T> sinusoidal_part<T>();                                                \
  template PositionPart<T> learned_position_part<T>();                                          \
  template PositionPart<T> t5_part<T>();                                                        \
  template PositionPart<T> alibi_part<T>();                                                     \
  template AttentionPart<T> multi_head_part<T>();                                               \
  template FeedForwardPart<T> feed_forward_part<T>(Activation);
TPP_INSTANTIATE(float)
TPP_INSTANTIATE(double)
#undef TPP_INSTANTIATE

}  // namespace tpp
