// The head that the reader has locked, for panels that show one head.
#pragma once

#include "chapters/11_gpt/gpt.h"
#include "viewer/selection.h"

namespace tpp::viewer {

/// The head that is locked, if the model has it.
inline bool locked_head(const Selection& selection, const ModelConfig& c, int& layer, int& head) {
  const Place& place = selection.locked();
  if (!place.layer || !place.head) return false;
  if (*place.layer < 0 || *place.layer >= c.layers) return false;
  if (*place.head < 0 || *place.head >= c.H) return false;
  layer = *place.layer;
  head = *place.head;
  return true;
}

}  // namespace tpp::viewer
