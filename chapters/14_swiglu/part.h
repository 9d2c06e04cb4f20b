// Gated feed-forward layers as parts of a model.
#pragma once

#include "chapters/11_gpt/parts.h"
#include "chapters/14_swiglu/glu.h"

namespace tpp {

/// y = W_out·(f(W_gate·x) ⊙ W_value·x). Gate and value come from one product.
///
/// Names   "gate_value", its columns "gate" and "value", "hidden"
template <Real T>
FeedForwardPart<T> gated_part(Gate kind);

}  // namespace tpp
