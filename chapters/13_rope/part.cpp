#include "chapters/13_rope/part.h"

namespace tpp {

template <Real T>
PositionPart<T> rope_part(RopeConfig config) {
  return {"rope", [config](ParameterTable&, const ModelConfig& cfg) {
            const Index K = cfg.K();
            if (K % 2 != 0) {
              throw InputError("rope turns pairs of numbers, and a head of width " +
                               std::to_string(K) +
                               " has one left over: choose a width and a number "
                               "of heads whose quotient is even, or another --position");
            }
            Position<T> position;
            position.rotate = [K, config, table = rope_table<T>(cfg.T, K, config)](
                                  const Pass<T>& pass, Var<T> x, std::string_view name) {
              return rope(x, pass.length, K, table, config.pairing, name);
            };
            return position;
          }};
}

template PositionPart<float> rope_part<float>(RopeConfig);
template PositionPart<double> rope_part<double>(RopeConfig);

}  // namespace tpp
