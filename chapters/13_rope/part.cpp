#include "chapters/13_rope/part.h"

#include <memory>

namespace tpp {

template <Real T>
PositionPart<T> rope_part(RopeConfig config) {
  return {
      "rope", [config](ParameterTable&, const ModelConfig& cfg) {
        const Index K = cfg.K();
        if (K % 2 != 0) {
          throw InputError("rope turns pairs of numbers, and a head of width " + std::to_string(K) +
                           " has one left over: choose a width and a number "
                           "of heads whose quotient is even, or another --position");
        }
        const auto table = std::make_shared<const RopeTable<T>>(rope_table<T>(cfg.T, K, config));
        Position<T> position;
        position.rotate = [=](const Pass<T>& pass, Var<T> x, std::string_view name) {
          return rope(x, pass.length, K, *table, config.pairing, name);
        };
        position.rotate_both = [=](const Pass<T>& pass, Var<T> q, Var<T> k) {
          return rope_both(q, k, pass.length, K, *table, config.pairing);
        };
        return position;
      }};
}

template PositionPart<float> rope_part<float>(RopeConfig);
template PositionPart<double> rope_part<double>(RopeConfig);

}  // namespace tpp
