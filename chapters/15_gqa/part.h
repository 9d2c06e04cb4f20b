// Attention with shared keys and values as a part of a model.
#pragma once

#include "chapters/11_gpt/parts.h"

namespace tpp {

/// Grouped-query attention with config.G key and value heads; multi-query attention is G = 1.
template <Real T>
AttentionPart<T> grouped_query_part();

}  // namespace tpp
