#include "chapters/15_gqa/part.h"

#include "chapters/15_gqa/gqa.h"

namespace tpp {

template <Real T>
AttentionPart<T> grouped_query_part() {
  return {"gqa", [](ParameterTable& table, const std::string& at, const ModelConfig& cfg,
                    const Position<T>& position) {
            return build_attention<T>(table, at, cfg, cfg.G, position, &grouped_query_attention<T>);
          }};
}

template AttentionPart<float> grouped_query_part<float>();
template AttentionPart<double> grouped_query_part<double>();

}  // namespace tpp
