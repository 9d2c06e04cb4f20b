// The one table of panels: which there are, in the order of tabs and of pictures.
#pragma once

#include <span>

#include "viewer/panel.h"

namespace tpp::viewer {

[[nodiscard]] std::span<const PanelEntry> panel_table();

}  // namespace tpp::viewer
