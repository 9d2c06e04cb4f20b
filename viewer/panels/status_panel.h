// The last line: what watching costs, memory, frames a second, what was done last.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/panel.h"
#include "viewer/run/frame.h"

namespace tpp::viewer {

class StatusPanel final : public Panel {
 public:
  StatusPanel();
  ~StatusPanel() override;

  const PanelInfo& info() const override;
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;

  // For tests
  const std::string& message() const;  // what the last command did
  double frames_per_second() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
