// How large the numbers inside are: the residual stream by depth, each norm's work, and its gains.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/panel.h"
#include "viewer/run/frame.h"

namespace tpp::viewer {

/// A place on the residual stream, or a norm's side: √(mean of squares) of each position's row.
struct RmsRange {
  float mean = 0, min = 0, max = 0;  // over the positions
  int count = 0;                     // of positions; 0: not recorded
  int bad = 0;                       // of them that are not finite, and in none of the numbers
};
RmsRange rms_range(const TapValue* rms);

/// A point of the residual stream, from the embedding downwards.
struct DepthRms {
  std::string name;   // on the tape: "block2/attn/residual"
  std::string label;  // "2 attn"
  RmsRange rms;
};

/// A norm, by what goes in and what comes out.
struct NormWork {
  std::string input, output, gain;  // names on the tape
  std::string label;
  RmsRange before, after;
};
/// The stream's points and the norms of a model, without numbers yet.
std::vector<DepthRms> stream_points(const Frame& frame);
std::vector<NormWork> model_norms(const Frame& frame);

class NormsPanel final : public Panel {
 public:
  NormsPanel();
  ~NormsPanel() override;

  const PanelInfo& info() const override;
  std::vector<std::string> taps(const ViewContext& context) const override;
  bool subtracts() const override { return true; }
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;
  std::string settings() const override;
  void restore(const std::string& text) override;

  // What is shown, for tests
  const std::vector<DepthRms>& stream() const;
  const std::vector<NormWork>& norms() const;
  float largest_logit() const;  // NaN when not known

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
