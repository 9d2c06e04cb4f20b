#include "chapters/14_swiglu/part.h"

namespace tpp {

template <Real T>
FeedForwardPart<T> gated_part(Gate kind) {
  constexpr const char* kNames[] = {"glu", "bilinear", "reglu", "geglu", "swiglu"};
  return {kNames[int(kind)],
          [kind](ParameterTable& table, const std::string& at, const ModelConfig& cfg) -> Layer<T> {
            const Index F = cfg.F;
            const BlockInit init = block_init(cfg);
            // [snip gated_part]
            const LinearIds w_gate_value = declare_linear(table, at + "/w_gate_value", 2 * F, cfg.D,
                                                          cfg, Init::normal(init.value));
            const LinearIds w_out =
                declare_linear(table, at + "/w_out", cfg.D, F, cfg, Init::normal(init.residual));
            return [=](const Pass<T>& pass, Var<T> x, std::string_view name) {
              const Var<T> both = apply_linear(pass, w_gate_value, x, "gate_value");  // (N, 2F)
              const auto [gate, value] = split<T, 2>(both, {F, F}, {"gate", "value"});
              const Var<T> hidden = gated(kind, gate, value, "hidden");  // (N, F)
              return apply_linear(pass, w_out, hidden, name);            // (N, D)
              // [/snip]
            };
          }};
}

template FeedForwardPart<float> gated_part<float>(Gate);
template FeedForwardPart<double> gated_part<double>(Gate);

}  // namespace tpp
