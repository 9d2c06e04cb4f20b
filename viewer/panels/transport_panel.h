// The bar that drives a run: play, pause, step, a phase of a step, start again, how fast, how boldly.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/panel.h"
#include "viewer/run/frame.h"

namespace tpp::viewer {

class TransportPanel final : public Panel {
 public:
  TransportPanel();
  ~TransportPanel() override;

  const PanelInfo& info() const override;
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
