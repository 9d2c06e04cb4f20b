// The colours of code, in the reader and wherever else code is shown.
#pragma once

#include "tools/book/highlight.h"
#include "viewer/theme.h"

namespace tpp::viewer {

inline Rgba ink_colour(const Palette& p, book::Ink ink) {
  switch (ink) {
    case book::Ink::keyword:
    case book::Ink::preprocessor:
      return p.dim_head;
    case book::Ink::type:
      return p.dim_time;
    case book::Ink::string:
    case book::Ink::variable:
      return p.good;
    case book::Ink::number:
      return p.dim_pair;
    case book::Ink::comment:
      return p.muted;
    case book::Ink::function:
      return p.accent;
    case book::Ink::plain:
      break;
  }
  return p.text;
}

}  // namespace tpp::viewer
