// Rotary positions as a part of a model: they turn queries and keys, and add nothing to the embeddings.
#pragma once

#include "chapters/11_gpt/parts.h"
#include "chapters/13_rope/rope.h"

namespace tpp {

/// Errors  InputError when building, if the head width is odd
template <Real T>
PositionPart<T> rope_part(RopeConfig config = {});

}  // namespace tpp
