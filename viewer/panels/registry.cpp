// The one table of panels.
#include "viewer/panels/registry.h"

#include "viewer/panels/architecture_panel.h"
#include "viewer/panels/attention_panel.h"
#include "viewer/panels/rope_panel.h"

namespace tpp::viewer {
namespace {

template <class P>
std::unique_ptr<Panel> make() {
  return std::make_unique<P>();
}

constexpr PanelEntry kPanels[] = {
    {"architecture", make<ArchitecturePanel>},
    {"attention", make<AttentionPanel>},
    {"rope", make<RopePanel>},
};

}  // namespace

std::span<const PanelEntry> panel_table() { return kPanels; }

}  // namespace tpp::viewer
