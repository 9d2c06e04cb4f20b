// Where the gradient goes: its size for each parameter over time, and how far each step moved what.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viewer/panel.h"
#include "viewer/run/frame.h"

namespace tpp::viewer {

/// The largest value of any stretch of steps, for each of many parameters, in logarithmic time. What is
/// not finite outdoes every number.
class MaxTable {
 public:
  explicit MaxTable(int width = 0) : width_(width) {}
  void push(const std::vector<float>& row);  // (width)
  void clear(int width);
  int width() const { return width_; }
  long size() const { return size_; }

  /// Over rows begin … end−1 into out (width). −∞ when there are none.
  void largest(long begin, long end, std::vector<float>& out) const;

 private:
  static constexpr long kFan = 8;
  int width_ = 0;
  long size_ = 0;
  std::vector<std::vector<float>> levels_;  // levels_[k]: (size / 8^k, width)
};

class GradientsPanel final : public Panel {
 public:
  GradientsPanel();
  ~GradientsPanel() override;

  const PanelInfo& info() const override;
  bool subtracts() const override { return true; }
  std::vector<std::string> taps(const ViewContext& context) const override;
  void update(const ViewContext& context) override;
  void draw(ViewContext& context) override;
  std::string explain() const override;
  void export_csv(std::ostream& out) const override;

  // What is shown, for tests
  int columns() const;      // of the map
  long first_step() const;  // in view
  long last_step() const;
  float cell(int row,
             int column) const;  // log₁₀ of the largest gradient norm of the column's steps
  const std::vector<double>& ratios() const;  // update / weight at the shown step, one a parameter

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tpp::viewer
