// Break it: what can be broken, with a question before and the numbers after.
#pragma once

#include <memory>
#include <string>

#include "viewer/panel.h"

namespace tpp::viewer {

class BreakPanel final : public Panel {
 public:
  const PanelInfo& info() const override { return info_; }
  bool subtracts() const override { return true; }  // it shows both
  void draw(ViewContext& context) override;
  std::string explain() const override;

 private:
  PanelInfo info_{"break", "Break it", "10_optimizer", Slot::architecture};
};

}  // namespace tpp::viewer
