// The one table of panels.
#include "viewer/panels/registry.h"

#include "viewer/panels/architecture_panel.h"
#include "viewer/panels/attention_panel.h"
#include "viewer/panels/break_panel.h"
#include "viewer/panels/gradients_panel.h"
#include "viewer/panels/kernels_panel.h"
#include "viewer/panels/lens_panel.h"
#include "viewer/panels/loss_panel.h"
#include "viewer/panels/norms_panel.h"
#include "viewer/panels/rope_panel.h"
#include "viewer/panels/samples_panel.h"
#include "viewer/panels/status_panel.h"
#include "viewer/panels/transport_panel.h"

namespace tpp::viewer {
namespace {

template <class P>
std::unique_ptr<Panel> make() {
  return std::make_unique<P>();
}

constexpr PanelEntry kPanels[] = {
    {"transport", make<TransportPanel>}, {"architecture", make<ArchitecturePanel>},
    {"break", make<BreakPanel>},         {"attention", make<AttentionPanel>},
    {"kernels", make<KernelsPanel>},     {"rope", make<RopePanel>},
    {"lens", make<LensPanel>},           {"norms", make<NormsPanel>},
    {"gradients", make<GradientsPanel>}, {"loss", make<LossPanel>},
    {"samples", make<SamplesPanel>},     {"status", make<StatusPanel>},
};

}  // namespace

std::span<const PanelEntry> panel_table() { return kPanels; }

}  // namespace tpp::viewer
