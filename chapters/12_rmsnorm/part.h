// RMSNorm and ScaleNorm as parts of a model.
#pragma once

#include "chapters/11_gpt/parts.h"

namespace tpp {

/// RMSNorm has no bias, whatever the model's other layers have.
template <Real T>
NormPart<T> rmsnorm_part();

/// ScaleNorm starts its one gain at √width, so that a row begins as long as RMSNorm would make it.
template <Real T>
NormPart<T> scalenorm_part();

}  // namespace tpp
