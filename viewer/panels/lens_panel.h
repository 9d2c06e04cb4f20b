// How one number of an attention map was made: the query and the key of the locked cell pair by
// pair, the share of each pair in their product, the steps from there to the weight, and what the
// logit would be at another distance.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "viewer/panel.h"
#include "viewer/panels/lens.h"

namespace tpp::viewer {

class LensPanel final : public Panel {
 public:
  LensPanel();
  ~LensPanel() override;

  const PanelInfo& info() const override;
  std::vector<std::string> taps(const ViewContext& context) const override;
  bool subtracts() const override { return true; }  // it shows A and B side by side
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;
  std::string settings() const override;
  void restore(const std::string& settings) override;

  // What is shown, for tests
  const Lens* lens() const;                 // null when there is no cell, or something is missing
  const Lens* lens_of_b() const;            // run B's cell, beside A's
  std::optional<int> what_if() const;       // the distance that is asked about
  const std::vector<float>& curve() const;  // the logit by distance, from first_distance()
  int first_distance() const;
  int chosen_part() const;  // whose numbers are written out

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
